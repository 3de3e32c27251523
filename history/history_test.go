package history

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

var lobby = rooms.RoomKey{0xb0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// said makes message number seq; the same number makes the same message.
func said(seq rooms.Seq) rooms.Message {
	m := rooms.Message{
		Seq:    seq,
		Time:   noon.Add(time.Duration(seq) * time.Second),
		Kind:   rooms.Text,
		From:   rooms.Author{Peer: rooms.PeerID(fmt.Sprintf("12D3KooW%044d", seq%5)), Nick: fmt.Sprintf("nick-%d", seq%5)},
		Text:   fmt.Sprintf("line %d: grüße, 世界 %s", seq, strings.Repeat("x", int(seq%7))),
		Origin: rooms.Origin{Client: 0xfeed + uint64(seq%3), Count: uint64(seq)},
	}
	switch seq % 11 {
	case 3:
		m.Kind = rooms.Action
	case 5:
		m.Kind, m.Text = rooms.FileUp, ""
		m.File = &rooms.File{ID: fmt.Sprintf("file-%d.", seq), Name: "cat\x1b.png", Size: int64(seq) << 20, MIME: "image/png"}
	case 7:
		m.Origin = rooms.Origin{}
	}
	return m
}

// run makes the messages from first to last.
func run(first, last rooms.Seq) []rooms.Message {
	var msgs []rooms.Message
	for seq := first; seq <= last; seq++ {
		msgs = append(msgs, said(seq))
	}
	return msgs
}

func openStore(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openRoom(t testing.TB, s *Store) *Log {
	t.Helper()
	l, err := s.Room(lobby)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// say appends the messages from Head+1 to last in writes of n.
func say(t testing.TB, l *Log, last rooms.Seq, n int) {
	t.Helper()
	for l.Head() < last {
		if err := l.Append(run(l.Head()+1, min(l.Head()+rooms.Seq(n), last))); err != nil {
			t.Fatal(err)
		}
	}
}

// all reads a log page by page.
func all(l *Log, limit int) ([]rooms.Message, error) {
	var msgs []rooms.Message
	var seq rooms.Seq
	for {
		page, err := l.After(seq, limit)
		if err != nil || len(page) == 0 {
			return msgs, err
		}
		msgs = append(msgs, page...)
		seq = page[len(page)-1].Seq
	}
}

func expectMessages(t testing.TB, got []rooms.Message, first, last rooms.Seq) {
	t.Helper()
	want := run(first, last)
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d to %d", len(got), first, last)
	}
	for i := range got {
		if !equalMessage(got[i], want[i]) {
			t.Fatalf("got message %+v\nwant %+v", got[i], want[i])
		}
	}
}

func expectAll(t testing.TB, l *Log, last rooms.Seq) {
	t.Helper()
	got, err := all(l, 300)
	if err != nil {
		t.Fatal(err)
	}
	expectMessages(t, got, 1, last)
	if l.Head() != last {
		t.Fatalf("head is %d, want %d", l.Head(), last)
	}
}

func expectWhole(t testing.TB, s *Store, last rooms.Seq) Report {
	t.Helper()
	r, err := s.Verify(lobby)
	if err != nil || !r.Whole() || r.Messages > 0 && r.Last != last || r.Messages != int(last-r.First+1) {
		t.Fatalf("verify: %+v, %v; want %d messages and no problem", r, err, last)
	}
	return r
}

func TestMessagesOutliveTheStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	s := openStore(t, dir)
	l := openRoom(t, s)
	if l.Head() != 0 || l.First() != 1 || l.Epoch() == 0 {
		t.Fatalf("a new log has head %d, first %d, epoch %d", l.Head(), l.First(), l.Epoch())
	}
	if got, err := l.After(0, 10); len(got) != 0 || err != nil {
		t.Fatalf("a new log holds %v, %v", got, err)
	}
	epoch := l.Epoch()
	for round := rooms.Seq(1); round <= 4; round++ {
		say(t, l, round*100, 7)
		expectAll(t, l, round*100)
		chain := expectWhole(t, s, round*100).Chain
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir)
		l = openRoom(t, s)
		expectAll(t, l, round*100)
		if l.Epoch() != epoch || l.Repaired() != "" || l.Damage() != nil {
			t.Fatalf("reopened: epoch %x, want %x; repaired %q, damage %v", l.Epoch(), epoch, l.Repaired(), l.Damage())
		}
		if got := expectWhole(t, s, round*100).Chain; got != chain {
			t.Fatalf("chain is %s, was %s", got, chain)
		}
	}
	if same := openRoom(t, s); same != l {
		t.Error("a second Room made a second log")
	}
	keys, err := s.RoomKeys()
	if err != nil || len(keys) != 1 || keys[0] != lobby {
		t.Errorf("rooms: %x, %v", keys, err)
	}
	size, err := s.Size()
	if err != nil || size < 400*100 {
		t.Errorf("size %d, %v", size, err)
	}
}

