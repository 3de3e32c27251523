package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"p2pchat/rooms"
)

// claim is an upload that is complete, on the disk and not posted yet. It is one small
// file: a header and one frame, as in a log.
type claim struct {
	rooms.Claim
	room   rooms.RoomKey
	after  rooms.Seq // the room's last message when it was made: it was posted behind it, if at all
	blob   *blob
	posted rooms.Seq // the message that has posted it, where the attachment could not be made yet; 0: none
}

// claimRecord is a claim as it is stored. The same rule holds as for record.
type claimRecord struct {
	TimeMS  int64
	After   uint64
	Peer    string
	Name    string
	Size    int64
	MIME    string
	Hash    []byte
	Preview []byte
	Width   int64
	Height  int64
	MS      int64
}

const (
	claimMagic = "P2PCCLM1"
	unfinished = ".tmp" // behind the name of a claim that is being written
)

// errNoClaim says that a file is no claim, or not a whole one.
var errNoClaim = errors.New("it is no claim")

func (s *Store) claimPath(id string) string { return filepath.Join(s.claimDir(), id) }

func (c *claim) encode(s *Store) ([]byte, error) {
	rec := claimRecord{
		TimeMS: c.Made.UnixMilli(), After: uint64(c.after), Peer: string(c.Peer),
		Name: c.File.Name, Size: c.File.Size, MIME: c.File.MIME, Hash: c.File.Hash[:], Preview: c.File.Preview,
		Width: int64(c.File.Width), Height: int64(c.File.Height), MS: c.File.Duration.Milliseconds(),
	}
	h := s.newHeader(c.room, 1, 0)
	var w blockWriter
	if _, err := w.add(h.salt, writeFlags(0, 1), 1, &rec); err != nil {
		return nil, err
	}
	return append(h.encode(claimMagic), w.buf...), nil
}

// readClaim reads a claim; errNoClaim where the file holds none.
func (s *Store) readClaim(path string) (*claim, error) {
	f, err := s.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	id := filepath.Base(path)
	h, err := readHeader(f, path, claimMagic, size)
	if errors.Is(err, errHeader) || !isFileID(id) {
		return nil, errNoClaim
	}
	if err != nil {
		return nil, err
	}
	r := frameReader{f: f, salt: h.salt, off: headerSize, end: size}
	fr, err := r.next()
	var bad *badFrame
	if errors.As(err, &bad) || size == headerSize {
		return nil, errNoClaim
	}
	if err != nil {
		return nil, err
	}
	var rec claimRecord
	var blocks blockReader
	if blocks.decode(fr, &rec) != nil || len(rec.Hash) != len(rooms.Hash{}) {
		return nil, errNoClaim
	}
	return &claim{room: h.room, after: rooms.Seq(rec.After), Claim: rooms.Claim{
		Peer: rooms.PeerID(rec.Peer), Made: time.UnixMilli(rec.TimeMS).UTC(),
		File: rooms.File{
			ID: id, Name: rec.Name, Size: rec.Size, MIME: rec.MIME, Hash: rooms.Hash(rec.Hash), Preview: rec.Preview,
			Width: int(rec.Width), Height: int(rec.Height), Duration: time.Duration(rec.MS) * time.Millisecond,
		},
	}}, nil
}

// writeClaim makes a claim durable.
func (s *Store) writeClaim(c *claim) error {
	b, err := c.encode(s)
	if err != nil {
		return err
	}
	if err := s.files.makeDir(s.claimDir()); err != nil {
		return err
	}
	path := s.claimPath(c.File.ID)
	if err := writeFile(s.fs, path+unfinished, b); err != nil {
		return err
	}
	if err := s.fs.Rename(path+unfinished, path); err != nil {
		return err
	}
	return s.fs.SyncDir(s.claimDir())
}

// writeFile writes a file and syncs what is in it. Its name is not durable yet.
func writeFile(fsys fs, path string, b []byte) error {
	f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = fsys.Remove(path)
		return err
	}
	return nil
}

// removeClaim takes a claim out, on the disk and here.
func (f *files) removeClaim(c *claim) error {
	err := f.store.fs.Remove(f.store.claimPath(c.File.ID))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claims[c.File.ID] != c {
		return nil
	}
	delete(f.claims, c.File.ID)
	f.letGo(c.room, c.blob)
	return nil
}

// Claims returns the uploads to the room that were not posted yet.
func (l *Log) Claims() []rooms.Claim {
	f := l.store.files
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []rooms.Claim
	for _, c := range f.claims {
		if c.room == l.key && c.posted == 0 {
			all = append(all, c.Claim)
		}
	}
	return all
}

// Attachments counts the files that messages of a room share.
func (s *Store) Attachments(key rooms.RoomKey) (n int, err error) {
	entries, err := s.listIn(s.shelfDir(key))
	for _, e := range entries {
		if _, ok := parseAttachment(e.name); ok {
			n++
		}
	}
	return n, err
}

// TendFiles removes what has been waiting for too long: uploads that were cut off, and
// claims that nobody posted.
func (s *Store) TendFiles(now time.Time) error {
	f := s.files
	f.mu.Lock()
	var idle []*partial
	for _, p := range f.partials {
		if p.upload == nil && now.Sub(p.touched) > rooms.ClaimLife {
			idle = append(idle, p)
			p.upload = &Upload{} // nobody continues it
		}
	}
	var late []*claim
	for _, c := range f.claims {
		if c.posted == 0 && now.Sub(c.Made) > rooms.ClaimLife+claimGrace {
			late = append(late, c)
		}
	}
	for peer, d := range f.days {
		if now.Sub(d.since) > memberDay {
			delete(f.days, peer)
		}
	}
	f.mu.Unlock()
	var err error
	for _, p := range idle {
		err = errors.Join(err, f.discard(p))
	}
	for _, c := range late {
		posted, perr := s.wasPosted(c)
		if perr == nil && !posted {
			perr = f.removeClaim(c)
		}
		err = errors.Join(err, perr)
	}
	return errors.Join(err, f.sweep())
}

// claimGrace is how much longer a claim stays than its room takes it.
const claimGrace = time.Hour

// wasPosted looks whether a message has posted a claim. A room that is open has looked
// when it was opened.
func (s *Store) wasPosted(c *claim) (bool, error) {
	if l := s.openLog(c.room); l != nil {
		return !l.settled.Load(), nil // it may have been
	}
	look, err := viewOn(s.fs, s.dir)
	if err != nil {
		return false, err
	}
	l, err := look.Room(c.room)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = l.Damage()
	}
	if err != nil {
		return false, fmt.Errorf("upload %s: %w", c.File.ID, err)
	}
	found, err := l.postedClaims(c.after, map[string]*claim{c.File.ID: c})
	return len(found) > 0, err
}
