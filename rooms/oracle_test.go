package rooms_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// oracle is a host as a child would build it: lists that are walked through. It
// says for each command which code is due, and follows what is granted.
type oracle struct {
	now      time.Time
	rooms    []*oRoom
	sessions []*oSession // oldest first
	nicks    map[rooms.PeerID]string
	bans     []oBan // of the host
	invites  []*oInvite
	away     map[rooms.PeerID]oAway // what the members said of being away
}

// oAway is why a member is away, and by which of its programs it said so.
type oAway struct {
	text     string
	instance uint64
}

type oRoom struct {
	id       rooms.RoomID
	key      rooms.RoomKey
	private  bool
	limit    int
	topic    string
	keep     rooms.Retention
	ops      []rooms.PeerID
	muted    []rooms.PeerID
	admitted []rooms.PeerID
	bans     []oBan
}

type oSession struct {
	id       rooms.SessionID
	peer     rooms.PeerID
	instance uint64
	room     *oRoom
}

type oBan struct {
	peer    rooms.PeerID
	nick    string
	by      string
	expires time.Time
}

type oInvite struct {
	info    rooms.InviteInfo
	cap     rooms.Capability
	room    *oRoom
	users   []rooms.PeerID
	revoked bool // or its room is closed
}

// The limits of the world of the model.
const (
	oRooms, oMembers, oHost, oSessions, oInvites, oUses, oAwayBytes = 4, 3, 5, 2, 3, 5, 8
)

func oLimits(l *rooms.Limits) {
	l.Rooms, l.RoomMembers, l.HostMembers, l.Sessions = oRooms, oMembers, oHost, oSessions
	l.RoomInvites, l.InviteUses, l.InviteLife, l.AwayBytes = oInvites, oUses, 24*time.Hour, oAwayBytes
}

// looks are the nicks of the model: those with one number cannot be told apart.
var looks = map[string]int{
	"alice": 1, "Alice": 1, "al1ce": 1, "a.lice": 1,
	"bob": 2, "b0b": 2, "modern": 3, "rnodern": 3, "zoe": 4, "мир": 5,
	"host": -1, "adm1n": -1, "two words": -2, "": -2,
}

func (o *oracle) nickCode(peer rooms.PeerID, nick string) rooms.Code {
	switch looks[nick] {
	case -1:
		return rooms.NameTaken
	case -2:
		return rooms.BadName
	}
	for other, theirs := range o.nicks {
		if other != peer && looks[theirs] == looks[nick] {
			return rooms.NameTaken
		}
	}
	return ""
}

func (o *oracle) byNick(nick string) rooms.PeerID {
	for peer, theirs := range o.nicks {
		if strings.EqualFold(nick, theirs) {
			return peer
		}
	}
	return ""
}

func (o *oracle) person(who string) rooms.PeerID {
	if peer := o.byNick(who); peer != "" {
		return peer
	}
	if _, ok := o.nicks[rooms.PeerID(who)]; ok {
		return rooms.PeerID(who)
	}
	return ""
}

func (o *oracle) online(peer rooms.PeerID) (all []*oSession) {
	for _, s := range o.sessions {
		if s.peer == peer {
			all = append(all, s)
		}
	}
	return all
}

// inside returns the members of a room, each once.
func (o *oracle) inside(room *oRoom) (all []rooms.PeerID) {
	for _, s := range o.sessions {
		if s.room == room && !slices.Contains(all, s.peer) {
			all = append(all, s.peer)
		}
	}
	return all
}

func (o *oracle) members() int {
	var all []rooms.PeerID
	for _, s := range o.sessions {
		if !slices.Contains(all, s.peer) {
			all = append(all, s.peer)
		}
	}
	return len(all)
}

func (o *oracle) find(name string) *oRoom {
	for _, room := range o.rooms {
		if strings.EqualFold(string(room.id), name) {
			return room
		}
	}
	return nil
}

// own finds the one private room that a member knows by the name before the ~.
func (o *oracle) own(peer rooms.PeerID, name string) (own *oRoom) {
	for _, room := range o.rooms {
		if room.private && strings.EqualFold(strings.Split(string(room.id), "~")[0], name) && o.knows(peer, room) {
			if own != nil {
				return nil
			}
			own = room
		}
	}
	return own
}

func (o *oracle) held(bans []oBan, peer rooms.PeerID) bool {
	for _, b := range bans {
		if b.peer == peer && (b.expires.IsZero() || o.now.Before(b.expires)) {
			return true
		}
	}
	return false
}

func (o *oracle) operates(peer rooms.PeerID, room *oRoom) bool {
	return peer == owner || slices.Contains(room.ops, peer) && !o.held(room.bans, peer)
}

// knows tells whether a private room is there for somebody.
func (o *oracle) knows(peer rooms.PeerID, room *oRoom) bool {
	return !room.private || peer == owner || slices.Contains(room.admitted, peer) && !o.held(room.bans, peer)
}

