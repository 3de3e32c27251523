package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"p2pchat/rooms"
)

// files knows all files of a host's store, in memory: what is on the disk is found by
// names alone when the store is opened. A blob is a content, stored once under its hash.
// It stays as long as something refers to it: an attachment, which is a message of a
// room, a claim, which is an upload that was not posted yet, or somebody who reads it.
type files struct {
	store *Store
	any   bool // there were files when the store was opened

	mu       sync.Mutex // guards the fields below
	blobs    map[rooms.Hash]*blob
	claims   map[string]*claim // by File.ID
	shelves  map[rooms.RoomKey]*shelf
	partials map[string]*partial // by file name
	days     map[rooms.PeerID]*day
	used     int64    // what blobs and partials count for
	ahead    int64    // bytes that uploads under way have not written yet
	doomed   []*blob  // to be removed, unless somebody refers to them again
	trash    int      // numbers the files that are about to be removed
	trashed  []string // files that are to be removed, and whose removal is to be durable

	making sync.Mutex      // held while a directory is made
	made   map[string]bool // guarded by making: directories whose names are durable
}

// blob is a content that is stored.
type blob struct {
	hash rooms.Hash
	size int64
	refs int
}

// shelf is the files of one room.
type shelf struct {
	attachments []*attachment // by seq
	hashes      map[rooms.Hash]int
	unsynced    bool  // an attachment was removed, and that is not durable yet
	bytes       int64 // what they count for, each content once, and the partials of the room
}

// attachment is a message that shares a file which is there. On the disk it is an empty
// file whose name says it all.
type attachment struct {
	seq  rooms.Seq
	id   string
	hash rooms.Hash
	blob *blob       // nil: it is missing on the disk
	gone atomic.Bool // it was taken out: nobody reads on
}

// day is what a member has uploaded since the first upload of its day, in bytes. It
// begins anew with the host.
type day struct {
	since time.Time
	bytes int64
}

// memberDay is how long a member's day is.
const memberDay = 24 * time.Hour

// leastCharge is what the smallest file counts for: that is how disks do it, and it
// bounds the number of files.
const leastCharge = 4 << 10

func charge(size int64) int64 { return max(size, leastCharge) }

func newFiles(s *Store) *files {
	return &files{
		store: s, blobs: map[rooms.Hash]*blob{}, claims: map[string]*claim{},
		shelves: map[rooms.RoomKey]*shelf{}, partials: map[string]*partial{}, days: map[rooms.PeerID]*day{},
		made: map[string]bool{},
	}
}

func (s *Store) filesDir() string   { return filepath.Join(s.dir, "files") }
func (s *Store) partialDir() string { return filepath.Join(s.filesDir(), "partial") }
func (s *Store) claimDir() string   { return filepath.Join(s.filesDir(), "claims") }
func (s *Store) blobsDir() string   { return filepath.Join(s.filesDir(), "blobs") }

// blobPath is where a content lies: blobs/ab/<its hash>.
func (s *Store) blobPath(h rooms.Hash) string {
	name := h.String()
	return filepath.Join(s.blobsDir(), name[:2], name)
}

// shelfDir is where the attachments of a room are.
func (s *Store) shelfDir(key rooms.RoomKey) string { return filepath.Join(s.roomDir(key), "files") }

// makeDir makes a directory of files, and those above it, where they are missing. Their
// names are durable when it returns nil: one that is there may have been made by
// somebody who could not sync it.
func (f *files) makeDir(dir string) error {
	f.making.Lock()
	defer f.making.Unlock()
	return f.makeDirs(dir)
}

func (f *files) makeDirs(dir string) error {
	parent := filepath.Dir(dir)
	if f.made[dir] || dir == f.store.dir || parent == f.store.roomsDir() {
		return nil
	}
	if err := f.makeDirs(parent); err != nil {
		return err
	}
	if err := ensureDir(f.store.fs, dir); err != nil {
		return err
	}
	if err := f.store.fs.SyncDir(parent); err != nil {
		return err
	}
	f.made[dir] = true
	return nil
}

// attachmentName is the file name of an attachment.
func attachmentName(seq rooms.Seq, id string, h rooms.Hash) string {
	return fmt.Sprintf("%016x-%s-%s", uint64(seq), id, h)
}

