package history

import (
	"errors"
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
// call from there on returns the *DamageError. From before First it starts at First.
// Room is empty in all messages.
func (l *Log) After(seq rooms.Seq, limit int) ([]rooms.Message, error) {
	return l.page(seq, limit, nil)
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
		page, err := l.between(from, end)
		if err != nil && len(pages) == 0 {
			return nil, err
		}
		if err != nil {
			break // there are newer ones to show
		}
		for _, m := range page {
			text += sizeOfText(m)
		}
		pages = append(pages, page)
		n -= int(end - from)
		end = from
	}
	slices.Reverse(pages)
	msgs := slices.Concat(pages...)
	for len(msgs) > 1 && text > pageBytes {
		text -= sizeOfText(msgs[0])
		msgs = msgs[1:]
	}
	return msgs, nil
}

// sizeOfText is what a message counts for in a page, in bytes.
func sizeOfText(m rooms.Message) int {
	if m.File != nil {
		return len(m.Text) + len(m.File.Preview)
	}
	return len(m.Text)
}

// between returns the messages behind from up to end, those that were not removed
// meanwhile.
func (l *Log) between(from, end rooms.Seq) ([]rooms.Message, error) {
	var msgs []rooms.Message
	for from < end {
		page, err := l.page(from, int(end-from), nil)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			if m.Seq <= end {
				msgs = append(msgs, m)
			}
		}
		if len(page) == 0 {
			break
		}
		from = page[len(page)-1].Seq
	}
	return msgs, nil
}

// Mark returns the mark of the history up to seq. It is 0, which stands for unknown, for
// seq 0, for a lost message, before First-1 and behind Head. That of Head costs nothing.
func (l *Log) Mark(seq rooms.Seq) (rooms.Mark, error) {
	now := l.view.Load()
	switch {
	case seq == now.head() && now.lost:
		return 0, nil
	case seq == now.head():
		return now.chain.mark(), nil
	case seq == 0 || seq > now.head() || seq+1 < now.segments[0]:
		return 0, nil
	case seq+1 == now.segments[0]: // the message behind it knows
		var mark rooms.Mark
		msgs, err := l.page(seq, 1, func(rec *record) bool {
			if len(rec.Prev) == len(chainSum{}) {
				mark = chainSum(rec.Prev).mark()
			}
			return true
		})
		if err != nil || len(msgs) == 0 || msgs[0].Seq != seq+1 {
			return 0, err
		}
		return mark, nil
	}
	msgs, err := l.page(seq-1, 1, nil)
	if err != nil || len(msgs) == 0 || msgs[0].Seq != seq {
		return 0, err
	}
	return msgs[0].Mark, nil
}

// Since returns messages that were said at t or later, with the bounds of After. It
// relies on the rule that no message is older than the one before it.
func (l *Log) Since(t time.Time, limit int) ([]rooms.Message, error) {
	seq, err := l.before(t)
	if err != nil {
		return nil, err
	}
	return l.page(seq, limit, func(rec *record) bool { return !time.UnixMilli(rec.TimeMS).Before(t) })
}

// before returns a message, or 0, that is older than t and not far before the first
// one that is not. Only first messages of segments and of blocks are looked at.
func (l *Log) before(t time.Time) (rooms.Seq, error) {
	var failed error
	older := func(seq rooms.Seq) bool {
		msgs, err := l.page(seq-1, 1, nil)
		if err != nil {
			failed = err
		}
		return len(msgs) == 1 && msgs[0].Time.Before(t)
	}
	now := l.view.Load()
	i := sort.Search(len(now.segments), func(i int) bool { return !older(now.segments[i]) }) - 1
	if i < 0 || failed != nil {
		return 0, failed
	}
	marks, err := l.marks(now.segments[i])
	if err != nil {
		return 0, err
	}
	i = sort.Search(len(marks), func(i int) bool { return !older(marks[i].seq) }) - 1
	if i < 0 {
		return 0, failed
	}
	return marks[i].seq, failed
}

// marks returns marks of the segment that holds seq, or of the first one.
func (l *Log) marks(seq rooms.Seq) ([]mark, error) {
	l.files.RLock()
	defer l.files.RUnlock()
	now := l.view.Load()
	x, _, err := l.segment(now, max(seq, now.segments[0]))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // removed since
	}
	return x.marks, err
}
