package rooms

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func (a asking) topic(c Topic) (Decision, *Refusal) {
	room, refusal := a.mine("")
	if refusal != nil {
		return Decision{}, refusal
	}
	if refusal := a.checkTopic(c.Text); refusal != nil {
		return Decision{}, refusal
	}
	info := a.info(room)
	info.Topic = c.Text
	return a.changed(room, info, Change{Kind: TopicSet, Text: c.Text}), nil
}

func (a asking) setLimit(c SetLimit) (Decision, *Refusal) {
	room, refusal := a.mine("")
	if refusal != nil {
		return Decision{}, refusal
	}
	if refusal := a.checkLimit(c.Limit); refusal != nil {
		return Decision{}, refusal
	}
	info := a.info(room)
	info.Limit = c.Limit
	return a.changed(room, info, Change{Kind: LimitSet, N: int64(c.Limit)}), nil
}

func (a asking) setRetention(c SetRetention) (Decision, *Refusal) {
	room, refusal := a.mine("")
	if refusal != nil {
		return Decision{}, refusal
	}
	if room.noHistory {
		return Decision{}, Refuse(BadRequest, "a room made without --no-history keeps one", "room %q keeps no history", room.id)
	}
	if c.Age < 0 || c.Bytes < 0 || c.Messages < 0 || c.Age != c.Age.Truncate(time.Millisecond) {
		return Decision{}, Refuse(BadRequest, "say an age, a size or a number of messages, or all", "this is not how much of a history could be kept")
	}
	info := a.info(room)
	info.Retention = c.Retention
	return a.changed(room, info, c.Retention.change(room.key)), nil
}

func (r Retention) change(room RoomKey) Change {
	return Change{Kind: RetentionSet, Room: room, Age: r.Age.Milliseconds(), Bytes: r.Bytes, N: r.Messages}
}

// changed stores a change of the member's room and tells everybody in it.
func (a asking) changed(room *roomState, info RoomInfo, c Change) Decision {
	c.Time, c.Room = unixMilli(a.env.Now), room.key
	return Decision{
		Answer:  Done{},
		Changes: []Change{c},
		Effects: []Effect{Broadcast{room.key, RoomChanged{What: RoomUpdated, Room: info, By: a.session.nick}}},
	}
}

// target finds a member of the operator's room by nick. Nobody but the owner may
// touch the owner.
func (a asking) target(nick string) (*roomState, PeerID, *Refusal) {
	room, refusal := a.mine("")
	if refusal != nil {
		return nil, "", refusal
	}
	peer, ok := a.byNick(nick)
	if !ok || room.present[peer] == 0 {
		return nil, "", noSuchMember(nick, fmt.Sprintf("in room %q", room.id))
	}
	if refusal := a.untouchable(peer); refusal != nil {
		return nil, "", refusal
	}
	return room, peer, nil
}

func (a asking) untouchable(peer PeerID) *Refusal {
	if peer == a.owner && a.session.peer != a.owner {
		return Refuse(Denied, "", "%q is the owner of this host", a.nicks[peer].nick)
	}
	return nil
}

func noSuchMember(nick, where string) *Refusal {
	return Refuse(NoSuchMember, "/who shows who is here", "there is no %q %s", brief(nick), where)
}

// brief cuts what somebody typed to what a sentence can hold.
func brief(s string) string {
	n := 0
	for i := range s {
		if n++; n > 64 {
			return s[:i] + "…"
		}
	}
	return s
}

func checkReason(s string) *Refusal {
	if len(s) > 300 || !utf8.ValidString(s) {
		return Refuse(TooLong, "make it shorter", "a reason has at most 300 bytes")
	}
	return nil
}

func (a asking) kick(c Kick) (Decision, *Refusal) {
	room, peer, refusal := a.target(c.Nick)
	if refusal == nil {
		refusal = checkReason(c.Reason)
	}
	if refusal == nil && peer == a.session.peer {
		refusal = Refuse(BadRequest, "/leave leaves the room", "you can't kick yourself")
	}
	if refusal != nil {
		return Decision{}, refusal
	}
	return Decision{Answer: Done{}, Effects: a.putOut(room, peer, "kicked", c.Reason)}, nil
}

