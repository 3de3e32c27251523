package rooms

import (
	"fmt"
	"io"
	"time"
)

// A nick that nobody has used for nickLife is free for others. It counts as used
// once every nickTouch.
const (
	nickLife  = 90 * 24 * time.Hour
	nickTouch = 24 * time.Hour
)

func (r *Registry) connect(env Env, who SessionID, c Connect) (Decision, *Refusal) {
	if b, ok := r.hostBans[c.Peer]; ok && b.holds(env.Now) {
		return Decision{}, b.refusal("this host")
	}
	online := r.online(c.Peer)
	if len(online) == 0 && r.full() {
		return Decision{}, Refuse(Busy, "try again later", "this host is full (%d members)", r.limits.HostMembers)
	}
	nick, refusal := r.grantNick(env, c)
	if refusal != nil {
		return Decision{}, refusal
	}
	d := Decision{Answer: Welcome{Peer: c.Peer, Host: r.owner, Nick: nick}}
	if twin, ok := r.twin(c); ok {
		d.Effects = append(d.Effects, r.detach(twin)...)
		d.Effects = append(d.Effects, Drop{Session: twin})
	} else if r.limits.Sessions > 0 && len(online) >= r.limits.Sessions {
		d.Effects = append(d.Effects, r.exit(online[0], "")...)
		d.Effects = append(d.Effects, Drop{online[0], Refuse(Busy, "close one of the others first",
			"a newer connection of your key took the place of this one (%d at a time)", r.limits.Sessions)})
	}
	d.name(r, env, c.Peer, nick)
	return d, nil
}

// full tells whether no further member may connect.
func (r *Registry) full() bool {
	if r.limits.HostMembers == 0 || len(r.sessions) < r.limits.HostMembers {
		return false
	}
	peers := map[PeerID]bool{}
	for _, s := range r.sessions {
		peers[s.peer] = true
	}
	return len(peers) >= r.limits.HostMembers
}

// grantNick finds the nick of a member who connects.
func (r *Registry) grantNick(env Env, c Connect) (string, *Refusal) {
	had := r.nicks[c.Peer].nick
	if !c.Fixed && had != "" {
		return had, nil
	}
	nick, refusal := r.limits.ParseNick(c.Nick)
	if refusal == nil {
		refusal = r.nickFree(env, c.Peer, nick)
	}
	if refusal == nil {
		return nick, nil
	}
	if c.Fixed {
		return "", refusal
	}
	return r.makeNick(env, c)
}

// makeNick varies a wish until it is free. A wish that can't be a nick at all
// becomes "guest".
func (r *Registry) makeNick(env Env, c Connect) (string, *Refusal) {
	base, ok := cleanName(c.Nick, r.limits.Nick-6)
	if !ok || isReserved(base) {
		base = "guest"
	}
	for n := 2; n < 100; n++ {
		nick := fmt.Sprintf("%s-%d", base, n)
		if n > 9 {
			nick = fmt.Sprintf("%s-%05d", base, randomInt(env.Random, 100_000))
		}
		if _, refusal := r.limits.ParseNick(nick); refusal != nil {
			base = "guest" // a number does not go with every script
			continue
		}
		if r.nickFree(env, c.Peer, nick) == nil {
			return nick, nil
		}
	}
	return "", Refuse(NameTaken, "choose one with --nick", "nick %q is taken", base)
}

// nickFree tells whether a member may take a nick.
func (r *Registry) nickFree(env Env, peer PeerID, nick string) *Refusal {
	for i, key := range nickKeys(nick) {
		other, taken := r.nickKeys[key]
		if !taken || other == peer {
			continue
		}
		theirs := r.nicks[other]
		if len(r.online(other)) == 0 && env.Now.Sub(theirs.at) > nickLife {
			continue
		}
		if i == 0 {
			return Refuse(NameTaken, "choose another", "nick %q is taken", nick)
		}
		return Refuse(NameTaken, "choose one that can't be mistaken", "nick %q looks like %q, which is taken", nick, theirs.nick)
	}
	return nil
}

// name lets a member go by a nick from now on, if it does not already.
func (d *Decision) name(r *Registry, env Env, peer PeerID, nick string) {
	had := r.nicks[peer]
	if had.nick == nick && env.Now.Sub(had.at) < nickTouch {
		return
	}
	d.Changes = append(d.Changes, Change{Kind: NickClaimed, Time: unixMilli(env.Now), Peer: peer, Name: nick})
	if had.nick == nick {
		return
	}
	for _, o := range r.Rooms() {
		if room := r.rooms[o.Key]; room.present[peer] > 0 {
			m := r.member(room, peer)
			m.Nick = nick
			d.Effects = append(d.Effects, Broadcast{room.key, MemberChanged{Room: room.id, What: MemberRenamed, Member: m, Old: had.nick}})
		}
	}
}

func (a asking) disconnect() (Decision, *Refusal) {
	return Decision{Answer: Done{}, Effects: a.exit(a.id, "")}, nil
}

func (a asking) quit(c Quit) (Decision, *Refusal) {
	room := a.session.room
	if checkReason(c.Reason) != nil || room != nil && room.muted[a.session.peer] {
		c.Reason = "" // leaving is not refused, and a muted member does not speak by it
	}
	return Decision{Answer: Done{}, Effects: append(a.exit(a.id, c.Reason), Drop{Session: a.id})}, nil
}

func (a asking) rename(c Rename) (Decision, *Refusal) {
	nick, refusal := a.limits.ParseNick(c.Nick)
	if refusal != nil {
		return Decision{}, refusal
	}
	if refusal := a.nickFree(a.env, a.session.peer, nick); refusal != nil {
		return Decision{}, refusal
	}
	d := Decision{Answer: Done{}}
	d.name(a.Registry, a.env, a.session.peer, nick)
	return d, nil
}

// detach takes a session out of its room without a word.
func (r *Registry) detach(id SessionID) []Effect {
	s := r.sessions[id]
	if s == nil || s.room == nil {
		return nil
	}
	return []Effect{Detach{id, s.room.key}}
}

// exit takes a session out of its room; the others are told when it was the
// member's last one there.
func (r *Registry) exit(id SessionID, reason string) []Effect {
	effects := r.detach(id)
	if effects == nil {
		return nil
	}
	s := r.sessions[id]
	if s.room.present[s.peer] == 1 {
		effects = append(effects, r.left(s.room, s.peer, reason))
	}
	return effects
}

// left tells a room that a member is out of it.
func (r *Registry) left(room *roomState, peer PeerID, reason string) Effect {
	return Broadcast{room.key, MemberChanged{
		Room: room.id, What: MemberLeft, Member: r.member(room, peer), Reason: reason,
	}}
}

func randomInt(random io.Reader, n uint32) uint32 {
	var b [4]byte
	read(random, b[:])
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) % n
}

// read fills b. A random source that fails leaves nothing safe to go on with.
func read(random io.Reader, b []byte) {
	if _, err := io.ReadFull(random, b); err != nil {
		panic("rooms: no randomness: " + err.Error())
	}
}

// Dispensable tells whether changes may go unrecorded where the disk is full: they only
// say again who has a nick.
func (r *Registry) Dispensable(changes []Change) bool {
	for _, c := range changes {
		if c.Kind != NickClaimed || r.nicks[c.Peer].nick != c.Name {
			return false
		}
	}
	return true
}
