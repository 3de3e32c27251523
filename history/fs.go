package history

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// fs is everything that this package asks of a file system. Tests put one behind
// it that loses power, and one that fails.
type fs interface {
	OpenFile(name string, flag int) (file, error) // flag as for os.OpenFile; created 0600
	Mkdir(name string) error                      // 0700
	List(name string) ([]entry, error)            // sorted by name
	Rename(from, to string) error                 // also into another directory, of the same disk
	Remove(name string) error
	SyncDir(name string) error // makes created, renamed and removed names durable
	Lock(name string) (io.Closer, error)
	Free(name string) (int64, error) // bytes left on the disk of a directory; negative: not known
}

// file is an open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Sync() error     // data and all metadata
	Datasync() error // data and the metadata that is needed to read it
	Truncate(size int64) error
}

// entry is a name in a directory.
type entry struct {
	name string
	size int64 // bytes
	dir  bool

	changed time.Time // when what is in it was written last; zero: not known
}

// disk is the operating system's file system.
type disk struct{}

func (disk) OpenFile(name string, flag int) (file, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (disk) Mkdir(name string) error      { return os.Mkdir(name, 0o700) }
func (disk) Rename(from, to string) error { return os.Rename(from, to) }
func (disk) Remove(name string) error     { return os.Remove(name) }
func (disk) SyncDir(name string) error    { return syncDir(name) }

func (disk) Free(name string) (int64, error) { return freeBytes(name) }

func (disk) List(name string) ([]entry, error) {
	found, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(found))
	for _, d := range found {
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{d.Name(), info.Size(), d.IsDir(), info.ModTime()})
	}
	return entries, nil
}

func (disk) Lock(name string) (io.Closer, error) {
	return lock(name)
}

// diskFile is a file of the operating system.
type diskFile struct{ *os.File }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f diskFile) Datasync() error { return datasync(f.File) }

// mkdirs makes a directory and those above it, and makes their names durable.
func mkdirs(fsys fs, dir string) error {
	err := fsys.Mkdir(dir)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	parent := filepath.Dir(dir)
	if errors.Is(err, os.ErrNotExist) && parent != dir {
		if err := mkdirs(fsys, parent); err != nil {
			return err
		}
		err = fsys.Mkdir(dir)
	}
	if err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}

// ensureDir makes the directory where it is missing. The caller syncs its parent.
func ensureDir(fsys fs, dir string) error {
	if err := fsys.Mkdir(dir); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}
