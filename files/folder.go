package files

import (
	"crypto/sha256"
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

// ErrBusy is why a file is not saved: it is on its way into the same folder already, for
// this or for another program.
var ErrBusy = errors.New("it is being saved already")

// Saving is a file that is coming. Until it is whole it stands in the folder under a
// hidden name, so that it can be gone on with later, by another run of the program, too.
// It is not for several goroutines at once.
type Saving struct {
	root  *os.Root
	dir   string
	part  *os.File
	at    string // where part stands until it is whole
	once  bool   // nobody goes on with this part: it is gone at Close
	done  bool   // it has its name, or has been removed
	name  string
	fixed bool
	size  int64
	hash  [sha256.Size]byte

	unsynced int64 // bytes
}

// syncEvery is after how many bytes a file is synced that is coming. On most file systems
// other programs wait with their own syncs for it, so it is little at a time.
const syncEvery = 512 << 10

// Begin begins to save a file of this size and content under a safe form of its name, or
// goes on with it. The error is [ErrBusy] while somebody else does. Close gives it back.
func (f Folder) Begin(name string, size int64, hash [sha256.Size]byte) (*Saving, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, f.unusable(err)
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, f.unusable(err)
	}
	s := &Saving{root: root, dir: f.Dir, name: SafeName(name), fixed: f.Fixed, size: size, hash: hash}
	if f.Fixed {
		if _, err := root.Lstat(s.name); err == nil {
			_ = root.Close()
			return nil, existsError(filepath.Join(f.Dir, s.name))
		}
	}
	if err := s.open(); err != nil {
		_ = root.Close()
		return nil, f.unusable(err)
	}
	if s.Offset() > size {
		if err := s.part.Truncate(0); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}

// existsError is an [fs.ErrExist] about a path.
type existsError string

func (e existsError) Error() string {
	return string(e) + " is there already, and nothing is overwritten"
}
func (e existsError) Is(target error) bool { return target == fs.ErrExist }

// unusable leaves out of an error which name in the folder it was about: people don't
// know that one.
func (f Folder) unusable(err error) error {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("nothing can be saved in %s: %v", f.Dir, path.Err)
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
	if s.done {
		return 0, fs.ErrClosed
	}
	if at < 0 || at+int64(len(p)) > s.size {
		return 0, errors.New("more comes than was promised")
	}
	n, err := s.part.WriteAt(p, at)
	if s.unsynced += int64(n); err == nil && s.unsynced >= syncEvery {
		err = s.sync()
	}
	return n, err
}

// sync makes durable what came. The system may have dropped a part of it when that fails,
// and would not say so again.
func (s *Saving) sync() error {
	s.unsynced = 0
	if err := s.part.Sync(); err != nil {
		return errors.Join(err, s.Discard())
	}
	return nil
}

// Finish gives the file its name, when it is whole and its content is what was promised,
// and returns its path. What is not, is removed, and the error is ErrHash. Nothing is
// written to it any more, by nobody: what was hashed is what gets the name.
func (s *Saving) Finish() (path string, err error) {
	if err := s.sync(); err != nil {
		return "", err
	}
	s.done = true
	if !s.stands() {
		return "", fmt.Errorf("somebody else has removed what came: %w", fs.ErrNotExist)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(s.part, 0, s.size+1)); err != nil {
		return "", err
	}
	if s.Offset() != s.size || [sha256.Size]byte(sum.Sum(nil)) != s.hash {
		return "", errors.Join(ErrHash, s.root.Remove(s.at))
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

// claim moves the file to a name, if that is free: in one step, or by a second link, or,
// where a file system has neither, by holding the name.
func (s *Saving) claim(name string) error {
	err := move(s.root, s.at, name)
	if lacks(err) {
		err = s.link(name)
	}
	if lacks(err) {
		err = s.hold(name)
	}
	return err
}

// link is for systems that can't move a file without replacing another. Killed in the
// middle, it leaves a part with two names, which nobody goes on with; see open.
func (s *Saving) link(name string) error {
	if err := s.root.Link(s.at, name); err != nil {
		return err
	}
	_ = s.root.Remove(s.at) // if that can't be, it is as if killed
	return nil
}

// hold lets an empty file hold the name until the whole one takes its place. It is seen
// for that moment.
func (s *Saving) hold(name string) error {
	holder, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = holder.Close()
	if err := s.root.Rename(s.at, name); err != nil {
		return errors.Join(err, s.root.Remove(name))
	}
	return nil
}

// Discard removes what came.
func (s *Saving) Discard() error {
	s.done = true
	return s.root.Remove(s.at)
}

// Close gives up the files that are open; what came stays for another time, if something did.
func (s *Saving) Close() error {
	var err error
	if (s.once || !s.done && s.Offset() == 0) && s.stands() {
		err = s.root.Remove(s.at)
	}
	return errors.Join(err, s.part.Close(), s.root.Close())
}

// ReadAt implements io.ReaderAt over what came.
func (s *Saving) ReadAt(p []byte, at int64) (int, error) { return s.part.ReadAt(p, at) }
