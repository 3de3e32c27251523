package history

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"p2pchat/rooms"
)

// redaction makes message number seq, which takes out what target said.
func redaction(seq, target rooms.Seq) rooms.Message {
	m := said(seq)
	m.Kind, m.Target, m.Text, m.File = rooms.Redaction, target, "", nil
	return m
}

// redacted is what is left of message number seq.
func redacted(seq rooms.Seq) rooms.Message {
	m := said(seq)
	m.Text, m.File, m.Redacted = "", nil, true
	return m
}

func redact(t testing.TB, l *Log, target rooms.Seq) {
	t.Helper()
	if err := l.Redact(redaction(l.Head()+1, target)); err != nil {
		t.Fatal(err)
	}
}

// expectLog compares all that is in the log, from First on, with what was said and
// what redactions, by their number, took out.
func expectLog(t testing.TB, l *Log, redactions map[rooms.Seq]rooms.Seq) {
	t.Helper()
	got, err := all(l, 300)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != int(l.Head()-l.First()+1) {
		t.Fatalf("got %d messages of %d to %d", len(got), l.First(), l.Head())
	}
	want := map[rooms.Seq]rooms.Message{}
	for seq, target := range redactions {
		want[seq] = redaction(seq, target)
		want[target] = redacted(target)
	}
	for i, m := range got {
		seq := l.First() + rooms.Seq(i)
		w, ok := want[seq]
		if !ok {
			w = said(seq)
		}
		if !equalMessage(m, w) {
			t.Fatalf("got message %+v\nwant %+v", m, w)
		}
	}
}

// grep tells which files of a room hold a text.
func (n *node) grep(text string, name string) (found []string) {
	if bytes.Contains(n.data, []byte(text)) || bytes.Contains(n.durable, []byte(text)) {
		found = append(found, name)
	}
	for _, child := range sortedNames(n.names) {
		found = append(found, n.names[child].grep(text, name+"/"+child)...)
	}
	for _, child := range sortedNames(n.synced) {
		found = append(found, n.synced[child].grep(text, name+"/"+child)...)
	}
	return found
}

// secretOf is a part of what message seq said that no other message has.
func secretOf(seq rooms.Seq) string {
	if m := said(seq); m.File != nil {
		return m.File.ID
	}
	return fmt.Sprintf("line %d:", seq)
}

