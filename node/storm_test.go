package node

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// storm is lines that are sent again and again, and the numbers that they got.
type storm struct {
	mu   sync.Mutex // guards acks
	acks map[rooms.Origin]map[rooms.Seq]int
}

// Every line is sent up to five times, over several sessions at once and over later
// ones, also over a restart of the host: it is in the room once, and every answer says
// the same number.
func TestRetryStorm(t *testing.T) {
	const senders, lines, rounds, sessions = 6, 40, 3, 3
	w := newWorld(t)
	s := &storm{acks: map[rooms.Origin]map[rooms.Seq]int{}}
	for round := range rounds {
		var all sync.WaitGroup
		for sender := range senders {
			for session := range sessions {
				last := round == rounds-1 && session == 0
				r := w.raw(rooms.PeerID(fmt.Sprint("12D3KooWStorm", sender)))
				all.Go(func() {
					if err := s.send(r, uint64(sender+1), uint64(session+1), lines, last); err != nil {
						t.Errorf("sender %d, session %d of round %d: %v", sender, session, round, err)
					}
				})
			}
		}
		all.Wait()
		if round == 0 {
			w.stop()
			w.start()
		}
	}
	s.check(w, senders*lines)
}

// send sends lines in order over one session: some of them, or all that are to be
// answered. A line may come twice. A session that is not waited for is cut at any moment.
func (s *storm) send(r *raw, client, instance uint64, lines int, wait bool) error {
	defer r.Close()
	out := wire.AppendHello(nil, wire.Hello{Version: "1", Instance: instance, Nick: fmt.Sprint("storm", client)})
	out = wire.AppendCommand(out, 1, rooms.Join{Room: "lobby"})
	const firstRef = 100
	open := 0
	for i := range lines {
		times := rand.IntN(3)
		if wait {
			times = 1 + rand.IntN(2)
		}
		for range times {
			origin := rooms.Origin{Client: client, Count: uint64(i + 1)}
			text := fmt.Sprintf("%d-%d", client, i+1)
			out = wire.AppendCommand(out, uint64(firstRef+i), rooms.Say{Kind: rooms.Text, Text: text, Origin: origin})
			open++
		}
	}
	go r.put(out)
	if !wait {
		open = rand.IntN(open + 1)
	}
	for open > 0 {
		ref, e, err := r.frames.Event()
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe):
			return fmt.Errorf("the host hung up, %d answers are missing", open)
		case err != nil:
			return err
		case ref < firstRef:
			continue
		}
		said, ok := e.(rooms.Said)
		if !ok {
			return fmt.Errorf("line %d is answered with %v", ref-firstRef+1, e)
		}
		s.acked(rooms.Origin{Client: client, Count: ref - firstRef + 1}, said.Seq)
		open--
	}
	return nil
}

func (s *storm) acked(o rooms.Origin, seq rooms.Seq) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acks[o] == nil {
		s.acks[o] = map[rooms.Seq]int{}
	}
	s.acks[o][seq]++
}

// check: every line is stored once, at the one number that all its answers say.
func (s *storm) check(w *world, lines int) {
	w.Helper()
	reader := w.join("reader", "lobby")
	stored := map[rooms.Origin][]rooms.Message{}
	for last := rooms.Seq(0); ; {
		page := reader.must(rooms.History{After: last}).(rooms.Page)
		if len(page.Messages) == 0 {
			break
		}
		for _, m := range page.Messages {
			if m.Seq != last+1 {
				w.Fatalf("%d follows %d", m.Seq, last)
			}
			last = m.Seq
			stored[m.Origin] = append(stored[m.Origin], m)
		}
	}
	if len(stored) != lines || len(s.acks) != lines {
		w.Errorf("%d lines are stored and %d are acknowledged, of %d", len(stored), len(s.acks), lines)
	}
	answers := 0
	for o, found := range stored {
		if len(found) != 1 || found[0].Text != fmt.Sprintf("%d-%d", o.Client, o.Count) {
			w.Errorf("line %d of %d is stored as %+v", o.Count, o.Client, found)
		}
		for seq, n := range s.acks[o] {
			answers += n
			if seq != found[0].Seq {
				w.Errorf("line %d of %d is stored as %d and was acknowledged as %d", o.Count, o.Client, found[0].Seq, seq)
			}
		}
	}
	if answers <= lines {
		w.Errorf("%d answers to %d lines: nothing was sent again", answers, lines)
	}
}
