package history

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"p2pchat/rooms"
)

// dev is a second room: the same content may be in both.
var dev = rooms.RoomKey{0xde, 1, 2, 3}

// filePromise is what members were told of files: what has to be there after any crash.
type filePromise struct {
	starts uint64                   // how often a host was started
	claims map[string]rooms.RoomKey // acknowledged, and not posted for sure
	heads  map[rooms.RoomKey]rooms.Seq
}

func newFilePromise() *filePromise {
	return &filePromise{claims: map[string]rooms.RoomKey{}, heads: map[rooms.RoomKey]rooms.Seq{}}
}

// contentOf makes content number n.
func contentOf(n int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("content %d, ", n)), n*n*7%40)
}

func described(b []byte) rooms.File {
	return rooms.File{Name: "cat.png", Size: int64(len(b)), MIME: "image/png", Hash: sha256.Sum256(b), Preview: []byte("small"), Width: 3, Height: 2, Duration: 1500 * time.Millisecond}
}

// open starts a host, whose identifiers are others than those of the last one.
func (p *filePromise) open(m *memory) (*Store, error) {
	s, err := openMemory(m)
	p.starts++
	rnd := rand.NewChaCha8([32]byte{byte(p.starts), byte(p.starts >> 8), byte(p.starts >> 16)})
	s.random = func(b []byte) { _, _ = rnd.Read(b) }
	return s, err
}

func allowAll(rooms.Usage, int64) *rooms.Refusal { return nil }

// work lets members upload, post and remove, until rounds are done or something fails.
func (p *filePromise) work(t testing.TB, s *Store, rnd *rand.Rand, rounds int) error {
	for range rounds {
		key := lobby
		if rnd.IntN(2) == 0 {
			key = dev
		}
		l, err := s.Room(key)
		if err != nil {
			return err
		}
		if err := p.step(t, s, l, rnd); err != nil {
			return err
		}
	}
	return nil
}

func (p *filePromise) step(t testing.TB, s *Store, l *Log, rnd *rand.Rand) error {
	switch rnd.IntN(12) {
	case 0, 1, 2, 3:
		return p.upload(s, l, rnd)
	case 4, 5, 6:
		return p.post(l, rnd)
	case 7, 8:
		return p.redact(l, rnd)
	case 9:
		if rnd.IntN(4) > 0 {
			return nil
		}
		_, err := l.Retain(rooms.Retention{Age: time.Hour}, time.Now().Add(100*time.Hour))
		return err
	case 10:
		if rnd.IntN(4) > 0 {
			return nil
		}
		clear(p.claims)
		return s.TendFiles(time.Now().Add(48 * time.Hour))
	}
	return expectContents(t, s, l)
}

func (p *filePromise) upload(s *Store, l *Log, rnd *rand.Rand) error {
	b := contentOf(rnd.IntN(6))
	u, err := s.Upload(l.key, rooms.PeerID(fmt.Sprint("peer-", rnd.IntN(2))), described(b), allowAll)
	if err != nil {
		return err
	}
	for u.Offset() < int64(len(b)) {
		if rnd.IntN(8) == 0 {
			return u.Close()
		}
		n := min(rnd.IntN(200)+1, len(b)-int(u.Offset()))
		_, err := u.Write(b[u.Offset():][:n])
		if err == nil && rnd.IntN(3) == 0 {
			err = u.Sync()
		}
		if err != nil {
			return errors.Join(err, u.Close())
		}
	}
	c, err := u.Finish()
	if errors.Is(err, ErrContent) { // a power cut has spoilt the part that was there
		return nil
	}
	if err == nil {
		p.claims[c.File.ID] = l.key
	}
	return err
}

func (p *filePromise) post(l *Log, rnd *rand.Rand) error {
	msgs := []rooms.Message{{Seq: l.Head() + 1, Time: noon, Kind: rooms.Text, From: said(1).From, Text: "look"}}
	if claims := l.Claims(); len(claims) > 0 {
		c := claims[rnd.IntN(len(claims))]
		msgs = append(msgs, rooms.Message{Seq: l.Head() + 2, Time: noon, Kind: rooms.FileUp, From: rooms.Author{Peer: c.Peer, Nick: "nick"}, File: &c.File})
		delete(p.claims, c.File.ID)
	}
	err := l.Append(msgs)
	if err == nil {
		p.heads[l.key] = l.Head()
	}
	return err
}