// parseAttachment is the inverse of attachmentName; false for every other name.
func parseAttachment(name string) (*attachment, bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 || !isFileID(parts[1]) {
		return nil, false
	}
	seq, err := strconv.ParseUint(parts[0], 16, 64)
	h, ok := parseHash(parts[2])
	a := &attachment{seq: rooms.Seq(seq), id: parts[1], hash: h}
	return a, err == nil && ok && seq > 0 && attachmentName(a.seq, a.id, h) == name
}

func parseHash(s string) (h rooms.Hash, ok bool) {
	ok = h.UnmarshalText([]byte(s)) == nil && s != "" && h.String() == s
	return h, ok
}

// fileIDBytes is the length of a File.ID before it is made hex: random, so that an
// identifier tells nothing about the content.
const fileIDBytes = 8

// isFileID tells whether a name can be a File.ID.
func isFileID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == fileIDBytes && hex.EncodeToString(b) == id
}

// newFileID returns an identifier that no other file has.
func (s *Store) newFileID() string {
	var b [fileIDBytes]byte
	s.random(b[:])
	return hex.EncodeToString(b[:])
}

// peerKey stands for a member in a file name.
func peerKey(peer rooms.PeerID) string {
	sum := sha256.Sum256([]byte(peer))
	return hex.EncodeToString(sum[:16])
}

// shelf returns the files of a room. mu is held.
func (f *files) shelf(key rooms.RoomKey) *shelf {
	s := f.shelves[key]
	if s == nil {
		s = &shelf{hashes: map[rooms.Hash]int{}}
		f.shelves[key] = s
	}
	return s
}

// hold lets something of a room refer to a content; nil where that is missing. mu is held.
func (f *files) hold(key rooms.RoomKey, h rooms.Hash) *blob {
	b := f.blobs[h]
	if b == nil {
		return nil
	}
	s := f.shelf(key)
	if s.hashes[b.hash]++; s.hashes[b.hash] == 1 {
		s.bytes += charge(b.size)
	}
	b.refs++
	return b
}

// letGo is the inverse of hold. mu is held.
func (f *files) letGo(key rooms.RoomKey, b *blob) {
	if b == nil {
		return
	}
	s := f.shelf(key)
	if s.hashes[b.hash]--; s.hashes[b.hash] == 0 {
		delete(s.hashes, b.hash)
		s.bytes -= charge(b.size)
	}
	f.release(b)
}

// release ends one reference; sweep removes what has none left. mu is held.
func (f *files) release(b *blob) {
	if b.refs--; b.refs == 0 {
		f.doomed = append(f.doomed, b)
	}
}

// sweep removes the contents that nothing refers to any more. What the disk does not
// let it remove is tried again by the next one.
func (f *files) sweep() error {
	f.mu.Lock()
	doomed, failed := f.doomed, []*blob(nil)
	f.doomed = nil
	paths := f.trashed
	f.trashed = nil
	var err error
	for _, b := range doomed {
		if b.refs > 0 || f.blobs[b.hash] != b {
			continue
		}
		// Under another name first: the same content may be uploaded at this moment.
		path := f.store.blobPath(b.hash)
		f.trash++
		gone := path + trashMark + strconv.Itoa(f.trash)
		if rerr := f.store.fs.Rename(path, gone); rerr != nil {
			failed, err = append(failed, b), errors.Join(err, rerr)
			continue
		}
		delete(f.blobs, b.hash)
		f.used -= charge(b.size)
		paths = append(paths, gone)
	}
	f.doomed = append(f.doomed, failed...)
	f.mu.Unlock()
	for _, path := range paths {
		rerr := f.store.fs.Remove(path)
		if rerr == nil || errors.Is(rerr, os.ErrNotExist) {
			rerr = f.store.fs.SyncDir(filepath.Dir(path))
		}
		if rerr != nil {
			err = errors.Join(err, rerr)
			f.mu.Lock()
			f.trashed = append(f.trashed, path)
			f.mu.Unlock()
		}
	}
	return err
}

// trashMark is in the name of a content that is about to be removed.
const trashMark = ".gone-"
