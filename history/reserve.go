package history

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"p2pchat/rooms"
)

// reserveSize is how many bytes of the disk are kept for changes that must not fail
// only because it is full.
const reserveSize = 1 << 20

func (s *Store) reservePath() string { return filepath.Join(s.dir, "reserve") }

// makeReserve takes the space of the reserve, where it is not taken already. Zeros are
// written, because only that takes it on every file system. Without room for it there
// is none. The caller holds the state's lock.
func (s *Store) makeReserve() error {
	f, err := s.fs.OpenFile(s.reservePath(), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err == nil && size != s.reserve {
		_, err = f.WriteAt(make([]byte, s.reserve), 0)
		if err == nil {
			err = f.Sync()
		}
	}
	_ = f.Close()
	if err != nil {
		_ = s.fs.Remove(s.reservePath())
	}
	return err
}

// keepReserve is makeReserve, for a log that is about to fill the disk.
func (s *Store) keepReserve() error {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.makeReserve()
}

// freeReserve gives the space of the reserve back; an error where there is none.
func (s *Store) freeReserve() error {
	if err := s.fs.Remove(s.reservePath()); err != nil {
		return err
	}
	return s.fs.SyncDir(s.dir)
}

// urgent tells whether the changes take a right away: these get the reserve.
func urgent(changes []rooms.Change) bool {
	return slices.ContainsFunc(changes, func(c rooms.Change) bool {
		switch c.Kind {
		case rooms.BanSet, rooms.InviteRevoked, rooms.MuteSet, rooms.RoleSet:
			return true
		}
		return false
	})
}

// noSpace tells whether err says that the disk, or a quota, is full.
func noSpace(err error) bool {
	const windowsDiskFull = syscall.Errno(112)
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull)
}
