package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrHash is why a file is not saved whose content is not what was promised.
var ErrHash = errors.New("what came is not the file that was promised")

// Folder is where files are saved that others have sent.
type Folder struct {
	Dir string // made when it is missing

	// Fixed says that a file is saved under the very name that is asked for, or not at
	// all. Otherwise a number is added to a name that is taken.
	Fixed bool
}

// Saving is a file that is coming. Until it is whole it stands in the folder under a
// hidden name, so that it can be gone on with later, by another run of the program, too.
type Saving struct {
	root  *os.Root
	dir   string
	part  *os.File
	name  string
	fixed bool
	size  int64
	hash  [sha256.Size]byte
}

// Begin begins to save a file of this size and content under a safe form of its name, or
// goes on with it. Close gives it back.
func (f Folder) Begin(name string, size int64, hash [sha256.Size]byte) (*Saving, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, err
	}
	s := &Saving{root: root, dir: f.Dir, name: SafeName(name), fixed: f.Fixed, size: size, hash: hash}
	if f.Fixed {
		if _, err := root.Lstat(s.name); err == nil {
			_ = root.Close()
			return nil, fmt.Errorf("%s is there already: %w", filepath.Join(f.Dir, s.name), fs.ErrExist)
		}
	}
	if s.part, err = s.open(); err != nil {
		_ = root.Close()
		return nil, err
	}
	if s.Offset() > size {
		err = s.part.Truncate(0)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// partName is where the file stands until it is whole.
func (s *Saving) partName() string { return ".p2pchat-" + hex.EncodeToString(s.hash[:12]) + ".part" }

// open opens what came before, if that is a file of its own, or else a new one.
func (s *Saving) open() (*os.File, error) {
	name := s.partName()
	if info, err := s.root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", filepath.Join(s.dir, name))
	}
	return s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
}

// Offset is how many bytes are there.
func (s *Saving) Offset() int64 {
	info, err := s.part.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// WriteAt implements io.WriterAt. Beyond its size, the file takes nothing.
func (s *Saving) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > s.size {
		return 0, errors.New("more comes than was promised")
	}
	return s.part.WriteAt(p, at)
}

// Finish gives the file its name, when it is whole and its content is what was promised,
// and returns its path. What is not, is removed, and the error is ErrHash.
func (s *Saving) Finish() (path string, err error) {
	if err := s.part.Sync(); err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(s.part, 0, s.size+1)); err != nil {
		return "", err
	}
	if s.Offset() != s.size || [sha256.Size]byte(sum.Sum(nil)) != s.hash {
		return "", errors.Join(ErrHash, s.root.Remove(s.partName()))
	}
	name, err := s.settle()
	if err != nil {
		return "", err
	}
	return filepath.Join(s.dir, name), nil
}

// mostNumbers is how many files of one name a folder takes.
const mostNumbers = 10_000

// settle gives the file a name that nothing else has.
func (s *Saving) settle() (string, error) {
	stem, ext := splitName(s.name)
	name := s.name
	for n := 1; n < mostNumbers; n++ {
		err := s.claim(name)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, fs.ErrExist) || s.fixed {
			return "", err
		}
		name = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
	return "", fmt.Errorf("too many files are called %s", s.name)
}

// claim moves the file to a name, if that is free.
func (s *Saving) claim(name string) error {
	part := s.partName()
	err := s.root.Link(part, name)
	switch {
	case err == nil:
		return s.root.Remove(part)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	// A file system without links: an empty file holds the name until the whole one
	// takes its place.
	holder, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = holder.Close()
	return s.root.Rename(part, name)
}

// Discard removes what came.
func (s *Saving) Discard() error { return s.root.Remove(s.partName()) }

// Close gives up the files that are open; what came stays for another time.
func (s *Saving) Close() error { return errors.Join(s.part.Close(), s.root.Close()) }

// ReadAt implements io.ReaderAt over what came.
func (s *Saving) ReadAt(p []byte, at int64) (int, error) { return s.part.ReadAt(p, at) }
