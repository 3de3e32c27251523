package history

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"p2pchat/rooms"
)

// TestSearchWhileRedacting takes texts out while others are looked for: what was taken
// out is not found, and all else is.
func TestSearchWhileRedacting(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 300, 7)
	done := make(chan error, 2)
	stop := make(chan struct{})
	for range cap(done) {
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if _, _, err := l.Search(context.Background(), "LINE", 0, 1000); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	rnd := rand.New(rand.NewPCG(3, 1))
	gone := map[rooms.Seq]bool{}
	for range 60 {
		target := rooms.Seq(rnd.IntN(300)) + 1
		if gone[target] {
			continue
		}
		m := said(l.Head() + 1)
		m.Target = target
		if err := l.Redact(m); err != nil {
			t.Fatal(err)
		}
		gone[target] = true
	}
	close(stop)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	found, next, err := l.Search(context.Background(), "line", 0, 1000)
	if err != nil || next != 0 {
		t.Fatal(next, err)
	}
	want := 0
	for seq := rooms.Seq(1); seq <= 300; seq++ {
		if !gone[seq] && strings.Contains(said(seq).Text, "line") {
			want++
		}
	}
	for _, m := range found {
		if gone[m.Seq] || m.Kind == rooms.Redaction {
			t.Errorf("message %d was found", m.Seq)
		}
	}
	if len(found) != want {
		t.Errorf("%d messages were found, want %d", len(found), want)
	}
}

// TestRepairKeepsRedactions loses the beginning of each block of a room with redactions.
func TestRepairKeepsRedactions(t *testing.T) {
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, 30, 4)
	for _, target := range []rooms.Seq{3, 5, 12, 29} {
		r := said(l.Head() + 1)
		r.Target = target
		if err := l.Redact(r); err != nil {
			t.Fatal(err)
		}
	}
	head := l.Head()
	before, err := all(l, 100)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	m.reboot(false, nil)
	for _, n := range segmentsOf(t, m) {
		n.data[framesOf(t, n)[0].off+25] ^= 1
	}
	if s, err = openMemory(m); err != nil {
		t.Fatal(err)
	}
	r, err := s.Repair(lobby)
	if err != nil || !r.Report.Whole() || r.Report.Redacted != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	l = openRoom(t, s)
	after, err := all(l, 100)
	if err != nil || l.Head() != head || l.Damage() != nil {
		t.Fatal(l.Head(), l.Damage(), err)
	}
	for i, m := range after {
		if m.Kind != rooms.Lost && !equalMessage(m, before[i]) {
			t.Errorf("message %d is %+v\nwas %+v", m.Seq, m, before[i])
		}
	}
	if mark, err := l.Mark(head); err != nil || mark != before[len(before)-1].Mark {
		t.Errorf("mark %x, was %x, %v", mark, before[len(before)-1].Mark, err)
	}
}
