package history

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"p2pchat/rooms"
)

// clone copies a file system with everything in it, and syncs that.
func (m *memory) clone() *memory { return &memory{root: m.root.clone()} }

func (n *node) clone() *node {
	if n.names == nil {
		return &node{data: slices.Clone(n.data), durable: slices.Clone(n.data)}
	}
	c := newDir()
	for name, child := range n.names {
		c.names[name] = child.clone()
		c.synced[name] = c.names[name]
	}
	return c
}

// bytesOf returns all files below a directory.
func bytesOf(n *node, path string, all map[string]string) map[string]string {
	for name, child := range n.names {
		bytesOf(child, path+"/"+name, all)
	}
	if n.names == nil {
		all[path] = string(n.data)
	}
	return all
}

const roomPath = "/data/rooms/b00102030405060708090a0b0c0d0e0f"

// placed is a frame of a whole file.
type placed struct {
	off, end int64
	seq      rooms.Seq
}

// framesOf finds the frames of a whole segment.
func framesOf(t testing.TB, n *node) []placed {
	t.Helper()
	h, err := decodeHeader(n.data[:headerSize], logMagic, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []placed
	r := frameReader{f: &memoryFile{newMemory(), n, ""}, salt: h.salt, off: headerSize, end: int64(len(n.data))}
	for fr, err := r.next(); err == nil; fr, err = r.next() {
		all = append(all, placed{fr.off, fr.next(), fr.seq})
	}
	return all
}

// hit returns the messages whose frames have bytes from one offset to another.
func hit(frames []placed, from, to int64) map[rooms.Seq]bool {
	lost := map[rooms.Seq]bool{}
	for _, p := range frames {
		if p.off < to && from < p.end {
			lost[p.seq] = true
		}
	}
	return lost
}

// expectRepaired repairs the room and compares it with what was said: what was not hit
// is there, and what was is a placeholder, or is missing at the end.
func expectRepaired(t testing.TB, m *memory, last rooms.Seq, lost map[rooms.Seq]bool) Repair {
	t.Helper()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Repair(lobby)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Report.Whole() {
		t.Fatalf("repaired: %v; still: %v", r, r.Report.Problems)
	}
	before := bytesOf(m.root, "", map[string]string{})
	again, err := s.Repair(lobby)
	if err != nil || again.Done() || !reflect.DeepEqual(before, bytesOf(m.root, "", map[string]string{})) {
		t.Fatalf("the second repair: %v, %v", again, err)
	}
	l := openRoom(t, s)
	if l.Damage() != nil {
		t.Fatal(l.Damage())
	}
	got, err := all(l, 9)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range got {
		seq := rooms.Seq(i) + 1
		switch {
		case g.Seq != seq || i > 0 && g.Time.Before(got[i-1].Time):
			t.Fatalf("message %d at %v stands at place %d", g.Seq, g.Time, seq)
		case g.Kind == rooms.Lost && g.Text == "" && lost[seq]:
		case !equalMessage(g, said(seq)):
			t.Fatalf("message %d (lost: %t) is %+v", seq, lost[seq], g)
		}
	}
	rest := rooms.Seq(len(got)) + 1
	for seq := rest; seq <= last; seq++ {
		if !lost[seq] && (r.Done() || l.Repaired() == "" || !lost[rest]) { // or it was taken for a crash
			t.Fatalf("message %d is missing; %v; %q", seq, r, l.Repaired())
		}
	}
	if r.Done() && rest <= last && !r.Renewed {
		t.Fatalf("messages from %d on are missing, and the epoch is the old one", rest)
	}
	if err := l.Append([]rooms.Message{said(l.Head() + 1)}); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Verify(lobby); err != nil || !v.Whole() {
		t.Fatalf("after an append: %+v, %v", v, err)
	}
	return r
}

// expectLostTold compares the placeholders with the report.
func expectLostTold(t testing.TB, m *memory, r Repair) {
	t.Helper()
	got, err := all(openRoom(t, newStore(m, "/data")), 100)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Done() {
		return
	}
	got = got[:len(got)-1] // the one that was appended
	told := map[rooms.Seq]bool{}
	for _, l := range r.Lost {
		for seq := l.First; seq <= l.Last; seq++ {
			told[seq] = true
		}
	}
	n := 0
	for _, g := range got {
		if (g.Kind == rooms.Lost) != told[g.Seq] {
			t.Fatalf("message %d: lost is %t, the report says %v", g.Seq, g.Kind == rooms.Lost, r.Lost)
		}
		if g.Kind != rooms.Lost {
			n++
		}
	}
	if n != r.Kept() || len(told) != r.Report.Lost {
		t.Fatalf("%d messages are whole, the report says %d; %d and %d are lost", n, r.Kept(), len(told), r.Report.Lost)
	}
}

func TestRepairEveryFlippedBit(t *testing.T) {
	m, last := smallRoom(t)
	step := 11 // so that every bit of a byte has its turn
	if testing.Short() || raceDetector {
		step = 29
	}
	for i, n := range segmentsOf(t, m) {
		frames := framesOf(t, n)
		for bit := 0; bit < len(n.data)*8; bit += step {
			m := m.clone()
			segmentsOf(t, m)[i].data[bit/8] ^= 1 << (bit % 8)
			r := expectRepaired(t, m, last, hit(frames, int64(bit/8), int64(bit/8)+1))
			expectLostTold(t, m, r)
			if !r.Done() || r.Renewed || r.Report.Last < last {
				t.Fatalf("segment %d, bit %d: %v", i, bit, r)
			}
			if bit < headerSize*8 && (len(r.Lost) > 0 || r.Renewed || len(r.Aside) != 1) {
				t.Fatalf("segment %d, bit %d of the header: %v", i, bit, r)
			}
			if t.Failed() {
				t.Fatalf("segment %d, bit %d", i, bit)
			}
		}
	}
}

// confirmable tells whether two frames that follow each other are left, from which the
// salt of a lost header can be found.
func confirmable(frames []placed, lost map[rooms.Seq]bool) bool {
	for i := 1; i < len(frames); i++ {
		if !lost[frames[i-1].seq] && !lost[frames[i].seq] {
			return true
		}
	}
	return false
}

func TestRepairOverwritten(t *testing.T) {
	m, last := smallRoom(t)
	rnd := rand.New(rand.NewPCG(11, 3))
	rounds := 400
	if testing.Short() || raceDetector {
		rounds = 200
	}
	for round := range rounds {
		m := m.clone()
		lost := map[rooms.Seq]bool{}
		for range rnd.IntN(3) + 1 {
			i := rnd.IntN(3)
			n := segmentsOf(t, m)[i]
			orig := segmentsOf(t, m.clone())[i]
			from := rnd.IntN(len(n.data))
			if rnd.IntN(4) == 0 {
				from = rnd.IntN(headerSize)
			}
			to := min(len(n.data), from+1+rnd.IntN(400))
			if _, err := decodeHeader(orig.data[:headerSize], logMagic, ""); err != nil {
				continue // it was hit already
			}
			frames := framesOf(t, orig)
			if len(frames) == 0 || frames[len(frames)-1].end != int64(len(n.data)) {
				continue
			}
			for at := from; at < to; at++ {
				n.data[at] = byte(rnd.Uint32()) & byte(255*(round%2))
			}
			now := hit(frames, int64(from), int64(to))
			if from < headerSize && !confirmable(frames, now) {
				now = hit(frames, 0, int64(len(n.data)))
			}
			for seq := range now {
				lost[seq] = true
			}
		}
		t.Run(fmt.Sprint(round), func(t *testing.T) { expectLostTold(t, m, expectRepaired(t, m, last, lost)) })
	}
}

func TestRepairTruncatedInTheMiddle(t *testing.T) {
	m, last := smallRoom(t)
	n := segmentsOf(t, m)[1]
	frames := framesOf(t, n)
	for size := range len(n.data) {
		m := m.clone()
		cut := segmentsOf(t, m)[1]
		cut.data = cut.data[:size]
		lost := hit(frames, int64(size), int64(len(n.data)))
		if size < headerSize {
			lost = hit(frames, 0, int64(len(n.data)))
		}
		if r := expectRepaired(t, m, last, lost); r.Renewed || len(r.Lost) != 1 {
			t.Fatalf("cut at %d: %v", size, r)
		}
	}
}

func TestRepairMissingAndSwapped(t *testing.T) {
	m, last := smallRoom(t)
	nodes := segmentsOf(t, m)
	names := sortedNames(mustFind(t, m, roomPath).names)
	middle := framesOf(t, nodes[1])

	removed := m.clone()
	dir := mustFind(t, removed, roomPath)
	delete(dir.names, names[1])
	delete(dir.synced, names[1])
	r := expectRepaired(t, removed, last, hit(middle, 0, 1<<20))
	expectLostTold(t, removed, r)
	if want := []Range{{middle[0].seq, middle[len(middle)-1].seq}}; !reflect.DeepEqual(r.Lost, want) || r.Renewed || len(r.Aside) != 0 {
		t.Errorf("without the middle: %+v", r)
	}

	for _, two := range [][2]int{{0, 1}, {1, 2}, {0, 2}} {
		swapped := m.clone()
		dir := mustFind(t, swapped, roomPath)
		a, b := names[two[0]], names[two[1]]
		dir.names[a], dir.names[b] = dir.names[b], dir.names[a]
		dir.synced[a], dir.synced[b] = dir.names[a], dir.names[b]
		if r := expectRepaired(t, swapped, last, nil); len(r.Lost) != 0 || len(r.Aside) != 2 {
			t.Errorf("segments %v swapped: %+v", two, r)
		}
	}
}

func mustFind(t testing.TB, m *memory, path string) *node {
	t.Helper()
	_, n, _, err := m.find(path)
	if err != nil || n == nil {
		t.Fatalf("%s: %v", path, err)
	}
	return n
}

// hurt damages a room in many ways at once and returns what is lost.
func hurt(t testing.TB, m *memory) map[rooms.Seq]bool {
	t.Helper()
	nodes := segmentsOf(t, m)
	lost := map[rooms.Seq]bool{}
	first, second := framesOf(t, nodes[0]), framesOf(t, nodes[1])
	clear(nodes[0].data[:first[0].end-3]) // the header, and the first of a block
	lost[first[0].seq] = true
	nodes[1].data[second[1].off+30] ^= 4
	lost[second[1].seq] = true
	dir := mustFind(t, m, roomPath)
	names := sortedNames(dir.names)
	a, b := names[1], names[2]
	dir.names[a], dir.names[b] = dir.names[b], dir.names[a]
	for _, name := range names {
		dir.synced[name] = dir.names[name]
		dir.names[name].durable = slices.Clone(dir.names[name].data)
	}
	return lost
}

// TestRepairCutShort ends a repair at every call: by a power cut, or by a failure.
func TestRepairCutShort(t *testing.T) {
	whole, last := smallRoom(t)
	rnd := rand.New(rand.NewPCG(2, 9))
	for _, power := range []bool{true, false} {
		for n, done := 1, false; !done; n++ {
			for range 5 {
				m := whole.clone()
				lost := hurt(t, m)
				s, err := openMemory(m)
				if err != nil {
					t.Fatal(err)
				}
				if power {
					m.stop = m.calls + n
				} else {
					m.nth = m.calls + n
				}
				r, err := s.Repair(lobby)
				done = err == nil && m.calls < max(m.stop, m.nth)
				if !power && err == nil && !done && m.name != "close" {
					t.Fatalf("call %d (%s) failed and nobody was told: %v", n, m.name, r)
				}
				m.reboot(power, rnd)
				expectRepaired(t, m, last, lost)
				if names := strings.Join(sortedNames(mustFind(t, m, roomPath).names), " "); strings.Contains(names, newSuffix) {
					t.Fatalf("call %d: left behind: %s", n, names)
				}
				if !power {
					break
				}
			}
			if t.Failed() {
				t.Fatalf("power cut %t, call %d", power, n)
			}
		}
	}
}

// TestRepairKeepsTheDamagedFile looks into lost/, twice.
func TestRepairKeepsTheDamagedFile(t *testing.T) {
	m, last := smallRoom(t)
	lost := map[rooms.Seq]bool{}
	for round := range 2 {
		n := segmentsOf(t, m)[0]
		p := framesOf(t, n)[round+1]
		n.data[p.off+20] ^= 1
		bad := slices.Clone(n.data)
		lost[p.seq] = true
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Repair(lobby)
		if err != nil || len(r.Aside) != 1 || !bytes.Equal(mustFind(t, m, r.Aside[0]).data, bad) {
			t.Fatalf("round %d: %v, %v", round, r.Aside, err)
		}
		s.Close()
		m.reboot(true, rand.New(rand.NewPCG(1, 1)))
		if !bytes.Equal(mustFind(t, m, r.Aside[0]).data, bad) {
			t.Fatal("the copy was not durable")
		}
	}
	expectRepaired(t, m, last, lost)
	if r := mustFind(t, m, roomPath+"/lost"); len(r.names) != 2 {
		t.Errorf("%d files in lost/", len(r.names))
	}
}

func TestRepairOfALaterVersion(t *testing.T) {
	m, _ := smallRoom(t)
	nodes := segmentsOf(t, m)
	nodes[0].data[len(nodes[0].data)/2] ^= 1
	nodes[1].data[8] = version + 1
	sealHeader(nodes[1].data[:headerSize])
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	before := bytesOf(m.root, "", map[string]string{})
	var later *VersionError
	if _, err := s.Repair(lobby); !errors.As(err, &later) || !reflect.DeepEqual(before, bytesOf(m.root, "", map[string]string{})) {
		t.Errorf("repair: %v", err)
	}
}

func TestRepairOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 4 << 10
	l := openRoom(t, s)
	say(t, l, 200, 7)
	epoch := l.Epoch()
	if _, err := s.Repair(lobby); err == nil {
		t.Error("an open room was repaired")
	}
	l.Close()
	paths, err := filepath.Glob(filepath.Join(dir, "rooms", "*", "seg-*.log"))
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	b, err := os.ReadFile(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	clear(b[:512])
	if err := os.WriteFile(paths[1], b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.Repair(lobby)
	if err != nil || !r.Done() || !r.Report.Whole() || len(r.Lost) != 1 || r.Recovered == 0 || r.Renewed {
		t.Fatalf("%v, %+v", err, r)
	}
	if text := r.String(); !strings.Contains(text, "lost: "+r.Lost[0].String()) || !strings.Contains(text, fmt.Sprint(r.Kept())+" messages kept") {
		t.Error(text)
	}
	l = openRoom(t, s)
	if l.Epoch() != epoch || l.Head() != 200 || l.Damage() != nil {
		t.Fatalf("epoch %d, head %d, %v", l.Epoch(), l.Head(), l.Damage())
	}
	say(t, l, 210, 1)
	if again, err := View(dir); err != nil {
		t.Error(err)
	} else if _, err := again.Repair(lobby); !errors.Is(err, ErrReadOnly) {
		t.Errorf("repair in a view: %v", err)
	}
}
