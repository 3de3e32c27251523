package history

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"p2pchat/rooms"
)

// Log is the history of one room. Append, Redact, Retain, Renew, Revive and Close
// belong to one goroutine, the room's owner; all other methods are safe from any
// goroutine meanwhile.
type Log struct {
	store    *Store
	key      rooms.RoomKey
	dir      string
	repaired string
	damage   error
	opening  sync.Once
	unopened error // of opening
	closed   atomic.Bool
	settled  atomic.Bool          // reconcile has been done
	view     atomic.Pointer[view] // replaced by the owner, when a write is durable
	files    sync.RWMutex         // held by who reads one, and by the owner while one is replaced or removed

	// Below: the owner's.
	failed     error // why nothing can be appended any more
	unsynced   bool  // what was found when the log was opened could not be synced
	torn       bool  // what is broken behind it was set aside
	file       file  // the last segment; nil until something is appended
	blocks     blockWriter
	retention  rooms.Retention // the last one that was asked for
	unattached bool            // a message has shared a file, and has no attachment yet
	redactions []rooms.Seq     // in the last write, when the log was opened: until reconcile has seen them
	began      time.Time       // of the first message in the last segment; zero: not known
}

// view is what readers may see. It never changes: an appended mark lies behind the
// ones that this view counts.
type view struct {
	segments []rooms.Seq // the first message of each, in order
	last     index       // of the last segment
	chain    chainSum    // behind the last message; zero: not known
	open     []rooms.Seq // what redactions named that are not carried out yet
	lost     bool        // the last message is a placeholder: nobody knows its mark
}

func (v *view) head() rooms.Seq { return v.last.last }

// holder is the number of the segment that holds seq, or would.
func (v *view) holder(seq rooms.Seq) int {
	return sort.Search(len(v.segments), func(i int) bool { return v.segments[i] > seq }) - 1
}

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

// Damage returns the *DamageError that has made the log read-only since it was opened;
// nil for a log that was opened whole.
func (l *Log) Damage() error { return l.damage }

// Failed is why nothing can be appended: a write that failed, damage, or the end of the
// log. It is the owner's to ask.
func (l *Log) Failed() error { return l.failed }

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

// Append stores messages. Their sequence numbers continue Head; Room is not stored,
// and Mark is set to what the log makes it. They are one write and one sync, and
// durable when it returns nil; redactions among them are carried out then, too. After
// an error, whatever it was, the log stays read-only until Revive or until it is
// opened again: the error and all later ones match ErrReadOnly. None of the messages
// counts then, except where they are durable and a redaction was not carried out.
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
	if err := l.prepare(msgs[0].Time); err != nil {
		return err
	}
	now := l.view.Load()
	next, err := l.encode(now, msgs)
	if err != nil {
		return err
	}
	if _, err := l.file.WriteAt(l.blocks.buf, now.last.end); err != nil {
		return err
	}
	if err := l.file.Datasync(); err != nil {
		return err
	}
	l.view.Store(next)
	l.post(msgs)
	return l.carryOut()
}

// encode puts the frames of msgs into l.blocks and returns the view with them.
func (l *Log) encode(now *view, msgs []rooms.Message) (*view, error) {
	next := *now
	x := &next.last
	l.blocks.reset()
	for i := range msgs {
		m := &msgs[i]
		rec, behind := newRecord(m, next.chain)
		flags := writeFlags(i, len(msgs))
		if rec.isRedaction() {
			flags |= flagRedacts
			next.open = append(next.open, m.Target)
		}
		off := now.last.end + int64(len(l.blocks.buf))
		began, err := l.blocks.add(x.salt, flags, m.Seq, &rec)
		if err != nil {
			return nil, err
		}
		if began {
			x.add(m.Seq, off)
		}
		next.chain, next.lost, m.Mark = behind, rec.Lost, behind.mark()
	}
	x.last = msgs[len(msgs)-1].Seq
	x.end = now.last.end + int64(len(l.blocks.buf))
	return &next, nil
}

// fail makes the log read-only for good. What may have been written of the last
// write is cut off again if the disk lets us, so that a later open does not take it
// for durable; it was not acknowledged either way.
func (l *Log) fail(cause error) error {
	l.failed = readOnly(l.tailPath(), cause)
	if l.file != nil {
		if l.file.Truncate(l.view.Load().last.end) == nil {
			_ = l.file.Sync()
		} else {
			l.doubt()
		}
		_ = l.closeFile()
	}
	return l.failed
}

// prepare opens the last segment for writing, or begins the next one when it is full
// at that time.
func (l *Log) prepare(at time.Time) error {
	now := l.view.Load()
	full, err := l.full(now, at)
	if err != nil {
		return err
	}
	if full {
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

func (l *Log) path(first rooms.Seq) string { return filepath.Join(l.dir, segmentName(first)) }

// tailPath is the file of the last segment.
func (l *Log) tailPath() string {
	now := l.view.Load()
	return l.path(now.segments[len(now.segments)-1])
}
