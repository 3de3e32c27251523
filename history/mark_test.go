package history

import (
	"testing"

	"p2pchat/rooms"
)

func TestMarks(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 4 << 10
	l := openRoom(t, s)
	marks := map[rooms.Seq]rooms.Mark{0: 0}
	for l.Head() < 200 {
		msgs := run(l.Head()+1, l.Head()+5)
		if err := l.Append(msgs); err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			marks[m.Seq] = m.Mark
		}
	}
	redact(t, l, 77)
	expectMarks(t, l, marks, 0)
	if _, err := l.Retain(rooms.Retention{Messages: 100}, noon); err != nil {
		t.Fatal(err)
	}
	if l.First() < 50 {
		t.Fatalf("first is %d", l.First())
	}
	expectMarks(t, l, marks, l.First()-1)
	other := openRoom(t, openStore(t, t.TempDir()))
	msgs := run(1, 3)
	msgs[0].Text += "!"
	if err := other.Append(msgs); err != nil || msgs[2].Mark == marks[3] {
		t.Errorf("another history has the same mark: %v", err)
	}
}

func expectMarks(t *testing.T, l *Log, marks map[rooms.Seq]rooms.Mark, from rooms.Seq) {
	t.Helper()
	seen := map[rooms.Mark]bool{}
	for seq := rooms.Seq(0); seq <= 200; seq++ {
		want := marks[seq]
		if seq < from {
			want = 0
		} else if seen[want] {
			t.Fatalf("the mark of %d is that of another message", seq)
		}
		seen[want] = true
		if got, err := l.Mark(seq); got != want || err != nil {
			t.Fatalf("mark of %d is %x, %v; want %x", seq, got, err, want)
		}
	}
	got, err := all(l, 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		if want, ok := marks[m.Seq]; ok && m.Mark != want {
			t.Fatalf("message %d has mark %x, want %x", m.Seq, m.Mark, want)
		}
	}
	if n, err := l.Mark(l.Head() + 1); n != 0 || err != nil {
		t.Errorf("mark behind the head: %x, %v", n, err)
	}
}

// TestChainAroundALost lets the chain go on from another value: only behind a lost
// message, which has no mark, is that no problem.
func TestChainAroundALost(t *testing.T) {
	for _, kind := range []rooms.Kind{rooms.Lost, rooms.Text} {
		s := openStore(t, t.TempDir())
		l := openRoom(t, s)
		say(t, l, 5, 1)
		placeholder := said(6)
		placeholder.Kind, placeholder.Text, placeholder.From = kind, "", rooms.Author{}
		if err := l.Append([]rooms.Message{placeholder}); err != nil {
			t.Fatal(err)
		}
		next := *l.view.Load()
		next.chain = chainSum{1, 2, 3}
		l.view.Store(&next)
		say(t, l, 10, 2)
		r, err := s.Verify(lobby)
		if lost := kind == rooms.Lost; err != nil || r.Whole() != lost || (r.Lost == 1) != lost || r.Redacted != 0 {
			t.Errorf("verify behind a %s: %+v, %v", kind, r, err)
		}
		got, err := l.After(5, 1)
		if err != nil || got[0].Kind != kind || got[0].Redacted || (got[0].Mark == 0) != (kind == rooms.Lost) {
			t.Errorf("message 6 is %+v, %v", got, err)
		}
	}
}

// A placeholder at the head has no mark: whoever has read the message that was there is
// not told that this is another history.
func TestMarkOfALostHead(t *testing.T) {
	m, last := smallRoom(t)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	known, err := l.Mark(last)
	if err != nil || known == 0 {
		t.Fatalf("mark %x, %v", known, err)
	}
	if err := l.freshTail(l.Epoch()); err != nil { // an empty segment behind it
		t.Fatal(err)
	}
	s.Close()
	nodes := segmentsOf(t, m)
	before := nodes[len(nodes)-2]
	frames := framesOf(t, before)
	before.data[frames[len(frames)-1].off+frameHead+9] ^= 1
	if s, err = openMemory(m); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Repair(lobby); err != nil || len(r.Lost) != 1 || r.Renewed {
		t.Fatalf("%v, %v", r, err)
	}
	l = openRoom(t, s)
	if got, err := l.Mark(last); got != 0 || err != nil {
		t.Errorf("the mark of a lost message is %x, %v", got, err)
	}
	next := run(last+1, last+1)
	if err := l.Append(next); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Mark(last + 1); got != next[0].Mark || got == 0 || err != nil {
		t.Errorf("the mark behind it is %x, %v, want %x", got, err, next[0].Mark)
	}
}
