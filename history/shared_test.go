package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestOneHostOnly(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	_, err := Open(dir)
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != os.Getpid() || inUse.Dir != dir {
		t.Fatalf("second open: %v, want an InUseError with process %d", err, os.Getpid())
	}
	s.Close()
	openStore(t, dir)
}

func TestViewWhileAHostWrites(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 100, 9)
	if err := s.Record(someChanges(1, 5)...); err != nil {
		t.Fatal(err)
	}
	v, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := openRoom(t, v)
	say(t, l, 200, 9)
	expectAll(t, seen, 100)
	if err := seen.Append(run(101, 101)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append in a view: %v", err)
	}
	if seen = openRoom(t, v); seen.Epoch() != l.Epoch() {
		t.Error("the view has another epoch")
	}
	expectAll(t, seen, 200)
	expectWhole(t, v, 200)
	if got, err := v.Changes(); err != nil || !reflect.DeepEqual(got, someChanges(1, 5)) {
		t.Errorf("changes in a view: %v, %v", got, err)
	}
	if err := v.Record(someChanges(6, 6)...); !errors.Is(err, ErrReadOnly) {
		t.Errorf("record in a view: %v", err)
	}
	if _, err := v.Room(rooms.RoomKey{9}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing room in a view: %v", err)
	}
	if _, err := View(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a view of nothing: %v", err)
	}
}

func TestReadersWhileAppending(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 8 << 10
	l := openRoom(t, s)
	const last = 2000
	done := make(chan error, 4)
	for i := range cap(done) {
		go func() {
			var seq rooms.Seq
			for seq < last {
				page, err := l.After(seq, 10+i)
				if i == 0 && err == nil && len(page) > 0 {
					_, err = l.Last(5)
				}
				if i == 1 && err == nil && len(page) > 0 {
					_, err = l.Since(page[0].Time, 5)
				}
				for _, m := range page {
					seq++
					if err == nil && !equalMessage(m, said(seq)) {
						err = fmt.Errorf("got %+v, want message %d", m, seq)
					}
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	say(t, l, last, 17)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// changing reads all of a log again and again until done, and checks that each message
// is what was said, or that without its text.
func changing(l *Log, done <-chan struct{}, step int) error {
	for seq := rooms.Seq(0); ; {
		select {
		case <-done:
			return nil
		default:
		}
		page, err := l.After(seq, step)
		if err == nil {
			_, err = l.Since(noon.Add(100*time.Second), 3)
		}
		if err == nil {
			_, err = l.Mark(l.First() + 10)
		}
		if err != nil {
			return err
		}
		for _, m := range append(page, last(l, &err)...) {
			if m.Kind != rooms.Redaction && !equalMessage(m, said(m.Seq)) && !equalMessage(m, redacted(m.Seq)) {
				return fmt.Errorf("got %+v, want message %d", m, m.Seq)
			}
		}
		for _, m := range page {
			if m.Seq != seq+1 && seq >= l.First() {
				return fmt.Errorf("%d follows %d", m.Seq, seq)
			}
			seq = m.Seq
		}
		if err != nil {
			return err
		}
		if len(page) == 0 {
			seq = 0
		}
	}
}

func last(l *Log, err *error) []rooms.Message {
	msgs, lerr := l.Last(30)
	if lerr != nil {
		*err = lerr
	}
	return msgs
}

// TestReadersWhileRemoving reads, in the host and in a view, while text is taken out
// and old messages are removed.
func TestReadersWhileRemoving(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 6 << 10
	l := openRoom(t, s)
	say(t, l, 300, 9)
	v, err := View(dir)
	if err != nil {
		t.Fatal(err)
	}
	var readers []chan error
	done := make(chan struct{})
	for i, reader := range []*Log{l, l, openRoom(t, v), openRoom(t, v)} {
		end := make(chan error, 1)
		readers = append(readers, end)
		go func() { end <- changing(reader, done, 7+i*20) }()
	}
	for round := range rooms.Seq(60) {
		say(t, l, l.Head()+3, 2)
		target := l.Head() - round%3
		if round%2 == 0 {
			target = l.First() + round%40
		}
		if err := l.Redact(redaction(l.Head()+1, target)); err != nil && !errors.Is(err, ErrNoMessage) {
			t.Fatal(err)
		}
		if round%10 == 9 {
			retain(t, l, rooms.Retention{Messages: 150}, noon)
		}
	}
	close(done)
	for _, end := range readers {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	expectWhole(t, s, l.Head())
}

func TestFileModes(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("modes are a matter of unix")
	}
	dir := filepath.Join(t.TempDir(), "data")
	s := openStore(t, dir)
	say(t, openRoom(t, s), 1, 1)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if err == nil && info.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
