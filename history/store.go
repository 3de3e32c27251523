package history

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"p2pchat/rooms"
)

// segmentSize is the size in bytes from which on a segment takes no more messages.
const segmentSize = 4 << 20

// Store is a host's directory. Its methods are safe for concurrent use.
type Store struct {
	fs       fs
	dir      string
	host     bool         // opened by Open: may write
	segment  int64        // bytes
	reserve  int64        // bytes
	sector   int64        // bytes
	random   func([]byte) // fills with random bytes
	now      func() time.Time
	lock     io.Closer // nil in a view
	indexes  indexCache
	state    state
	mu       sync.Mutex
	files    *files
	logs     map[rooms.RoomKey]*Log // guarded by mu; open ones, of a host
	isClosed bool                   // guarded by mu

	making   sync.Mutex // held while a room's directory is made
	newRooms bool       // guarded by making; one was made and its name may not be durable
}

func newStore(fsys fs, dir string) *Store {
	s := &Store{
		fs: fsys, dir: dir, segment: segmentSize, reserve: reserveSize, sector: sectorSize,
		random: func(b []byte) { _, _ = rand.Read(b) }, // never fails: it ends the program first
		now:    time.Now,
		logs:   make(map[rooms.RoomKey]*Log),
	}
	s.files = newFiles(s)
	return s
}

// Open opens the directory for a host, and makes it if it is missing. It takes the
// lock: the error is an *InUseError when another process holds it. A state that is
// damaged does not keep it from opening; Changes and Record tell.
func Open(dir string) (*Store, error) {
	s := newStore(disk{}, dir)
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) open() error {
	s.host = true
	if err := mkdirs(s.fs, s.dir); err != nil {
		return err
	}
	l, err := s.fs.Lock(filepath.Join(s.dir, "LOCK"))
	if err != nil {
		return err
	}
	s.lock = l
	if err := s.prepare(); err != nil {
		l.Close()
		return err
	}
	return nil
}

// prepare makes what a host needs below its directory. It syncs names even when
// they were there: whoever made them may have been killed before that.
func (s *Store) prepare() error {
	err := s.fs.SyncDir(filepath.Dir(s.dir))
	if err != nil && !errors.Is(err, os.ErrPermission) {
		return err
	}
	for _, dir := range []string{s.roomsDir(), s.stateDir()} {
		if err := ensureDir(s.fs, dir); err != nil {
			return err
		}
	}
	if err := s.fs.SyncDir(s.roomsDir()); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	if err := s.state.open(s); err != nil {
		return err
	}
	if err := s.files.open(); err != nil {
		return err
	}
	_ = s.makeReserve() // a host with a full disk starts, too
	return nil
}

// View opens the directory for reading only, without the lock, while a host may be
// writing to it. It shows what was in the files when a room is opened, or, where the
// host took something out since, when that was noticed. Nothing is made or repaired.
func View(dir string) (*Store, error) {
	return viewOn(disk{}, dir)
}

func viewOn(fsys fs, dir string) (*Store, error) {
	s := newStore(fsys, dir)
	if _, err := s.fs.List(dir); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the store and the logs that are still open, and releases the lock.
// The goroutines that append must have ended.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.isClosed {
		s.mu.Unlock()
		return nil
	}
	s.isClosed = true
	var open []*Log
	for _, l := range s.logs {
		open = append(open, l)
	}
	s.mu.Unlock()

	err := s.state.close()
	for _, l := range open {
		err = errors.Join(err, l.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// access is how an existing file is opened.
func (s *Store) access() int {
	if s.host {
		return os.O_RDWR
	}
	return os.O_RDONLY
}

func (s *Store) roomsDir() string { return filepath.Join(s.dir, "rooms") }
func (s *Store) stateDir() string { return filepath.Join(s.dir, "state") }

func (s *Store) roomDir(key rooms.RoomKey) string {
	return filepath.Join(s.roomsDir(), hex.EncodeToString(key[:]))
}

// Room opens the log of a room. A host's is made if it is missing; while it is open,
// Room returns the same one. A damaged log opens read-only: see Log.Damage. In a
// view every call looks anew, and a missing room is os.ErrNotExist.
func (s *Store) Room(key rooms.RoomKey) (*Log, error) {
	l, err := s.room(key)
	if err != nil {
		return nil, err
	}
	l.opening.Do(func() { l.unopened = l.open() }) // rooms are opened at the same time
	if l.unopened != nil {
		s.forget(l)
		return nil, fmt.Errorf("history of room %x: %w", key[:], l.unopened)
	}
	return l, nil
}

// room returns a log that may not be open yet.
func (s *Store) room(key rooms.RoomKey) (*Log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		return nil, ErrClosed
	}
	if l := s.logs[key]; l != nil {
		return l, nil
	}
	l := &Log{store: s, key: key, dir: s.roomDir(key)}
	if s.host {
		s.logs[key] = l
	}
	return l, nil
}

// openLog returns the log of a room that is open, or nil.
func (s *Store) openLog(key rooms.RoomKey) *Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.logs[key]; l != nil && l.view.Load() != nil {
		return l
	}
	return nil
}

// forget takes a log that was closed out of the open ones.
func (s *Store) forget(l *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs[l.key] == l {
		delete(s.logs, l.key)
	}
}

// Discard removes the log of a room in which nothing was said; it must be closed. One
// that holds something stays. Where the disk does not let it, an empty log is left.
func (s *Store) Discard(key rooms.RoomKey) error {
	dir := s.roomDir(key)
	entries, err := s.fs.List(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.dir || e.name != segmentName(1) && e.name != unsyncedName || e.size > headerSize {
			return fmt.Errorf("%q is not empty", dir)
		}
		if err := s.fs.Remove(filepath.Join(dir, e.name)); err != nil {
			return err
		}
	}
	if err := s.fs.Remove(dir); err != nil {
		return err
	}
	return s.fs.SyncDir(s.roomsDir())
}

// RoomKeys returns the rooms that have a log, sorted.
func (s *Store) RoomKeys() ([]rooms.RoomKey, error) {
	entries, err := s.fs.List(s.roomsDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var keys []rooms.RoomKey
	for _, e := range entries {
		b, err := hex.DecodeString(e.name)
		if err == nil && e.dir && len(b) == len(rooms.RoomKey{}) && hex.EncodeToString(b) == e.name {
			keys = append(keys, rooms.RoomKey(b))
		}
	}
	return keys, nil
}

// Size returns the bytes of all files of the store.
func (s *Store) Size() (int64, error) { return sizeOf(s.fs, s.dir) }

func sizeOf(fsys fs, dir string) (int64, error) {
	entries, err := fsys.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	var sum int64
	for _, e := range entries {
		if !e.dir {
			sum += e.size
			continue
		}
		n, err := sizeOf(fsys, filepath.Join(dir, e.name))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, err
}

// Repaired tells what was cut off the state when the store was opened, and where it was
// set aside. It is empty if there was nothing.
func (s *Store) Repaired() string {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.repaired
}

// newHeader makes the header of a new file.
func (s *Store) newHeader(room rooms.RoomKey, first rooms.Seq, epoch uint64) header {
	var salt [4]byte
	s.random(salt[:])
	return header{
		salt: binary.LittleEndian.Uint32(salt[:]), room: room, first: first, epoch: epoch,
		created: s.now().UnixMilli(),
	}
}

// newEpoch returns a random number that is not zero.
func (s *Store) newEpoch() uint64 {
	for {
		var b [8]byte
		s.random(b[:])
		if n := binary.LittleEndian.Uint64(b[:]); n != 0 {
			return n
		}
	}
}
