package history

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"p2pchat/rooms"
)

// smallRoom makes a room of three segments on a file system in memory.
func smallRoom(t testing.TB) (m *memory, last rooms.Seq) {
	t.Helper()
	m = newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	s.segment = 1100
	l := openRoom(t, s)
	for now := l.view.Load(); len(now.segments) < 3 || now.head() < now.last.first+2; now = l.view.Load() {
		if len(now.segments) > 3 {
			t.Fatal("the segments are too small")
		}
		say(t, l, l.Head()+1, 1)
	}
	s.segment = segmentSize
	say(t, l, l.Head()+3, 3) // the last write has three
	last = l.Head()
	s.Close()
	return m, last
}

// segmentsOf returns the nodes of a room's segments, in order.
func segmentsOf(t testing.TB, m *memory) []*node {
	t.Helper()
	_, dir, _, err := m.find(filepath.Join("/data", "rooms", "b00102030405060708090a0b0c0d0e0f"))
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*node
	for _, name := range sortedNames(dir.names) {
		if _, ok := numberIn(name, "seg-"); ok {
			nodes = append(nodes, dir.names[name])
		}
	}
	return nodes
}

func TestTornAtEveryByte(t *testing.T) {
	m, last := smallRoom(t)
	nodes := segmentsOf(t, m)
	tail := nodes[len(nodes)-1]
	good := slices.Clone(tail.data)
	h, err := decodeHeader(good[:headerSize], logMagic, "")
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(good) + 1 {
		m, _ := smallRoom(t)
		nodes := segmentsOf(t, m)
		nodes[len(nodes)-1].data = slices.Clone(good[:size])
		want := h.first - 1
		r := frameReader{f: &memoryFile{m, nodes[len(nodes)-1], ""}, salt: h.salt, off: headerSize, end: int64(size)}
		for fr, err := r.next(); err == nil; fr, err = r.next() {
			want = fr.seq
		}
		torn := int64(size) != r.off && size != len(good)
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		l := openRoom(t, s)
		if l.Damage() != nil {
			t.Fatalf("cut at %d: %v", size, l.Damage())
		}
		expectAll(t, l, want)
		if torn && l.Repaired() == "" || size == len(good) && (l.Repaired() != "" || want != last) {
			t.Fatalf("cut at %d: repaired %q", size, l.Repaired())
		}
		if torn {
			expectLost(t, m, good[min(r.off, int64(size)):size])
		}
		say(t, l, want+5, 2)
		expectAll(t, l, want+5)
		expectWhole(t, s, want+5)
	}
}

// expectLost looks for a file in lost/ that ends with what was cut off.
func expectLost(t *testing.T, m *memory, cut []byte) {
	t.Helper()
	_, dir, _, err := m.find("/data/rooms/b00102030405060708090a0b0c0d0e0f/lost")
	if err != nil {
		t.Fatal(err)
	}
	if dir == nil && len(cut) == 0 {
		return
	}
	for _, n := range dir.names {
		if bytes.HasSuffix(n.durable, cut) {
			return
		}
	}
	t.Fatalf("%d bytes were cut off and not kept", len(cut))
}

// redactedRoom is smallRoom with something taken out of each segment.
func redactedRoom(t testing.TB) (m *memory, last rooms.Seq) {
	t.Helper()
	m, last = smallRoom(t)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	s.segment = segmentSize
	l := openRoom(t, s)
	for _, target := range []rooms.Seq{2, l.view.Load().segments[1], last} {
		redact(t, l, target)
	}
	say(t, l, l.Head()+3, 3)
	s.Close()
	return m, l.Head()
}

// TestEveryFlippedBit flips each bit of a room of three segments: what is read is a
// part of what was said, and what is missing is told. None of it looks like a crash.
func TestEveryFlippedBit(t *testing.T) {
	for name, room := range map[string]func(testing.TB) (*memory, rooms.Seq){
		"said": smallRoom, "redacted": redactedRoom,
	} {
		t.Run(name, func(t *testing.T) {
			m, last := room(t)
			want, told := readDamaged(t, newStore(m, "/data"))
			if told || len(want) != int(last) {
				t.Fatalf("%d of %d messages are there", len(want), last)
			}
			flipBits(t, m, want)
		})
	}
}

