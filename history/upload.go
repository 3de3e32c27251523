package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"p2pchat/rooms"
)

// The errors of an upload, besides those of the disk and what its check refuses. Both are
// a *rooms.Refusal.
var (
	// ErrUploading says that the same member uploads the same content to the same room
	// at this moment.
	ErrUploading error = rooms.Refuse(rooms.Busy, "wait for that", "this file is being uploaded")

	// ErrContent says that a content has not the hash that was announced. What had
	// arrived of it is gone.
	ErrContent error = rooms.Refuse(rooms.BadRequest, "send the file again", "what has arrived is not the file that was announced")
)

// Upload is a file on its way to the disk. One goroutine uses it. It ends with Finish or
// Close; what Close leaves can be continued, also by another process, for
// rooms.ClaimLife.
type Upload struct {
	files  *files
	room   rooms.RoomKey
	after  rooms.Seq
	peer   rooms.PeerID
	desc   rooms.File
	part   *partial // nil: the content is there already
	blob   *blob    // referred to, where part is nil
	file   file
	sum    hash.Hash
	failed error
	ended  bool
}

// partial is a part of a content, of one member and for one room. Its file name says
// all that is known of it.
type partial struct {
	room    rooms.RoomKey
	hash    rooms.Hash
	size    int64
	peer    string // peerKey
	written int64
	charged int64
	touched time.Time
	upload  *Upload // nil: none is under way
}

func (p *partial) name() string {
	return fmt.Sprintf("%x-%s-%x-%s", p.room[:], p.hash, p.size, p.peer)
}

// parsePartial is the inverse of name; false for every other name.
func parsePartial(name string) (*partial, bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 4 || !isRoom(parts[0]) || !isRoom(parts[3]) { // both are 16 bytes in hex
		return nil, false
	}
	h, ok := parseHash(parts[1])
	size, err := strconv.ParseInt(parts[2], 16, 64)
	p := &partial{hash: h, size: size, peer: parts[3]}
	_, _ = hex.Decode(p.room[:], []byte(parts[0]))
	return p, ok && err == nil && size >= 0 && p.name() == name
}