// putOut takes a member out of a room; how stands in what it is told.
func (a asking) putOut(room *roomState, peer PeerID, how, reason string) []Effect {
	told := how + " by " + a.session.nick
	if reason != "" {
		told += ": " + reason
	}
	var effects []Effect
	for _, id := range a.inside(room, peer) {
		effects = append(effects, Detach{id, room.key},
			Tell{id, RoomChanged{What: RoomLeft, Room: RoomInfo{Room: room.id}, Reason: told}})
	}
	if effects == nil {
		return nil
	}
	return append(effects, Broadcast{room.key, MemberChanged{
		Room: room.id, What: MemberKicked, Member: a.member(room, peer), By: a.session.nick, Reason: reason,
	}})
}

// putOutOfHost ends all sessions of a member. Each of its rooms is told once.
func (a asking) putOutOfHost(peer PeerID, why *Refusal) []Effect {
	var effects []Effect
	out := map[*roomState]int{}
	for _, id := range a.online(peer) {
		effects = append(effects, a.detach(id)...)
		if room := a.sessions[id].room; room != nil {
			if out[room]++; out[room] == room.present[peer] {
				effects = append(effects, a.left(room, peer, "banned"))
			}
		}
		effects = append(effects, Drop{id, why})
	}
	return effects
}

// banRoom finds where a ban holds: the member's room, or for the owner outside
// of any room, with nil, the whole host.
func (a asking) banRoom() (*roomState, *Refusal) {
	if a.session.room == nil && a.session.peer == a.owner {
		return nil, nil
	}
	return a.mine("")
}

func (a asking) ban(c Ban) (Decision, *Refusal) {
	room, refusal := a.banRoom()
	if refusal == nil {
		refusal = checkReason(c.Reason)
	}
	if refusal != nil {
		return Decision{}, refusal
	}
	peer, nick, ok := a.person(c.Who)
	if !ok {
		return Decision{}, noSuchMember(c.Who, "on this host")
	}
	if peer == a.session.peer {
		return Decision{}, Refuse(BadRequest, "", "you can't ban yourself")
	}
	if refusal := a.untouchable(peer); refusal != nil {
		return Decision{}, refusal
	}
	change := Change{
		Kind: BanSet, Time: unixMilli(a.env.Now), Peer: peer, Name: nick, By: a.session.nick, Text: c.Reason,
	}
	var until time.Time
	if c.Life > 0 {
		until = a.env.Now.Add(c.Life)
		change.Expires = unixMilli(until)
	}
	d := Decision{Answer: Done{}}
	if room != nil {
		change.Room = room.key
		d.Effects = a.putOut(room, peer, "banned", c.Reason)
	} else {
		why := ban{info: BanInfo{Reason: c.Reason, Expires: until}}.refusal("this host")
		d.Effects = a.putOutOfHost(peer, why)
	}
	d.Changes = []Change{change}
	return d, nil
}

// person finds a member by nick or peer ID, here or not.
func (r *Registry) person(who string) (PeerID, string, bool) {
	if peer, ok := r.byNick(who); ok {
		return peer, r.nicks[peer].nick, true
	}
	if c, ok := r.nicks[PeerID(who)]; ok {
		return PeerID(who), c.nick, true
	}
	return "", "", false
}

func (a asking) unban(c Unban) (Decision, *Refusal) {
	room, refusal := a.banRoom()
	if refusal != nil {
		return Decision{}, refusal
	}
	bans, key := a.hostBans, RoomKey{}
	if room != nil {
		bans, key = room.bans, room.key
	}
	for _, peer := range sortedKeys(bans) {
		b := bans[peer]
		if b.holds(a.env.Now) && (string(peer) == c.Who || foldName(b.info.Nick) == foldName(c.Who)) {
			return Decision{Answer: Done{}, Changes: []Change{{Kind: BanLifted, Time: unixMilli(a.env.Now), Room: key, Peer: peer}}}, nil
		}
	}
	return Decision{}, Refuse(NoSuchMember, "/bans shows who is", "%q is not banned here", brief(c.Who))
}

func (a asking) listBans() (Decision, *Refusal) {
	room, refusal := a.banRoom()
	if refusal != nil {
		return Decision{}, refusal
	}
	bans := a.hostBans
	if room != nil {
		bans = room.bans
	}
	var held []ban
	for _, b := range bans {
		if b.holds(a.env.Now) {
			held = append(held, b)
		}
	}
	slices.SortFunc(held, func(x, y ban) int {
		return cmp.Or(x.at.Compare(y.at), strings.Compare(string(x.info.Peer), string(y.info.Peer)))
	})
	answer := BanList{}
	for _, b := range held {
		answer.Bans = append(answer.Bans, b.info)
	}
	return Decision{Answer: answer}, nil
}

