package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"p2pchat/rooms"
)

// foldedText is what a text is compared by, in the plainest way.
func foldedText(s string) string { return strings.Map(folded, s) }

func contains(text, wanted string) bool {
	return strings.Contains(foldedText(text), foldedText(wanted))
}

func TestFolding(t *testing.T) {
	for _, tt := range []struct {
		text, wanted string
		want         bool
	}{
		{"", "", true}, {"a", "", true}, {"", "a", false},
		{"say Übermut", "ÜBER", true}, {"übe", "ÜBER", false}, {"uber", "ÜBER", false},
		{"300 K", "k", true}, {"ſtraße", "STRA", true}, {"straße", "STRASSE", false},
		{"ΟΔΥΣΣΕΥΣ", "οδυσσευς", true}, {"aab", "AB", true}, {"日本語", "本", true},
		{"a\xc3", "\xc3", true}, {"a\xc3\xbc", "\xc3", false}, {"a\xff", "\xfe", true}, {"a�", "\xfe", true},
	} {
		if got := newNeedle(tt.wanted).in([]byte(tt.text)); got != tt.want {
			t.Errorf("%q in %q: %t", tt.wanted, tt.text, got)
		}
		if got := contains(tt.text, tt.wanted); got != tt.want {
			t.Errorf("the oracle says: %q in %q: %t", tt.wanted, tt.text, got)
		}
	}
	text, n := []byte(strings.Repeat("grüße ÜB ", 50)), newNeedle("über")
	if got := testing.AllocsPerRun(10, func() { n.in(text) }); got != 0 {
		t.Errorf("%v allocations a message", got)
	}
}

// talk says random texts and returns what was said.
func talk(t testing.TB, l *Log, rnd *rand.Rand, n int) []rooms.Message {
	t.Helper()
	alphabet := []rune("aAbBkKüÜſsß世\xffK �")
	var msgs []rooms.Message
	for l.Head() < rooms.Seq(n) {
		var write []rooms.Message
		for range rnd.IntN(5) + 1 {
			m := said(l.Head() + 1 + rooms.Seq(len(write)))
			var text []byte
			for range rnd.IntN(12) {
				text = utf8.AppendRune(text, alphabet[rnd.IntN(len(alphabet))])
			}
			if len(text) > 0 && rnd.IntN(9) == 0 {
				text = text[:len(text)-1] // in the middle of a rune
			}
			m.Text = string(text)
			if rnd.IntN(20) == 0 {
				m.Kind, m.File = rooms.Lost, nil
			}
			write = append(write, m)
		}
		if err := l.Append(write); err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, write...)
	}
	return msgs
}

// expectSearch compares all pages of a search, in both directions, with what a plain
// search of msgs finds.
func expectSearch(t testing.TB, l *Log, msgs []rooms.Message, wanted string, before, after rooms.Seq, limit int) {
	t.Helper()
	var older, newer []rooms.Seq
	for _, m := range msgs {
		if m.Kind == rooms.Lost || !contains(m.Text, wanted) && (m.File == nil || !contains(m.File.Name, wanted)) {
			continue
		}
		if before == 0 || m.Seq < before {
			older = append(older, m.Seq)
		}
		if m.Seq > after {
			newer = append(newer, m.Seq)
		}
	}
	var got []rooms.Seq
	for next := before; ; {
		page, n, err := l.Search(context.Background(), wanted, next, limit)
		if err != nil || len(page) > limit || n != 0 && next != 0 && n >= next {
			t.Fatalf("search %q before %d: %d messages, next %d, %v", wanted, next, len(page), n, err)
		}
		got = append(sequence(t, page, msgs), got...)
		if next = n; n == 0 {
			break
		}
	}
	if !reflect.DeepEqual(got, older) {
		t.Fatalf("search %q before %d by %d: got %d, want %d", wanted, before, limit, got, older)
	}
	got = nil
	for next := after; ; {
		page, n, err := l.SearchAfter(context.Background(), wanted, next, limit)
		if err != nil || len(page) > limit || n != 0 && n <= next {
			t.Fatalf("search %q after %d: %d messages, next %d, %v", wanted, next, len(page), n, err)
		}
		got = append(got, sequence(t, page, msgs)...)
		if next = n; n == 0 {
			break
		}
	}
	if !reflect.DeepEqual(got, newer) {
		t.Fatalf("search %q after %d by %d: got %d, want %d", wanted, after, limit, got, newer)
	}
}

// sequence returns the numbers of a page, whose messages are those that were said.
func sequence(t testing.TB, page, msgs []rooms.Message) []rooms.Seq {
	t.Helper()
	var all []rooms.Seq
	for _, m := range page {
		if m.Text != msgs[m.Seq-1].Text || len(all) > 0 && m.Seq <= all[len(all)-1] {
			t.Fatalf("message %d of a page is %q", m.Seq, m.Text)
		}
		all = append(all, m.Seq)
	}
	return all
}

