package history

import (
	"fmt"
	"time"

	"p2pchat/rooms"
)

// A room with a retention has segments of an eighth of its bounds, but no smaller
// ones than these, so that it does not get thousands of files.
const (
	pieces        = 8
	minPieceBytes = 64 << 10
	minPieceAge   = time.Minute
	minPieceCount = 64
)

// Retain removes the oldest segments, as long as each is over a bound as a whole:
// what is left without it is not below the bound, or all of it is older than the age.
// The last segment stays, empty where everything was over. It returns the last
// message that was removed, 0 when none was. The bounds also make the segments that
// are written from now on smaller; they are not stored. Messages are gone from the
// disk when it returns; readers go on at First. A log that failed because the disk is
// full stays read-only, but what is over is removed.
//
// Its errors are those of Append, or, with the log still good, one of reading or removing.
func (l *Log) Retain(r rooms.Retention, now time.Time) (removed rooms.Seq, err error) {
	if l.failed != nil && (l.damage != nil || !noSpace(l.failed)) {
		return 0, l.failed
	}
	l.attach()
	l.retention = r
	v := l.view.Load()
	full, err := l.full(v, now)
	if err != nil {
		return 0, err
	}
	if full && l.failed == nil {
		if err := l.roll(v, v.last.epoch); err != nil {
			return 0, l.fail(err)
		}
	}
	for {
		v := l.view.Load()
		over, err := l.over(v, now)
		if err == nil && !over {
			err = l.detach(1, v.segments[0]-1)
		}
		if err != nil || !over {
			return removed, err
		}
		if err := l.removeFirst(v); err != nil {
			return removed, err
		}
		removed = v.segments[1] - 1
	}
}

// full tells whether the last segment takes no more messages at that time.
func (l *Log) full(v *view, at time.Time) (bool, error) {
	if v.head() < v.last.first {
		return false, nil
	}
	r := l.retention
	if v.last.end >= l.store.segment ||
		r.Bytes > 0 && v.last.end >= max(r.Bytes/pieces, minPieceBytes) ||
		r.Messages > 0 && int64(v.head()-v.last.first)+1 >= max(r.Messages/pieces, minPieceCount) {
		return true, nil
	}
	if r.Age <= 0 {
		return false, nil
	}
	if l.began.IsZero() {
		t, err := l.timeOf(v.last.first)
		if err != nil {
			return false, err
		}
		l.began = t
	}
	return at.Sub(l.began) > max(r.Age/pieces, minPieceAge), nil
}

// over tells whether the first segment, which is not the last, is over a bound.
func (l *Log) over(v *view, now time.Time) (bool, error) {
	if len(v.segments) < 2 {
		return false, nil
	}
	r, next := l.retention, v.segments[1]
	if r.Messages > 0 && int64(v.head()-next)+1 >= r.Messages {
		return true, nil
	}
	if r.Bytes > 0 {
		left, err := l.bytesFrom(next)
		if err != nil || left >= r.Bytes {
			return err == nil, err
		}
	}
	if r.Age <= 0 {
		return false, nil
	}
	newest, err := l.timeOf(next - 1)
	if damaged(err) { // what follows is not older
		newest, err = l.timeOf(next)
	}
	return err == nil && now.Sub(newest) > r.Age, err
}

// bytesFrom is the size of the segments from that one on.
func (l *Log) bytesFrom(first rooms.Seq) (int64, error) {
	entries, err := l.store.fs.List(l.dir)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, e := range entries {
		if n, ok := numberIn(e.name, "seg-"); ok && rooms.Seq(n) >= first {
			sum += e.size
		}
	}
	return sum, nil
}

// timeOf returns the time of a message.
func (l *Log) timeOf(seq rooms.Seq) (time.Time, error) {
	msgs, err := l.page(seq-1, 1, nil)
	if err == nil && (len(msgs) == 0 || msgs[0].Seq != seq) {
		err = fmt.Errorf("message %d is missing", seq)
	}
	if err != nil {
		return time.Time{}, err
	}
	return msgs[0].Time, nil
}

// removeFirst removes the first segment for good before anything else is removed: a
// crash leaves no hole. What a disk keeps although it was to be removed is served
// again after the next start.
func (l *Log) removeFirst(v *view) error {
	if err := l.dropTorn(); err != nil {
		return err
	}
	path := l.path(v.segments[0])
	if err := l.unlink(v, path); err != nil {
		return err
	}
	l.store.indexes.drop(path)
	if err := l.store.fs.SyncDir(l.dir); err != nil {
		return l.fail(err)
	}
	return nil
}

// unlink removes the file of the first segment while nobody reads, and shows readers
// that it is gone.
func (l *Log) unlink(v *view, path string) error {
	l.files.Lock()
	defer l.files.Unlock()
	if err := l.store.fs.Remove(path); err != nil {
		return err
	}
	next := *v
	next.segments = v.segments[1:]
	l.view.Store(&next)
	return nil
}
