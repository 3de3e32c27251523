package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"p2pchat/rooms"
)

// open finds the room's segments and scans the last one. It makes a host's log
// where there is none, and repairs what a crash left. The error is one that leaves
// nothing to read; all others make the log read-only.
func (l *Log) open() error {
	if l.store.host {
		if err := l.store.makeRoom(l.dir); err != nil {
			return err
		}
		err := l.store.fs.Remove(filepath.Join(l.dir, rewriteName))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	} else {
		l.failed = readOnly(l.dir, errors.New("opened for reading only"))
	}
	segments, err := listSegments(l.store.fs, l.dir)
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return l.begin(1)
	}
	return l.openTail(segments)
}

// makeRoom makes a room's directory where it is missing. The names of those that were
// there when the store was opened are durable.
func (s *Store) makeRoom(dir string) error {
	s.making.Lock()
	defer s.making.Unlock()
	err := s.fs.Mkdir(dir)
	if err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if s.newRooms = s.newRooms || err == nil; !s.newRooms {
		return nil
	}
	err = s.fs.SyncDir(s.roomsDir())
	s.newRooms = err != nil
	return err
}

// listSegments returns the first message of each segment in the directory, in order.
func listSegments(fsys fs, dir string) ([]rooms.Seq, error) {
	entries, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	var segments []rooms.Seq
	for _, e := range entries {
		if n, ok := numberIn(e.name, "seg-"); ok && !e.dir {
			segments = append(segments, rooms.Seq(n))
		}
	}
	slices.Sort(segments)
	return segments, nil
}

// begin begins an empty log. A view of a log that its host is just making is empty,
// too, and has no epoch yet.
func (l *Log) begin(first rooms.Seq) error {
	x := index{header: header{room: l.key, first: first}, last: first - 1, end: headerSize}
	if l.store.host {
		made, f, err := l.create(first, l.store.newEpoch())
		if err != nil {
			return err
		}
		x, l.file = made, f
	}
	l.view.Store(&view{segments: []rooms.Seq{first}, last: x})
	if l.store.host {
		return l.reconcile()
	}
	return nil
}

