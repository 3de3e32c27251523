package history

import (
	"errors"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
)

// openMemory opens a store on a file system in memory, with small segments. What
// should be random comes from a seed: gob and the format do the same each time.
func openMemory(m *memory) (*Store, error) {
	s := newStore(m, "/data")
	rnd := rand.New(rand.NewPCG(1, uint64(m.calls)))
	s.random = func(b []byte) {
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
	}
	s.segment, s.reserve, s.sector = 3<<10, 1<<10, sector
	return s, s.open()
}

func TestPowerCuts(t *testing.T) {
	cuts := 10_000
	if testing.Short() || raceDetector {
		cuts = 500
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	var m *memory
	p := newPromise()
	for cut := range cuts {
		if cut%4 == 0 {
			m, p = newMemory(), newPromise()
		}
		m.stop, m.nth, m.name = rnd.IntN(140)+1, rnd.IntN(280), "" // half of the cuts have a failure before
		s, err := openMemory(m)
		if err == nil {
			err = p.work(t, s, rnd, 40)
		}
		if err != nil && !errors.Is(err, errPower) && m.name == "" {
			t.Fatalf("cut %d: %v", cut, err)
		}
		// A process may be killed, too, and its successor lose power.
		m.reboot(rnd.IntN(3) > 0, rnd)
		s = p.check(t, m)
		if t.Failed() {
			t.Fatalf("cut %d", cut)
		}
		if rnd.IntN(2) == 0 {
			s.Close()
		}
		m.reboot(rnd.IntN(2) == 0, rnd) // what a new host has found must stay
	}
}

// TestEveryCallFails lets the n-th call fail, for every n, in every way.
func TestEveryCallFails(t *testing.T) {
	for _, failure := range []error{nil, syscall.EIO, syscall.ENOSPC} {
		for n := 1; ; n++ {
			rnd := rand.New(rand.NewPCG(3, 3))
			m := newMemory()
			m.nth, m.err = n, failure
			p := newPromise()
			s, err := openMemory(m)
			if err == nil {
				err = p.work(t, s, rnd, 60)
			}
			if m.name == "" {
				if n < 100 {
					t.Fatalf("there were only %d calls", n)
				}
				break
			}
			if err == nil && m.name == "sync" && p.revives == 0 && m.path != "/data/reserve" {
				t.Fatalf("call %d, a sync, failed and nobody was told", n)
			}
			if failure != nil && err != nil && !errors.Is(err, failure) {
				t.Fatalf("call %d (%s): %v is not %v", n, m.name, err, failure)
			}
			expectFailedForGood(t, s, err)
			m.reboot(n%2 == 0, rnd)
			p.check(t, m)
		}
	}
}

// expectFailedForGood tries once more what failed as read-only.
func expectFailedForGood(t *testing.T, s *Store, err error) {
	t.Helper()
	if !errors.Is(err, ErrReadOnly) || s.lock == nil {
		return
	}
	l, rerr := s.Room(lobby)
	if rerr != nil {
		t.Fatal(rerr)
	}
	if l.failed == nil && s.state.failed == nil {
		t.Fatalf("after %v both the log and the state go on", err)
	}
	if l.failed != nil && !errors.Is(l.Append(run(l.Head()+1, l.Head()+1)), ErrReadOnly) {
		t.Fatalf("after %v the log takes messages", err)
	}
	if n := len(segmentsOf(t, s.fs.(*memory))); l.failed != nil && n == len(l.view.Load().segments) {
		tail := segmentsOf(t, s.fs.(*memory))[n-1]
		if end := l.view.Load().last.end; int64(len(tail.data)) != end {
			t.Fatalf("after %v the segment has %d bytes, %d of them acknowledged", err, len(tail.data), end)
		}
	}
	if s.state.failed != nil && !errors.Is(s.Record(someChange(1)), ErrReadOnly) {
		t.Fatalf("after %v the state takes changes", err)
	}
}

// TestFailedStartIsRemembered: a process is killed before it has synced a message; the
// next one can't sync it; the one after that is told that all is well, and the power goes.
func TestFailedStartIsRemembered(t *testing.T) {
	for seed := range uint64(50) {
		m := newMemory()
		start := func() (*Store, *Log) {
			s, err := openMemory(m)
			if err != nil {
				t.Fatal(err)
			}
			l, err := s.Room(lobby)
			if err != nil {
				t.Fatal(err)
			}
			return s, l
		}
		_, l := start()
		if err := l.Append(run(1, 3)); err != nil {
			t.Fatal(err)
		}
		m.stop = m.calls + 2
		if err := l.Append(run(4, 9)); !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		m.reboot(false, nil)
		m.err = syscall.EIO
		m.hook = func(op, name string) {
			if op == "sync" && strings.Contains(name, "seg-") {
				m.nth, m.hook = m.calls, nil
			}
		}
		if _, l = start(); !errors.Is(l.Failed(), syscall.EIO) {
			t.Fatal(l.Failed())
		}
		m.reboot(false, nil)
		_, l = start()
		if err := l.Append(run(l.Head()+1, l.Head()+1)); err != nil {
			t.Fatal(err)
		}
		head := l.Head()
		m.reboot(true, rand.New(rand.NewPCG(seed, 1)))
		if _, l = start(); l.Damage() != nil || l.Head() != head {
			t.Fatalf("seed %d: head %d, it was %d; %v", seed, l.Head(), head, l.Damage())
		}
	}
}
