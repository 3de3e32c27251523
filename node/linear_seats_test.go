package node

import (
	"fmt"
	"strconv"

	"p2pchat/rooms"
)

// seatGame: more members than seats, some with two sessions, and the owner, who
// changes the number of seats.
var seatGame = game{
	name: "seats", players: 12, moves: 11, tables: 10,
	want: "join, join room_full, leave, leave not_in_room, quit, limit, kick, kick no_such_member, who, who not_in_room",
	open: func(b *table) {
		for _, p := range b.players {
			first := b.players[seatMember(p.id)]
			p.peer = first.peer
			p.come(b.nick(first.id))
		}
		boss := b.seat(b.host.peer)
		boss.id, boss.instance = seatOwner, boss.instance+uint64(b.seed)<<16
		boss.come("")
		limit := 2 + b.rand.IntN(6)
		b.room = boss.must(rooms.Create{Room: fmt.Sprint("hall", b.seed), Limit: limit}).(rooms.Entered).Room.Room
		b.model = model(seatState{limit, 1 << seatOwner}, seatHost)
	},
	move: func(p *player) {
		a := asked{who: p.id}
		n := p.rand.IntN(20)
		switch boss := p.players[len(p.players)-1]; {
		case p.id == 0 && n < 12: // lends the owner a hand
			boss.govern()
		case n < 10:
			p.join()
		case n < 15:
			a.what = "leave"
			p.ask(a, rooms.Leave{}, nil)
		case n < 17:
			a.what = "quit"
			p.ask(a, rooms.Quit{}, nil)
			p.hangUp()
			p.come("")
		case n < 18:
			if e, ok := p.dial("", false).(rooms.Welcome); !ok { // takes the place of the session, seat and all
				p.Errorf("%s can't come back: %v", p.peer, e)
			}
		default:
			p.who()
		}
	},
}

// join enters the room. Who is put out before it is inside is told only that.
func (p *player) join() {
	call := p.clock.Add(1)
	e := p.line.ask(rooms.Join{Room: string(p.room)})
	answer := answerOf(e, func(e rooms.Event) told {
		in := e.(rooms.Entered).Room
		return told{n: in.Members, of: in.Limit}
	})
	a := asked{what: "join", who: p.id}
	if answer != nil && answer.code == rooms.NotInRoom {
		a.what, answer = "pass", &told{}
	}
	p.note(call, a, answer)
}

// who asks for the members.
func (p *player) who() {
	p.ask(asked{what: "who", who: p.id}, rooms.Who{}, func(e rooms.Event) told {
		var t told
		for _, m := range e.(rooms.Roster).Members {
			t.set |= 1 << p.number(m.Peer)
		}
		return t
	})
}

// govern is what the owner does.
func (p *player) govern() {
	switch p.rand.IntN(4) {
	case 0:
		n := p.rand.IntN(seatMembers)
		p.ask(asked{what: "limit", who: p.id, n: n}, rooms.SetLimit{Limit: n}, nil)
	case 1:
		n := p.rand.IntN(seatMembers)
		p.ask(asked{what: "kick", who: p.id, n: n}, rooms.Kick{Nick: p.nick(n)}, nil)
	default:
		p.who()
	}
}

// roleGame: everybody may be made an operator, by operators, and set the topic then.
// The last player is the owner.
var roleGame = game{
	name: "roles", players: 10, moves: 12, tables: 10,
	want: "op, op denied, topic, topic denied, roles, read",
	open: func(b *table) {
		boss := b.players[len(b.players)-1]
		boss.peer, boss.instance = b.host.peer, boss.instance+uint64(b.seed)<<16
		for _, p := range b.players {
			if p != boss {
				p.come(b.nick(p.id))
			}
		}
		boss.come("")
		b.room = b.players[0].must(rooms.Create{Room: fmt.Sprint("court", b.seed), Topic: "0"}).(rooms.Entered).Room.Room
		for _, p := range b.players[1:] {
			p.must(rooms.Join{Room: string(b.room)})
		}
		boss.id = roleOwner
		b.model = model(roleState{ops: 1}, roleHost)
	},
	move: func(p *player) {
		a := asked{who: p.id}
		switch n := p.rand.IntN(20); {
		case n < 8:
			a.what, a.n, a.on = "op", p.rand.IntN(len(p.players)-1), n < 4
			p.ask(a, rooms.Op{Nick: p.nick(a.n), Op: a.on}, nil)
		case n < 14:
			a.what, a.n = "topic", p.rand.IntN(1000)
			p.ask(a, rooms.Topic{Text: strconv.Itoa(a.n)}, nil)
		case n < 17:
			p.ask(asked{what: "roles"}, rooms.Who{}, func(e rooms.Event) told {
				var t told
				for _, m := range e.(rooms.Roster).Members {
					if m.Role == rooms.Operator {
						t.set |= 1 << p.number(m.Peer)
					}
				}
				return t
			})
		default:
			p.ask(asked{what: "read"}, rooms.List{Pattern: string(p.room)}, func(e rooms.Event) told {
				for _, info := range e.(rooms.Listing).Rooms {
					if n, err := strconv.Atoi(info.Topic); info.Room == p.room && err == nil {
						return told{n: n}
					}
				}
				return told{n: -1}
			})
		}
	},
}
