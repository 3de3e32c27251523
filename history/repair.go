package history

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"p2pchat/rooms"
)

// maxLost bounds the placeholders that a repair makes: with more, a file is rather in
// the wrong place.
const maxLost = 1 << 22

// newSuffix ends the name of a segment that a repair is writing.
const newSuffix = ".new"

// Repair is what a repair of a room did. It is empty, but for the report, when nothing
// was wrong.
type Repair struct {
	Report    Report   // of the room as it is now
	Recovered int      // messages kept although the beginning of their block was lost
	Lost      []Range  // messages that placeholders stand for now, in order
	Aside     []string // copies of the damaged files
	Renewed   bool     // the room has another epoch: messages at its end may be missing
}

// Range is a row of messages.
type Range struct{ First, Last rooms.Seq }

// String returns the range as a person writes it.
func (r Range) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d to %d", r.First, r.Last)
}

// Done tells whether anything was changed.
func (r Repair) Done() bool { return len(r.Aside) > 0 || len(r.Lost) > 0 }

// Kept is the number of messages that are whole.
func (r Repair) Kept() int { return r.Report.Messages - r.Report.Lost }

// String tells what was done, in one line.
func (r Repair) String() string {
	if !r.Done() {
		return fmt.Sprintf("nothing to repair, %d messages are whole", r.Kept())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages kept", r.Kept())
	if r.Recovered > 0 {
		fmt.Fprintf(&b, ", %d of them without the beginning of their block", r.Recovered)
	}
	if len(r.Lost) == 0 {
		b.WriteString(", none lost")
	} else {
		var parts []string
		for _, l := range r.Lost[:min(len(r.Lost), 10)] {
			parts = append(parts, l.String())
		}
		if len(r.Lost) > 10 {
			parts = append(parts, fmt.Sprintf("%d more", len(r.Lost)-10))
		}
		b.WriteString("; lost: " + strings.Join(parts, ", "))
	}
	if r.Renewed {
		b.WriteString("; more may be missing at the end, so members are told that this is another copy")
	}
	return b.String()
}

// Repair makes a damaged room whole and writable again. Every whole message is kept with
// its number; where one is not, a placeholder of the kind rooms.Lost stands, so that the
// numbers have no gap. A damaged file is copied to lost/ before a new one takes its place.
// Where the end of the history may be missing, the room gets another epoch. A room that
// is whole is left as it is; so is what a crash left at its end, which opening it mends.
//
// The store has to be a host's, and the room's log closed. The error is a *VersionError
// where a later program wrote the room: then nothing was touched. After an error of the
// disk Repair can be called again.
func (s *Store) Repair(key rooms.RoomKey) (Repair, error) {
	if err := s.idle(key); err != nil {
		return Repair{}, err
	}
	sv := &salvage{store: s, key: key, dir: s.roomDir(key)}
	if err := sv.survey(); err != nil {
		return Repair{}, fmt.Errorf("repairing room %x: %w", key[:], err)
	}
	var r Repair
	err := sv.apply(sv.plan(), &r)
	s.indexes.forget(sv.dir)
	if err != nil {
		return Repair{}, fmt.Errorf("repairing room %x: %w", key[:], err)
	}
	if r.Report, err = s.Verify(key); err != nil || len(r.Report.strays) == 0 {
		return r, err
	}
	l := &Log{store: s, key: key}
	for _, seq := range r.Report.strays { // their messages are lost
		if err := l.detach(seq, seq); err != nil {
			return r, err
		}
	}
	r.Report, err = s.Verify(key)
	return r, err
}

// idle tells why a room can't be repaired now.
func (s *Store) idle(key rooms.RoomKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isClosed:
		return ErrClosed
	case !s.host:
		return readOnly(s.dir, errors.New("opened for reading only"))
	case s.logs[key] != nil:
		return fmt.Errorf("room %x is open", key[:])
	}
	return nil
}

// forget forgets the indexes of files in a directory.
func (c *indexCache) forget(dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cached = slices.DeleteFunc(c.cached, func(e cachedIndex) bool { return filepath.Dir(e.path) == dir })
}

// target is a segment that has to be written.
type target struct {
	first, next rooms.Seq // next is the first message of the segment behind it; of the last one, behind its end
	source      *source   // the damaged file in its place, or nil
	final       bool
	renew       bool // the final one begins another epoch
}

// plan returns the segments that have to be written; none where the room is whole.
func (s *salvage) plan() []target {
	var targets []target
	segments := slices.DeleteFunc(slices.Clone(s.sources), func(src *source) bool { return src.spare })
	if len(segments) == 0 {
		return nil
	}
	for _, p := range s.pieces {
		if first := segments[0].first; p.from < first && !p.source.spare { // it is under another name
			targets = append(targets, target{first: p.from, next: first})
			break
		}
	}
	for i, src := range segments {
		t := target{first: src.first, source: src, final: i == len(segments)-1}
		switch {
		case t.final && src.sound && !(src.torn && len(targets) > 0):
			continue // what is torn where all else is whole is left to the opening of the log
		case t.final:
			t.next, t.renew = s.end(src)
		default:
			t.next = segments[i+1].first
		}
		if src.sound && !t.final { // which has one stretch
			last := src.runs[0].last
			if last+1 == t.next {
				continue
			}
			if last+1 < t.next {
				t.first, t.source = last+1, nil
			}
		}
		targets = append(targets, t)
	}
	return targets
}

// end returns the number behind the last message that is known of, and whether it may not
// have been the last one: other broken bytes follow it, or the epoch of the last segment
// is not known.
func (s *salvage) end(final *source) (next rooms.Seq, renew bool) {
	renew = !final.known || len(final.runs) == 0 && final.through < final.first || final.broken
	next = max(final.first, final.through+1)
	if len(s.pieces) == 0 {
		return next, renew
	}
	last := s.pieces[len(s.pieces)-1]
	return max(next, last.to+1), renew || last.source.broken && last.last == last.to
}
