package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host whose disk fails stays up, refuses what it can't store, and serves what it has;
// nothing that it has acknowledged is lost.
func TestFailingDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount disks that fail")
	}
	t.Run("full", fullDisk)
	t.Run("bans", banOnAFullDisk)
	t.Run("read-only", readOnlyDisk)
	t.Run("injected", injectedFaults)
}

// needs skips a test where a tool is missing.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
}

// mount mounts a disk until the test ends; the data of a stage that is made later is
// still there when that ends.
func mount(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("needs to mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
}

func do(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// onDisk is a stage whose host has its data on a disk, with people in two rooms.
func onDisk(t *testing.T, disk string) (*stage, []string) {
	t.Helper()
	s, rooms := newStage(t), []string{"lobby", "one"}
	s.data = filepath.Join(disk, "host")
	s.start()
	s.people(4, rooms, []string{s.target("tcp")}, 4)
	s.everybodySays(20)
	return s, rooms
}

// untilRefused lets everybody say lines until no room takes any more. Lines that come
// behind are refused as well.
func (s *stage) untilRefused(rooms ...string) {
	s.Helper()
	failed := func() bool { return len(s.evidence.failed) == len(rooms) }
	s.everybody(func(m *member) bool {
		const most, more = 2000, 5
		for range most {
			if !m.say(1) || !m.settle() {
				return false
			}
			if s.when(failed) {
				break
			}
		}
		return m.say(more) && m.settle()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if !failed() {
		s.Fatalf("every room was to fail, and these did: %v", s.evidence.failed)
	}
	for _, u := range s.evidence.lines {
		if u.refused != "" && u.refused != "storage" {
			s.Errorf("%.40q was refused with %q", u.body, u.refused)
		}
	}
}

// served: what needs no disk still works, and what is stored can be read.
func (s *stage) served() {
	s.Helper()
	for _, m := range s.members {
		for _, request := range []map[string]any{
			{"do": "who"}, {"do": "list"}, {"do": "history", "after": 0, "limit": 10}, {"do": "line", "text": "/msg m0 can you hear me?"},
		} {
			if e := m.ask(request); e.Type != "ok" {
				m.Errorf("%s asks %v and is answered %s: %s", m.name, request, e.Code, e.Message)
			}
		}
	}
	m := s.members[len(s.members)-1]
	room := m.visit.room
	s.mu.Lock()
	m.visit.over = true
	s.mu.Unlock()
	if e := m.ask(map[string]any{"do": "leave"}); e.Type != "ok" {
		m.Errorf("%s can't leave: %s", m.name, e.Message)
	}
	m.enter("join", room)
	if s.host.hasEnded() {
		s.Fatal("the host has ended")
	}
}

// gaveUp: a host that can't start says so in a line.
func (s *stage) gaveUp() {
	s.Helper()
	code, err := s.host.wait()
	said := s.host.err.soFar()
	if err != nil || code != 1 || len(said) != 1 {
		s.Errorf("the host ended with exit status %d (%v) and says:\n%s", code, err, strings.Join(said, "\n"))
	}
}

// A disk is filled up to different places of a write, and the host is killed and started
// again while it is full: it reads what is there, or says why it can't start.
func fullDisk(t *testing.T) {
	disk := t.TempDir()
	mount(t, disk, "-t", "tmpfs", "-o", "size=8m", "none")
	s, rooms := onDisk(t, disk)
	filler := filepath.Join(disk, "filler")
	for _, left := range []int64{32 << 10, 4 << 10, 0} {
		fillUp(t, filler, disk, left)
		s.untilRefused(rooms...)
		s.served()
		s.kill9()
		s.export(rooms...)
		s.launch()
		if s.listening() {
			s.served()
			s.kill9()
		} else {
			s.gaveUp()
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		s.start()
		s.everybodySays(20)
	}
	s.finish(rooms...)
}

// A ban fits on a full disk and outlives the host; when there is space again, the rooms
// go on by themselves.
func banOnAFullDisk(t *testing.T) {
	disk := t.TempDir()
	mount(t, disk, "-t", "tmpfs", "-o", "size=8m", "none")
	s, rooms := onDisk(t, disk)
	filler := filepath.Join(disk, "filler")
	fillUp(t, filler, disk, 0)
	s.untilRefused(rooms...)
	operator, pest := s.members[1], s.members[3] // of the second room
	if e := operator.ask(map[string]any{"do": "line", "text": "/ban m3"}); e.Type != "ok" {
		t.Errorf("the ban is answered %s: %s", e.Code, e.Message)
	}
	s.kill9()
	s.start()
	if e := pest.ask(map[string]any{"do": "join", "room": rooms[1]}); e.Code != "banned" {
		t.Errorf("who was banned is answered %s %s", e.Type, e.Code)
	}
	say := func() event { return operator.ask(map[string]any{"do": "say", "text": "is there space again?"}) }
	for e, n := say(), 0; e.Code != "storage"; e, n = say(), n+1 {
		if e.Type != "ok" || n == 1000 {
			t.Fatalf("the disk is full, and the line is answered %s %s", e.Type, e.Code)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for e := (event{}); e.Type != "ok"; <-again.C {
		if e = say(); s.isOver() {
			t.Fatalf("the room does not go on: %s", e.Message)
		}
	}
	s.verify()
}

// fillUp leaves so many bytes of a disk.
func fillUp(t *testing.T, file, disk string, leave int64) {
	t.Helper()
	var free syscall.Statfs_t
	if err := syscall.Statfs(disk, &free); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, make([]byte, int64(free.Bavail)*free.Bsize-leave), 0o600); err != nil {
		t.Fatal(err)
	}
}

// frozen does something while the host stands still, outside of all system calls: a sync
// that is under way when ext4 gives up may be answered as if all were well.
func (s *stage) frozen(does func()) {
	s.Helper()
	host := s.host.cmd.Process
	if err := host.Signal(syscall.SIGSTOP); err != nil {
		s.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(host.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		s.Fatalf("the host was to stand still: %v, %v", status, err)
	}
	does()
	if err := host.Signal(syscall.SIGCONT); err != nil {
		s.Fatal(err)
	}
}

// The file system gives up in the midst of everything, as after an error of the disk,
// and takes no more writes.
func readOnlyDisk(t *testing.T) {
	needs(t, "mkfs.ext4")
	disk, image := t.TempDir(), filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, make([]byte, 24<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, "mkfs.ext4", "-q", "-F", image)
	mount(t, disk, "-o", "loop", image)
	s, rooms := onDisk(t, disk)
	for _, m := range s.members {
		go m.say(200)
	}
	s.awaitAcks(100)
	s.frozen(func() { do(t, "mount", "-o", "remount,abort", disk) })
	s.untilRefused(rooms...)
	s.served()
	s.kill9()
	s.launch()
	if s.listening() {
		t.Fatal("the host starts where it can't write")
	}
	s.gaveUp()
	do(t, "umount", disk)
	mount(t, disk, "-o", "loop", image)
	s.start()
	s.everybodySays(20)
	s.finish(rooms...)
}