func TestSearchFindsWhatAPlainSearchFinds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	s, err := openMemory(newMemory())
	if err != nil {
		t.Fatal(err)
	}
	s.segment = 20 << 10
	l := openRoom(t, s)
	expectSearch(t, l, nil, "a", 0, 0, 3)
	msgs := talk(t, l, rnd, 600)
	if len(l.view.Load().segments) < 3 {
		t.Fatal("the segments are too large")
	}
	wanted := []string{"", "a", "kÜ", "SS", "ß", "世", "�", "\xc3", "\xff", "nick", "Body", "12D3", "never said"}
	for range 40 {
		m := msgs[rnd.IntN(len(msgs))]
		from := rnd.IntN(len(m.Text) + 1)
		wanted = append(wanted, m.Text[from:from+rnd.IntN(len(m.Text)-from+1)])
	}
	for _, w := range wanted {
		seq := rooms.Seq(rnd.IntN(len(msgs) + 3))
		expectSearch(t, l, msgs, w, 0, 0, rnd.IntN(20)+1)
		expectSearch(t, l, msgs, w, seq, seq, rnd.IntN(400)+1)
	}
	if got, next, err := l.Search(context.Background(), "a", 0, 0); len(got) != 0 || next != l.Head()+1 || err != nil {
		t.Errorf("a search for none: %d, %d, %v", len(got), next, err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := l.Search(canceled, "a", 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was given up: %v", err)
	}
	l.Close()
	if _, _, err := l.Search(context.Background(), "a", 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("a search in a closed log: %v", err)
	}
}

// TestSearchBoundsAPage looks for what is in long texts.
func TestSearchBoundsAPage(t *testing.T) {
	l := openRoom(t, openStore(t, t.TempDir()))
	var msgs []rooms.Message
	for seq := rooms.Seq(1); seq <= 60; seq++ {
		m := said(seq)
		m.Kind, m.File, m.Text = rooms.Text, nil, strings.Repeat("x", 30<<10)
		msgs = append(msgs, m)
	}
	if err := l.Append(msgs); err != nil {
		t.Fatal(err)
	}
	page, next, err := l.Search(context.Background(), "X", 0, 100)
	if err != nil || len(page) != 9 || next != 52 {
		t.Errorf("a page of 256 KiB has %d messages, next %d, %v", len(page), next, err)
	}
	expectSearch(t, l, msgs, "x", 0, 0, 100)
}

// TestSearchStopsAtDamage damages the second of three segments.
func TestSearchStopsAtDamage(t *testing.T) {
	m, last := smallRoom(t)
	n := segmentsOf(t, m)[1]
	n.data[len(n.data)/2] ^= 1
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	second := l.view.Load().segments[1]
	third := l.view.Load().segments[2]
	page, next, err := l.Search(context.Background(), "line", 0, 100)
	if err != nil || len(page) == 0 || next != third || page[len(page)-1].Seq < last-1 {
		t.Fatalf("behind the damage: %d messages, next %d, %v", len(page), next, err)
	}
	var d *DamageError
	page, next, err = l.Search(context.Background(), "line", next, 100)
	if !errors.As(err, &d) || len(page) != 0 || next != third {
		t.Fatalf("at the damage: %d messages, next %d, %v", len(page), next, err)
	}
	page, next, err = l.Search(context.Background(), "line", d.After+1, 100)
	if err != nil || next != 0 || len(page) == 0 || page[0].Seq != 1 {
		t.Fatalf("before the damage: %d messages, next %d, %v", len(page), next, err)
	}
	page, next, err = l.SearchAfter(context.Background(), "line", 0, 100)
	if err != nil || len(page) == 0 || next != d.After || next < second-1 {
		t.Fatalf("up to the damage: %d messages, next %d, %v", len(page), next, err)
	}
	if _, _, err = l.SearchAfter(context.Background(), "line", next, 100); !errors.As(err, &d) {
		t.Fatalf("from the damage on: %v", err)
	}
}

func TestSearchWhileAppending(t *testing.T) {
	s := openStore(t, t.TempDir())
	s.segment = 8 << 10
	l := openRoom(t, s)
	const last = 1500
	done := make(chan error, 2)
	for range cap(done) {
		go func() {
			var err error
			for err == nil && l.Head() < last {
				var page []rooms.Message
				page, _, err = l.Search(context.Background(), "LINE", 0, 5)
				for i := 1; i < len(page); i++ {
					if page[i].Seq <= page[i-1].Seq {
						err = fmt.Errorf("%d follows %d", page[i].Seq, page[i-1].Seq)
					}
				}
			}
			done <- err
		}()
	}
	say(t, l, last, 3)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// FuzzSearch searches any text for any other: the same is found as when both are
// folded rune by rune and compared.
func FuzzSearch(f *testing.F) {
	f.Add("say Übermut", "ÜBER", "nick")
	f.Add("300 K\xff", "k�", "\xff")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, text, wanted, nick string) {
		if len(text) > 8<<10 || len(nick) > 1<<10 {
			return
		}
		m := rooms.Message{Seq: 1, Time: time.UnixMilli(int64(len(text))), Kind: rooms.Text, Text: text, From: rooms.Author{Nick: nick}}
		var w blockWriter
		shared := ""
		for i, flags := range []byte{flagBegin, flagEnd} { // the first of a block, and another
			rec, _ := newRecord(&m, chainSum{byte(i)})
			w.reset()
			if _, err := w.add(0, flags, 1, &rec); err != nil {
				t.Fatal(err)
			}
			body, name, ok := wordsOf(w.buf[frameHead:])
			if !ok || string(body) != text || string(name) != shared {
				t.Fatalf("%q and %q are found as %q and %q, %t", text, shared, body, name, ok)
			}
			m.Kind, m.File, shared = rooms.FileUp, &rooms.File{ID: "1", Name: nick, Size: 3}, nick
		}
		if got, want := newNeedle(wanted).in([]byte(text)), contains(text, wanted); got != want {
			t.Fatalf("%q in %q: %t", wanted, text, got)
		}
		wordsOf([]byte(nick))
	})
}
