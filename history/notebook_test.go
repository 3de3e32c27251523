package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"p2pchat/rooms"
)

func openNotes(t testing.TB, m *memory) *Notebook {
	t.Helper()
	n, err := openNotebook(m, "/notes")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// noted is a line for the room dev, as a chat keeps it.
func noted(n *Notebook, text string) rooms.Message {
	return rooms.Message{Room: "dev", Time: time.UnixMilli(1e12), Kind: rooms.Text, Text: text, Origin: n.Origin()}
}

func texts(lines []rooms.Message) (all []string) {
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

func TestNotesOutliveTheProcess(t *testing.T) {
	m := newMemory()
	n := openNotes(t, m)
	one, two := noted(n, "one"), noted(n, "two")
	n.Begin("dev", rooms.Cursor{Epoch: 7, Seq: 3, Mark: 5})
	n.Keep(one)
	n.Keep(two)
	n.Seen(7, rooms.Message{Room: "dev", Seq: 4, Mark: 9, Origin: one.Origin}, true)
	n.Seen(7, rooms.Message{Room: "dev", Seq: 5, Mark: 10, Origin: two.Origin}, false) // somebody else's words
	n.Seen(7, rooms.Message{Room: "dev", Seq: 2, Mark: 1}, false)                      // a replay
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = openNotes(t, m)
	if got := n.Kept(); len(got) != 1 || !reflect.DeepEqual(got[0], two) {
		t.Errorf("kept: %+v, want %+v", got, two)
	}
	at, when, ok := n.Place("dev")
	if want := (rooms.Cursor{Epoch: 7, Seq: 5, Mark: 10}); !ok || at != want || time.Since(when) > time.Minute {
		t.Errorf("place: %+v %v, want %+v", at, when, want)
	}
	if o := n.Origin(); o.Client == one.Origin.Client {
		t.Error("another run gives the same origins")
	}
	if _, err := openNotebook(m, "/notes"); !errors.As(err, new(*InUseError)) {
		t.Errorf("a second process has the notebook: %v", err)
	}
}

func TestNotesAreBounded(t *testing.T) {
	n := openNotes(t, newMemory())
	for i := range noteLines + 5 {
		n.Keep(noted(n, fmt.Sprint(i)))
	}
	if got := n.Kept(); len(got) != noteLines || got[0].Text != "0" {
		t.Errorf("%d lines", len(got))
	}
	n.Begin("dev", rooms.Cursor{Seq: 1}) // the oldest place, and the one that lines are for
	for i := range notePlaces + 5 {
		n.Begin(rooms.RoomID(fmt.Sprint("room", i)), rooms.Cursor{Seq: 1})
	}
	if len(n.places) != notePlaces {
		t.Errorf("%d places", len(n.places))
	}
	if _, _, ok := n.Place("dev"); !ok {
		t.Error("the place of a room that lines are for is gone")
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := decodeNotes(encodeNotes(n.places, n.lines), ""); err != nil {
		t.Error(err)
	}
}

// TestGoldenNotes reads the notes that released versions wrote.
func TestGoldenNotes(t *testing.T) {
	places := map[rooms.RoomID]place{"dev": {rooms.Cursor{Epoch: 1, Seq: 2, Mark: 3}, time.UnixMilli(4)}}
	lines := []rooms.Message{
		{Room: "dev", Time: time.UnixMilli(5), Kind: rooms.Action, Text: "waves", Origin: rooms.Origin{Client: 6, Count: 7}},
	}
	shares := rooms.Message{Room: "dev", Time: time.UnixMilli(6), Kind: rooms.FileUp, File: &rooms.File{ID: "0123456789abcdef"}, Origin: rooms.Origin{Client: 6, Count: 8}}
	want := map[string][]rooms.Message{"testdata/v1/notes": lines, "testdata/v1-files/notes": append(lines[:1:1], shares)}
	if *update {
		name := "testdata/v1-files/notes"
		if err := os.WriteFile(name, encodeNotes(places, want[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("testdata/v*/notes")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden notes: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p, l, err := decodeNotes(b, name); err != nil || !reflect.DeepEqual(p, places) || !reflect.DeepEqual(l, want[filepath.ToSlash(name)]) {
			t.Errorf("%s reads as %v, %v, %v", name, p, l, err)
		}
	}
}

// A power cut leaves what was noted last or what was noted before, never a part.
func TestNotesSurviveAPowerCut(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := newMemory()
		n := openNotes(t, m)
		saved, tried := 0, 0
		m.stop = m.calls + 1 + rnd.IntN(40)
		for ; tried < 12; tried++ {
			n.Seen(1, rooms.Message{Room: "dev", Seq: rooms.Seq(tried + 1)}, false)
			n.Keep(noted(n, strings.Repeat("x", rnd.IntN(300))))
			if n.Save() != nil {
				tried++
				break
			}
			saved = tried + 1
		}
		_ = n.Close()
		m.reboot(true, rnd)
		n = openNotes(t, m)
		at, _, _ := n.Place("dev")
		// The place is noted before the line, and the writer may come between the two.
		if got := len(n.Kept()); n.Aside() != nil || got < saved || got > tried || int(at.Seq) != got && int(at.Seq) != got+1 {
			t.Fatalf("seed %d: %d lines at %+v, saved %d of %d: %v", seed, got, at, saved, tried, n.Aside())
		}
	}
}

// A full disk is told, and what was noted is written once there is room.
func TestNotesOnAFullDisk(t *testing.T) {
	m := newMemory()
	n := openNotes(t, m)
	if err := n.Save(); err != nil {
		t.Fatal(err)
	}
	m.hook = func(op, _ string) {
		if op == "write" {
			m.nth = m.calls
		}
	}
	n.Begin("dev", rooms.Cursor{Seq: 1})
	if err := n.Save(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a full disk: %v", err)
	}
	m.hook = nil
	if err := n.Save(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := decodeNotes(mustRead(t, m), ""); err != nil {
		t.Error(err)
	}
}

func mustRead(t testing.TB, m *memory) []byte {
	t.Helper()
	b, err := readWhole(m, "/notes/"+notesFile)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUnreadableNotesAreSetAside(t *testing.T) {
	good := encodeNotes(map[rooms.RoomID]place{"dev": {}}, nil)
	newer := append([]byte(nil), good...)
	binary.LittleEndian.PutUint16(newer[8:], version+1)
	spoilt := append([]byte(nil), good...)
	spoilt[len(spoilt)-1]++
	for name, c := range map[string]struct {
		data  []byte
		aside string
	}{
		"damaged": {spoilt, "notes.damaged"}, "short": {good[:len(good)-1], "notes.damaged"}, "empty": {nil, "notes.damaged"},
		"of a later version": {newer, "notes.newer"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			putFile(t, m, "/notes/"+notesFile, c.data)
			n := openNotes(t, m)
			if n.Aside() == nil {
				t.Error("nobody is told")
			}
			n.Keep(noted(n, "goes on"))
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			if kept, err := readWhole(m, "/notes/"+c.aside); err != nil || string(kept) != string(c.data) {
				t.Errorf("set aside: %q, %v", kept, err)
			}
			if n = openNotes(t, m); n.Aside() != nil || len(n.Kept()) != 1 {
				t.Errorf("next time: %v, %q", n.Aside(), texts(n.Kept()))
			}
		})
	}
}

// FuzzNotes decodes any bytes, as they are and under a right checksum: no panic, little
// memory, and what is accepted is the same after it was written again.
func FuzzNotes(f *testing.F) {
	sample := encodeNotes(map[rooms.RoomID]place{"dev": {rooms.Cursor{Epoch: 1, Seq: 2, Mark: 3}, time.UnixMilli(4)}}, []rooms.Message{
		{Room: "dev", Time: time.UnixMilli(5), Kind: rooms.Action, Text: "waves", Origin: rooms.Origin{Client: 6, Count: 7}},
	})
	f.Add(sample, false)
	f.Add(sample[notesHead:], true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			b := append(encodeNotes(nil, nil)[:notesHead:notesHead], data...)
			binary.LittleEndian.PutUint32(b[12:], uint32(len(data)))
			binary.LittleEndian.PutUint32(b[16:], notesSum(b))
			data = b
		}
		expectLittleMemory(t, func() {
			places, lines, err := decodeNotes(data, "")
			if err != nil {
				return
			}
			places2, lines2, err := decodeNotes(encodeNotes(places, lines), "")
			if err != nil || !reflect.DeepEqual(places, places2) || !reflect.DeepEqual(lines, lines2) {
				t.Fatalf("written again: %v %v %v, was %v %v", places2, lines2, err, places, lines)
			}
		})
	})
}
