package node

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"p2pchat/rooms"
)

// TestLinearizable plays many short games against a host. For each there has to be
// an order of what was asked, true to when it was asked and answered, in which a
// host that does one thing after the other would have given the same answers.
func TestLinearizable(t *testing.T) {
	for _, g := range []game{inviteGame, nickGame, seatGame, roleGame} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			g.play(t)
		})
	}
}

// checkTime is how long the search for an order may take. It takes milliseconds.
const checkTime = 5 * time.Second

// game is a kind of game.
type game struct {
	name     string
	players  int
	moves    int           // of each player
	tables   int           // games at once
	want     string        // what has to happen at all, or the games are too tame
	restarts bool          // the host is closed and started again in every other wave of games
	open     func(*table)  // seats the players, and makes the model
	move     func(*player) // lets a player do something
	end      func(*table)  // looks at what is left, when everybody has stopped; may be nil
}

func (g game) play(t *testing.T) {
	games := 200
	if testing.Short() {
		games = 20
	}
	h := newHouse(t)
	unknown, seen := 0, map[string]int{}
	for wave := 0; wave*g.tables < games; wave++ {
		var tables []*table
		for seed := wave * g.tables; seed < min(games, (wave+1)*g.tables); seed++ {
			tables = append(tables, g.table(h, seed))
		}
		h.moves.Store(0)
		h.restartAt = -1
		if g.restarts && wave%2 == 0 {
			h.restartAt = int64(len(tables) * g.players * g.moves / 2)
		}
		g.wave(tables)
		for _, b := range tables {
			unknown += b.check(seen)
			if unknown > games/100 {
				t.Fatalf("the search for an order took too long for %d games, the last one of seed %d", unknown, b.seed)
			}
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d games: %v", games, seen)
	for what := range strings.SplitSeq(g.want, ", ") {
		if seen[what] == 0 {
			t.Errorf("never seen: %s", what)
		}
	}
}

// wave plays games at the same time, and closes them.
func (g game) wave(tables []*table) {
	var players sync.WaitGroup
	start := make(chan struct{})
	for _, b := range tables {
		for _, p := range b.players[:g.players] {
			players.Go(func() {
				<-start
				for range g.moves {
					g.move(p)
					b.moved()
				}
			})
		}
	}
	close(start)
	players.Wait()
	for _, b := range tables {
		players.Go(func() {
			if g.end != nil {
				g.end(b)
			}
			for _, p := range b.players {
				p.quit()
			}
		})
	}
	players.Wait()
}

// table is one game.
type table struct {
	*house
	seed    int
	rand    *rand.Rand
	model   porcupine.Model
	players []*player
	slots   int             // nicks to fight for
	room    rooms.RoomID    // where it is played
	invites []rooms.Invited // to that room
}

func (g game) table(h *house, seed int) *table {
	b := &table{house: h, seed: seed, rand: rand.New(rand.NewPCG(uint64(seed), 1))}
	for i := range g.players {
		b.seat(rooms.PeerID(fmt.Sprintf("%s%d-%d", g.name, seed, i)))
	}
	g.open(b)
	return b
}

// seat adds a player.
func (b *table) seat(peer rooms.PeerID) *player {
	id := len(b.players)
	p := &player{table: b, id: id, peer: peer, instance: uint64(id + 1), rand: rand.New(rand.NewPCG(uint64(b.seed), uint64(id+2)))}
	b.players = append(b.players, p)
	return p
}

// nick is the nick of a slot; no two tables share one.
func (b *table) nick(slot int) string {
	return strings.Map(func(r rune) rune { return rune("abcdefghjk"[r-'0']) }, fmt.Sprintf("%04d%02d", b.seed, slot))
}

// check looks for an order of what happened, and counts it. It is 1 when that took
// too long.
func (b *table) check(seen map[string]int) int {
	var all []porcupine.Operation
	for _, p := range b.players {
		all = append(all, p.moves...)
	}
	for _, op := range all {
		what := op.Input.(asked).what
		if t, ok := op.Output.(*told); !ok {
			what += " unanswered"
		} else if t.code != "" {
			what += " " + string(t.code)
		} else if op.Metadata != nil {
			what += " late"
		}
		seen[what]++
	}
	switch porcupine.CheckOperationsTimeout(b.model, all, checkTime) {
	case porcupine.Unknown:
		return 1
	case porcupine.Illegal:
		slices.SortFunc(all, func(x, y porcupine.Operation) int { return int(x.Call - y.Call) })
		var lines strings.Builder
		for _, op := range all {
			answer := "no answer"
			if op.Output != nil {
				answer = fmt.Sprintf("%+v by %d", *op.Output.(*told), op.Return)
			}
			fmt.Fprintf(&lines, "%6d %+v: %s\n", op.Call, op.Input, answer)
		}
		b.Errorf("seed %d: no order explains these answers:\n%s", b.seed, &lines)
	}
	return 0
}
