package history

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHalfWrittenSegmentIsRemoved(t *testing.T) {
	m, last := smallRoom(t)
	path := filepath.Join("/data/rooms/b00102030405060708090a0b0c0d0e0f", rewriteName)
	putFile(t, m, path, segmentsOf(t, m)[0].data)
	v, err := viewOn(m, "/data")
	if err != nil {
		t.Fatal(err)
	}
	expectAll(t, openRoom(t, v), last)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	expectAll(t, openRoom(t, s), last)
	if _, n, _, err := m.find(path); n != nil || err != nil {
		t.Errorf("%q is still there, %v", path, err)
	}
}

func TestRedactionTakesWhatWasTorn(t *testing.T) {
	m, last := smallRoom(t)
	nodes := segmentsOf(t, m)
	tail := nodes[len(nodes)-1]
	tail.data = slices.Clone(tail.data[:len(tail.data)-1])
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, last, 1)
	if found := m.root.grep(secretOf(last), ""); !strings.Contains(fmt.Sprint(found), "torn") {
		t.Fatalf("the text is in %q", found)
	}
	redact(t, l, last)
	if found := m.root.grep(secretOf(last), ""); len(found) != 0 {
		t.Fatalf("the text is still in %q", found)
	}
}

// A message that was acknowledged and is spoiled later was not left by a crash: it is told
// of, and its number is given to no other one.
func TestSpoiledLastMessageIsDamage(t *testing.T) {
	m, last := smallRoom(t)
	tail := segmentsOf(t, m)[2]
	tail.data[len(tail.data)-20] ^= 1
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Verify(lobby); err != nil || r.Whole() || r.Torn != 0 || r.Last != last-1 {
		t.Errorf("verify: %+v, %v", r, err)
	}
	l := openRoom(t, s)
	epoch := l.Epoch()
	if l.Damage() == nil || l.Repaired() != "" || l.Head() != last-1 {
		t.Errorf("damage %v, repaired %q, head %d", l.Damage(), l.Repaired(), l.Head())
	}
	if err := l.Append(run(last, last)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	l.Close()
	r, err := s.Repair(lobby)
	if want := []Range{{last, last}}; err != nil || !slices.Equal(r.Lost, want) || r.Renewed || !r.Report.Whole() {
		t.Fatalf("repair: %v, %v", r, err)
	}
	if l = openRoom(t, s); l.Head() != last || l.Epoch() != epoch {
		t.Errorf("head %d, epoch %x, it was %x", l.Head(), l.Epoch(), epoch)
	}
}

// lastWrite makes a room whose last write is some messages, one of them long, and returns
// the segment, and where that write begins.
func lastWrite(t *testing.T) (n *node, from int64) {
	t.Helper()
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, 2, 1)
	from = l.view.Load().last.end
	msgs := run(3, 5)
	msgs[1].Text = strings.Repeat("long ", 40)
	if err := l.Append(msgs); err != nil {
		t.Fatal(err)
	}
	return segmentsOf(t, m)[0], from
}

// found opens the segment as it is and tells whether it is taken for damage.
func found(t *testing.T, n *node) (extent, *DamageError) {
	t.Helper()
	f := &memoryFile{newMemory(), n, ""}
	size := int64(len(n.data))
	h, err := readHeader(f, "", logMagic, size)
	if err != nil {
		t.Fatal(err)
	}
	e, err := scan(f, h, size)
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.damage(f, "", size, sector)
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// TestEveryLostSector takes out of the last write any of its sectors, and any part of its end:
// nothing of what a crash can do is taken for damage.
func TestEveryLostSector(t *testing.T) {
	n, from := lastWrite(t)
	good := slices.Clone(n.data)
	first := int(from) / sector
	sectors := (len(good)+sector-1)/sector - first
	step := 1
	if testing.Short() || raceDetector {
		step = 13
	}
	for lost := 0; lost < 1<<sectors; lost += step {
		n.data = slices.Clone(good)
		for i := range sectors {
			if at := (first + i) * sector; lost&(1<<i) != 0 {
				clear(n.data[max(at, int(from)):min(at+sector, len(good))])
			}
		}
		whole := n.data
		for size := len(good) - lost%37; size >= int(from); size -= 37 {
			n.data = whole[:size]
			if e, d := found(t, n); d != nil || e.end < from {
				t.Fatalf("sectors %b of %d lost, cut at %d: %v, end %d", lost, sectors, size, d, e.end)
			}
		}
	}
}

// TestLastWriteIsSpoiled changes each byte of the last write: it is damage, for no sector of
// it is missing.
func TestLastWriteIsSpoiled(t *testing.T) {
	n, from := lastWrite(t)
	for i := int(from); i < len(n.data); i++ {
		for _, change := range []byte{1, 0x80, 0xff, n.data[i]} { // the last one makes it a zero
			if change == 0 {
				continue
			}
			n.data[i] ^= change
			if _, d := found(t, n); d == nil {
				t.Fatalf("byte %d ^ %#x is taken for a crash", i, change)
			}
			n.data[i] ^= change
		}
	}
}

// The header of a last segment without messages may hold a new epoch: spoiled, it is not
// taken away as what a crash left.
func TestSpoiledLastHeaderIsDamage(t *testing.T) {
	m, last := smallRoom(t)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	before := l.Epoch()
	if err := l.Renew(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for bit := range headerSize * 8 {
		m := m.clone()
		segmentsOf(t, m)[3].data[bit/8] ^= 1 << (bit % 8)
		v := newStore(m, "/data")
		if _, told := readDamaged(t, v); !told {
			t.Fatalf("bit %d: it is opened as if it was whole", bit)
		}
		if r, err := v.Verify(lobby); err != nil || r.Whole() {
			t.Fatalf("bit %d: verify: %+v, %v", bit, r, err)
		}
		if r := expectRepaired(t, m, last, nil); !r.Done() || openRoom(t, v).Epoch() == before {
			t.Fatalf("bit %d: %v, and the epoch is the one before", bit, r)
		}
	}
	clear(segmentsOf(t, m)[3].data)
	s, err = openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	if l := openRoom(t, s); l.Damage() != nil || l.Repaired() == "" || l.Head() != last {
		t.Errorf("zeros: damage %v, repaired %q, head %d", l.Damage(), l.Repaired(), l.Head())
	}
}
