package history

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"p2pchat/rooms"
)

// uploaded uploads a content that has to be taken.
func uploaded(t testing.TB, s *Store, key rooms.RoomKey, peer rooms.PeerID, b []byte) rooms.Claim {
	t.Helper()
	u, err := s.Upload(key, peer, described(b), allowAll)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(b[u.Offset():]); err != nil && u.Offset() < int64(len(b)) {
		t.Fatal(err)
	}
	c, err := u.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// shared uploads a content and posts it, and returns the message.
func shared(t testing.TB, s *Store, l *Log, peer rooms.PeerID, b []byte) rooms.Message {
	t.Helper()
	c := uploaded(t, s, l.key, peer, b)
	m := rooms.Message{Seq: l.Head() + 1, Time: noon, Kind: rooms.FileUp, From: rooms.Author{Peer: peer, Nick: "nick"}, Text: "look", File: &c.File}
	if err := l.Append([]rooms.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m
}

func contentIn(t testing.TB, s *Store, key rooms.RoomKey, id string) ([]byte, error) {
	t.Helper()
	c, err := s.Content(key, id)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	size, _ := c.Info()
	return io.ReadAll(io.NewSectionReader(c, 0, size))
}

// TestUploadGoesOn: what was cut off is continued by another process.
func TestUploadGoesOn(t *testing.T) {
	dir, b := t.TempDir(), bytes.Repeat([]byte("0123456789"), 1000)
	s := openStore(t, dir)
	u, err := s.Upload(lobby, "peer", described(b), allowAll)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(b[:7000]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Upload(lobby, "peer", described(b), allowAll); !errors.Is(err, ErrUploading) {
		t.Errorf("twice at a time: %v", err)
	}
	if err := errors.Join(u.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir)
	l := openRoom(t, s)
	if u, err = s.Upload(lobby, "peer", described(b), allowAll); err != nil || u.Offset() != 7000 {
		t.Fatalf("%v, from %d", err, u.Offset())
	}
	if _, err := u.Write(b[7000:]); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte{1}); !errors.Is(err, ErrContent) {
		t.Errorf("more than was announced: %v", err)
	}
	_ = u.Close()
	// All of it is there, and is compared.
	m := shared(t, s, l, "peer", b)
	got, err := contentIn(t, s, lobby, m.File.ID)
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := contentIn(t, s, dev, m.File.ID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in another room: %v", err)
	}
}

// TestUsage: what is set apart is what is given back.
func TestUsage(t *testing.T) {
	s := openStore(t, t.TempDir())
	b := bytes.Repeat([]byte("0123456789"), 1000)
	usage := func(key rooms.RoomKey, peer rooms.PeerID) (got rooms.Usage) {
		_, err := s.Upload(key, peer, described([]byte("another")), func(u rooms.Usage, _ int64) *rooms.Refusal {
			got = u
			return rooms.Refuse(rooms.Quota, "", "no")
		})
		if err == nil {
			t.Fatal("it was not asked")
		}
		return got
	}
	expect := func(what string, key rooms.RoomKey, peer rooms.PeerID, member, room, disk int64) {
		t.Helper()
		if u := usage(key, peer); u.Member != member || u.Room != room || u.Disk != disk {
			t.Errorf("%s: %+v, want %d, %d, %d", what, u, member, room, disk)
		}
	}
	u, err := s.Upload(lobby, "peer", described(b), allowAll)
	if err != nil {
		t.Fatal(err)
	}
	expect("under way", lobby, "peer", 10_000, 10_000, 10_000)
	expect("of others", dev, "other", 0, 0, 10_000)
	if _, err := u.Write(b[:5000]); err != nil {
		t.Fatal(err)
	}
	_ = u.Close()
	expect("cut off", lobby, "peer", 5000, 5000, 5000)
	l := openRoom(t, s)
	m := shared(t, s, l, "peer", b)
	expect("posted", lobby, "peer", 10_000, 10_000, 10_000)
	shared(t, s, l, "peer", b)
	expect("posted twice", lobby, "peer", 10_000, 10_000, 10_000)
	if err := l.Redact(rooms.Message{Seq: l.Head() + 1, Time: noon, From: m.From, Target: m.Seq}); err != nil {
		t.Fatal(err)
	}
	expect("one redacted", lobby, "peer", 10_000, 10_000, 10_000)
	if err := l.Redact(rooms.Message{Seq: l.Head() + 1, Time: noon, From: m.From, Target: m.Seq + 1}); err != nil {
		t.Fatal(err)
	}
	expect("both redacted", lobby, "peer", 10_000, 0, 0)
}

// TestWaitingForTooLong: uploads that nobody goes on with, and claims that nobody posts,
// are removed; but not before their time.
func TestWaitingForTooLong(t *testing.T) {
	s := openStore(t, t.TempDir())
	b := bytes.Repeat([]byte("x"), 5000)
	uploaded(t, s, lobby, "peer", b)
	u, err := s.Upload(lobby, "peer", described(b[:4999]), allowAll)
	if err != nil {
		t.Fatal(err)
	}
	_ = u.Close()
	for _, tt := range []struct {
		after            time.Duration
		claims, partials int
	}{{rooms.ClaimLife - time.Minute, 1, 1}, {rooms.ClaimLife + claimGrace + time.Minute, 0, 0}} {
		if err := s.TendFiles(time.Now().Add(tt.after)); err != nil {
			t.Fatal(err)
		}
		if len(s.files.claims) != tt.claims || len(s.files.partials) != tt.partials {
			t.Errorf("after %v: %d claims, %d partials", tt.after, len(s.files.claims), len(s.files.partials))
		}
	}
	if s.files.used != 0 || len(s.files.blobs) != 0 {
		t.Errorf("%d contents, %d bytes", len(s.files.blobs), s.files.used)
	}
}

// TestReaderOfARedactedFile: who reads a file that is taken out gets no more of it.
func TestReaderOfARedactedFile(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openRoom(t, s)
	m := shared(t, s, l, "peer", bytes.Repeat([]byte("x"), 5000))
	c, err := s.Content(lobby, m.File.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Redact(rooms.Message{Seq: 2, Time: noon, From: m.From, Target: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadAt(make([]byte, 10), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it reads on: %v", err)
	}
	if err := c.Close(); err != nil || len(s.files.blobs) != 0 {
		t.Errorf("%v, %d contents", err, len(s.files.blobs))
	}
}

// TestFilesList: pages of the files of a room, the newest first.
func TestFilesList(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openRoom(t, s)
	for i := range 7 {
		shared(t, s, l, "peer", []byte{byte(i)})
		say(t, l, l.Head()+2, 1)
	}
	var got []rooms.Seq
	for before, pages := rooms.Seq(0), 0; ; pages++ {
		msgs, next, err := l.Files(before, 3)
		if err != nil || pages > 3 {
			t.Fatal(err)
		}
		for i := len(msgs) - 1; i >= 0; i-- {
			got = append(got, msgs[i].Seq)
		}
		if before = next; next == 0 {
			break
		}
	}
	if len(got) != 7 || got[0] != 19 || got[6] != 1 {
		t.Errorf("%v", got)
	}
}

// TestBackupWithFiles: a backup holds each content once, and what it was made of can be
// posted and fetched in what it was restored to.
func TestBackupWithFiles(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "restored")
	s := openStore(t, dir)
	l := openRoom(t, s)
	b := bytes.Repeat([]byte("0123456789"), 1000)
	m := shared(t, s, l, "peer", b)
	shared(t, s, l, "other", b)
	waiting := uploaded(t, s, lobby, "peer", []byte("waits"))
	gone := shared(t, s, l, "peer", []byte("gone"))
	if err := l.Redact(rooms.Message{Seq: l.Head() + 1, Time: noon, From: m.From, Target: gone.Seq}); err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	info, err := Backup(&tar, dir, options)
	if err != nil || info.Shared != 2 || len(info.Damaged) != 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	restored, err := Restore(&tar, to, hostFiles)
	if err != nil || restored.Shared != 2 {
		t.Fatalf("%+v, %v", restored, err)
	}
	s = openStore(t, to)
	l = openRoom(t, s)
	if got, err := contentIn(t, s, lobby, m.File.ID); err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if c := l.Claims(); len(c) != 1 || c[0].File.ID != waiting.File.ID || c[0].Peer != "peer" {
		t.Errorf("%+v", c)
	}
	if r := expectWhole(t, s, l.Head()); r.Files != 2 || r.FileBytes != 20_000 {
		t.Errorf("%+v", r)
	}
}

// TestVerifyFiles: whatever is wrong with a file is found.
func TestVerifyFiles(t *testing.T) {
	for what, spoil := range map[string]func(s *Store, m rooms.Message) error{
		"another content": func(s *Store, m rooms.Message) error {
			return os.WriteFile(s.blobPath(m.File.Hash), []byte("something else"), 0o600)
		},
		"no content": func(s *Store, m rooms.Message) error { return os.Remove(s.blobPath(m.File.Hash)) },
		"no attachment": func(s *Store, m rooms.Message) error {
			return os.Remove(filepath.Join(s.shelfDir(lobby), attachmentName(m.Seq, m.File.ID, m.File.Hash)))
		},
		"a stray": func(s *Store, m rooms.Message) error {
			return os.WriteFile(filepath.Join(s.shelfDir(lobby), attachmentName(m.Seq+1, m.File.ID, m.File.Hash)), nil, 0o600)
		},
	} {
		s := openStore(t, t.TempDir())
		l := openRoom(t, s)
		m := shared(t, s, l, "peer", []byte("content"))
		say(t, l, 4, 1)
		if r, err := s.Verify(lobby); err != nil || !r.Whole() || r.Files != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := spoil(s, m); err != nil {
			t.Fatal(err)
		}
		r, err := s.Verify(lobby)
		if err != nil || len(r.Problems) != 1 {
			t.Errorf("%s: %+v, %v", what, r.Problems, err)
		}
		if what != "a stray" {
			continue
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir)
		if repair, err := s.Repair(lobby); err != nil || !repair.Report.Whole() || repair.Report.Files != 1 {
			t.Errorf("repaired: %+v, %v", repair, err)
		}
	}
}

// TestVerifyFilesBehindDamage: where a message can't be read, its file is not to blame.
func TestVerifyFilesBehindDamage(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openRoom(t, s)
	shared(t, s, l, "peer", []byte("of a spoiled message")) // it begins the block
	say(t, l, 4, 1)
	kept := shared(t, s, l, "peer", []byte("of one behind it"))
	path := l.tailPath()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[headerSize+frameHead+1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.Verify(lobby)
	if err != nil || r.Whole() || r.Files != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, p := range r.Problems {
		if p.File != path {
			t.Errorf("blamed: %v", p)
		}
	}
	repair, err := s.Repair(lobby)
	if err != nil || !repair.Report.Whole() || repair.Report.Files != 1 {
		t.Fatalf("%+v, %v", repair, err)
	}
	if got, err := contentIn(t, s, lobby, kept.File.ID); err != nil || string(got) != "of one behind it" {
		t.Errorf("%q, %v", got, err)
	}
}
