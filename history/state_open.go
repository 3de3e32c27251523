package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// open opens the newest generation of a host, or makes the first one. Damage does not
// fail it: it stays in st.failed.
func (st *state) open(s *Store) error {
	generations, err := s.generations()
	if err != nil {
		return err
	}
	if err := s.fs.Remove(filepath.Join(s.stateDir(), "new.tmp")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(generations) == 0 {
		return s.generation(1, nil)
	}
	st.number = generations[len(generations)-1]
	f, e, err := s.scanState(st.number)
	var damage *DamageError
	if errors.As(err, &damage) {
		st.failed = readOnly(damage.File, damage)
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.mendState(f, e); err != nil {
		f.Close()
		return err
	}
	e.bad, e.end, e.last = nil, e.whole, e.wholeLast
	st.file, st.extent = f, e
	return nil
}

// scanState opens and scans a generation.
func (s *Store) scanState(number uint64) (file, extent, error) {
	path := s.statePath(number)
	f, err := s.fs.OpenFile(path, s.access())
	if err != nil {
		return nil, extent{}, err
	}
	size, err := f.Size()
	var e extent
	if err == nil {
		e, err = scanFile(f, path, stateMagic, 1, func(header) bool { return true })
	}
	var d *DamageError
	if err == nil {
		d, err = e.damage(f, path, size, s.sector)
	}
	if err == nil && d == nil && uint64(e.wholeLast) < e.epoch {
		d = &DamageError{File: path, Offset: e.end, After: e.last, Reason: "its snapshot is not complete"}
	}
	if err == nil && d != nil {
		err = d
	}
	if err != nil {
		f.Close()
		return nil, e, err
	}
	return f, e, nil
}

// mendState cuts off a write that is not whole, and syncs all others.
func (s *Store) mendState(f file, e extent) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	if e.whole < size {
		name := filepath.Base(s.statePath(s.state.number))
		kept, err := setAside(s.fs, s.stateDir(), name, f, e.whole, size)
		if err != nil {
			return err
		}
		if err := f.Truncate(e.whole); err != nil {
			return err
		}
		s.state.repaired = fmt.Sprintf("cut %d bytes after change %d%s", size-e.whole, e.wholeLast, kept)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return s.fs.SyncDir(s.stateDir())
}

// generations returns the numbers of the state's files, in order.
func (s *Store) generations() ([]uint64, error) {
	entries, err := s.fs.List(s.stateDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var generations []uint64
	for _, e := range entries {
		if n, ok := numberIn(e.name, "state-"); ok && !e.dir {
			generations = append(generations, n)
		}
	}
	slices.Sort(generations)
	return generations, err
}

func (s *Store) statePath(number uint64) string {
	return filepath.Join(s.stateDir(), stateName(number))
}
