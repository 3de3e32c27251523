package history

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"p2pchat/rooms"
)

// failing opens a store in memory with n messages and n changes, whose calls of one
// kind fail with err as long as *on is true.
func failing(t *testing.T, kind string, err error, on *bool) (*memory, *Store, *Log) {
	t.Helper()
	m := newMemory()
	s, oerr := openMemory(m)
	if oerr != nil {
		t.Fatal(oerr)
	}
	l := openRoom(t, s)
	say(t, l, 20, 3)
	if err := s.Record(someChanges(1, 20)...); err != nil {
		t.Fatal(err)
	}
	m.hook = func(op, string string) {
		if *on && op == kind {
			m.nth, m.err = m.calls, err
		}
	}
	return m, s, l
}

func TestRevive(t *testing.T) {
	for _, kind := range []string{"write", "sync", "syncdir", "open"} {
		t.Run(kind, func(t *testing.T) {
			var on bool
			m, s, l := failing(t, kind, syscall.EIO, &on)
			if err := l.Revive(); err != nil {
				t.Fatalf("a good log: %v", err)
			}
			l.closeFile()
			l.store.segment = headerSize // the next append begins a segment
			on = true
			if err := l.Append(run(21, 25)); !errors.Is(err, syscall.EIO) || !errors.Is(err, ErrReadOnly) {
				t.Fatalf("append: %v", err)
			}
			for range 3 {
				if err := l.Revive(); !errors.Is(err, ErrReadOnly) || !errors.Is(err, syscall.EIO) {
					t.Fatalf("revive while the disk fails: %v", err)
				}
				expectFailed(t, l)
			}
			on = false
			epoch := l.Epoch()
			if err := l.Revive(); err != nil {
				t.Fatal(err)
			}
			if l.Head() != 20 || l.Epoch() != epoch {
				t.Fatalf("head is %d, epoch %x, was %x", l.Head(), l.Epoch(), epoch)
			}
			say(t, l, 40, 3)
			expectAll(t, l, 40)
			expectWhole(t, s, 40)
			s.Close()
			m.reboot(false, nil)
			s, err := openMemory(m)
			if err != nil {
				t.Fatal(err)
			}
			expectAll(t, openRoom(t, s), 40)
		})
	}
}

func expectFailed(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Append(run(l.Head()+1, l.Head()+1)); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("append: %v", err)
	}
	if _, err := l.Retain(rooms.Retention{}, noon); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("retain: %v", err)
	}
	if err := l.Redact(redaction(l.Head()+1, 1)); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("redact: %v", err)
	}
	if err := l.Renew(); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("renew: %v", err)
	}
}

func TestReviveRefuses(t *testing.T) {
	m, _ := smallRoom(t)
	n := segmentsOf(t, m)[2]
	n.data[headerSize+frameHead+5] ^= 1
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, s)
	var damage *DamageError
	if err := l.Revive(); !errors.As(err, &damage) {
		t.Errorf("revive of a damaged log: %v", err)
	}
	s.Close()
	if err := l.Revive(); err == nil {
		t.Error("a closed log was revived")
	}
	if err := s.Revive(); !errors.Is(err, ErrClosed) {
		t.Errorf("revive of a closed store: %v", err)
	}
	v, err := viewOn(m, "/data")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Revive(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("revive of a view: %v", err)
	}
}

func TestReviveFindsLostMessages(t *testing.T) {
	var on bool
	m, _, l := failing(t, "sync", syscall.EIO, &on)
	on = true
	if err := l.Append(run(21, 21)); err == nil {
		t.Fatal("append: no error")
	}
	on = false
	nodes := segmentsOf(t, m)
	nodes[len(nodes)-1].data[headerSize+frameHead+9] ^= 1
	var damage *DamageError
	if err := l.Revive(); !errors.As(err, &damage) {
		t.Errorf("revive: %v", err)
	}
}

