package node

import (
	"testing"
	"testing/synctest"
	"time"

	"p2pchat/rooms"
)

// ask waits as the client does and returns after how long the pulse wants a ping.
func (p *pulse) waitsFor(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	for !p.due() {
		if p.dead() {
			t.Fatal("dead before a ping was sent")
		}
		time.Sleep(max(p.next(), time.Millisecond))
	}
	return time.Since(began)
}

// A quiet room is asked after less and less often, up to a limit.
func TestPulseOfAQuietRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		p.begin(true, 30*time.Millisecond)
		last := time.Duration(0)
		for range 10 {
			wait := p.waitsFor(t)
			if wait < last || wait > pulseLast+time.Second {
				t.Errorf("a ping after %v, behind one after %v", wait, last)
			}
			last = wait
			time.Sleep(30 * time.Millisecond)
			p.heard(true)
		}
		if last < pulseLast {
			t.Errorf("after ten quiet answers a ping comes every %v", last)
		}
	})
}

// A line without an answer, and a changed network, are asked after soon, and a host
// that does not answer is given up soon.
func TestPulseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, begin := range map[string]func(*pulse){"a line": (*pulse).said, "another network": (*pulse).hurry} {
			var p pulse
			p.begin(true, 30*time.Millisecond)
			p.gap = pulseLast
			begin(&p)
			began := time.Now()
			p.waitsFor(t)
			for !p.dead() {
				time.Sleep(p.next())
			}
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("%s: given up after %v", name, took)
			}
		}
	})
}

// Messages that come as usual need no ping; their absence does, soon.
func TestPulseOfALivelyRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		p.begin(true, 30*time.Millisecond)
		for range 50 {
			time.Sleep(200 * time.Millisecond)
			if p.due() {
				t.Fatal("a ping although messages come")
			}
			p.heard(false)
		}
		if wait := p.waitsFor(t); wait > pulseFirst+100*time.Millisecond {
			t.Errorf("a ping %v after the last message", wait)
		}
	})
}

// A disk that hangs does not look like a host that is gone.
func TestPingIsAnsweredWhileTheDiskHangs(t *testing.T) {
	gate, stuck := make(chan struct{}), make(chan struct{}, 8)
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return gatedLog{Log: l, gate: gate, stuck: stuck} } })
	alice := w.join("alice", "lobby")
	said := alice.Send(rooms.Say{Kind: rooms.Text, Text: "the disk hangs"})
	<-stuck
	asked := alice.Send(rooms.History{Limit: 1})
	alice.must(rooms.Ping{})
	close(gate)
	alice.wait(said)
	alice.wait(asked)
}
