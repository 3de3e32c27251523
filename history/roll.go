package history

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"p2pchat/rooms"
)

// rewriteName is a segment that is being written anew, in the room's directory.
const rewriteName = "rewrite.tmp"

// roll ends the last segment and begins the next one, which is there for good when
// this returns nil.
func (l *Log) roll(now *view, epoch uint64) error {
	if l.file != nil {
		err := l.file.Sync()
		if cerr := l.closeFile(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	x, f, err := l.create(now.head()+1, epoch)
	if err != nil {
		return err
	}
	l.store.indexes.put(l.tailPath(), now.last)
	l.useTail(f)
	next := *now
	next.segments = append(now.segments[:len(now.segments):len(now.segments)], x.first)
	next.last = x
	l.view.Store(&next)
	return nil
}

// useTail goes over to another last segment, or to a new file of it; nil: it is
// opened when something is appended.
func (l *Log) useTail(f file) {
	l.file, l.blocks, l.began = f, blockWriter{}, time.Time{}
}

// create makes the segment that starts with first, durably.
func (l *Log) create(first rooms.Seq, epoch uint64) (index, file, error) {
	h := l.store.newHeader(l.key, first, epoch)
	path := l.path(first)
	f, err := l.store.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return index{}, nil, err
	}
	_, err = f.WriteAt(h.encode(logMagic), 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.store.fs.SyncDir(l.dir)
	}
	if err != nil {
		f.Close()
		_ = l.store.fs.Remove(path) // it would be taken for the rest of a crash
		return index{}, nil, err
	}
	return index{header: h, last: first - 1, end: headerSize}, f, nil
}

// Renew gives the history another epoch, so that no cursor of an older copy points
// into it. It is called once after a backup was restored. Its errors are those of
// Append.
func (l *Log) Renew() error {
	if l.failed != nil {
		return l.failed
	}
	if err := l.freshTail(l.store.newEpoch()); err != nil {
		return l.fail(err)
	}
	return nil
}

// freshTail goes on in a new file: the next segment, or where the last one is empty,
// another one in its place.
func (l *Log) freshTail(epoch uint64) error {
	now := l.view.Load()
	if now.head() >= now.last.first {
		return l.roll(now, epoch)
	}
	h := l.store.newHeader(l.key, now.last.first, epoch)
	return l.install(now, len(now.segments)-1, h.encode(logMagic))
}

// install puts another file in the place of the i-th segment. A crash leaves one of
// them. When it fails it is not known which one.
func (l *Log) install(now *view, i int, content []byte) error {
	temporary := filepath.Join(l.dir, rewriteName)
	x, err := l.writeSegment(temporary, content)
	if err != nil {
		_ = l.store.fs.Remove(temporary)
		return err
	}
	final := i == len(now.segments)-1
	if final {
		if err := l.closeFile(); err != nil { // Windows replaces no open file
			return err
		}
	}
	if err := l.replace(now, i, temporary, x); err != nil {
		return err
	}
	if final {
		l.useTail(nil)
	}
	return l.store.fs.SyncDir(l.dir)
}

// replace renames a file to the i-th segment, and shows readers its index at once.
func (l *Log) replace(now *view, i int, temporary string, x index) error {
	l.files.Lock()
	defer l.files.Unlock()
	path := l.path(now.segments[i])
	if err := l.store.fs.Rename(temporary, path); err != nil {
		return err
	}
	if i < len(now.segments)-1 {
		l.store.indexes.put(path, x)
		return nil
	}
	next := *now
	next.last = x
	l.view.Store(&next)
	return nil
}

// writeSegment writes a segment's file durably and reads it back.
func (l *Log) writeSegment(path string, content []byte) (index, error) {
	f, err := l.store.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return index{}, err
	}
	defer f.Close()
	if _, err := f.WriteAt(content, 0); err != nil {
		return index{}, err
	}
	if err := f.Sync(); err != nil {
		return index{}, err
	}
	h, err := readHeader(f, path, logMagic, int64(len(content)))
	if err != nil {
		return index{}, err
	}
	e, err := scan(f, h, int64(len(content)))
	if err == nil && e.bad != nil {
		err = fmt.Errorf("%q was not written as it should be: %w", path, e.bad)
	}
	return e.index, err
}
