package history

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"p2pchat/rooms"
)

// Log is the history of one room. Append, Renew and Close belong to one goroutine,
// the room's owner; all other methods are safe from any goroutine meanwhile.
type Log struct {
	store    *Store
	key      rooms.RoomKey
	dir      string
	repaired string
	damage   error
	closed   atomic.Bool
	view     atomic.Pointer[view] // replaced by the owner, when a write is durable

	// Below: the owner's.
	failed error // why nothing can be appended any more
	file   file  // the last segment; nil until something is appended
	blocks blockWriter
	chain  chainSum // behind the last message
}

// view is what readers may see. It never changes: an appended mark lies behind the
// ones that this view counts.
type view struct {
	segments []rooms.Seq // the first message of each, in order
	last     index       // of the last segment
}

func (v *view) head() rooms.Seq { return v.last.last }

// Epoch identifies this history. It is random, made with the log, and another one
// after Renew. It is 0 where damage hides it.
func (l *Log) Epoch() uint64 { return l.view.Load().last.epoch }

// Head returns the last durable message, 0 when there is none. In a damaged log it
// is the last one before the damage.
func (l *Log) Head() rooms.Seq { return l.view.Load().head() }

// First returns the first message that is available; Head+1 when there is none.
func (l *Log) First() rooms.Seq { return l.view.Load().segments[0] }

// Repaired tells what was cut off when the log was opened, because a crash had left
// it incomplete, and where it was set aside. It is empty if there was nothing.
func (l *Log) Repaired() string { return l.repaired }

// Damage returns why the log has been read-only since it was opened: a
// *DamageError, or the error of the disk that kept it from being repaired. It is nil
// for a log that was opened whole.
func (l *Log) Damage() error { return l.damage }

// Close closes the log. Everything that was acknowledged is on the disk already.
func (l *Log) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.store.forget(l)
	if l.failed == nil {
		l.failed = ErrClosed
	}
	return l.closeFile()
}

func (l *Log) closeFile() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

// Append stores messages. Their sequence numbers continue Head; Room is not stored.
// They are one write and one sync, and durable when it returns nil. After an error,
// whatever it was, none of them counts and the log stays read-only until it is
// opened again: the error and all later ones match ErrReadOnly.
func (l *Log) Append(msgs []rooms.Message) error {
	if l.failed != nil {
		return l.failed
	}
	if len(msgs) == 0 {
		return nil
	}
	if err := l.append(msgs); err != nil {
		return l.fail(err)
	}
	return nil
}

func (l *Log) append(msgs []rooms.Message) error {
	for i := range msgs {
		if want := l.Head() + 1 + rooms.Seq(i); msgs[i].Seq != want {
			return fmt.Errorf("message %d was to be appended in place of %d", msgs[i].Seq, want)
		}
	}
	if err := l.prepare(); err != nil {
		return err
	}
	now := l.view.Load()
	next, chain, err := l.encode(now.last, msgs)
	if err != nil {
		return err
	}
	if _, err := l.file.WriteAt(l.blocks.buf, now.last.end); err != nil {
		return err
	}
	if err := l.file.Datasync(); err != nil {
		return err
	}
	l.chain = chain
	l.view.Store(&view{segments: now.segments, last: next})
	return nil
}

// encode puts the frames of msgs into l.blocks and returns the index and the chain
// behind them.
func (l *Log) encode(x index, msgs []rooms.Message) (index, chainSum, error) {
	start, chain := x.end, l.chain
	l.blocks.reset()
	for i := range msgs {
		rec, behind := newRecord(&msgs[i], chain)
		off := start + int64(len(l.blocks.buf))
		began, err := l.blocks.add(x.salt, writeFlags(i, len(msgs)), msgs[i].Seq, &rec)
		if err != nil {
			return x, chain, err
		}
		if began {
			x.add(msgs[i].Seq, off)
		}
		chain = behind
	}
	x.last = msgs[len(msgs)-1].Seq
	x.end = start + int64(len(l.blocks.buf))
	return x, chain, nil
}

// fail makes the log read-only for good. What may have been written of the last
// write is cut off again if the disk lets us, so that a later open does not take it
// for durable; it was not acknowledged either way.
func (l *Log) fail(cause error) error {
	l.failed = readOnly(l.tailPath(), cause)
	if l.file != nil {
		if l.file.Truncate(l.view.Load().last.end) == nil {
			_ = l.file.Sync()
		}
		_ = l.closeFile()
	}
	return l.failed
}

// prepare opens the last segment for writing, or begins the next one when it is full.
func (l *Log) prepare() error {
	now := l.view.Load()
	if now.last.end >= l.store.segment && now.head() >= now.last.first {
		return l.roll(now, now.last.epoch)
	}
	if l.file != nil {
		return nil
	}
	f, err := l.store.fs.OpenFile(l.tailPath(), os.O_RDWR)
	if err != nil {
		return err
	}
	l.file = f
	size, err := f.Size()
	if err == nil && size != now.last.end {
		err = fmt.Errorf("it has %d bytes and had %d: somebody else changed it", size, now.last.end)
	}
	return err
}

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
	l.file, l.blocks = f, blockWriter{}
	segments := append(now.segments[:len(now.segments):len(now.segments)], x.first)
	l.view.Store(&view{segments: segments, last: x})
	return nil
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
	now := l.view.Load()
	var err error
	if now.head() >= now.last.first {
		err = l.roll(now, l.store.newEpoch())
	} else {
		err = l.replace(now)
	}
	if err != nil {
		return l.fail(err)
	}
	return nil
}

// replace puts an empty segment with another epoch in the place of an empty one. A
// crash in between leaves the log without it, as before it was made.
func (l *Log) replace(now *view) error {
	err := l.closeFile()
	if err == nil {
		err = l.store.fs.Remove(l.tailPath())
	}
	if err != nil {
		return err
	}
	x, f, err := l.create(now.last.first, l.store.newEpoch())
	if err != nil {
		return err
	}
	l.file, l.blocks = f, blockWriter{}
	l.view.Store(&view{segments: now.segments, last: x})
	return nil
}

func (l *Log) path(first rooms.Seq) string { return filepath.Join(l.dir, segmentName(first)) }

// tailPath is the file of the last segment.
func (l *Log) tailPath() string {
	now := l.view.Load()
	return l.path(now.segments[len(now.segments)-1])
}