// openTail opens the last segment. One without a whole header, and nothing else, is
// what a crash leaves of a new segment: it is taken away, and the one before is the
// last.
func (l *Log) openTail(segments []rooms.Seq) error {
	first := segments[len(segments)-1]
	path := l.path(first)
	f, err := l.store.fs.OpenFile(path, l.store.access())
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	h, err := readHeader(f, path, logMagic, size)
	if err == nil && (h.room != l.key || h.first != first) {
		err = errHeader
	}
	l.view.Store(&view{segments: segments, last: index{
		header: header{room: l.key, first: first}, last: first - 1, end: headerSize,
	}})
	if errors.Is(err, errHeader) {
		torn, err := tornHeader(f, size)
		if err != nil {
			return err
		}
		if torn {
			return l.withoutTail(f, segments, size)
		}
		l.damaged(&DamageError{File: path, After: first - 1, Reason: errHeader.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	return l.openSegment(f, segments, h, size)
}

// withoutTail opens the log without its last segment, which has no header.
func (l *Log) withoutTail(f file, segments []rooms.Seq, size int64) error {
	first := segments[len(segments)-1]
	segments = segments[:len(segments)-1]
	if l.store.host {
		kept, err := setAside(l.store.fs, l.dir, segmentName(first), f, 0, size)
		if err == nil {
			f.Close() // Windows removes no open file
			err = l.store.fs.Remove(l.path(first))
		}
		if err == nil {
			err = l.store.fs.SyncDir(l.dir)
		}
		if err != nil {
			return err
		}
		l.note("took away %q, which had no whole header%s", l.path(first), kept)
	}
	if len(segments) == 0 {
		return l.begin(first)
	}
	if err := l.openTail(segments); err != nil {
		return err
	}
	if now := l.view.Load(); l.damage == nil && now.head() != first-1 {
		l.damaged(&DamageError{
			File: l.tailPath(), Offset: now.last.end, After: now.head(),
			Reason: fmt.Sprintf("a segment that began with %d followed", first),
		})
	}
	return nil
}

// openSegment scans the last segment and makes it the log's tail.
func (l *Log) openSegment(f file, segments []rooms.Seq, h header, size int64) error {
	path := l.path(h.first)
	e, err := scan(f, h, size)
	if err != nil {
		return err
	}
	l.view.Store(&view{segments: segments, last: e.index})
	d, err := e.damage(f, path, size, l.store.sector)
	if err != nil {
		return err
	}
	now := view{segments: segments, last: e.index}
	if d == nil {
		d, err = l.readChain(f, &e, &now)
	}
	if err != nil {
		return err
	}
	if d != nil {
		l.damaged(d)
		return nil
	}
	l.view.Store(&now)
	err = l.finish(f, e, size)
	switch {
	case errors.As(err, &d):
		l.damaged(d)
	case err != nil:
		l.failed, l.unsynced = readOnly(path, err), true
	}
	if errors.Is(err, errDoubt) {
		f.Close() // Windows replaces no open file
		if err := l.Revive(); err != nil {
			l.failed = err
		}
	}
	return nil
}

// finish ends what a crash has interrupted; a view only hides what is to be taken out.
func (l *Log) finish(f file, e extent, size int64) error {
	now := *l.view.Load()
	var err error
	l.redactions = e.redactions
	if now.open, err = l.openRedactions(e.redactions); err != nil {
		return err
	}
	l.view.Store(&now)
	if !l.store.host {
		return nil
	}
	if err := l.mend(f, e, size); err != nil {
		return err
	}
	f.Close() // Windows replaces no open file
	if err := l.carryOut(); err != nil {
		return err
	}
	return l.reconcile()
}

// mend cuts off the broken rest of a write, and makes sure that all the others are
// on the disk: a process that was killed may have written them and not synced.
func (l *Log) mend(f file, e extent, size int64) error {
	if l.doubted() {
		return errDoubt
	}
	if e.end < size {
		if err := l.setTorn(f, e.index, size); err != nil {
			return err
		}
		if err := f.Truncate(e.end); err != nil {
			return err
		}
	}
	err := f.Sync()
	if err == nil {
		err = l.store.fs.SyncDir(l.dir)
	}
	if err != nil {
		l.doubt()
	}
	return err
}

// unsyncedName is a file beside a last segment that could not be synced when the log was
// opened, or cut off after a write that failed. After that a kernel takes for written what it has not: a later sync says
// nothing of it. Like the cache of the kernel, the file outlives the process; whether
// a loss of power leaves it does not matter.
const unsyncedName = "unsynced"

var errDoubt = errors.New("it could not be synced at an earlier start")

func (l *Log) doubt() {
	if f, err := l.store.fs.OpenFile(filepath.Join(l.dir, unsyncedName), os.O_RDWR|os.O_CREATE); err == nil {
		_ = f.Close()
	}
}

func (l *Log) doubted() bool {
	f, err := l.store.fs.OpenFile(filepath.Join(l.dir, unsyncedName), os.O_RDONLY)
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_ = f.Close()
	return true
}

// setTorn sets the broken rest of a write aside.
func (l *Log) setTorn(f file, x index, size int64) error {
	kept, err := setAside(l.store.fs, l.dir, segmentName(x.first), f, x.end, size)
	if err == nil {
		l.note("cut %d bytes after message %d, which a crash had left incomplete%s", size-x.end, x.last, kept)
	}
	return err
}

// readChain reads the chain behind the last message. Where the last segment is empty,
// that message is the last of the segment before.
func (l *Log) readChain(f file, e *extent, now *view) (*DamageError, error) {
	path, last, block := l.path(e.first), e.index, e.block
	if e.last < e.first {
		if len(now.segments) < 2 {
			return nil, nil
		}
		before := now.segments[len(now.segments)-2]
		path = l.path(before)
		bf, be, err := l.scanClosed(before, e.first)
		var d *DamageError
		if errors.As(err, &d) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		defer bf.Close()
		f, last, block = bf, be.index, be.block
	}
	var blocks blockReader
	r := frameReader{f: f, salt: last.salt, off: block, end: last.end}
	for r.off < r.end {
		fr, err := r.next()
		if err != nil {
			return nil, err
		}
		var rec record
		if err := blocks.decode(fr, &rec); err != nil {
			return &DamageError{File: path, Offset: fr.off, After: fr.seq - 1, Reason: err.Error()}, nil
		}
		now.chain, now.lost = rec.chain(fr.seq), rec.Lost
	}
	return nil, nil
}

// damaged makes the log read-only because of what was found when it was opened.
func (l *Log) damaged(err error) {
	l.damage = err
	if l.store.host {
		l.failed = readOnly(l.tailPath(), err)
	}
}

// note adds to what Repaired tells.
func (l *Log) note(format string, args ...any) {
	if l.repaired != "" {
		l.repaired += "; "
	}
	l.repaired += fmt.Sprintf(format, args...)
}
