package history

import (
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"p2pchat/rooms"
)

// promise is what a host was told: what has to be there after any crash, and what may.
type promise struct {
	acked   rooms.Seq // messages
	sent    rooms.Seq // messages of a failed Append, too
	first   rooms.Seq // everything before it was removed
	removed rooms.Seq // everything up to it may have been removed
	epoch   uint64    // 0: another one may be there
	changes int       // recorded since the snapshot
	tried   int
	compact int // the snapshot: its changes are those from here on
	replace int // a snapshot that may be there; 0: none
	revives int

	redactions map[rooms.Seq]rooms.Seq // sent, by their number: what they take out
}

func newPromise() promise { return promise{redactions: map[rooms.Seq]rooms.Seq{}} }

// snapshotOf is a snapshot that is told from all others.
func snapshotOf(n int) []rooms.Change { return someChanges(n*1000, n*1000+n%5+1) }

// work lets a host write until rounds are done, or something fails and cannot be
// revived.
func (p *promise) work(t testing.TB, s *Store, rnd *rand.Rand, rounds int) error {
	l, err := s.Room(lobby)
	if err != nil {
		return err
	}
	if l.Damage() != nil {
		return l.Damage()
	}
	p.epoch = l.Epoch()
	for range rounds {
		if err := p.step(t, s, l, rnd); err != nil && !p.revived(t, s, l, err, rnd) {
			return err
		}
	}
	return nil
}

func (p *promise) step(t testing.TB, s *Store, l *Log, rnd *rand.Rand) error {
	switch rnd.IntN(12) {
	case 0:
		return p.record(s, rnd)
	case 1:
		n := max(p.compact, p.replace) + 1
		p.replace = n
		err := s.Compact(snapshotOf(n))
		if err == nil {
			p.compact, p.replace, p.changes, p.tried = n, 0, 0, 0
		}
		return err
	case 2:
		_, err := l.After(rooms.Seq(rnd.IntN(int(l.Head())+1)), 5)
		return err
	case 3, 4:
		return p.redact(t, l, rnd)
	case 5:
		return p.retain(l, rnd)
	case 6:
		p.epoch = 0
		err := l.Renew()
		if err == nil {
			p.epoch = l.Epoch()
		}
		return err
	}
	n := rooms.Seq(rnd.IntN(6) + 1)
	delete(p.redactions, l.Head()+1)
	p.sent = max(p.sent, l.Head()+n)
	err := l.Append(run(l.Head()+1, l.Head()+n))
	if err == nil {
		p.acked = l.Head()
	}
	return err
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

func (p *promise) redact(t testing.TB, l *Log, rnd *rand.Rand) error {
	if l.Head() < l.First() {
		return nil
	}
	seq := l.Head() + 1
	target := l.First() + rooms.Seq(rnd.IntN(int(seq-l.First())))
	_, known := p.redactions[target]
	known = known || slices.Contains(slices.Collect(maps.Values(p.redactions)), target)
	if !known {
		p.redactions[seq], p.sent = target, max(p.sent, seq)
	}
	err := l.Redact(redaction(seq, target))
	if known != errors.Is(err, ErrNoMessage) && (err == nil || !known) {
		t.Fatalf("redaction of %d: %v", target, err)
	}
	if known && errors.Is(err, ErrNoMessage) {
		return nil
	}
	if err == nil {
		p.acked = seq
	}
	return err
}

func (p *promise) retain(l *Log, rnd *rand.Rand) error {
	r, now, gone := rooms.Retention{}, noon, max(l.Head(), 20)-20
	switch rnd.IntN(8) {
	default:
		r.Messages = 20
	case 0, 1, 2:
		r.Age, now = 21*time.Second, said(l.Head()).Time
	case 3:
		r.Age, now, gone = time.Hour, noon.Add(100*time.Hour), l.Head()
	}
	p.removed = max(p.removed, gone)
	removed, err := l.Retain(r, now)
	p.first = max(p.first, removed+1)
	return err
}

// revived tries to go on after a failure.
func (p *promise) revived(t testing.TB, s *Store, l *Log, err error, rnd *rand.Rand) bool {
	if errors.Is(err, errPower) || rnd.IntN(3) == 0 || l.Revive() != nil || s.Revive() != nil {
		return false
	}
	m := s.fs.(*memory)
	stop := m.stop
	m.stop = 0
	p.settle(t, s, l)
	m.stop = stop
	p.revives++
	return true
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
	p.settle(t, s, l)
	if l.Head()%4 == 0 {
		expectWhole(t, s, l.Head())
	}
	for _, target := range p.redactions {
		if found := m.root.grep(secretOf(target), ""); len(found) != 0 {
			t.Fatalf("what message %d said is still in %q", target, found)
		}
	}
	return s
}

func (p *promise) settle(t testing.TB, s *Store, l *Log) {
	t.Helper()
	if head := l.Head(); head < p.acked || head > p.sent {
		t.Fatalf("head is %d, %d were acknowledged and %d sent", head, p.acked, p.sent)
	}
	if first := l.First(); first < p.first || first > p.removed+1 {
		t.Fatalf("first is %d, not from %d to %d", first, p.first, p.removed+1)
	}
	maps.DeleteFunc(p.redactions, func(seq, _ rooms.Seq) bool { return seq > l.Head() })
	expectLog(t, l, p.redactions)
	if p.acked > 0 && p.epoch != 0 && l.Epoch() != p.epoch {
		t.Fatalf("the epoch changed")
	}
	p.acked, p.sent, p.epoch = l.Head(), l.Head(), l.Epoch()
	p.first, p.removed = l.First(), l.First()-1
	p.checkState(t, s)
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
