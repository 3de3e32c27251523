package history

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"p2pchat/rooms"
)

func retain(t testing.TB, l *Log, r rooms.Retention, now time.Time) rooms.Seq {
	t.Helper()
	removed, err := l.Retain(r, now)
	if err != nil {
		t.Fatal(err)
	}
	if removed != 0 && removed != l.First()-1 {
		t.Fatalf("%d was the last that was removed, first is %d", removed, l.First())
	}
	return removed
}

func TestRetainMessages(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	l := openRoom(t, s)
	r := rooms.Retention{Messages: 800}
	for l.Head() < 3000 {
		say(t, l, l.Head()+30, 10)
		retain(t, l, r, noon)
		if n := l.Head() - l.First() + 1; l.Head() > 1000 && (n < 800 || n > 800+100+10) {
			t.Fatalf("at %d, %d messages are kept", l.Head(), n)
		}
	}
	first := l.First()
	expectLog(t, l, nil)
	expectWhole(t, s, 3000)
	s.Close()
	s = openStore(t, dir)
	l = openRoom(t, s)
	if l.First() != first {
		t.Errorf("first was %d and is %d", first, l.First())
	}
	got, err := l.After(5, 10)
	if err != nil || got[0].Seq != first {
		t.Errorf("a page from before the first one: %v, %v", got, err)
	}
	if got, err = l.Last(5000); err != nil || len(got) != int(3000-first+1) {
		t.Errorf("the last page has %d messages, %v", len(got), err)
	}
	if got, err = l.Since(noon, 10); err != nil || got[0].Seq != first {
		t.Errorf("since the beginning: %v, %v", got, err)
	}
	say(t, l, 3010, 1)
	expectLog(t, l, nil)
	retain(t, l, rooms.Retention{}, noon.Add(1000*time.Hour))
	if l.First() != first {
		t.Error("without a bound something was removed")
	}
}

func TestRetainBytes(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openRoom(t, s)
	r := rooms.Retention{Bytes: 1 << 20}
	for l.Head() < 12_000 {
		say(t, l, l.Head()+100, 50)
		retain(t, l, r, noon)
	}
	const batch = 20 << 10
	size, err := l.bytesFrom(1)
	if err != nil || size < r.Bytes || size > r.Bytes+r.Bytes/8+batch {
		t.Errorf("%d bytes are kept, %v", size, err)
	}
	expectLog(t, l, nil)
}

func TestRetainAge(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	l := openRoom(t, s)
	r := rooms.Retention{Age: 40 * time.Minute} // a message a second
	for l.Head() < 10_000 {
		say(t, l, l.Head()+30, 30)
		now := said(l.Head()).Time
		retain(t, l, r, now)
		first := now.Sub(said(l.First()).Time)
		if first > 40*time.Minute+5*time.Minute+30*time.Second || first < 40*time.Minute && l.First() > 1 {
			t.Fatalf("the first message is %s old", first)
		}
	}
	head := l.Head()
	mark, _ := l.Mark(head)
	if removed := retain(t, l, r, noon.Add(100*time.Hour)); removed != head || l.First() != head+1 || l.Head() != head {
		t.Fatalf("%d is gone; the log goes from %d to %d", removed, l.First(), l.Head())
	}
	if n, err := l.Mark(head); n != mark || err != nil {
		t.Errorf("the mark was %x and is %x, %v", mark, n, err)
	}
	if got, err := l.After(0, 10); len(got) != 0 || err != nil {
		t.Errorf("%d messages are left, %v", len(got), err)
	}
	epoch := l.Epoch()
	for round := rooms.Seq(0); round < 2; round++ { // the first time nothing was said since
		s.Close()
		s = openStore(t, dir)
		l = openRoom(t, s)
		if l.Head() != head+round || l.First() != head+1 || l.Epoch() != epoch {
			t.Fatalf("reopened, the log goes from %d to %d", l.First(), l.Head())
		}
		say(t, l, l.Head()+1, 1)
		expectLog(t, l, nil)
		expectWhole(t, s, head+round+1)
	}
	if err := l.Renew(); err != nil {
		t.Fatal(err)
	}
	retain(t, l, r, noon.Add(100*time.Hour))
	if err := l.Renew(); err != nil || l.First() != head+3 { // of an empty log
		t.Fatalf("renewed, first is %d, %v", l.First(), err)
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

// TestRetainOnAFullDisk makes room with old messages; then the log goes on, but not
// before the reserve fits.
func TestRetainOnAFullDisk(t *testing.T) {
	full := true
	m, s, l := failing(t, "write", syscall.ENOSPC, &full)
	if err := l.Append(run(21, 21)); !errors.Is(err, ErrReadOnly) {
		t.Fatal(err)
	}
	if removed := retain(t, l, rooms.Retention{Messages: 2}, noon); removed == 0 {
		t.Fatal("nothing was removed")
	}
	full = false
	if err := s.freeReserve(); err != nil {
		t.Fatal(err)
	}
	m.hook = func(op, name string) {
		if op == "write" && name == s.reservePath() {
			m.nth, m.err = m.calls, syscall.ENOSPC
		}
	}
	if err := l.Revive(); !noSpace(err) {
		t.Fatalf("revive without room for the reserve: %v", err)
	}
	m.hook = nil
	if err := l.Revive(); err != nil {
		t.Fatal(err)
	}
	say(t, l, 30, 1)
	expectLog(t, l, nil)
	expectWhole(t, s, 30)
}

func TestRetainOnlyOpensWhatItNeeds(t *testing.T) {
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, 60, 1)
	retain(t, l, rooms.Retention{Messages: 1 << 40, Bytes: 1 << 40}, noon)
	m.hook = func(op, name string) {
		if op == "read" || op == "remove" {
			t.Errorf("%s of %q", op, name)
		}
	}
	retain(t, l, rooms.Retention{Messages: 1 << 40, Bytes: 1 << 40}, noon)
}

// A damaged old segment goes when what follows it is too old.
func TestRetainRemovesDamage(t *testing.T) {
	m, last := smallRoom(t)
	segmentsOf(t, m)[0].data[headerSize+frameHead+5] ^= 1
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	removed, err := l.Retain(rooms.Retention{Age: time.Hour}, noon.Add(1000*time.Hour))
	if removed != last || err != nil || l.Failed() != nil {
		t.Errorf("removed up to %d, %v, want %d; failed: %v", removed, err, last, l.Failed())
	}
}
