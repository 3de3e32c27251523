package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"p2pchat/rooms"
)

// What a host does when its disk fails for a while, or has failed long ago.

// A member whose room can't be opened has no seat in it, and each of its commands has
// an answer.
func TestRoomThatCantBeOpened(t *testing.T) {
	w := newWorld(t)
	anna := w.connect("anna", newKey(t))
	anna.must(rooms.Create{Room: "dev"})
	anna.must(rooms.Leave{})
	w.stop()
	w.refuse.Store(true)
	w.start()
	anna.connection(rooms.ConnectionRestored)
	anna.refused(rooms.Storage, rooms.Join{Room: "dev"})
	anna.refused(rooms.NotInRoom, rooms.Topic{Text: "x"})
	anna.must(rooms.Rename{Nick: "anna2"})
	w.refuse.Store(false)
	anna.must(rooms.Join{Room: "dev"})
	anna.say("now it can")
}

// A client waits for a host that can't open its room, or can't record that it came.
func TestDiskThatFailsForAWhile(t *testing.T) {
	var sick atomic.Bool
	w := newWorld(t, func(w *world) { w.refuseRecord = &sick })
	anna := w.connect("anna", newKey(t))
	anna.must(rooms.Create{Room: "dev"})
	w.stop()
	anna.connection(rooms.ConnectionLost)
	ref := anna.Send(rooms.Say{Kind: rooms.Text, Text: "typed while the host was away"})
	w.refuse.Store(true)
	sick.Store(true)
	w.start()
	anna.connection(rooms.ConnectionRestored)
	anna.connection(rooms.ConnectionLost)
	w.refuse.Store(false)
	if said, ok := anna.wait(ref).(rooms.Said); !ok || said.Seq != 1 {
		t.Fatalf("the line is answered with %v", said)
	}
	sick.Store(false)
	anna.must(rooms.Rename{Nick: "anna2"})
}

// A redaction that meets old damage is refused, and the room takes lines as before.
func TestRedactionInDamage(t *testing.T) {
	w := newWorld(t)
	alice := w.join("alice", "")
	alice.must(rooms.Create{Room: "brief"})
	alice.must(rooms.SetRetention{Retention: rooms.Retention{Messages: 800}}) // for small segments
	first := alice.say("the first")
	for i := range 350 {
		alice.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", i+1)})
	}
	alice.hears("line 350")
	w.damageOldest()
	alice.refused(rooms.Storage, rooms.Redact{Seq: first})
	alice.must(rooms.SetRetention{Retention: rooms.Retention{Messages: 800, Age: time.Hour}})
	alice.say("still fine")
}

// damageOldest overwrites the last bytes of the oldest segment that is not almost empty.
func (w *world) damageOldest() {
	w.Helper()
	segments, err := filepath.Glob(filepath.Join(w.dir, "rooms", "*", "seg-*.log"))
	segments = slices.DeleteFunc(segments, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.Size() < 3000
	})
	if err != nil || len(segments) < 2 {
		w.Fatalf("segments %v, %v", segments, err)
	}
	f, err := os.OpenFile(slices.Min(segments), os.O_RDWR, 0)
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt([]byte{0xff, 0xff, 0xff}, info.Size()-30)
	}
	if err != nil {
		w.Fatal(err)
	}
}

var errSick = errors.New("no space left")

// What can't be read for long is not left out: the member comes back for it.
func TestUnreadableForLong(t *testing.T) {
	var blind atomic.Bool
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return gatedLog{Log: l, blind: &blind} } })
	anna, bob := w.join("anna", "lobby"), w.join("bob", "")
	epoch := anna.must(rooms.Join{Room: "lobby"}).(rooms.Entered).From.Epoch
	for i := range 20 {
		anna.say(fmt.Sprint("line ", i+1))
	}
	blind.Store(true)
	bob.must(rooms.Join{Room: "lobby", After: &rooms.Cursor{Epoch: epoch}})
	bob.connection(rooms.ConnectionLost)
	blind.Store(false)
	bob.collect(1, 20)
}

// A room whose disk stays unreadable does not hold its members: they can go elsewhere.
func TestRoomThatCantBeRead(t *testing.T) {
	var blind atomic.Bool
	w := newWorld(t, func(w *world) { w.wrap = func(l Log) Log { return gatedLog{Log: l, blind: &blind} } })
	anna, bob := w.join("anna", "lobby"), w.join("bob", "")
	epoch := anna.must(rooms.Join{Room: "lobby"}).(rooms.Entered).From.Epoch
	anna.say("what bob can't have")
	blind.Store(true)
	bob.must(rooms.Join{Room: "lobby", After: &rooms.Cursor{Epoch: epoch}})
	bob.connection(rooms.ConnectionLost)
	bob.must(rooms.Create{Room: "elsewhere", NoHistory: true})
	bob.say("here I am")
}

// The last message of one's own is the last one, however much was said since, and
// whatever is damaged before it.
func TestRedactTheLast(t *testing.T) {
	w := newWorld(t)
	anna := w.join("anna", "lobby")
	for i := range 120 {
		anna.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint(i+1, " ", strings.Repeat("x", 3500))})
	}
	last := anna.say("the last")
	anna.must(rooms.Redact{})
	if p := anna.redacted(last); p.Target != 121 {
		t.Fatalf("message %d was taken out", p.Target)
	}
	anna.must(rooms.Create{Room: "air", NoHistory: true})
	anna.say("first")
	anna.say("second")
	anna.must(rooms.Redact{})
	anna.redacted(2)
}

// A room that has old damage among its latest messages is opened all the same, and a room
// that could not be recorded leaves nothing behind.
func TestOldDamageWhenStarting(t *testing.T) {
	var sick atomic.Bool
	w := newWorld(t, func(w *world) { w.refuseRecord = &sick })
	anna := w.connect("anna", newKey(t))
	anna.must(rooms.Create{Room: "brief"})
	anna.must(rooms.SetRetention{Retention: rooms.Retention{Messages: 800}})
	for i := range 350 {
		anna.Send(rooms.Say{Kind: rooms.Text, Text: fmt.Sprint("line ", i+1)})
	}
	anna.hears("line 350")
	sick.Store(true)
	for range 5 {
		anna.refused(rooms.Storage, rooms.Create{Room: "never"})
	}
	sick.Store(false)
	if made, err := filepath.Glob(filepath.Join(w.dir, "rooms", "*")); err != nil || len(made) != 2 {
		t.Errorf("there are %d rooms on the disk, %v", len(made), err)
	}
	w.stop()
	w.damageOldest()
	w.start()
	anna.connection(rooms.ConnectionRestored)
	anna.say("it is open")
	anna.hears("it is open")
}
