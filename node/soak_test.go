package node

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// TestSoak fills one room and talks in it for as long as P2PCHAT_SOAK says:
// everybody stays connected and gets every message once and in order.
func TestSoak(t *testing.T) {
	members, length := 500, 90*time.Second
	if d, err := time.ParseDuration(os.Getenv("P2PCHAT_SOAK")); err == nil {
		length = d
	} else {
		members, length = 40, 3*time.Second
	}
	const rate = 20 // messages a second
	w := newWorld(t)
	began := time.Now()
	crowd := make([]*friend, members)
	for i := range crowd {
		crowd[i] = w.join(fmt.Sprintf("member%d", i), "lobby")
	}
	t.Logf("%d members joined in %v", members, time.Since(began).Round(time.Millisecond))
	total := rooms.Seq(length.Seconds() * rate)
	var listening sync.WaitGroup
	for _, f := range crowd {
		listening.Go(func() { listen(t, f, total) })
	}
	before := cpuTime()
	ticks := time.NewTicker(time.Second / rate)
	defer ticks.Stop()
	for n := range total {
		<-ticks.C
		crowd[int(n)%members].Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", n+1)})
	}
	listening.Wait()
	used := cpuTime() - before
	t.Logf("%d messages to %d members: %d deliveries, %v CPU for host and members together, %.1f µs a delivery, %d goroutines",
		total, members, int(total)*members, used.Round(time.Millisecond),
		float64(used.Microseconds())/float64(int(total)*members), runtime.NumGoroutine())
	if status := w.host.online(); status != members {
		t.Errorf("%d members are connected at the end, want %d", status, members)
	}
}

// listen takes messages 1 to total, each once and in order, on one connection.
func listen(t *testing.T, f *friend, total rooms.Seq) {
	deadline := time.After(10 * time.Minute)
	for next := rooms.Seq(1); next <= total; {
		select {
		case e, ok := <-f.Events():
			if !ok {
				t.Errorf("%s: the session ended", f.nick)
				return
			}
			switch e := e.(type) {
			case rooms.Posted:
				if e.Seq != next {
					t.Errorf("%s got %d, want %d", f.nick, e.Seq, next)
					return
				}
				next++
			case rooms.Connection:
				t.Errorf("%s: connection %v: %s", f.nick, e.What, e.Why)
			case rooms.Answered:
				if refusal, ok := e.Answer.(*rooms.Refusal); ok {
					t.Errorf("%s: %v", f.nick, refusal)
				}
			}
		case <-deadline:
			t.Errorf("%s stands at %d of %d", f.nick, next-1, total)
			return
		}
	}
}

// online counts the members connected, by the registrar's own account.
func (h *Host) online() int {
	s := &session{id: 0, host: h, peer: h.peer, out: newOutbox()}
	s.ask(0, rooms.Connect{Peer: h.peer, Instance: 1, Nick: "counter"})
	s.ask(1, rooms.Status{})
	defer s.ask(0, rooms.Disconnect{})
	var status rooms.HostStatus
	for _, e := range s.out.events() {
		if st, ok := e.(rooms.HostStatus); ok {
			status = st
		}
	}
	return len(status.Members)
}

// events decodes what waits in an outbox.
func (o *outbox) events() []rooms.Event {
	var all []rooms.Event
	r := wire.NewReader(bytes.NewReader(o.waiting))
	for {
		_, e, err := r.Event()
		if err != nil {
			return all
		}
		all = append(all, e)
	}
}
