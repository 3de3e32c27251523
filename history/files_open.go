package history

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// open finds what is there. Where no file was ever uploaded that is one look.
func (f *files) open() error {
	for _, find := range []func() error{f.findBlobs, f.findShelves, f.findClaims, f.findPartials} {
		err := find()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, b := range f.blobs { // of an upload that a crash cut off at its very end
		if b.refs == 0 {
			f.doomed = append(f.doomed, b)
		}
	}
	_ = f.sweep() // tried again later
	return nil
}

// listIn is List for a directory that may be missing.
func (s *Store) listIn(dir string) ([]entry, error) {
	entries, err := s.fs.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// findBlobs returns os.ErrNotExist where there are no files at all.
func (f *files) findBlobs() error {
	if _, err := f.store.fs.List(f.store.filesDir()); err != nil {
		return err
	}
	f.any = true
	dirs, err := f.store.listIn(f.store.blobsDir())
	if err != nil {
		return err
	}
	for _, d := range dirs {
		dir := filepath.Join(f.store.blobsDir(), d.name)
		blobs, err := f.store.listIn(dir)
		if err != nil {
			return err
		}
		for _, e := range blobs {
			h, ok := parseHash(e.name)
			switch {
			case strings.Contains(e.name, trashMark):
				_ = f.store.fs.Remove(filepath.Join(dir, e.name))
			case ok && !e.dir && e.name[:2] == d.name:
				f.blobs[h] = &blob{hash: h, size: e.size}
				f.used += charge(e.size)
			}
		}
	}
	return nil
}

// findShelves finds the attachments of all rooms, also of those that were closed.
func (f *files) findShelves() error {
	keys, err := f.store.RoomKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		entries, err := f.store.listIn(f.store.shelfDir(key))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if a, ok := parseAttachment(e.name); ok && !e.dir {
				s := f.shelf(key)
				s.attachments = append(s.attachments, a) // sorted, as the names are
				a.blob = f.hold(key, a.hash)             // where it is missing, Verify tells
			}
		}
	}
	return nil
}

// findClaims finds the uploads that were not posted, or of which that is not known.
func (f *files) findClaims() error {
	entries, err := f.store.listIn(f.store.claimDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(f.store.claimDir(), e.name)
		c, err := f.store.readClaim(path)
		switch {
		case strings.HasSuffix(e.name, unfinished) || errors.Is(err, errNoClaim):
			_ = f.store.fs.Remove(path)
			continue
		case err != nil:
			return err
		case f.blobs[c.File.Hash] == nil: // it was removed, and a crash brought it back
			_ = f.store.fs.Remove(path)
			continue
		}
		f.claims[c.File.ID] = c
		c.blob = f.hold(c.room, c.File.Hash)
	}
	if len(f.claims) == 0 {
		return nil
	}
	return f.store.fs.SyncDir(f.store.claimDir()) // whoever made them may have been killed before that
}

// findPartials finds the uploads that can be continued.
func (f *files) findPartials() error {
	entries, err := f.store.listIn(f.store.partialDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		p, ok := parsePartial(e.name)
		if !ok || e.dir || e.size > p.size {
			_ = f.store.fs.Remove(filepath.Join(f.store.partialDir(), e.name))
			continue
		}
		if p.written, p.touched = e.size, e.changed; p.touched.IsZero() {
			p.touched = f.store.now()
		}
		f.partials[e.name] = p
		f.charge(p, charge(p.written))
	}
	return nil
}