// Upload begins an upload of a content for a room, or continues it. allow is asked
// whether so many bytes more may be stored; what it allows is set apart before the
// first of them comes. Offset tells what is there already: of this upload, or because the
// same member or the same room has this content. Nobody learns whether others have it.
func (s *Store) Upload(key rooms.RoomKey, peer rooms.PeerID, desc rooms.File, allow func(u rooms.Usage, size int64) *rooms.Refusal) (*Upload, error) {
	if !s.host {
		return nil, readOnly(s.dir, errors.New("opened for reading only"))
	}
	f := s.files
	u := &Upload{files: f, room: key, peer: peer, desc: desc, sum: sha256.New()}
	if l := s.openLog(key); l != nil {
		u.after = l.Head()
	}
	free, err := s.fs.Free(s.dir)
	if err != nil {
		return nil, err
	}
	err = f.begin(u, free, allow)
	if err == nil && u.part != nil {
		err = u.open()
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// begin sets apart what the upload will take.
func (f *files) begin(u *Upload, free int64, allow func(rooms.Usage, int64) *rooms.Refusal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	usage := rooms.Usage{Free: -1, Waiting: f.waiting(u.peer)}
	if b := f.blobs[u.desc.Hash]; b != nil && b.size == u.desc.Size && f.knows(u, b.hash) {
		if refusal := allow(usage, 0); refusal != nil {
			return refusal
		}
		b.refs++
		u.blob = b
		return nil
	}
	p := &partial{room: u.room, hash: u.desc.Hash, size: u.desc.Size, peer: peerKey(u.peer)}
	if old := f.partials[p.name()]; old != nil {
		p = old
	}
	if p.upload != nil {
		return ErrUploading
	}
	usage.Room, usage.Disk = f.shelf(u.room).bytes-p.charged, f.used-p.charged
	d := f.day(u.peer)
	usage.Member = max(d.bytes-p.written, 0) // which was counted then
	if free >= 0 {
		usage.Free = max(free-f.ahead+p.written, 0)
	}
	if refusal := allow(usage, charge(p.size)); refusal != nil {
		return refusal
	}
	f.partials[p.name()] = p
	f.charge(p, charge(p.size))
	d.bytes += p.size - p.written
	f.ahead += p.size - p.written
	p.upload, u.part = u, p
	return nil
}

// knows tells whether the member may know that a content is there: it has uploaded it,
// or the room has it. mu is held.
func (f *files) knows(u *Upload, h rooms.Hash) bool {
	for _, a := range f.shelf(u.room).attachments {
		if a.hash == h {
			return true
		}
	}
	for _, c := range f.claims {
		if c.File.Hash == h && c.Peer == u.peer {
			return true
		}
	}
	return false
}

// waiting counts the claims of a member that are not posted. mu is held.
func (f *files) waiting(peer rooms.PeerID) (n int) {
	for _, c := range f.claims {
		if c.Peer == peer && c.posted == 0 {
			n++
		}
	}
	return n
}

// day returns the account of a member's day. mu is held.
func (f *files) day(peer rooms.PeerID) *day {
	now := f.store.now()
	d := f.days[peer]
	if d == nil || now.Sub(d.since) > memberDay {
		d = &day{since: now}
		f.days[peer] = d
	}
	return d
}

// charge changes what a partial counts for. mu is held, or nobody else is there.
func (f *files) charge(p *partial, n int64) {
	f.used += n - p.charged
	f.shelf(p.room).bytes += n - p.charged
	p.charged = n
}

// open opens the file of the upload, and reads what is in it already.
func (u *Upload) open() error {
	s := u.files.store
	err := u.files.makeDir(s.partialDir())
	if err == nil {
		u.file, err = s.fs.OpenFile(u.path(), os.O_RDWR|os.O_CREATE)
	}
	if err == nil {
		_, err = io.Copy(u.sum, io.NewSectionReader(u.file, 0, u.part.written))
	}
	if err != nil {
		return errors.Join(err, u.Close())
	}
	return nil
}

func (u *Upload) path() string {
	return filepath.Join(u.files.store.partialDir(), u.part.name())
}

// Offset is how many bytes are there: the next Write continues them.
func (u *Upload) Offset() int64 {
	if u.part == nil {
		return u.desc.Size
	}
	return u.part.written
}

// Write adds bytes to what is there. After an error nothing more is taken.
func (u *Upload) Write(b []byte) (int, error) {
	if len(b) > 0 && u.failed == nil && (u.part == nil || int64(len(b)) > u.part.size-u.part.written) {
		u.failed = fmt.Errorf("%w: it is longer", ErrContent)
	}
	if u.failed != nil || len(b) == 0 {
		return 0, u.failed
	}
	if _, u.failed = u.file.WriteAt(b, u.part.written); u.failed != nil {
		_ = u.file.Truncate(u.part.written) // so that the next one finds what was counted
		return 0, u.failed
	}
	u.sum.Write(b)
	u.files.mu.Lock()
	u.part.written += int64(len(b))
	u.files.ahead -= int64(len(b))
	u.files.mu.Unlock()
	return len(b), nil
}

// Sync makes durable what is there. Who syncs a line of a room, meanwhile or later, waits
// until the file system has written what others have under way, so a large upload is
// synced now and then. After an error nothing more is taken, and what had arrived is
// gone: the kernel may have dropped a part of it, and would not say so again.
func (u *Upload) Sync() error {
	if u.failed != nil || u.part == nil {
		return u.failed
	}
	if err := u.file.Datasync(); err != nil {
		u.failed = errors.Join(err, u.drop(u.part.size))
	}
	return u.failed
}

// Close ends an upload that is not finished. What is there stays for the next one.
func (u *Upload) Close() error {
	if u.ended {
		return nil
	}
	u.ended = true
	var err error
	if u.file != nil {
		err = u.file.Close()
	}
	f := u.files
	f.mu.Lock()
	if u.blob != nil {
		f.release(u.blob)
	}
	if u.part != nil {
		u.pause()
	}
	f.mu.Unlock()
	return errors.Join(err, f.sweep())
}

// pause gives back what was set apart for bytes that did not come. mu is held.
func (u *Upload) pause() {
	f, p := u.files, u.part
	rest := p.size - p.written
	f.ahead -= rest
	d := f.day(u.peer)
	d.bytes = max(d.bytes-rest, 0)
	p.upload, p.touched = nil, f.store.now()
	f.charge(p, charge(p.written))
}

// discard removes a partial.
func (f *files) discard(p *partial) error {
	err := f.store.fs.Remove(filepath.Join(f.store.partialDir(), p.name()))
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.upload = nil
		return err
	}
	f.charge(p, 0)
	if f.partials[p.name()] == p {
		delete(f.partials, p.name())
	}
	return nil
}
