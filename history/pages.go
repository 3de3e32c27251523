package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"

	"p2pchat/rooms"
)

// errStale says that a segment was rewritten since its index was made.
var errStale = errors.New("it was rewritten since")

func stale(err error) bool { return errors.Is(err, errStale) || errors.Is(err, os.ErrNotExist) }

// staleTries is how often a reader of another process looks anew at one page.
const staleTries = 5

// page is After. keep, where it is not nil, tells which messages to take.
func (l *Log) page(seq rooms.Seq, limit int, keep func(*record) bool) ([]rooms.Message, error) {
	if l.closed.Load() {
		return nil, ErrClosed
	}
	p := pager{limit: limit, keep: keep}
	now, tries := l.view.Load(), 0
	for !p.full() && seq < now.head() {
		want := max(seq+1, now.segments[0])
		if want > now.head() {
			break
		}
		last, err := l.readOn(&p, now, want)
		if stale(err) && tries < staleTries {
			tries++
			if now, err = l.renewed(now, want); err == nil || stale(err) {
				continue
			}
		}
		if err != nil && len(p.msgs) == 0 {
			return nil, err
		}
		if err != nil {
			break
		}
		seq = last
	}
	return p.msgs, nil
}

// renewed returns the view that came after now. A host has it already: it changes
// together with the files. Elsewhere the log is opened anew.
func (l *Log) renewed(now *view, seq rooms.Seq) (*view, error) {
	if l.store.host {
		return l.view.Load(), nil
	}
	l.store.indexes.drop(l.path(now.segments[now.holder(seq)]))
	fresh := &Log{store: l.store, key: l.key, dir: l.dir}
	if err := fresh.open(); err != nil {
		return now, err
	}
	l.view.Store(fresh.view.Load())
	return l.view.Load(), nil
}

// readOn takes messages of the segment that holds want, from there on, and returns the
// last one of the segment.
func (l *Log) readOn(p *pager, now *view, want rooms.Seq) (rooms.Seq, error) {
	l.files.RLock()
	defer l.files.RUnlock()
	x, path, err := l.segment(now, want)
	if err != nil {
		return 0, err
	}
	p.hidden = now.open
	return x.last, l.bounded(l.readSegment(p, x, path, want), now, want)
}

// bounded adds to damage that was found behind a known index where the next segment
// begins. The index is forgotten: what stands before the damage is looked at anew.
func (l *Log) bounded(err error, now *view, seq rooms.Seq) error {
	var d *DamageError
	if i := now.holder(seq); errors.As(err, &d) && d.Before == 0 && i < len(now.segments)-1 {
		d.Before = now.segments[i+1]
		l.store.indexes.drop(l.path(now.segments[i]))
	}
	return err
}

// pager collects messages up to its bounds.
type pager struct {
	limit int
	keep  func(*record) bool
	msgs  []rooms.Message
	text  int // bytes

	hidden []rooms.Seq // what they said is not shown
}

func (p *pager) full() bool {
	return len(p.msgs) >= p.limit || p.text >= pageBytes
}

func (p *pager) take(seq rooms.Seq, rec *record) {
	if slices.Contains(p.hidden, seq) {
		rec.takeOut()
	}
	if p.keep != nil && !p.keep(rec) {
		return
	}
	p.msgs = append(p.msgs, rec.message(seq))
	p.text += len(rec.Body) + len(rec.FilePreview)
}

// segment returns the index and the path of the segment that holds seq.
func (l *Log) segment(now *view, seq rooms.Seq) (index, string, error) {
	i := now.holder(seq)
	path := l.path(now.segments[i])
	if i == len(now.segments)-1 {
		return now.last, path, nil
	}
	if x, ok := l.store.indexes.get(path); ok {
		return x, path, nil
	}
	f, e, err := l.scanClosed(now.segments[i], now.segments[i+1])
	var d *DamageError
	if errors.As(err, &d) && seq <= d.After {
		e.last = d.After // what stands before the damage can be read
		return e.index, path, nil
	}
	if err != nil {
		return index{}, path, err
	}
	f.Close()
	l.store.indexes.put(path, e.index)
	return e.index, path, nil
}

// scanClosed opens and scans the segment that starts with first; the next one starts
// with next. Whatever is not whole in it is damage.
func (l *Log) scanClosed(first, next rooms.Seq) (file, extent, error) {
	path := l.path(first)
	f, err := l.store.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, extent{}, err
	}
	e, err := scanFile(f, path, logMagic, first, func(h header) bool { return h.room == l.key })
	if err == nil && e.bad == nil && e.last+1 != next {
		e.bad = &badFrame{e.end, "messages are missing"}
	}
	if err == nil && e.bad != nil {
		err = &DamageError{File: path, Offset: e.bad.off, After: e.last, Before: next, Reason: e.bad.reason}
	}
	if err != nil {
		f.Close()
		return nil, e, err
	}
	return f, e, nil
}

// scanFile scans a file that has to have a header that fits and starts with first. A
// broken header is a *DamageError.
func scanFile(f file, path, magic string, first rooms.Seq, fits func(header) bool) (extent, error) {
	size, err := f.Size()
	if err != nil {
		return extent{}, err
	}
	h, err := readHeader(f, path, magic, size)
	if err == nil && (h.first != first || !fits(h)) {
		err = errHeader
	}
	if errors.Is(err, errHeader) {
		return extent{}, &DamageError{File: path, After: first - 1, Reason: errHeader.Error()}
	}
	if err != nil {
		return extent{}, err
	}
	return scan(f, h, size)
}

// readSegment takes messages of a segment, from want on.
func (l *Log) readSegment(p *pager, x index, path string, want rooms.Seq) error {
	i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].seq > want }) - 1
	if i < 0 {
		return &DamageError{File: path, Offset: headerSize, After: x.first - 1, Reason: "no block begins here"}
	}
	f, err := l.store.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := sameSegment(f, path, x); err != nil {
		return err
	}
	r := frameReader{f: f, salt: x.salt, off: x.marks[i].off, end: x.end}
	return readFrames(p, &r, path, x.marks[i].seq, want)
}

// sameSegment fails with errStale where f is not the file that x was made of.
func sameSegment(f file, path string, x index) error {
	h, err := readHeader(f, path, logMagic, headerSize)
	if errors.Is(err, errHeader) || errors.Is(err, io.EOF) {
		return &DamageError{File: path, After: x.first - 1, Reason: errHeader.Error()}
	}
	if err == nil && (h.salt != x.salt || h.rewrites != x.rewrites) {
		err = fmt.Errorf("%q: %w", path, errStale)
	}
	return err
}

// readFrames takes messages from r, whose next frame is number seq, from want on.
func readFrames(p *pager, r *frameReader, path string, seq, want rooms.Seq) error {
	var blocks blockReader
	for ; !p.full(); seq++ {
		off := r.off
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *badFrame
		if err == nil && fr.seq != seq {
			bad = &badFrame{off, fmt.Sprintf("%d is in its place", fr.seq)}
		}
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		if bad != nil {
			return &DamageError{File: path, Offset: bad.off, After: seq - 1, Reason: bad.reason}
		}
		if seq < want && fr.flags&flagRestart == 0 {
			continue // only the first frame of a block is needed for the others
		}
		var rec record
		if err := blocks.decode(fr, &rec); err != nil {
			return &DamageError{File: path, Offset: off, After: seq - 1, Reason: err.Error()}
		}
		if seq >= want {
			p.take(seq, &rec)
		}
	}
	return nil
}
