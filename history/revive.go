package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Revive lets a log go on that a write or a sync has made read-only. It goes on in a
// new segment: that this can be made durable is the proof that the disk works again.
// What was acknowledged stays, and nothing else. After a full disk the reserve has to
// fit first. It is nil for a log that is good. The error matches ErrReadOnly; Revive
// can be tried again then, except where the log was opened damaged or in a view, or
// was closed.
func (l *Log) Revive() error {
	if l.failed == nil || l.damage != nil || !l.store.host || l.closed.Load() {
		return l.failed
	}
	if err := l.revive(); err != nil {
		_ = l.closeFile()
		return readOnly(l.tailPath(), err)
	}
	l.failed = nil
	return nil
}

func (l *Log) revive() error {
	if noSpace(l.failed) {
		if err := l.store.keepReserve(); err != nil {
			return err
		}
	}
	if err := l.secureTail(); err != nil {
		return err
	}
	if err := l.carryOut(); err != nil {
		return err
	}
	if err := l.reconcile(); err != nil {
		return err
	}
	return l.freshTail(l.Epoch())
}

// secureTail makes sure that the last segment is on the disk as far as it counts.
func (l *Log) secureTail() error {
	if !l.unsynced {
		return l.cutTail()
	}
	err := l.copyTail()
	if err == nil {
		if err = l.store.fs.Remove(filepath.Join(l.dir, unsyncedName)); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	l.unsynced = err != nil
	return err
}

// copyTail writes the last segment anew: nobody knows what of it a sync that failed at
// the start has left in the kernel only.
func (l *Log) copyTail() error {
	now := l.view.Load()
	f, err := l.store.fs.OpenFile(l.tailPath(), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil && size > now.last.end && !l.torn {
		err = l.setTorn(f, now.last, size)
		l.torn = err == nil
	}
	if err != nil {
		return err
	}
	content, _, err := rewrite(f, now.last, 0)
	if err != nil {
		return err
	}
	f.Close() // Windows replaces no open file
	return l.install(now, len(now.segments)-1, content)
}

// cutTail cuts off what is not acknowledged, and reads the rest again: the kernel may
// have dropped what a failed sync did not write, but none of the rest.
func (l *Log) cutTail() error {
	now := l.view.Load()
	f, err := l.store.fs.OpenFile(l.tailPath(), os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	e, err := l.acknowledged(f, now)
	if err != nil {
		return err
	}
	if err := f.Truncate(e.end); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if now.head() < now.last.first {
		return nil
	}
	err = l.store.fs.Remove(l.path(now.head() + 1)) // what is left of a segment that could not be made
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// acknowledged scans the last segment up to its acknowledged end.
func (l *Log) acknowledged(f file, now *view) (extent, error) {
	size, err := f.Size()
	if err != nil {
		return extent{}, err
	}
	if err := sameSegment(f, l.tailPath(), now.last); err != nil {
		return extent{}, err
	}
	e, err := scan(f, now.last.header, min(size, now.last.end))
	if err == nil && (e.end != now.last.end || e.last != now.head()) {
		err = &DamageError{
			File: l.tailPath(), Offset: e.end, After: e.last,
			Reason: fmt.Sprintf("message %d was acknowledged", e.last+1),
		}
	}
	return e, err
}

// Revive lets a state go on that a write or a sync has made read-only, in a new
// generation: that this can be made durable is the proof that the disk works again. It
// also makes the reserve again. It is nil for a state that is good. The error matches
// ErrReadOnly; Revive can be tried again then, except where the state is damaged, the
// store is a view or was closed.
func (s *Store) Revive() error {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if !s.host {
		return readOnly(s.stateDir(), errors.New("opened for reading only"))
	}
	if st.failed != nil {
		if err := s.reviveState(); err != nil {
			return err
		}
	}
	_ = s.makeReserve() // there is none while the disk is full
	return nil
}

// reviveState writes the changes that were acknowledged into a generation behind all
// that are there.
func (s *Store) reviveState() error {
	st := &s.state
	if st.file == nil {
		return st.failed
	}
	path := s.statePath(st.number)
	changes, err := readChanges(st.file, path, st.extent)
	if err != nil {
		return readOnly(path, err)
	}
	generations, err := s.generations()
	if err != nil {
		return readOnly(path, err)
	}
	number := st.number
	for _, n := range generations {
		number = max(number, n)
	}
	if err := s.generation(number+1, changes); err != nil {
		return readOnly(path, err)
	}
	st.failed = nil
	return nil
}
