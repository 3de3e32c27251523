package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// setAside copies bytes of f to lost/ below dir, durably, before they are cut off.
// It returns where, as the end of a sentence.
func setAside(fsys fs, dir, name string, f file, from, to int64) (string, error) {
	if from >= to {
		return "", nil
	}
	lost := filepath.Join(dir, "lost")
	if err := ensureDir(fsys, lost); err != nil {
		return "", err
	}
	out, path, err := createTorn(fsys, lost, fmt.Sprintf("%s-%d", name, from))
	if err != nil {
		return "", err
	}
	err = copyBytes(out, f, from, to)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.SyncDir(lost)
	}
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("; kept in %q", path), nil
}

// createTorn makes a file that is not there yet: the same place may tear twice.
func createTorn(fsys fs, dir, name string) (file, string, error) {
	path := filepath.Join(dir, name+".torn")
	for i := 2; ; i++ {
		f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if !errors.Is(err, os.ErrExist) {
			return f, path, err
		}
		path = filepath.Join(dir, fmt.Sprintf("%s-%d.torn", name, i))
	}
}

func copyBytes(to, from file, off, end int64) error {
	buf := make([]byte, min(windowSize, end-off))
	for start := off; off < end; {
		b := buf[:min(int64(len(buf)), end-off)]
		if _, err := from.ReadAt(b, off); err != nil {
			return err
		}
		if _, err := to.WriteAt(b, off-start); err != nil {
			return err
		}
		off += int64(len(b))
	}
	return nil
}

// dropTorn removes what was cut off after crashes: what was never acknowledged was
// sent again, and is to go with the message that it became.
func (l *Log) dropTorn() error {
	lost := filepath.Join(l.dir, "lost")
	entries, err := l.store.fs.List(lost)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil && strings.HasSuffix(e.name, ".torn") {
			err = l.store.fs.Remove(filepath.Join(lost, e.name))
		}
	}
	if err == nil {
		err = l.store.fs.SyncDir(lost)
	}
	return err
}
