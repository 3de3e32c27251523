package history

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sort"

	"p2pchat/rooms"
)

// Search returns the newest messages before a number (0: before none, so all) whose
// text, or the name of whose file, contains text, whatever its case: oldest first, at most limit, and no more than
// about 256 KiB of text. next is what to search before to find older ones; 0: there is
// nothing older. Where it meets damage it returns what it found behind it; the call
// from there on returns the *DamageError, and what stands before the damage can be
// searched from its After+1. When ctx ends, the error is ctx's, and what was found by
// then counts. Redactions, placeholders and texts that were taken out never match.
func (l *Log) Search(ctx context.Context, text string, before rooms.Seq, limit int) (found []rooms.Message, next rooms.Seq, err error) {
	now := l.view.Load()
	s := searcher{ctx: ctx, needle: newNeedle(text), limit: limit, from: now.segments[0], to: now.head()}
	if before > 0 {
		s.to = min(s.to, before-1)
	}
	err = l.search(now, &s, func() rooms.Seq { return s.to }, s.backwards)
	if damaged(err) && len(s.found) > 0 {
		err = nil
	}
	if s.to < s.from {
		return s.found, 0, err
	}
	return s.found, s.to + 1, err
}

// SearchAfter is Search in the other direction: it returns the oldest messages behind
// a number that contain text; next is what to search behind to find newer ones; 0: the
// head was reached.
func (l *Log) SearchAfter(ctx context.Context, text string, after rooms.Seq, limit int) (found []rooms.Message, next rooms.Seq, err error) {
	now := l.view.Load()
	s := searcher{ctx: ctx, needle: newNeedle(text), limit: limit, from: max(after+1, now.segments[0]), to: now.head()}
	err = l.search(now, &s, func() rooms.Seq { return s.from }, s.forwards)
	if damaged(err) && len(s.found) > 0 {
		err = nil
	}
	if s.to < s.from {
		return s.found, 0, err
	}
	return s.found, s.from - 1, err
}

func damaged(err error) bool {
	var d *DamageError
	return errors.As(err, &d)
}

// searcher looks for a text in the messages from one to another, and forgets those
// that it has seen: from both ends of them it can go on.
type searcher struct {
	ctx      context.Context
	needle   *needle
	limit    int
	from, to rooms.Seq // what is left to be searched
	found    []rooms.Message
	text     int         // bytes
	hidden   []rooms.Seq // what they said is not shown
}

func (s *searcher) full() bool { return len(s.found) >= s.limit || s.text >= pageBytes }

// search searches segment by segment with look; at is where it goes on. Segments that
// are rewritten or removed meanwhile are looked at anew.
func (l *Log) search(now *view, s *searcher, at func() rooms.Seq, look func(index, string, file) error) error {
	for tries := 0; !s.full() && s.from <= s.to; {
		err := l.searchSegment(now, s, at(), look)
		if stale(err) && tries < staleTries {
			tries++
			if now, err = l.renewed(now, at()); err == nil || stale(err) {
				s.from = max(s.from, now.segments[0])
				continue
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// searchSegment searches the segment that holds seq with look.
func (l *Log) searchSegment(now *view, s *searcher, seq rooms.Seq, look func(index, string, file) error) error {
	if l.closed.Load() {
		return ErrClosed
	}
	l.files.RLock()
	defer l.files.RUnlock()
	x, path, err := l.segment(now, seq)
	if err != nil {
		return err
	}
	f, err := l.store.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := sameSegment(f, path, x); err != nil {
		return err
	}
	s.hidden = now.open
	return l.bounded(look(x, path, f), now, seq)
}

// backwards searches what is left of a segment from its end.
func (s *searcher) backwards(x index, path string, f file) error {
	r := frameReader{f: f, salt: x.salt}
	for !s.full() && s.from <= s.to && s.to >= x.first {
		i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].seq > s.to }) - 1
		hits, err := s.part(x, path, &r, i)
		if err != nil {
			return err
		}
		s.to = x.marks[i].seq - 1
		for len(hits) > 0 && !s.full() {
			last := len(hits) - 1
			s.take(0, hits[last])
			hits = hits[:last]
		}
		if len(hits) > 0 {
			s.to = hits[len(hits)-1].Seq // the next page begins with it
		}
	}
	return nil
}

// forwards searches what is left of a segment from its beginning.
func (s *searcher) forwards(x index, path string, f file) error {
	r := frameReader{f: f, salt: x.salt}
	for !s.full() && s.from <= s.to && s.from <= x.last {
		i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].seq > s.from }) - 1
		hits, err := s.part(x, path, &r, i)
		if err != nil {
			return err
		}
		s.from = x.last + 1
		if i+1 < len(x.marks) {
			s.from = x.marks[i+1].seq
		}
		for len(hits) > 0 && !s.full() {
			s.take(len(s.found), hits[0])
			hits = hits[1:]
		}
		if len(hits) > 0 {
			s.from = hits[0].Seq
		}
	}
	return nil
}

