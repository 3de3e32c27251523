package node

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"p2pchat/rooms"
)

// redacted waits for the news that the text of a message was taken out.
func (f *friend) redacted(target rooms.Seq) rooms.Posted {
	f.Helper()
	return f.await(func(e rooms.Event) bool {
		p, ok := e.(rooms.Posted)
		return ok && p.Kind == rooms.Redaction && p.Target == target
	}).(rooms.Posted)
}

// onDisk tells whether any file of the host holds a text.
func (w *world) onDisk(text string) bool {
	w.Helper()
	found := false
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, []byte(text))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return found
}

func TestRedact(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.join("bob", "lobby")
	first, second := alice.say("the secret of alice"), bob.say("what bob said")
	alice.say("nothing much")
	if !w.onDisk("the secret of alice") {
		t.Fatal("the search of the files finds nothing")
	}
	bob.refused(rooms.Denied, rooms.Redact{Seq: first})
	bob.refused(rooms.BadRequest, rooms.Redact{Seq: 99})
	alice.must(rooms.Redact{Seq: first})
	if w.onDisk("the secret of alice") {
		t.Fatal("the text is still in a file")
	}
	if p := bob.redacted(first); p.Seq != 4 || p.From.Nick != "alice" || p.Mark == 0 {
		t.Fatalf("bob is told %+v", p)
	}
	bob.must(rooms.Redact{}) // the last of one's own
	alice.redacted(second)
	bob.refused(rooms.BadRequest, rooms.Redact{})
	bob.refused(rooms.BadRequest, rooms.Redact{Seq: second})
	bob.refused(rooms.BadRequest, rooms.Redact{Seq: 4})

	w.stop()
	w.start()
	carol := w.join("carol", "lobby")
	for i, p := range carol.collect(1, 5) {
		gone := i < 2
		if p.Redacted != gone || gone != (p.Text == "" && p.Kind == rooms.Text) && p.Kind != rooms.Redaction {
			t.Fatalf("carol sees %+v", p)
		}
	}
}

func TestOperatorsRedact(t *testing.T) {
	w := newWorld(t)
	for _, room := range []rooms.Create{{Room: "dev"}, {Room: "air", NoHistory: true}} {
		alice := w.connect("alice-"+room.Room, newKey(t))
		alice.must(room)
		bob := w.join("bob-"+room.Room, room.Room)
		seq := bob.say("something rude")
		alice.hears("something rude")
		alice.must(rooms.Redact{Seq: seq})
		bob.redacted(seq)
		if w.onDisk("something rude") {
			t.Fatalf("it is still in a file of %s", room.Room)
		}
		after := rooms.Cursor{Epoch: 1}
		back := bob.must(rooms.Join{Room: room.Room, After: &after}).(rooms.Entered)
		if back.Diverged == room.NoHistory { // a room without history has another epoch after each start
			t.Fatalf("a cursor of another epoch: %+v", back)
		}
	}
}

func TestSearch(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("alice", "lobby"), w.join("bob", "")
	for i := range 300 {
		alice.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprintf("Line %d of the ÜBERSICHT", i+1)})
	}
	alice.hears("Line 300 of the ÜBERSICHT")
	var all []rooms.Message
	search := rooms.Search{Text: "übersicht", Limit: 100}
	for pages := 0; pages == 0 || search.Before != 0; pages++ {
		found := alice.must(search).(rooms.Found)
		all = append(found.Messages, all...)
		if search.Before = found.Next; pages > 5 {
			t.Fatal("there is no end to it")
		}
	}
	if len(all) != 300 || all[0].Seq != 1 || all[299].Seq != 300 || all[0].Room != "lobby" {
		t.Fatalf("found %d", len(all))
	}
	if found := alice.must(rooms.Search{Text: "line 7 "}).(rooms.Found); len(found.Messages) != 1 || found.Next != 0 {
		t.Fatalf("one line was to be found: %+v", found)
	}
	alice.must(rooms.Redact{Seq: 7})
	if found := alice.must(rooms.Search{Text: "line 7 "}).(rooms.Found); len(found.Messages) != 0 {
		t.Fatalf("a text that was taken out is found: %+v", found)
	}
	alice.refused(rooms.BadRequest, rooms.Search{Text: " "})
	bob.refused(rooms.NotInRoom, rooms.Search{Text: "line"})
}

func TestRetention(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "")
	entered := alice.must(rooms.Create{Room: "brief"}).(rooms.Entered)
	bob := w.join("bob", "brief")
	for i := range 1000 {
		alice.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", i+1)})
	}
	alice.hears("line 1000")
	keep := rooms.SetRetention{Retention: rooms.Retention{Messages: 100}}
	bob.refused(rooms.Denied, keep)
	alice.must(keep)
	bob.await(func(e rooms.Event) bool {
		r, ok := e.(rooms.RoomChanged)
		return ok && r.Room.Retention == keep.Retention
	})
	for i := range 300 { // what was said before the bound was set goes in one piece
		alice.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", i+1001)})
	}
	alice.hears("line 1300")
	alice.must(keep)
	oldest := bob.must(rooms.History{After: 0, Limit: 1}).(rooms.Page).Messages[0].Seq
	if oldest <= 1000 || oldest > 1300-100+1 {
		t.Fatalf("the oldest message that is kept is %d", oldest)
	}
	w.stop()
	w.start()
	carol := w.join("carol", "")
	after := rooms.Cursor{Epoch: entered.From.Epoch, Seq: 0}
	back := carol.must(rooms.Join{Room: "brief", After: &after}).(rooms.Entered)
	if back.Diverged || back.From.Seq != oldest-1 || back.Room.Retention != keep.Retention {
		t.Fatalf("with a cursor before the oldest: %+v, want from %d", back, oldest-1)
	}
	carol.collect(oldest, back.Head)
}

// TestOlderCopyIsNoticed: an older copy that was put back without a new epoch is told
// by its mark, also when it has grown longer than what a member knows.
func TestOlderCopyIsNoticed(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "lobby")
	alice.say("common")
	w.stop()
	older := t.TempDir()
	if err := os.CopyFS(older, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	w.start()
	alice.say("only in the newer one")
	known := alice.hears("only in the newer one")
	epoch := alice.must(rooms.Join{Room: "lobby"}).(rooms.Entered).From.Epoch
	alice.leave()
	w.stop()
	w.dir = older
	w.start()
	bob := w.join("bob", "lobby")
	for i := range 3 {
		bob.say(fmt.Sprint("elsewhere ", i))
	}
	after := rooms.Cursor{Epoch: epoch, Seq: known.Seq, Mark: known.Mark}
	back := bob.must(rooms.Join{Room: "lobby", After: &after}).(rooms.Entered)
	if !back.Diverged {
		t.Fatalf("nobody noticed: %+v", back)
	}
	after.Seq, after.Mark = 1, back.From.Mark
	after.Mark = bob.must(rooms.History{Limit: 1}).(rooms.Page).Messages[0].Mark
	if back := bob.must(rooms.Join{Room: "lobby", After: &after}).(rooms.Entered); back.Diverged || back.From.Seq != 1 {
		t.Fatalf("what both have in common is told to be different: %+v", back)
	}
}