func TestReviveOfTheState(t *testing.T) {
	for _, kind := range []string{"write", "sync", "syncdir", "rename"} {
		var on bool
		m, s, _ := failing(t, kind, syscall.EIO, &on)
		on = true
		err := s.Record(someChange(21))
		if err == nil {
			err = s.Compact(someChanges(1, 20))
		}
		if !errors.Is(err, ErrReadOnly) {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := s.Revive(); !errors.Is(err, ErrReadOnly) {
			t.Fatalf("%s: revive while the disk fails: %v", kind, err)
		}
		on = false
		want := 20
		if kind == "syncdir" || kind == "rename" { // only the snapshot failed
			want = 21
		}
		if err := s.Revive(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Changes()
		if err != nil || len(got) != want {
			t.Fatalf("%s: %d changes, %v; want %d", kind, len(got), err, want)
		}
		if err := s.Record(someChange(30)); err != nil {
			t.Fatal(err)
		}
		s.Close()
		m.reboot(false, nil)
		if s, err = openMemory(m); err != nil {
			t.Fatal(err)
		}
		if got, err = s.Changes(); err != nil || len(got) != want+1 {
			t.Fatalf("%s: %d changes, %v", kind, len(got), err)
		}
	}
}

// change returns a change of a kind.
func change(kind rooms.ChangeKind) rooms.Change { return rooms.Change{Kind: kind, Name: "somebody"} }

// TestReserve fills the disk: only what takes a right away gets the reserve, once.
func TestReserve(t *testing.T) {
	full := false
	m, s, _ := failing(t, "write", syscall.ENOSPC, &full)
	reserve := func() bool {
		_, n, _, err := m.find("/data/reserve")
		return err == nil && n != nil && len(n.durable) == 1<<10
	}
	inner := m.hook
	m.hook = func(op, name string) {
		if reserve() || op != "write" { // there is room once it is gone
			inner(op, name)
		}
	}
	full = true
	if err := s.Record(change(rooms.NickClaimed)); !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ErrReadOnly) {
		t.Fatalf("a nick: %v", err)
	}
	if !reserve() {
		t.Fatal("the reserve is gone for a nick")
	}
	if err := s.Record(change(rooms.BanSet), change(rooms.InviteRevoked)); err != nil {
		t.Fatalf("a ban: %v", err)
	}
	if reserve() {
		t.Fatal("the ban needed no reserve")
	}
	m.hook = inner
	for range 2 {
		if err := s.Record(change(rooms.BanSet)); !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ErrReadOnly) {
			t.Fatalf("a second ban: %v", err)
		}
	}
	if err := s.Revive(); err != nil || reserve() {
		t.Fatalf("revive while the disk is full: %v", err)
	}
	full = false
	if err := s.Record(change(rooms.NickClaimed)); err != nil {
		t.Fatal(err)
	}
	if err := s.Revive(); err != nil || !reserve() {
		t.Fatalf("revive: %v; reserve: %t", err, reserve())
	}
	s.Close()
	m.reboot(false, nil)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Changes()
	if err != nil || len(got) != 23 || got[20].Kind != rooms.BanSet || got[22].Kind != rooms.NickClaimed {
		t.Fatalf("%d changes, %v", len(got), err)
	}
}

// TestFullDiskAtTheFirstChange fails a write that begins a block: what comes after it
// must not rely on it.
func TestFullDiskAtTheFirstChange(t *testing.T) {
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	m.hook = func(op, _ string) {
		if op == "write" {
			m.nth, m.hook = m.calls, nil
		}
	}
	if err := s.Record(someChange(1)); !noSpace(err) {
		t.Fatal(err)
	}
	if err := s.Record(someChange(1)); err != nil {
		t.Fatal(err)
	}
	expectChanges(t, s, someChanges(1, 1))
}

func TestFullDiskWithAFailingSync(t *testing.T) {
	full := true
	m, s, _ := failing(t, "write", syscall.ENOSPC, &full)
	inner := m.hook
	m.hook = func(op, name string) {
		inner(op, name)
		if op == "sync" {
			m.nth, m.err = m.calls, syscall.EIO
		}
	}
	if err := s.Record(change(rooms.BanSet)); !errors.Is(err, ErrReadOnly) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("a ban: %v", err)
	}
	if _, n, _, _ := m.find("/data/reserve"); n == nil {
		t.Error("the reserve is gone")
	}
}

func TestReserveIsOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	info, err := os.Stat(s.reservePath())
	if err != nil || info.Size() != reserveSize {
		t.Fatalf("the reserve: %v, %v", info, err)
	}
}

// TestFailedSyncWhenOpened: what a killed host had written and not synced can't be synced
// by the next one. The room is not damaged; it goes on once the disk works, and what was
// found in it is on the disk then, wherever the failed sync has left it.
func TestFailedSyncWhenOpened(t *testing.T) {
	for _, torn := range []bool{false, true} {
		m := newMemory()
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		l := openRoom(t, s)
		say(t, l, 20, 3)
		m.stop = m.calls + 2 // written, and killed before it was synced
		if err := l.Append(run(21, 25)); !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		m.reboot(false, nil)
		segments := segmentsOf(t, m)
		tail := segments[len(segments)-1]
		if torn {
			tail.data = tail.data[:len(tail.data)-1]
		}
		m.hook = func(op, name string) {
			if op == "sync" && strings.Contains(filepath.ToSlash(name), "/rooms/") {
				m.nth, m.err = m.calls, syscall.EIO
			}
		}
		if s, err = openMemory(m); err != nil {
			t.Fatal(err)
		}
		if l, err = s.Room(lobby); err != nil || l.Damage() != nil {
			t.Fatalf("%v, damage %v", err, l.Damage())
		}
		found := l.Head()
		expectFailed(t, l)
		if err := l.Revive(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("revive while the disk fails: %v", err)
		}
		m.hook = nil
		if err := l.Revive(); err != nil {
			t.Fatal(err)
		}
		tail.durable = nil // the kernel had dropped it
		m.root.lose(0, rand.New(rand.NewPCG(1, 1)))
		m.reboot(false, nil)
		if s, err = openMemory(m); err != nil {
			t.Fatal(err)
		}
		l = openRoom(t, s)
		if want := map[bool]rooms.Seq{false: 25, true: 24}[torn]; found != want || l.Head() != want {
			t.Fatalf("found %d, and after a power cut %d, want %d", found, l.Head(), want)
		}
		expectAll(t, l, found)
		expectWhole(t, s, found)
	}
}