func (s *searcher) take(at int, m rooms.Message) {
	s.found = slices.Insert(s.found, at, m)
	s.text += sizeOfText(m)
}

// part returns the messages of the i-th part of a segment that contain the text. A
// part has one block, or a few small ones.
func (s *searcher) part(x index, path string, r *frameReader, i int) ([]rooms.Message, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, &DamageError{File: path, Offset: headerSize, After: x.first - 1, Reason: "no block begins here"}
	}
	first, off := x.marks[i].seq, x.marks[i].off
	r.off, r.end = off, x.end
	if i+1 < len(x.marks) {
		r.end = x.marks[i+1].off
	}
	hit, err := s.hit(r, path, first)
	if err != nil || !hit {
		return nil, err
	}
	r.off = off
	return s.decode(r, path)
}

// decode returns the messages of r's frames that match. Of the frames that can't, it
// decodes the first ones of blocks.
func (s *searcher) decode(r *frameReader, path string) ([]rooms.Message, error) {
	var hits []rooms.Message
	var blocks blockReader
	for {
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return hits, nil
		}
		if err != nil {
			return nil, err // they were whole a moment ago
		}
		may := s.may(fr)
		if !may && fr.flags&flagRestart == 0 {
			continue
		}
		var rec record
		if err := blocks.decode(fr, &rec); err != nil {
			return nil, &DamageError{File: path, Offset: fr.off, After: fr.seq - 1, Reason: err.Error()}
		}
		if may && s.keep(&rec) {
			hits = append(hits, rec.message(fr.seq))
		}
	}
}

// may tells whether the message in a frame is to be searched, and may contain the text.
func (s *searcher) may(fr frame) bool {
	if fr.seq < s.from || fr.seq > s.to || slices.Contains(s.hidden, fr.seq) {
		return false
	}
	body, name, ok := wordsOf(fr.payload)
	return !ok || s.needle.in(body) || len(name) > 0 && s.needle.in(name)
}

// hit tells whether one of r's frames that are to be searched may contain the text.
// It decodes nothing, but checks them all. The first one has number seq.
func (s *searcher) hit(r *frameReader, path string, seq rooms.Seq) (bool, error) {
	hit := false
	for ; ; seq++ {
		off := r.off
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return hit, nil
		}
		if err != nil {
			return false, asDamage(err, path, seq)
		}
		if fr.seq != seq {
			return false, asDamage(&badFrame{off, "another message is in its place"}, path, seq)
		}
		hit = hit || s.may(fr)
	}
}

// asDamage makes a *DamageError of broken bytes where message seq should be.
func asDamage(err error, path string, seq rooms.Seq) error {
	var bad *badFrame
	if errors.As(err, &bad) {
		return &DamageError{File: path, Offset: bad.off, After: seq - 1, Reason: bad.reason}
	}
	return err
}

func (s *searcher) keep(rec *record) bool {
	switch rooms.Kind(rec.Kind) {
	case rooms.Redaction, rooms.Lost:
		return false
	}
	return !rec.Lost && (s.needle.in(rec.Body) || rec.File && s.needle.in([]byte(rec.FileName)))
}