func flipBits(t *testing.T, m *memory, want []rooms.Message) {
	for i, n := range segmentsOf(t, m) {
		step := 1
		if testing.Short() || raceDetector {
			step = 13
		}
		for bit := 0; bit < len(n.data)*8; bit += step {
			n.data[bit/8] ^= 1 << (bit % 8)
			s := newStore(m, "/data")
			got, told := readDamaged(t, s)
			r, err := s.Verify(lobby)
			if err != nil {
				t.Fatal(err)
			}
			n.data[bit/8] ^= 1 << (bit % 8)
			if !slices.EqualFunc(got, want[:min(len(got), len(want))], equalMessage) {
				t.Fatalf("segment %d, bit %d: something else was read", i, bit)
			}
			if len(got) < len(want) && !told {
				t.Fatalf("segment %d, bit %d: only %d of %d messages, and no error", i, bit, len(got), len(want))
			}
			if r.Whole() {
				t.Fatalf("segment %d, bit %d: verify found nothing", i, bit)
			}
		}
	}
}

func TestTornRedactedRoom(t *testing.T) {
	m, _ := redactedRoom(t)
	want, _ := readDamaged(t, newStore(m, "/data"))
	nodes := segmentsOf(t, m)
	good := slices.Clone(nodes[2].data)
	step := 1
	if testing.Short() || raceDetector {
		step = 13
	}
	for size := 0; size < len(good); size += step {
		m, _ := redactedRoom(t)
		n := segmentsOf(t, m)[2]
		n.data = slices.Clone(good[:size])
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := all(openRoom(t, s), 7)
		if err != nil || !slices.EqualFunc(got, want[:len(got)], equalMessage) {
			t.Fatalf("cut at %d: %d messages, %v", size, len(got), err)
		}
		expectWhole(t, s, rooms.Seq(len(got)))
	}
}

// readDamaged reads what can be read, and whether something was told about the rest.
func readDamaged(t *testing.T, s *Store) (msgs []rooms.Message, told bool) {
	t.Helper()
	var damage *DamageError
	var version *VersionError
	l, err := s.Room(lobby)
	if errors.As(err, &version) || errors.Is(err, io.EOF) {
		return nil, true
	}
	if err != nil {
		t.Fatal(err)
	}
	msgs, err = all(l, 7)
	if err != nil && !errors.As(err, &damage) && !errors.As(err, &version) {
		t.Fatalf("%v is no damage", err)
	}
	return msgs, err != nil || l.Damage() != nil
}

// equalMessage compares all but the marks.
func equalMessage(a, b rooms.Message) bool {
	a.Mark, b.Mark = 0, 0
	return reflect.DeepEqual(a, b)
}

// Damage in a segment whose index is known has bounds, too: what follows the segment is
// not left out, and a search goes on before it.
func TestDamageBehindAKnownIndex(t *testing.T) {
	m, last := smallRoom(t)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	expectAll(t, l, last) // every index is known now
	next := l.view.Load().segments[1]
	frames := framesOf(t, segmentsOf(t, m)[0])
	broken := frames[len(frames)/2]
	segmentsOf(t, m)[0].data[broken.off+frameHead+1] ^= 1
	before, err := l.After(0, int(last))
	if err != nil || before[len(before)-1].Seq != broken.seq-1 {
		t.Fatalf("%d messages before the damage, %v", len(before), err)
	}
	var d *DamageError
	if _, err := l.After(broken.seq-1, 1); !errors.As(err, &d) || d.After != broken.seq-1 || d.Before != next {
		t.Fatalf("the damage is told as %v", err)
	}
	if rest, err := l.After(d.Before-1, int(last)); err != nil || len(rest) != int(last-next)+1 {
		t.Errorf("%d messages behind it, %v", len(rest), err)
	}
	_, _, err = l.Search(t.Context(), "no such text", next, 10)
	if !errors.As(err, &d) {
		t.Fatalf("a search that meets it: %v", err)
	}
	if _, next, err := l.Search(t.Context(), "no such text", d.After+1, 10); next != 0 || err != nil {
		t.Errorf("a search before it ends at %d, %v", next, err)
	}
}