func TestRedactedTextIsGone(t *testing.T) {
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	say(t, l, 120, 4)
	segments := len(l.view.Load().segments)
	want := map[rooms.Seq]rooms.Seq{}
	// The first, ends of segments, attachments (5, 115), neighbours, the last.
	targets := []rooms.Seq{1, 2, 5, 60, 115, 119, 120}
	for _, first := range l.view.Load().segments[1:4] {
		targets = append(targets, first, first-1)
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	for i, target := range targets {
		if len(m.root.grep(secretOf(target), "")) == 0 {
			t.Fatalf("message %d is nowhere", target)
		}
		before := expectWhole(t, s, l.Head())
		seq := l.Head() + 1
		redact(t, l, target)
		want[seq] = target
		if found := m.root.grep(secretOf(target), ""); len(found) != 0 {
			t.Fatalf("what message %d said is still in %q", target, found)
		}
		expectLog(t, l, want)
		after := expectWhole(t, s, l.Head())
		if after.Redacted != i+1 || before.Redacted != i {
			t.Fatalf("verify saw %d, then %d redacted messages after %d redactions", before.Redacted, after.Redacted, i+1)
		}
		if i%3 == 1 { // without a restart, too
			s.Close()
			m.reboot(true, rnd)
			if s, err = openMemory(m); err != nil {
				t.Fatal(err)
			}
			l = openRoom(t, s)
			expectLog(t, l, want)
		}
	}
	say(t, l, 150, 3)
	expectLog(t, l, want)
	expectWhole(t, s, 150)
	if n := len(l.view.Load().segments); n < segments {
		t.Errorf("%d segments became %d", segments, n)
	}
}

func TestRedactedTextIsGoneFromARealDisk(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 8 << 10
	l := openRoom(t, s)
	say(t, l, 300, 7)
	for _, target := range []rooms.Seq{3, 150, 299} {
		redact(t, l, target)
		err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err != nil || info.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if err == nil && bytes.Contains(b, []byte(secretOf(target))) {
				err = fmt.Errorf("what message %d said is still in %q", target, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	expectWhole(t, s, 303)
}

func TestRedactRefuses(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 90, 9)
	if err := l.Append([]rooms.Message{{Seq: 91, Kind: rooms.Lost, Time: said(91).Time}}); err != nil {
		t.Fatal(err)
	}
	redact(t, l, 80)
	if _, err := l.Retain(rooms.Retention{Messages: 50}, noon); err != nil || l.First() == 1 {
		t.Fatalf("retain: first is %d, %v", l.First(), err)
	}
	head := l.Head()
	for _, target := range []rooms.Seq{0, 1, l.First() - 1, 80, 91, 92, 93, 1 << 40} {
		if err := l.Redact(redaction(head+1, target)); !errors.Is(err, ErrNoMessage) {
			t.Errorf("redaction of %d: %v", target, err)
		}
	}
	if l.Head() != head {
		t.Errorf("head was %d and is %d", head, l.Head())
	}
	if err := l.Redact(redaction(head+5, 81)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a gap: %v", err)
	}
	if err := l.Redact(redaction(head+1, 81)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a failed log: %v", err)
	}
}

func TestRedactionInADamagedSegment(t *testing.T) {
	m, last := smallRoom(t)
	n := segmentsOf(t, m)[1]
	n.data[len(n.data)-3] ^= 1
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	target := l.view.Load().segments[1]
	var damage *DamageError
	if err := l.Redact(redaction(last+1, target)); !errors.As(err, &damage) {
		t.Errorf("redaction in a damaged segment: %v", err)
	}
	say(t, l, last+1, 1) // the log is as good as it was
	redact(t, l, 1)
	n = segmentsOf(t, m)[0]
	n.data[headerSize+frameHead+9] ^= 1
	s.Close()
	m.reboot(false, nil)
	if s, err = openMemory(m); err != nil {
		t.Fatal(err)
	}
	l = openRoom(t, s) // the redaction is the last message, and its target cannot be read
	if l.Damage() != nil {
		t.Fatal(l.Damage())
	}
	say(t, l, l.Head()+1, 1)
}

// TestOpenRedactionIsCarriedOut fails every call of a redaction: the log is read-only
// then, nobody reads the text, and the next start takes it out.
func TestOpenRedactionIsCarriedOut(t *testing.T) {
	for _, target := range []rooms.Seq{2, 29, 30} {
		for n := 1; ; n++ {
			m := newMemory()
			s, err := openMemory(m)
			if err != nil {
				t.Fatal(err)
			}
			l := openRoom(t, s)
			say(t, l, 30, 3)
			m.nth, m.err = m.calls+n, syscall.EIO
			err = l.Redact(redaction(31, target))
			if m.name == "" {
				break
			}
			open := l.Head() == 31
			if open && err != nil && !errors.Is(err, ErrReadOnly) {
				t.Fatalf("call %d (%s): %v, and the log goes on", n, m.name, err)
			}
			want := map[rooms.Seq]rooms.Seq{}
			if open {
				want[31] = target
			}
			expectLog(t, l, want)
			v, err := viewOn(m, "/data")
			if err != nil {
				t.Fatal(err)
			}
			expectLog(t, openRoom(t, v), want)
			if n%2 == 0 {
				if err := l.Revive(); err != nil {
					t.Fatal(err)
				}
			} else {
				m.reboot(false, nil)
				if s, err = openMemory(m); err != nil {
					t.Fatal(err)
				}
				l = openRoom(t, s)
			}
			expectLog(t, l, want)
			if open {
				if found := m.root.grep(secretOf(target), ""); len(found) != 0 {
					t.Fatalf("call %d (%s): still in %q", n, m.name, found)
				}
			}
			say(t, l, 40, 1)
			expectLog(t, l, want)
			expectWhole(t, s, 40)
		}
	}
}