func (a asking) mute(c Mute) (Decision, *Refusal) {
	room, peer, refusal := a.target(c.Nick)
	if refusal != nil {
		return Decision{}, refusal
	}
	m := a.member(room, peer)
	m.Muted = c.Muted
	what := MemberUnmuted
	if c.Muted {
		what = MemberMuted
	}
	return a.memberSet(room, MemberChanged{What: what, Member: m}, Change{Kind: MuteSet, N: number(c.Muted)}), nil
}

func (a asking) op(c Op) (Decision, *Refusal) {
	room, peer, refusal := a.target(c.Nick)
	if refusal != nil {
		return Decision{}, refusal
	}
	m := a.member(room, peer)
	if m.Role != Owner {
		m.Role = Role(number(c.Op))
	}
	return a.memberSet(room, MemberChanged{What: MemberRole, Member: m}, Change{Kind: RoleSet, N: number(c.Op)}), nil
}

// memberSet stores a change of a member and tells the room.
func (a asking) memberSet(room *roomState, e MemberChanged, c Change) Decision {
	c.Time, c.Room, c.Peer = unixMilli(a.env.Now), room.key, e.Member.Peer
	e.Room, e.By = room.id, a.session.nick
	return Decision{Answer: Done{}, Changes: []Change{c}, Effects: []Effect{Broadcast{room.key, e}}}
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (a asking) whisper(c Whisper) (Decision, *Refusal) {
	if refusal := a.limits.checkText(Say{Kind: Text, Text: c.Text}); refusal != nil {
		return Decision{}, refusal
	}
	peer, ok := a.byNick(c.Nick)
	if !ok || len(a.online(peer)) == 0 {
		return Decision{}, noSuchMember(c.Nick, "connected to this host")
	}
	e := Whispered{
		From: Author{a.session.peer, a.session.nick},
		To:   Author{peer, a.nicks[peer].nick},
		Text: c.Text,
	}
	d := Decision{Answer: Done{}}
	for _, id := range a.online(peer) {
		d.Effects = append(d.Effects, Tell{id, e})
	}
	if peer != a.session.peer {
		e.Own = true
		d.Effects = append(d.Effects, Tell{a.id, e})
	}
	d.Effects = append(d.Effects, a.awayNotice(peer)...)
	return d, nil
}

func (a asking) whois(c Whois) (Decision, *Refusal) {
	peer, ok := a.byNick(c.Nick)
	online := a.online(peer)
	if !ok || len(online) == 0 {
		return Decision{}, noSuchMember(c.Nick, "connected to this host")
	}
	s := a.sessions[online[0]]
	m := a.member(a.session.room, peer)
	m.Since = s.since
	if a.session.peer == a.owner {
		m.Path = s.path
	}
	if s.room != nil && (!s.room.private || s.room == a.session.room || a.session.peer == a.owner) {
		m.Room = s.room.id
	}
	return Decision{Answer: m}, nil
}

func (a asking) close(c Close) (Decision, *Refusal) {
	room, refusal := a.mine(c.Room)
	if refusal != nil {
		return Decision{}, refusal
	}
	d := Decision{Answer: Done{}, Changes: []Change{{Kind: RoomEnded, Time: unixMilli(a.env.Now), Room: room.key}}}
	closed := RoomChanged{What: RoomClosed, Room: a.info(room), Reason: "closed by " + a.session.nick}
	for _, id := range slices.Sorted(maps.Keys(a.sessions)) {
		if a.sessions[id].room == room {
			d.Effects = append(d.Effects, Detach{id, room.key}, Tell{id, closed})
		}
	}
	d.Effects = append(d.Effects, Ended{room.key})
	return d, nil
}

func (a asking) status() (Decision, *Refusal) {
	if a.session.peer != a.owner {
		return Decision{}, Refuse(Denied, "/who shows who is here", "only the owner of this host may see that")
	}
	answer := HostStatus{Peer: a.owner}
	for _, room := range a.rooms {
		answer.Rooms = append(answer.Rooms, a.info(room))
	}
	slices.SortFunc(answer.Rooms, func(x, y RoomInfo) int { return strings.Compare(x.Room.fold(), y.Room.fold()) })
	for id, s := range a.sessions {
		if id == a.id {
			continue
		}
		m := a.member(s.room, s.peer)
		m.Since, m.Path = s.since, s.path
		if s.room != nil {
			m.Room = s.room.id
		}
		answer.Members = append(answer.Members, m)
	}
	sortMembers(answer.Members)
	return Decision{Answer: answer}, nil
}