func (p *filePromise) redact(l *Log, rnd *rand.Rand) error {
	msgs, _, err := l.Files(0, 100)
	if err != nil || len(msgs) == 0 {
		return err
	}
	target := msgs[rnd.IntN(len(msgs))].Seq
	err = l.Redact(rooms.Message{Seq: l.Head() + 1, Time: noon, From: said(1).From, Target: target})
	if err == nil {
		p.heads[l.key] = l.Head()
	}
	return err
}

// expectContents reads every file that a message of the room shares.
func expectContents(t testing.TB, s *Store, l *Log) error {
	t.Helper()
	msgs, err := all(l, 300)
	if err != nil {
		return err
	}
	for _, m := range msgs {
		if m.File == nil {
			continue
		}
		c, err := s.Content(l.key, m.File.ID)
		if errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the file of message %d is gone", m.Seq)
		}
		if err != nil {
			return err
		}
		b, err := io.ReadAll(io.NewSectionReader(c, 0, m.File.Size))
		if err = errors.Join(err, c.Close()); err != nil {
			return err
		}
		if sha256.Sum256(b) != m.File.Hash || int64(len(b)) != m.File.Size {
			t.Fatalf("the file of message %d has another content", m.Seq)
		}
	}
	return nil
}

// check opens the store and compares it with what was promised.
func (p *filePromise) check(t testing.TB, m *memory) *Store {
	t.Helper()
	s, err := p.open(m)
	if err != nil {
		t.Fatal(err)
	}
	needed := map[rooms.Hash]bool{}
	there := map[string]bool{}
	for _, key := range []rooms.RoomKey{lobby, dev} {
		l, err := s.Room(key)
		if err != nil {
			t.Fatal(err)
		}
		if l.Damage() != nil {
			t.Fatalf("a crash was taken for damage: %v", l.Damage())
		}
		if l.Head() < p.heads[key] {
			t.Fatalf("head is %d, %d were acknowledged", l.Head(), p.heads[key])
		}
		if err := expectContents(t, s, l); err != nil {
			t.Fatal(err)
		}
		p.found(t, s, l, needed, there)
	}
	for id := range p.claims {
		if !there[id] {
			t.Fatalf("the upload %s is gone", id)
		}
	}
	expectBlobs(t, s, m, needed)
	return s
}

// found notes what the messages and claims of a room refer to.
func (p *filePromise) found(t testing.TB, s *Store, l *Log, needed map[rooms.Hash]bool, there map[string]bool) {
	t.Helper()
	msgs, err := all(l, 300)
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for _, m := range msgs {
		if m.File != nil {
			needed[m.File.Hash], there[m.File.ID] = true, true
			shared++
		}
	}
	for _, c := range l.Claims() {
		if there[c.File.ID] {
			t.Fatalf("%s was posted, and waits to be", c.File.ID)
		}
		needed[c.File.Hash], there[c.File.ID] = true, true
	}
	attached := s.files.between(l.key, 1, ^rooms.Seq(0))
	if len(attached) != shared {
		var seqs []rooms.Seq
		for _, a := range attached {
			seqs = append(seqs, a.seq)
		}
		t.Fatalf("%d of the messages %d to %d share a file, there are attachments of %d", shared, l.First(), l.Head(), seqs)
	}
	p.heads[l.key] = l.Head()
}

// expectBlobs compares the contents on the disk with those that are referred to.
func expectBlobs(t testing.TB, s *Store, m *memory, needed map[rooms.Hash]bool) {
	t.Helper()
	used := int64(0)
	for _, part := range s.files.partials {
		used += part.charged
	}
	for h, b := range s.files.blobs {
		used += charge(b.size)
		_, n, _, err := m.find(s.blobPath(h))
		if err != nil || n == nil || sha256.Sum256(n.data) != h {
			t.Fatalf("the content %s is not there, or another one", h)
		}
		if !needed[h] {
			t.Fatalf("nothing refers to the content %s", h)
		}
	}
	if len(s.files.blobs) != len(needed) || used != s.files.used || s.files.ahead != 0 {
		t.Fatalf("%d contents for %d; they count for %d and not %d", len(s.files.blobs), len(needed), s.files.used, used)
	}
	dirs, _ := m.List(s.blobsDir())
	on := 0
	for _, d := range dirs {
		entries, _ := m.List(filepath.Join(s.blobsDir(), d.name))
		on += len(entries)
	}
	if on != len(needed) {
		t.Fatalf("%d contents are on the disk, not %d", on, len(needed))
	}
}

