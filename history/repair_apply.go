package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"p2pchat/rooms"
)

// apply writes the targets beside the files that are there, copies the damaged ones to
// lost/, and only then puts the new ones in their places. What a crash in between leaves
// is all that a repair needs to be done again.
func (s *salvage) apply(targets []target, r *Repair) error {
	spares, err := s.spares()
	if err != nil || len(targets)+len(spares) == 0 {
		return err
	}
	written, err := s.prepare(targets, r)
	if err != nil {
		return errors.Join(err, removeAll(s.store.fs, written))
	}
	for i, t := range slices.Backward(targets) { // the one with a new epoch first
		if err := s.store.fs.Rename(written[i], filepath.Join(s.dir, segmentName(t.first))); err != nil {
			return err
		}
		r.Renewed = r.Renewed || t.renew
	}
	if err := s.store.fs.SyncDir(s.dir); err != nil {
		return err
	}
	for i := range spares {
		spares[i] = filepath.Join(s.dir, spares[i])
	}
	if err := removeAll(s.store.fs, spares); err != nil {
		return err
	}
	return s.store.fs.SyncDir(s.dir)
}

// prepare writes the targets under other names and copies the damaged files, durably.
// It returns what it wrote, also when it failed.
func (s *salvage) prepare(targets []target, r *Repair) (written []string, err error) {
	if n := s.missing(targets); n > maxLost {
		return nil, fmt.Errorf("%d messages would be missing; is there a file in %q that does not belong there?", n, s.dir)
	}
	for _, t := range targets {
		path, err := s.write(t, r)
		if path != "" {
			written = append(written, path)
		}
		if err != nil {
			return written, err
		}
	}
	if err := s.store.fs.SyncDir(s.dir); err != nil {
		return written, err
	}
	for _, t := range targets {
		if t.source == nil {
			continue
		}
		path, err := copyAside(s.store.fs, s.dir, t.source.path)
		if err != nil {
			return written, err
		}
		r.Aside = append(r.Aside, path)
	}
	return written, nil
}

func removeAll(fsys fs, paths []string) error {
	var err error
	for _, path := range paths {
		err = errors.Join(err, fsys.Remove(path))
	}
	return err
}

// missing counts the messages of the targets that nothing is known of.
func (s *salvage) missing(targets []target) rooms.Seq {
	var n rooms.Seq
	for _, t := range targets {
		n += t.next - t.first
		for _, p := range s.pieces {
			if from, to := max(p.from, t.first), min(p.to+1, t.next); from < to {
				n -= to - from
			}
		}
	}
	return n
}

// copyAside copies a damaged file to lost/ below dir, durably, and returns where.
func copyAside(fsys fs, dir, path string) (string, error) {
	lost := filepath.Join(dir, "lost")
	if err := ensureDir(fsys, lost); err != nil {
		return "", err
	}
	f, err := fsys.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return "", err
	}
	out, aside, err := createFresh(fsys, lost, filepath.Base(path), ".damaged")
	if err != nil {
		return "", err
	}
	err = errors.Join(copyBytes(out, f, 0, size), out.Sync(), out.Close())
	if err == nil {
		err = fsys.SyncDir(lost)
	}
	if err == nil {
		err = fsys.SyncDir(dir)
	}
	return aside, err
}

// createFresh makes a file with a name that is not taken yet.
func createFresh(fsys fs, dir, name, suffix string) (file, string, error) {
	path := filepath.Join(dir, name+suffix)
	for i := 2; ; i++ {
		f, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if !errors.Is(err, os.ErrExist) {
			return f, path, err
		}
		path = filepath.Join(dir, fmt.Sprintf("%s-%d%s", name, i, suffix))
	}
}
