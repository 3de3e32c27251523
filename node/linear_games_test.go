package node

import (
	"strings"
	"unicode"

	"p2pchat/rooms"
)

// nickGame: a few nicks more than players, who want each other's.
var nickGame = game{
	name: "nicks", players: 12, moves: 12, tables: 10, restarts: true,
	want: "claim, claim name_taken, claim late, claim unanswered, back, whois",
	open: func(b *table) {
		b.slots = len(b.players) + 2 + b.rand.IntN(6)
		var first nickState
		for _, p := range b.players {
			p.come(b.nick(p.id))
			first[p.id] = int8(p.id + 1)
		}
		b.model = model(first, nickHost)
	},
	move: func(p *player) {
		slot := p.rand.IntN(p.slots)
		claim := asked{what: "claim", who: p.id, n: slot}
		switch n := p.rand.IntN(20); {
		case p.line == nil || n < 3:
			p.back()
		case n < 6:
			call := p.clock.Add(1)
			e := p.dial(p.spelling(slot), true) // one that is refused keeps the session it has
			p.note(call, claim, answerOf(e, func(e rooms.Event) told {
				if p.slotIn(e).n != slot {
					p.Errorf("%+v was answered %+v", claim, e)
				}
				return told{}
			}))
		case n < 14:
			p.ask(claim, rooms.Rename{Nick: p.spelling(slot)}, nil)
		case n < 16:
			p.cut(claim, rooms.Rename{Nick: p.spelling(slot)})
		default:
			p.whois(slot)
		}
	},
}

// back comes back, or takes the session over that there is, and learns its nick. So it
// turns out whether a claim was heard that got no answer.
func (p *player) back() {
	call := p.clock.Add(1)
	answer := answerOf(p.dial("", false), p.slotIn)
	p.note(call, asked{what: "back", who: p.id}, answer)
	if answer != nil && len(p.moves) > 1 {
		p.settle(p.moves[len(p.moves)-2].Input.(asked).n == answer.n)
	}
}

// spelling is one of the ways to write a nick; they all pass for the same.
func (p *player) spelling(slot int) string {
	nick := p.nick(slot)
	switch p.rand.IntN(4) {
	case 0:
		nick = strings.ToUpper(nick)
	case 1:
		nick = nick[:2] + "-" + nick[2:]
	}
	return nick
}

// slotIn is the nick in a welcome.
func (b *table) slotIn(e rooms.Event) told {
	nick := strings.ReplaceAll(strings.Map(unicode.ToLower, e.(rooms.Welcome).Nick), "-", "")
	for slot := range b.slots {
		if b.nick(slot) == nick {
			return told{n: slot}
		}
	}
	return told{n: -1}
}

// whois asks who goes by a nick. That somebody does who is not there is not told.
func (p *player) whois(slot int) {
	call := p.clock.Add(1)
	e := p.line.ask(rooms.Whois{Nick: p.nick(slot)})
	if e == nil {
		p.hangUp()
	}
	if m, ok := e.(rooms.Member); ok {
		p.note(call, asked{what: "whois", n: slot}, &told{n: p.number(m.Peer)})
	}
}

// number is the player with this key.
func (b *table) number(peer rooms.PeerID) int {
	for _, p := range b.players {
		if p.peer == peer {
			return p.id
		}
	}
	return -1
}

// inviteGame: two invites to a private room, with fewer uses than players. Player 0
// made them.
var inviteGame = game{
	name: "invites", players: 13, moves: 9, tables: 67, restarts: true,
	want: "redeem, redeem invite_invalid, redeem late, enter, enter no_such_room, revoke, revoke invite_invalid, count",
	open: func(b *table) {
		first := inviteState{admitted: 1}
		for _, p := range b.players {
			p.come("")
		}
		b.room = b.players[0].must(rooms.Create{Room: "cellar", Private: true}).(rooms.Entered).Room.Room
		for n := range first.max {
			first.max[n] = 1 + b.rand.IntN(5)
			b.invites = append(b.invites, b.players[0].must(rooms.Invite{Uses: first.max[n]}).(rooms.Invited))
		}
		b.model = model(first, inviteHost)
	},
	move: func(p *player) {
		p.come("")
		a := asked{who: p.id, n: p.rand.IntN(2)}
		switch n := p.rand.IntN(20); {
		case p.id == 0 && n < 2:
			a.what = "revoke"
			p.ask(a, rooms.Revoke{ID: p.invites[a.n].Invite.ID}, nil)
		case p.id == 0:
			p.count()
		case p.unsettled():
			p.enter()
		case n < 11:
			a.what = "redeem"
			if _, ok := p.ask(a, rooms.Join{Invite: p.invites[a.n].Capability}, nil).(rooms.Entered); ok {
				p.admitted = true
			}
		case n < 13:
			a.what = "redeem"
			p.cut(a, rooms.Join{Invite: p.invites[a.n].Capability})
		case n < 17:
			p.enter()
		default:
			if p.line.ask(rooms.Leave{}) == nil {
				p.hangUp()
			}
		}
	},
	end: func(b *table) {
		for _, p := range b.players {
			p.come("")
			p.enter()
		}
		b.players[0].count()
	},
}

// must sends a command that has to be accepted, and stays out of the history.
func (p *player) must(cmd rooms.Command) rooms.Event {
	p.Helper()
	e := p.line.ask(cmd)
	if _, refused := e.(*rooms.Refusal); refused || e == nil {
		p.Fatalf("%s: %T was answered %v", p.peer, cmd, e)
	}
	return e
}

// enter enters by the room's name. Whoever may do that and might not before has used
// an invite, though that got no answer.
func (p *player) enter() {
	before, open := p.admitted, p.id != 0 && p.unsettled()
	e := p.ask(asked{what: "enter", who: p.id}, rooms.Join{Room: string(p.room)}, nil)
	if e == nil {
		return
	}
	if _, p.admitted = e.(rooms.Entered); open {
		p.settle(p.admitted && !before)
	}
}

func (p *player) count() {
	p.ask(asked{what: "count"}, rooms.Invites{Room: string(p.room)}, func(e rooms.Event) told {
		uses := map[string]int{}
		for _, i := range e.(rooms.InviteList).Invites {
			uses[i.ID] = i.Uses + 1
		}
		return told{n: uses[p.invites[0].Invite.ID] - 1, of: uses[p.invites[1].Invite.ID] - 1}
	})
}
