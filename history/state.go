package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"p2pchat/rooms"
)

// state is the log of the registry's changes. It has generations: each is one file,
// which begins with a snapshot that was complete when the file got its name.
type state struct {
	mu       sync.Mutex
	failed   error // why nothing can be recorded any more; all below is guarded by mu
	file     file  // of the newest generation
	repaired string
	number   uint64
	extent   extent
	blocks   blockWriter
}

// Changes returns the changes of the state in order: the last snapshot, and what was
// recorded after it. The error is a *DamageError when the state is damaged.
func (s *Store) Changes() ([]rooms.Change, error) {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if !s.host {
		return s.viewChanges()
	}
	if st.file == nil {
		return nil, st.failed
	}
	return readChanges(st.file, s.statePath(st.number), st.extent)
}

// viewChanges reads the newest generation without touching it.
func (s *Store) viewChanges() ([]rooms.Change, error) {
	generations, err := s.generations()
	if err != nil || len(generations) == 0 {
		return nil, err
	}
	f, e, err := s.scanState(generations[len(generations)-1])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readChanges(f, s.statePath(generations[len(generations)-1]), e)
}

// Record stores changes. They are on the disk when it returns nil, and after a crash
// there all together or not at all. An error that matches ErrReadOnly lasts: the state
// takes no more changes until Revive, or until it is opened again. Any other one says
// that the disk is full: nothing of these changes is there, and the next may fit. For
// changes that take a right away (a ban, say) the reserve is used then.
func (s *Store) Record(changes ...rooms.Change) error {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if !s.host {
		return readOnly(s.stateDir(), errors.New("opened for reading only"))
	}
	if st.failed != nil || len(changes) == 0 {
		return st.failed
	}
	next, err := writeChanges(&st.blocks, st.file, st.extent, changes)
	for again := false; noSpace(err); again = true {
		if cut := st.cut(); cut != nil {
			err = cut
			break
		}
		if again || !urgent(changes) || s.freeReserve() != nil {
			return err
		}
		next, err = writeChanges(&st.blocks, st.file, st.extent, changes)
	}
	if err == nil {
		err = st.file.Datasync()
	}
	if err != nil {
		return st.fail(s.statePath(st.number), err)
	}
	st.extent = next
	return nil
}

// cut cuts off what may have been written and is not acknowledged.
func (st *state) cut() error {
	st.blocks = blockWriter{} // its block may have begun with that
	if err := st.file.Truncate(st.extent.whole); err != nil {
		return err
	}
	return st.file.Sync()
}

// fail makes the state read-only and cuts off what may have been written.
func (st *state) fail(path string, cause error) error {
	st.failed = readOnly(path, cause)
	if st.file != nil {
		_ = st.cut()
	}
	return st.failed
}

// Compact puts a snapshot in the place of all changes so far. The generation before
// it stays on the disk. Where the snapshot cannot be written, the state goes on
// without it and the error does not match ErrReadOnly.
func (s *Store) Compact(snapshot []rooms.Change) error {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if !s.host {
		return readOnly(s.stateDir(), errors.New("opened for reading only"))
	}
	if st.failed != nil {
		return st.failed
	}
	return s.generation(st.number+1, snapshot)
}

// generation writes a generation and goes over to it.
func (s *Store) generation(number uint64, snapshot []rooms.Change) error {
	st := &s.state
	temporary := filepath.Join(s.stateDir(), "new.tmp")
	e, err := s.writeGeneration(temporary, snapshot)
	if err != nil {
		_ = s.fs.Remove(temporary)
		return err
	}
	path := s.statePath(number)
	// From here on it is not known which generation a crash would leave.
	err = s.fs.Rename(temporary, path)
	if err == nil {
		err = s.fs.SyncDir(s.stateDir())
	}
	if err != nil {
		return st.fail(path, err)
	}
	f, err := s.fs.OpenFile(path, os.O_RDWR)
	if err != nil {
		return st.fail(path, err)
	}
	if st.file != nil {
		_ = st.file.Close() // all of it was synced
	}
	st.file, st.number, st.extent, st.blocks = f, number, e, blockWriter{}
	s.removeGenerations(number)
	return nil
}

// writeGeneration writes a file with a header and a snapshot, and syncs it.
func (s *Store) writeGeneration(path string, snapshot []rooms.Change) (extent, error) {
	h := s.newHeader(rooms.RoomKey{}, 1, uint64(len(snapshot)))
	e := extent{index: index{header: h, end: headerSize}, whole: headerSize}
	f, err := s.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return e, err
	}
	_, err = f.WriteAt(h.encode(stateMagic), 0)
	if err == nil && len(snapshot) > 0 {
		var blocks blockWriter
		e, err = writeChanges(&blocks, f, e, snapshot)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return e, err
}

// removeGenerations removes those before the one before number. They only take up
// space: a failure is left for the next time.
func (s *Store) removeGenerations(number uint64) {
	generations, err := s.generations()
	if err != nil {
		return
	}
	for _, n := range generations {
		if n+1 < number {
			_ = s.fs.Remove(s.statePath(n))
		}
	}
}

// writeChanges writes changes behind the extent and returns the one with them.
func writeChanges(w *blockWriter, f file, e extent, changes []rooms.Change) (extent, error) {
	w.reset()
	seq := e.last
	for i := range changes {
		seq++
		rec := newChangeRecord(&changes[i])
		if _, err := w.add(e.salt, writeFlags(i, len(changes)), seq, &rec); err != nil {
			return e, err
		}
	}
	if _, err := f.WriteAt(w.buf, e.whole); err != nil {
		return e, err
	}
	e.last, e.wholeLast = seq, seq
	e.end = e.whole + int64(len(w.buf))
	e.whole = e.end
	return e, nil
}

// readChanges reads the changes of an extent, up to its last whole write.
func readChanges(f file, path string, e extent) ([]rooms.Change, error) {
	var changes []rooms.Change
	var blocks blockReader
	r := frameReader{f: f, salt: e.salt, off: headerSize, end: e.whole}
	for {
		off := r.off
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return changes, nil
		}
		var bad *badFrame
		if errors.As(err, &bad) {
			return nil, &DamageError{File: path, Offset: off, After: rooms.Seq(len(changes)), Reason: bad.reason}
		}
		if err != nil {
			return nil, err
		}
		var rec changeRecord
		err = blocks.decode(fr, &rec)
		change, ok := rec.change()
		if err == nil && !ok {
			err = fmt.Errorf("a room key has %d bytes", len(rec.Room))
		}
		if err != nil {
			return nil, &DamageError{File: path, Offset: off, After: fr.seq - 1, Reason: err.Error()}
		}
		changes = append(changes, change)
	}
}

// close ends the state; what comes later fails.
func (st *state) close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.failed == nil {
		st.failed = ErrClosed
	}
	if st.file == nil {
		return nil
	}
	f := st.file
	st.file = nil
	return f.Close()
}
