package files

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// partName is where a file stands until it is whole.
func (s *Saving) partName() string { return ".p2pchat-" + hex.EncodeToString(s.hash[:12]) + ".part" }

var (
	errGone  = errors.New("the part is under this name no more")
	errUnfit = errors.New("others could write to the part")
)

// mostTakes is how often a part may go away while it is taken: each time somebody else
// has finished the same file just then.
const mostTakes = 100

// open takes what came before, or begins a new part. Where it can't be kept from others,
// a part is begun under a name of its own.
func (s *Saving) open() (err error) {
	s.at = s.partName()
	for range mostTakes {
		s.part, err = s.take()
		switch {
		case errors.Is(err, errGone):
		case errors.Is(err, errUnfit), errors.Is(err, fs.ErrPermission):
			return s.begin()
		default:
			return err
		}
	}
	return ErrBusy
}

// take opens the part and locks it, so that nobody else writes to it until Close, not
// even when it is finished. The lock ends with the process, whatever kills that.
func (s *Saving) take() (*os.File, error) {
	if info, err := s.root.Lstat(s.at); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", filepath.Join(s.dir, s.at))
	}
	f, err := s.root.OpenFile(s.at, os.O_RDWR|os.O_CREATE|noFollow|noWait, 0o600)
	if err != nil {
		return nil, err
	}
	if err := s.secure(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// secure makes sure that a part is ours alone.
func (s *Saving) secure(f *os.File) error {
	if err := lock(f); errors.Is(err, ErrBusy) {
		return err
	} else if err != nil {
		return errUnfit // no locks here
	}
	// Until it was locked, it could be finished by another: then it has another name.
	if !leadsTo(s.root, s.at, f) {
		return errGone
	}
	n, err := links(f)
	switch {
	case err != nil:
		return err
	case n > 1: // it is, under another name, a file that somebody has
		if s.root.Remove(s.at) != nil {
			return errUnfit
		}
		return errGone
	}
	return private(f)
}

// begin begins a part that nobody else knows of. Killed, the program leaves it behind.
func (s *Saving) begin() (err error) {
	s.at, s.once = ".p2pchat-"+rand.Text()+".part", true
	s.part, err = s.root.OpenFile(s.at, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return err
}

// stands tells whether the part is still under its name.
func (s *Saving) stands() bool { return leadsTo(s.root, s.at, s.part) }

// leadsTo tells whether a name is that of an open regular file.
func leadsTo(root *os.Root, name string, f *os.File) bool {
	named, err := root.Lstat(name)
	if err != nil || !named.Mode().IsRegular() {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(named, open)
}
