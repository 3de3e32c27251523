package node

import (
	"math/bits"

	"github.com/anishathalye/porcupine"

	"p2pchat/rooms"
)

// asked is what a player asks of a host. What who and n mean depends on it.
type asked struct {
	what   string
	who, n int
	on     bool
}

// told is an answer: a refusal's code, or what was told.
type told struct {
	code  rooms.Code
	n, of int
	set   uint32
}

// questions change nothing.
var questions = map[string]bool{"back": true, "whois": true, "enter": true, "count": true, "who": true, "roles": true, "read": true}

func refused(c rooms.Code) told { return told{code: c} }

// model makes a model of a host that does one thing after the other: a function
// from what is true, and what is asked, to what is true then, and the answer. What
// got no answer may have been done, or not: it stands at the end of the order then.
func model[S comparable](first S, host func(S, asked) (S, told)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, in, out any) (bool, any) {
			next, want := host(state.(S), in.(asked))
			got, answered := out.(*told)
			return !answered || *got == want, next
		},
	}
}

// nickState is who goes by a nick: the player's number and 1, 0 for nobody.
type nickState [32]int8

// nickHost gives a nick to one player at a time. Each player has one at a time.
//
//	claim  who takes nick n
//	back   who comes back without a wish: n is the nick it goes by
//	whois  n of the one who goes by nick n, who is online
func nickHost(s nickState, a asked) (nickState, told) {
	me := int8(a.who + 1)
	switch a.what {
	case "claim":
		if s[a.n] != 0 && s[a.n] != me {
			return s, refused(rooms.NameTaken)
		}
		for slot := range s {
			if s[slot] == me {
				s[slot] = 0
			}
		}
		s[a.n] = me
		return s, told{}
	case "back":
		for slot := range s {
			if s[slot] == me {
				return s, told{n: slot}
			}
		}
	case "whois":
		return s, told{n: int(s[a.n]) - 1}
	}
	return s, refused("what?")
}

// inviteState is what is true about two invites to a private room.
type inviteState struct {
	max      [2]int
	used     [2]uint32 // who used it
	revoked  [2]bool
	admitted uint32 // who may enter without
}

func (s inviteState) live(n int) bool {
	return !s.revoked[n] && bits.OnesCount32(s.used[n]) < s.max[n]
}

// inviteHost lets max players in by an invite. One that may enter anyway does not
// use it up, nor does one that has used it before.
//
//	redeem  who enters by invite n
//	enter   who enters by the room's name
//	revoke  invite n ends
//	count   n and of are the uses of the two invites, -1 for one that is used up or revoked
func inviteHost(s inviteState, a asked) (inviteState, told) {
	me := uint32(1) << a.who
	switch a.what {
	case "redeem":
		switch {
		case s.revoked[a.n]:
			return s, refused(rooms.InviteInvalid)
		case s.used[a.n]&me != 0:
		case !s.live(a.n):
			return s, refused(rooms.InviteInvalid)
		case s.admitted&me == 0:
			s.used[a.n] |= me
			s.admitted |= me
		}
		return s, told{}
	case "enter":
		if s.admitted&me == 0 {
			return s, refused(rooms.NoSuchRoom)
		}
		return s, told{}
	case "revoke":
		if s.revoked[a.n] {
			return s, refused(rooms.InviteInvalid)
		}
		s.revoked[a.n] = true
		return s, told{}
	case "count":
		uses := [2]int{-1, -1}
		for n := range uses {
			if s.live(n) {
				uses[n] = bits.OnesCount32(s.used[n])
			}
		}
		return s, told{n: uses[0], of: uses[1]}
	}
	return s, refused("what?")
}

// seatState is a room: its limit, 0 for none, and the sessions inside.
type seatState struct {
	limit  int
	inside uint32
}

// Sessions seatMembers and above are second ones of the members 0, 1, and so on,
// but for the owner's.
const (
	seatMembers = 9
	seatOwner   = 31
)

// seatMember is the member that a session is of.
func seatMember(session int) int {
	if session == seatOwner {
		return seatOwner
	}
	return session % seatMembers
}

// members is who is inside.
func (s seatState) members() (set uint32) {
	for session := range 32 {
		if s.inside>>session&1 != 0 {
			set |= 1 << seatMember(session)
		}
	}
	return set
}

// seatHost lets limit members in. A member takes one seat, whatever its sessions.
//
//	join   session who enters: n members are inside then, of the limit
//	pass   session who enters and is put out on the way
//	leave  session who goes out
//	quit   session who ends, inside or not
//	limit  is n from now on; nobody is put out
//	kick   all sessions of member n are put out
//	who    set is the members inside
func seatHost(s seatState, a asked) (seatState, told) {
	me := uint32(1) << a.who
	switch a.what {
	case "join", "pass":
		members := s.members()
		if n := bits.OnesCount32(members); s.limit > 0 && n >= s.limit && members>>seatMember(a.who)&1 == 0 {
			return s, refused(rooms.RoomFull)
		}
		s.inside |= me
		if a.what == "pass" {
			return s, told{}
		}
		return s, told{n: bits.OnesCount32(s.members()), of: s.limit}
	case "leave":
		if s.inside&me == 0 {
			return s, refused(rooms.NotInRoom)
		}
		s.inside &^= me
		return s, told{}
	case "quit":
		s.inside &^= me
		return s, told{}
	case "limit":
		s.limit = a.n
		return s, told{}
	case "kick":
		if s.members()>>a.n&1 == 0 {
			return s, refused(rooms.NoSuchMember)
		}
		for session := range 32 {
			if seatMember(session) == a.n {
				s.inside &^= 1 << session
			}
		}
		return s, told{}
	case "who":
		if s.inside&me == 0 {
			return s, refused(rooms.NotInRoom)
		}
		return s, told{set: s.members()}
	}
	return s, refused("what?")
}

// roleState is a room that everybody is in: who its operators are, and its topic.
type roleState struct {
	ops   uint32
	topic int
}

// roleOwner is the player who may do everything and is no operator.
const roleOwner = 31

// roleHost does what an operator asks, or the owner.
//
//	op     who makes n an operator (on), or ends that
//	topic  who sets it to n
//	roles  set is the operators
//	read   n is the topic
func roleHost(s roleState, a asked) (roleState, told) {
	may := a.who == roleOwner || s.ops>>a.who&1 != 0
	switch a.what {
	case "op":
		if !may {
			return s, refused(rooms.Denied)
		}
		s.ops &^= 1 << a.n
		if a.on {
			s.ops |= 1 << a.n
		}
		return s, told{}
	case "topic":
		if !may {
			return s, refused(rooms.Denied)
		}
		s.topic = a.n
		return s, told{}
	case "roles":
		return s, told{set: s.ops}
	case "read":
		return s, told{n: s.topic}
	}
	return s, refused("what?")
}