func TestSegmentsRoll(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 1000, 13)
	expectAll(t, l, 1000)
	if n := len(l.view.Load().segments); n < 20 {
		t.Fatalf("1000 messages are in %d segments", n)
	}
	s.Close()
	s = openStore(t, dir)
	l = openRoom(t, s)
	expectAll(t, l, 1000)
	r := expectWhole(t, s, 1000)
	if n := len(s.indexes.cached); n == 0 || n > maxIndexes {
		t.Errorf("%d indexes are kept, at most %d", n, maxIndexes)
	}
	if r.Segments != len(l.view.Load().segments) {
		t.Errorf("verify saw %d segments", r.Segments)
	}
}

func TestPages(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 8 << 10
	l := openRoom(t, s)
	say(t, l, 700, 9)
	for _, seq := range []rooms.Seq{0, 1, 63, 64, 65, 128, 333, 698, 699, 700, 701, 1 << 60, 1<<64 - 1} {
		for _, limit := range []int{0, 1, 64, 200} {
			got, err := l.After(seq, limit)
			if err != nil {
				t.Fatal(err)
			}
			last := min(seq+rooms.Seq(limit), 700)
			if seq >= 700 {
				last = seq
			}
			expectMessages(t, got, min(seq, 700)+1, min(last, 700))
		}
	}
	for _, n := range []int{0, 1, 50, 64, 65, 699, 700, 5000} {
		got, err := l.Last(n)
		if err != nil {
			t.Fatal(err)
		}
		expectMessages(t, got, 701-rooms.Seq(min(n, 700)), 700)
	}
	for _, seq := range []rooms.Seq{1, 2, 64, 65, 400, 699, 700} {
		for _, early := range []time.Duration{0, 999 * time.Millisecond} {
			got, err := l.Since(said(seq).Time.Add(-early), 20)
			if err != nil {
				t.Fatal(err)
			}
			expectMessages(t, got, seq, min(seq+19, 700))
		}
	}
	if got, err := l.Since(noon.Add(time.Hour), 20); len(got) != 0 || err != nil {
		t.Errorf("since later: %v, %v", got, err)
	}
}

func TestPagesAreBounded(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openRoom(t, s)
	for seq := rooms.Seq(1); seq <= 100; seq++ {
		m := said(seq)
		m.Text = strings.Repeat("ü", 4000)
		if err := l.Append([]rooms.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.After(0, 1000)
	if err != nil || len(got) != pageBytes/8000+1 {
		t.Errorf("a page has %d messages of 8000 bytes, %v", len(got), err)
	}
	got, err = l.Last(1000)
	if err != nil || len(got) != pageBytes/8000 || got[len(got)-1].Seq != 100 {
		t.Errorf("the last page has %d messages of 8000 bytes, %v", len(got), err)
	}
}

func TestAppendRefusesAGap(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	l := openRoom(t, s)
	say(t, l, 3, 1)
	if err := l.Append(run(5, 6)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append of 5 after 3: %v", err)
	}
	if err := l.Append(run(4, 4)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append after an error: %v", err)
	}
	expectAll(t, l, 3)
	s.Close()
	if _, err := l.After(0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	l = openRoom(t, openStore(t, dir))
	m := said(4)
	m.Text = strings.Repeat("x", maxPayload)
	if err := l.Append([]rooms.Message{m}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append of too much: %v", err)
	}
	expectAll(t, l, 3)
}