func TestPowerCutsOfFiles(t *testing.T) {
	cuts := 10_000
	if testing.Short() || raceDetector {
		cuts = 1000
	}
	rnd := rand.New(rand.NewPCG(11, 11))
	var m *memory
	p := newFilePromise()
	for cut := range cuts {
		if cut%5 == 0 {
			m, p = newMemory(), newFilePromise()
		}
		m.stop, m.nth, m.name = rnd.IntN(500)+1, rnd.IntN(1000), ""
		s, err := p.open(m)
		if err == nil {
			err = p.work(t, s, rnd, 30)
		}
		if err != nil && !errors.Is(err, errPower) && m.name == "" {
			t.Fatalf("cut %d: %v", cut, err)
		}
		m.reboot(rnd.IntN(3) > 0, rnd)
		s = p.check(t, m)
		if rnd.IntN(2) == 0 {
			s.Close()
		}
		m.reboot(rnd.IntN(2) == 0, rnd) // what a new host has found must stay
	}
}

// TestEveryFileCallFails lets the n-th call fail, for every n. The host goes on, and so
// does an upload.
func TestEveryFileCallFails(t *testing.T) {
	for _, failure := range []error{nil, syscall.EIO, syscall.ENOSPC} {
		for n := 1; ; n++ {
			rnd := rand.New(rand.NewPCG(4, 4))
			m := newMemory()
			m.nth, m.err = n, failure
			p := newFilePromise()
			s, _ := p.open(m)
			for tries := 0; s.lock != nil && tries < 5; tries++ {
				if p.work(t, s, rnd, 40) == nil {
					break
				}
				for _, key := range []rooms.RoomKey{lobby, dev} {
					if l := s.openLog(key); l != nil {
						_ = l.Revive()
					}
				}
			}
			if m.name == "" {
				if n < 100 {
					t.Fatalf("there were only %d calls", n)
				}
				break
			}
			m.reboot(n%2 == 0, rnd)
			p.check(t, m)
		}
	}
}

// TestHalfSyncedUpload: an upload that could not be synced in its middle begins anew, also
// where what had arrived can't be removed, and its member's day is not charged for it.
func TestHalfSyncedUpload(t *testing.T) {
	b := contentOf(5)
	for _, removes := range []bool{true, false} {
		m := newMemory()
		p := newFilePromise()
		s, err := p.open(m)
		if err != nil {
			t.Fatal(err)
		}
		l := openRoom(t, s)
		var charged int64
		allow := func(u rooms.Usage, _ int64) *rooms.Refusal {
			charged = u.Member
			return nil
		}
		upload := func() *Upload {
			u, err := s.Upload(l.key, "peer", described(b), allow)
			if err != nil || u.Offset() != 0 || charged != 0 {
				t.Fatalf("begun with %v, %d bytes charged", err, charged)
			}
			return u
		}
		u := upload()
		if _, err := u.Write(b[:len(b)/2]); err != nil {
			t.Fatal(err)
		}
		m.err = syscall.EIO
		m.hook = func(op, _ string) {
			if op == "sync" || op == "remove" && !removes {
				m.nth = m.calls
			}
		}
		if err := u.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		m.hook = nil
		if _, err := u.Write(b[len(b)/2:]); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		if err := u.Close(); err != nil {
			t.Fatal(err)
		}
		u = upload()
		if _, err := u.Write(b); err != nil {
			t.Fatal(err)
		}
		c, err := u.Finish()
		if err != nil {
			t.Fatal(err)
		}
		p.claims[c.File.ID] = l.key
		m.reboot(true, rand.New(rand.NewPCG(1, 1)))
		p.check(t, m)
	}
}
