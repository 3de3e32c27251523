package history

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"p2pchat/rooms"
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
	s.segment = 3 << 10
	return s, s.open()
}

// promise is what a host was told: what has to be there after any crash, and what may.
type promise struct {
	acked   rooms.Seq // messages
	sent    rooms.Seq // messages of a failed Append, too
	changes int       // recorded since the snapshot
	tried   int
	compact int // the snapshot: its changes are those from here on
	replace int // a snapshot that may be there; 0: none
	epoch   uint64
}

// snapshotOf is a snapshot that is told from all others.
func snapshotOf(n int) []rooms.Change { return someChanges(n*1000, n*1000+n%5+1) }

// work lets a host write until something fails or rounds are done.
func (p *promise) work(s *Store, rnd *rand.Rand, rounds int) error {
	l, err := s.Room(lobby)
	if err != nil {
		return err
	}
	if l.Damage() != nil {
		return l.Damage()
	}
	p.epoch = l.Epoch()
	for range rounds {
		switch rnd.IntN(8) {
		case 0:
			err = p.record(s, rnd)
		case 1:
			n := max(p.compact, p.replace) + 1
			p.replace = n
			if err = s.Compact(snapshotOf(n)); err == nil {
				p.compact, p.replace, p.changes, p.tried = n, 0, 0, 0
			}
		case 2:
			_, err = l.After(rooms.Seq(rnd.IntN(int(l.Head())+1)), 5)
		default:
			n := rooms.Seq(rnd.IntN(6) + 1)
			p.sent = max(p.sent, l.Head()+n)
			if err = l.Append(run(l.Head()+1, l.Head()+n)); err == nil {
				p.acked = l.Head()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *promise) record(s *Store, rnd *rand.Rand) error {
	n := rnd.IntN(3) + 1
	p.tried = p.changes + n
	err := s.Record(someChanges(p.changes+1, p.changes+n)...)
	if err == nil {
		p.changes = p.tried
	}
	return err
}

// check opens the store and compares it with what was promised; then what it found
// is the promise.
func (p *promise) check(t testing.TB, m *memory) *Store {
	t.Helper()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	if l.Damage() != nil {
		t.Fatalf("a crash was taken for damage: %v", l.Damage())
	}
	if head := l.Head(); head < p.acked || head > p.sent {
		t.Fatalf("head is %d, %d were acknowledged and %d sent", head, p.acked, p.sent)
	}
	expectAll(t, l, l.Head())
	if l.Head()%4 == 0 {
		expectWhole(t, s, l.Head())
	}
	if p.acked > 0 && l.Epoch() != p.epoch {
		t.Fatalf("the epoch changed")
	}
	p.acked, p.sent, p.epoch = l.Head(), l.Head(), l.Epoch()
	p.checkState(t, s)
	return s
}

func (p *promise) checkState(t testing.TB, s *Store) {
	t.Helper()
	got, err := s.Changes()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{p.replace, p.compact} {
		var snapshot []rooms.Change
		if n > 0 {
			snapshot = snapshotOf(n)
		} else if p.compact > 0 {
			continue
		}
		for _, changes := range []int{p.tried, p.changes} {
			if n == p.replace && n > 0 {
				changes = 0
			}
			if slices.EqualFunc(got, append(slices.Clone(snapshot), someChanges(1, changes)...), equalChange) {
				p.compact, p.replace, p.changes, p.tried = n, 0, changes, changes
				return
			}
		}
	}
	t.Fatalf("the state has %d changes; promised: %+v", len(got), *p)
}

func equalChange(a, b rooms.Change) bool { return reflect.DeepEqual(a, b) }

func TestPowerCuts(t *testing.T) {
	cuts := 10_000
	if testing.Short() || raceDetector {
		cuts = 500
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	var m *memory
	var p promise
	for cut := range cuts {
		if cut%4 == 0 {
			m, p = newMemory(), promise{}
		}
		m.stop = rnd.IntN(70) + 1
		s, err := openMemory(m)
		if err == nil {
			err = p.work(s, rnd, 40)
		}
		if err != nil && !errors.Is(err, errPower) {
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
			var p promise
			s, err := openMemory(m)
			if err == nil {
				err = p.work(s, rnd, 60)
			}
			if m.name == "" {
				if n < 100 {
					t.Fatalf("there were only %d calls", n)
				}
				break
			}
			if err == nil && m.name == "sync" {
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
