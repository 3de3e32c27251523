package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"time"

	"p2pchat/rooms"
)

// pageBytes bounds the text of one page.
const pageBytes = 256 << 10

// After returns messages behind seq, oldest first: at most limit, and no more than
// about 256 KiB of text, but at least one if there is one. It returns none at the
// head, or with limit 0. Where it meets damage it returns what stands before it; the
// call from there on returns the *DamageError. Room is empty in all messages.
func (l *Log) After(seq rooms.Seq, limit int) ([]rooms.Message, error) {
	return l.page(l.view.Load(), seq, limit, nil)
}

// page is After on a view. keep, where it is not nil, tells which messages to take.
func (l *Log) page(now *view, seq rooms.Seq, limit int, keep func(*record) bool) ([]rooms.Message, error) {
	if l.closed.Load() {
		return nil, ErrClosed
	}
	p := pager{limit: limit, keep: keep}
	want := max(seq+1, now.segments[0])
	for !p.full() && seq < now.head() && want <= now.head() {
		x, path, err := l.segment(now, want)
		if err == nil {
			err = l.readSegment(&p, x, path, want)
		}
		if err != nil && len(p.msgs) == 0 {
			return nil, err
		}
		if err != nil {
			break
		}
		want = x.last + 1
	}
	return p.msgs, nil
}

// pager collects messages up to its bounds.
type pager struct {
	limit int
	keep  func(*record) bool
	msgs  []rooms.Message
	text  int // bytes
}

func (p *pager) full() bool {
	return len(p.msgs) >= p.limit || p.text >= pageBytes
}

func (p *pager) take(seq rooms.Seq, rec *record) {
	if p.keep != nil && !p.keep(rec) {
		return
	}
	p.msgs = append(p.msgs, rec.message(seq))
	p.text += len(rec.Body)
}

// segment returns the index and the path of the segment that holds seq.
func (l *Log) segment(now *view, seq rooms.Seq) (index, string, error) {
	i := sort.Search(len(now.segments), func(i int) bool { return now.segments[i] > seq }) - 1
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
	r := frameReader{f: f, salt: x.salt, off: x.marks[i].off, end: x.end}
	return readFrames(p, &r, path, x.marks[i].seq, want)
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

// Last returns the n newest messages, oldest first, with the bounds of After: where
// the text is too much, the oldest of them are left out.
func (l *Log) Last(n int) ([]rooms.Message, error) {
	now := l.view.Load()
	var pages [][]rooms.Message
	end, text := now.head(), 0
	for n > 0 && text < pageBytes && end >= now.segments[0] && end > 0 {
		step := rooms.Seq(min(n, blockFrames))
		from := max(end-min(end, step), now.segments[0]-1)
		page, err := l.between(now, from, end)
		if err != nil && len(pages) == 0 {
			return nil, err
		}
		if err != nil {
			break // there are newer ones to show
		}
		for _, m := range page {
			text += len(m.Text)
		}
		pages = append(pages, page)
		n -= int(end - from)
		end = from
	}
	slices.Reverse(pages)
	msgs := slices.Concat(pages...)
	for len(msgs) > 1 && text > pageBytes {
		text -= len(msgs[0].Text)
		msgs = msgs[1:]
	}
	return msgs, nil
}

// between returns the messages behind from up to end.
func (l *Log) between(now *view, from, end rooms.Seq) ([]rooms.Message, error) {
	var msgs []rooms.Message
	for from < end {
		page, err := l.page(now, from, int(end-from), nil)
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, page...)
		from = page[len(page)-1].Seq
	}
	return msgs, nil
}

// Since returns messages that were said at t or later, with the bounds of After. It
// relies on the rule that no message is older than the one before it.
func (l *Log) Since(t time.Time, limit int) ([]rooms.Message, error) {
	now := l.view.Load()
	seq, err := l.before(now, t)
	if err != nil {
		return nil, err
	}
	return l.page(now, seq, limit, func(rec *record) bool { return !time.UnixMilli(rec.TimeMS).Before(t) })
}

// before returns a message, or 0, that is older than t and not far before the first
// one that is not. Only first messages of segments and of blocks are looked at.
func (l *Log) before(now *view, t time.Time) (rooms.Seq, error) {
	var failed error
	older := func(seq rooms.Seq) bool {
		msgs, err := l.page(now, seq-1, 1, nil)
		if err != nil {
			failed = err
		}
		return len(msgs) == 1 && msgs[0].Time.Before(t)
	}
	i := sort.Search(len(now.segments), func(i int) bool { return !older(now.segments[i]) }) - 1
	if i < 0 || failed != nil {
		return 0, failed
	}
	x, _, err := l.segment(now, now.segments[i])
	if err != nil {
		return 0, err
	}
	i = sort.Search(len(x.marks), func(i int) bool { return !older(x.marks[i].seq) }) - 1
	if i < 0 {
		return 0, failed
	}
	return x.marks[i].seq, failed
}