func (o *oracle) full(room *oRoom, peer rooms.PeerID) bool {
	in := o.inside(room)
	limit := oMembers
	if room.limit > 0 {
		limit = min(limit, room.limit)
	}
	return !slices.Contains(in, peer) && len(in) >= limit
}

func (o *oracle) live(inv *oInvite) bool {
	return !inv.revoked && len(inv.users) < inv.info.MaxUses && (inv.info.Expires.IsZero() || o.now.Before(inv.info.Expires))
}

func (o *oracle) liveIn(room *oRoom) (n int) {
	for _, inv := range o.invites {
		if inv.room == room && o.live(inv) {
			n++
		}
	}
	return n
}

func (o *oracle) drop(s *oSession) {
	o.sessions = slices.DeleteFunc(o.sessions, func(x *oSession) bool { return x == s })
}

func (o *oracle) putOut(room *oRoom, peer rooms.PeerID) {
	for _, s := range o.online(peer) {
		if s.room == room {
			s.room = nil
		}
	}
}

func with(all []rooms.PeerID, peer rooms.PeerID, in bool) []rooms.PeerID {
	all = slices.DeleteFunc(all, func(p rooms.PeerID) bool { return p == peer })
	if in {
		all = append(all, peer)
	}
	return all
}

func banned(all []oBan, b oBan) []oBan {
	return append(unbanned(all, b.peer), b)
}

func unbanned(all []oBan, peer rooms.PeerID) []oBan {
	return slices.DeleteFunc(all, func(b oBan) bool { return b.peer == peer })
}

// state writes down what has to be remembered over a restart, a line each.
func (o *oracle) state() []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	bans := func(room rooms.RoomID, bans []oBan) {
		for _, b := range bans {
			if o.held(bans, b.peer) {
				add("ban %s %s %s %s %d", room, b.peer, b.nick, b.by, milli(b.expires))
			}
		}
	}
	for peer, nick := range o.nicks {
		add("nick %s %s", peer, nick)
	}
	bans("", o.bans)
	for _, room := range o.rooms {
		add("room %s %d %q %v", room.id, room.limit, room.topic, room.private)
		if k := room.keep; k != (rooms.Retention{}) {
			add("keep %s %d %d %d", room.id, k.Age.Milliseconds(), k.Bytes, k.Messages)
		}
		for what, peers := range map[string][]rooms.PeerID{"op": room.ops, "mute": room.muted, "admit": room.admitted} {
			for _, peer := range peers {
				add("%s %s %s", what, room.id, peer)
			}
		}
		bans(room.id, room.bans)
	}
	for _, inv := range o.invites {
		if inv.revoked || !o.live(inv) && len(inv.users) == 0 {
			continue
		}
		add("invite %s %s %s %d %d", inv.info.ID, inv.room.id, inv.info.By, inv.info.MaxUses, milli(inv.info.Expires))
		for _, peer := range inv.users {
			add("used %s %s", inv.info.ID, peer)
		}
	}
	slices.Sort(all)
	return all
}

// stateOf writes down the same from a snapshot.
func stateOf(changes []rooms.Change) []string {
	var all []string
	names := map[rooms.RoomKey]string{}
	for _, c := range changes {
		var line string
		switch c.Kind {
		case rooms.NickClaimed:
			line = fmt.Sprintf("nick %s %s", c.Peer, c.Name)
		case rooms.RoomCreated:
			names[c.Room] = c.Name
			line = fmt.Sprintf("room %s %d %q %v", c.Name, c.N, c.Text, c.Flags&rooms.FlagPrivate != 0)
		case rooms.RetentionSet:
			line = fmt.Sprintf("keep %s %d %d %d", names[c.Room], c.Age, c.Bytes, c.N)
		case rooms.RoleSet:
			line = fmt.Sprintf("op %s %s", names[c.Room], c.Peer)
		case rooms.MuteSet:
			line = fmt.Sprintf("mute %s %s", names[c.Room], c.Peer)
		case rooms.Admitted:
			line = fmt.Sprintf("admit %s %s", names[c.Room], c.Peer)
		case rooms.BanSet:
			line = fmt.Sprintf("ban %s %s %s %s %d", names[c.Room], c.Peer, c.Name, c.By, c.Expires)
		case rooms.InviteMade:
			line = fmt.Sprintf("invite %s %s %s %d %d", c.ID, names[c.Room], c.By, c.N, c.Expires)
		case rooms.InviteUsed:
			line = fmt.Sprintf("used %s %s", c.ID, c.Peer)
		case rooms.RoomEnded: // of a closed room only the name is left
			all = all[:len(all)-1]
			continue
		default:
			line = fmt.Sprintf("unexpected %+v", c)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
