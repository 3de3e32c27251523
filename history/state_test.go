package history

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"p2pchat/rooms"
)

// someChange makes change number n; the same number makes the same change.
func someChange(n int) rooms.Change {
	c := rooms.Change{
		Kind: rooms.ChangeKind(n%14 + 1), Time: noon.UnixMilli() + int64(n), ID: fmt.Sprintf("id%d", n),
		Name: fmt.Sprintf("name-%d", n), Peer: rooms.PeerID(fmt.Sprintf("peer-%d", n%7)), By: "by",
		Text: fmt.Sprintf("text %d", n), N: int64(n - 5), Flags: uint32(n), Expires: int64(n) << 30,
	}
	if n%2 == 0 {
		c.Room = rooms.RoomKey{byte(n), 1, 0xff}
	}
	if n%5 == 0 {
		c.Age, c.Bytes = int64(n)<<32, int64(n)<<20
	}
	if n%3 == 0 {
		c.Hash = []byte{1, 2, byte(n)}
	}
	return c
}

func someChanges(first, last int) []rooms.Change {
	var changes []rooms.Change
	for n := first; n <= last; n++ {
		changes = append(changes, someChange(n))
	}
	return changes
}

func expectChanges(t testing.TB, s *Store, want []rooms.Change) {
	t.Helper()
	got, err := s.Changes()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got %d changes, want %d", len(got), len(want))
	}
}

func TestChangesOutliveTheStore(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	expectChanges(t, s, nil)
	for round := range 5 {
		if err := s.Record(someChanges(round*100+1, round*100+99)...); err != nil {
			t.Fatal(err)
		}
		if err := s.Record(someChange(round*100 + 100)); err != nil {
			t.Fatal(err)
		}
		expectChanges(t, s, someChanges(1, round*100+100))
		s.Close()
		s = openStore(t, dir)
		expectChanges(t, s, someChanges(1, round*100+100))
	}
}

func TestCompactKeepsTheGenerationBefore(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	for n := range 6 {
		if err := s.Record(someChanges(1, 200)...); err != nil {
			t.Fatal(err)
		}
		snapshot := someChanges(1000, 1000+n*50-1) // the first one is empty
		if err := s.Compact(snapshot); err != nil {
			t.Fatal(err)
		}
		expectChanges(t, s, snapshot)
		if n%2 == 0 {
			s.Close()
			s = openStore(t, dir)
			expectChanges(t, s, snapshot)
		}
	}
	generations, err := s.generations()
	if err != nil || !reflect.DeepEqual(generations, []uint64{6, 7}) {
		t.Errorf("generations %v, %v", generations, err)
	}
}

// smallState makes a state with a snapshot and four writes of three changes, on a file
// system in memory. It returns the file, and where each write ends.
func smallState(t *testing.T) (m *memory, n *node, whole []int64) {
	t.Helper()
	m = newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(someChanges(1, 5)); err != nil {
		t.Fatal(err)
	}
	whole = []int64{s.state.extent.whole}
	for n := 6; n < 18; n += 3 {
		if err := s.Record(someChanges(n, n+2)...); err != nil {
			t.Fatal(err)
		}
		whole = append(whole, s.state.extent.whole)
	}
	_, n, _, err = m.find(s.statePath(s.state.number))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	return m, n, whole
}

func TestTornState(t *testing.T) {
	_, n, whole := smallState(t)
	for size := range len(n.data) {
		m, n, _ := smallState(t)
		n.data = slices.Clone(n.data[:size])
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		if int64(size) < whole[0] { // the snapshot had been there
			var damage *DamageError
			if _, err := s.Changes(); !errors.As(err, &damage) {
				t.Fatalf("cut at %d: %v, want a DamageError", size, err)
			}
			if err := s.Record(someChange(1)); !errors.Is(err, ErrReadOnly) || !errors.As(err, &damage) {
				t.Fatalf("cut at %d: record: %v", size, err)
			}
			continue
		}
		writes := 0
		for writes+1 < len(whole) && whole[writes+1] <= int64(size) {
			writes++
		}
		expectChanges(t, s, someChanges(1, 5+3*writes))
		if int64(len(n.data)) != whole[writes] {
			t.Fatalf("cut at %d: %d bytes are left, want %d", size, len(n.data), whole[writes])
		}
		if torn := whole[writes] != int64(size); torn != (s.Repaired() != "") {
			t.Fatalf("cut at %d: repaired %q", size, s.Repaired())
		}
	}
}

func TestEveryFlippedBitOfTheState(t *testing.T) {
	m, n, _ := smallState(t)
	for bit := range len(n.data) * 8 {
		n.data[bit/8] ^= 1 << (bit % 8)
		got, err := newStore(m, "/data").Changes()
		n.data[bit/8] ^= 1 << (bit % 8)
		if err == nil {
			t.Fatalf("bit %d: %d changes and no error", bit, len(got))
		}
	}
}
