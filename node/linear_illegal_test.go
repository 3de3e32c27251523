package node

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"p2pchat/rooms"
)

// did is a move that was answered. Moves follow each other unless they are made
// within.
func did(a asked, t told) porcupine.Operation { return porcupine.Operation{Input: a, Output: &t} }

// open is a move that got no answer.
func open(a asked) porcupine.Operation { return porcupine.Operation{Input: a} }

// meanwhile makes the moves happen at the same time.
func meanwhile(ops ...porcupine.Operation) []porcupine.Operation {
	for i := range ops {
		ops[i].Call, ops[i].Return = 1, 2
	}
	return ops
}

// inOrder makes one move happen after the other, those of a group at one time.
func inOrder(groups ...[]porcupine.Operation) (all []porcupine.Operation) {
	for i, ops := range groups {
		for _, op := range ops {
			op.Call, op.Return = op.Call+int64(3*i), op.Return+int64(3*i)
			if op.Output == nil {
				op.Return = never
			}
			all = append(all, op)
		}
	}
	return all
}

// then is a group of one.
func then(a asked, t told) []porcupine.Operation { return meanwhile(did(a, t)) }

// The models accept what a host may answer, and reject what it must not.
func TestLinearModels(t *testing.T) {
	claim := func(who, n int) asked { return asked{what: "claim", who: who, n: n} }
	redeem := func(who, n int) asked { return asked{what: "redeem", who: who, n: n} }
	by := func(what string, who int) asked { return asked{what: what, who: who} }
	about := func(what string, n int) asked { return asked{what: what, who: seatOwner, n: n} }
	op := func(who, n int, on bool) asked { return asked{what: "op", who: who, n: n, on: on} }
	topic := func(who, n int) asked { return asked{what: "topic", who: who, n: n} }
	yes, taken, invalid, full := told{}, refused(rooms.NameTaken), refused(rooms.InviteInvalid), refused(rooms.RoomFull)
	nicks := model(nickState{1, 2}, nickHost)
	invites := model(inviteState{max: [2]int{1, 2}, admitted: 1}, inviteHost)
	seats := model(seatState{limit: 2, inside: 1 << seatOwner}, seatHost)
	roles := model(roleState{ops: 1}, roleHost)

	for _, c := range []struct {
		name    string
		model   porcupine.Model
		legal   bool
		history []porcupine.Operation
	}{
		{"a nick is free once its member has another", nicks, true, inOrder(then(claim(0, 2), yes), then(claim(1, 0), yes))},
		{"and while it gets another", nicks, true, inOrder(meanwhile(did(claim(0, 2), yes), did(claim(1, 0), yes)))},
		{"one's own nick is no one else's", nicks, true, inOrder(then(claim(0, 0), yes))},
		{"two have one nick", nicks, false, inOrder(meanwhile(did(claim(0, 2), yes), did(claim(1, 2), yes)))},
		{"a free nick is refused", nicks, false, inOrder(then(claim(0, 2), taken))},
		{"a nick is not released", nicks, false, inOrder(then(claim(0, 2), yes), then(claim(1, 0), taken))},
		{"a nick is released early", nicks, false, inOrder(then(claim(1, 0), yes), then(claim(0, 2), yes))},
		{"a nick is lost", nicks, false, inOrder(then(claim(0, 2), yes), then(by("back", 0), told{n: 0}))},
		{"a nick leads to another member", nicks, false, inOrder(then(asked{what: "whois", n: 1}, told{n: 0}))},
		{"an open claim was heard", nicks, true, inOrder(meanwhile(open(claim(0, 2))), then(claim(1, 2), taken))},
		{"an open claim was not heard", nicks, true, inOrder(meanwhile(open(claim(0, 2))), then(claim(1, 2), yes))},
		{"an open claim was heard and undone", nicks, false,
			inOrder(meanwhile(open(claim(0, 2))), then(claim(1, 2), taken), then(by("back", 0), told{n: 0}))},
		{"a claim was heard before it was made", nicks, false, inOrder(then(claim(1, 2), taken), meanwhile(open(claim(0, 2))))},

		{"the same member uses an invite again", invites, true, inOrder(then(redeem(1, 0), yes), then(redeem(1, 0), yes))},
		{"and costs no use", invites, true, inOrder(then(redeem(1, 1), yes), then(redeem(1, 1), yes), then(by("count", 0), told{n: 0, of: 1}))},
		{"but did", invites, false, inOrder(then(redeem(1, 1), yes), then(redeem(1, 1), yes), then(by("count", 0), told{n: 0, of: -1}))},
		{"one use, two members", invites, false, inOrder(meanwhile(did(redeem(1, 0), yes), did(redeem(2, 0), yes)))},
		{"one use, nobody", invites, false, inOrder(meanwhile(did(redeem(1, 0), invalid), did(redeem(2, 0), invalid)))},
		{"a use is lost", invites, false, inOrder(then(redeem(1, 1), yes), then(by("count", 0), told{n: 0, of: 0}))},
		{"a member without a use", invites, false, inOrder(meanwhile(open(redeem(1, 1))), then(by("enter", 1), yes), then(by("count", 0), told{n: 0, of: 0}))},
		{"a use without a member", invites, false,
			inOrder(meanwhile(open(redeem(1, 1))), then(by("count", 0), told{n: 0, of: 1}), then(by("enter", 1), refused(rooms.NoSuchRoom)))},
		{"a revoked invite is used", invites, false, inOrder(then(asked{what: "revoke", n: 1}, yes), then(redeem(1, 1), yes))},
		{"it is used while it is revoked", invites, true, inOrder(meanwhile(did(asked{what: "revoke", n: 1}, yes), did(redeem(1, 1), yes)))},
		{"a revoked invite is revoked", invites, false, inOrder(then(asked{what: "revoke", n: 1}, yes), then(asked{what: "revoke", n: 1}, yes))},
		{"somebody enters without an invite", invites, false, inOrder(then(by("enter", 1), yes))},
		{"a member is forgotten", invites, false, inOrder(then(redeem(1, 0), yes), then(by("enter", 1), refused(rooms.NoSuchRoom)))},

		{"one seat, two members", seats, false, inOrder(meanwhile(did(by("join", 0), told{n: 2, of: 2}), did(by("join", 1), told{n: 2, of: 2})))},
		{"one seat, nobody", seats, false, inOrder(meanwhile(did(by("join", 0), full), did(by("join", 1), full)))},
		{"one member, two sessions, one seat", seats, true,
			inOrder(meanwhile(did(by("join", 0), told{n: 2, of: 2}), did(by("join", seatMembers), told{n: 2, of: 2})))},
		{"the seat is free when one of them leaves", seats, false, inOrder(then(by("join", 0), told{n: 2, of: 2}),
			then(by("join", seatMembers), told{n: 2, of: 2}), then(by("leave", 0), yes), then(by("join", 1), told{n: 2, of: 2}))},
		{"a seat is not free again", seats, false, inOrder(then(by("join", 0), told{n: 2, of: 2}), then(by("leave", 0), yes), then(by("join", 1), full))},
		{"a quit keeps its seat", seats, false, inOrder(then(by("join", 0), told{n: 2, of: 2}), then(by("quit", 0), yes), then(by("join", 1), full))},
		{"a kicked member stays", seats, false, inOrder(then(by("join", 0), told{n: 2, of: 2}), then(about("kick", 0), yes),
			then(by("who", seatOwner), told{set: 1<<seatOwner | 1}))},
		{"a lower limit puts nobody out", seats, true, inOrder(then(by("join", 0), told{n: 2, of: 2}), then(about("limit", 1), yes),
			then(by("who", 0), told{set: 1<<seatOwner | 1}), then(by("join", 1), full))},
		{"a limit is not heard", seats, false, inOrder(then(about("limit", 1), yes), then(by("join", 0), told{n: 2, of: 2}))},
		{"a limit is not raised", seats, false, inOrder(then(about("limit", 0), yes), then(by("join", 0), full))},

		{"an operator makes another", roles, true, inOrder(then(op(0, 1, true), yes), then(topic(1, 7), yes), then(by("read", 2), told{n: 7}))},
		{"anybody is heard", roles, false, inOrder(then(topic(1, 7), yes))},
		{"a former operator is heard", roles, false, inOrder(then(op(roleOwner, 0, false), yes), then(topic(0, 7), yes))},
		{"at the same time it may be", roles, true, inOrder(meanwhile(did(op(roleOwner, 0, false), yes), did(topic(0, 7), yes)))},
		{"two operators each end the other", roles, false,
			inOrder(then(op(0, 1, true), yes), meanwhile(did(op(0, 1, false), yes), did(op(1, 0, false), yes)))},
		{"one of them does", roles, true, inOrder(then(op(0, 1, true), yes), meanwhile(did(op(0, 1, false), yes), did(op(1, 0, false), refused(rooms.Denied))))},
		{"an operator is refused", roles, false, inOrder(then(topic(0, 7), refused(rooms.Denied)))},
		{"a refused topic is set", roles, false, inOrder(then(topic(1, 7), refused(rooms.Denied)), then(by("read", 2), told{n: 7}))},
		{"a role is lost", roles, false, inOrder(then(op(0, 1, true), yes), then(by("roles", 0), told{set: 1}))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := porcupine.CheckOperations(c.model, c.history); got != c.legal {
				t.Errorf("legal is %v", got)
			}
		})
	}
}
