package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"p2pchat/rooms"
)

// StateRepair is what a repair of the state did. Aside is empty when nothing was wrong.
type StateRepair struct {
	Kept  int      // changes
	Lost  int      // changes that are known to be missing: bans and roles may be among them
	End   bool     // more may be missing at the end
	Older bool     // the generation before was read, too
	Aside []string // copies of the damaged files
}

// Done tells whether anything was changed.
func (r StateRepair) Done() bool { return len(r.Aside) > 0 }

// String tells what was done, in one line.
func (r StateRepair) String() string {
	if !r.Done() {
		return fmt.Sprintf("nothing to repair, %d changes are whole", r.Kept)
	}
	text := fmt.Sprintf("%d changes kept, %d lost", r.Kept, r.Lost)
	if r.End {
		text += "; more may be missing at the end"
	}
	return text
}

// RepairState makes a damaged state whole and writable again: every whole change is kept, in
// a new generation. Where the snapshot that a generation begins with is not complete, the
// changes of the one before come first. A damaged file is copied to lost/. A state that
// is whole is left as it is.
//
// The store has to be a host's. After an error of the disk it has to be opened again.
func (s *Store) RepairState() (StateRepair, error) {
	st := &s.state
	st.mu.Lock()
	defer st.mu.Unlock()
	if !s.host {
		return StateRepair{}, readOnly(s.stateDir(), errors.New("opened for reading only"))
	}
	if st.failed == nil {
		changes, err := readChanges(st.file, s.statePath(st.number), st.extent)
		return StateRepair{Kept: len(changes)}, err
	}
	if !damaged(st.failed) {
		return StateRepair{}, st.failed
	}
	newest, err := s.salvageState(st.number)
	if err != nil {
		return StateRepair{}, err
	}
	changes, r, err := s.joinGenerations(newest)
	if err != nil {
		return r, err
	}
	path, err := copyAside(s.fs, s.stateDir(), s.statePath(st.number))
	if err != nil {
		return r, err
	}
	r.Aside, r.Kept = append(r.Aside, path), len(changes)
	why := st.failed
	st.failed = nil
	if err := s.generation(st.number+1, changes); err != nil {
		if st.failed == nil {
			st.failed = why
		}
		return r, err
	}
	return r, nil
}

// joinGenerations returns what is to be kept: what there is of the newest generation, and
// before it the one before, where the snapshot is not complete.
func (s *Store) joinGenerations(newest oldState) ([]rooms.Change, StateRepair, error) {
	r := StateRepair{End: newest.broken}
	if newest.complete() {
		r.Lost = newest.missing(0)
		return newest.changes, r, nil
	}
	generations, err := s.generations()
	if err != nil {
		return nil, r, err
	}
	before := oldState{}
	if slices.Contains(generations, s.state.number-1) {
		r.Older = true
		if before, err = s.salvageState(s.state.number - 1); err != nil {
			return nil, r, err
		}
	}
	if r.Older && newest.known && !before.broken && before.missing(0) == 0 {
		// It says all that the snapshot said.
		r.Lost = newest.missing(newest.snapshot)
		return append(before.changes, newest.behind(newest.snapshot)...), r, nil
	}
	r.Lost = newest.missing(0) + before.missing(0)
	r.End = r.End || before.broken
	if r.Older && (before.broken || before.missing(0) > 0) {
		path, err := copyAside(s.fs, s.stateDir(), s.statePath(s.state.number-1))
		if err != nil {
			return nil, r, err
		}
		r.Aside = append(r.Aside, path)
	}
	return append(before.changes, newest.changes...), r, nil
}

// oldState is what is whole of a generation.
type oldState struct {
	seqs     []rooms.Seq
	changes  []rooms.Change
	known    bool      // its header is
	snapshot rooms.Seq // the last change of the snapshot
	last     rooms.Seq // the last change, also if its frame is spoiled
	broken   bool      // bytes that are no change stand at its end
}

// complete tells whether all of the snapshot is there.
func (o oldState) complete() bool {
	if !o.known {
		return o.missing(0) == 0 && !o.broken && len(o.seqs) > 0
	}
	return int(o.snapshot) == len(o.seqs)-len(o.behind(o.snapshot))
}

// behind returns the changes behind a number.
func (o oldState) behind(seq rooms.Seq) []rooms.Change {
	i, _ := slices.BinarySearch(o.seqs, seq+1)
	return slices.Clone(o.changes[i:])
}

// missing counts the changes behind a number that are known to have been there.
func (o oldState) missing(seq rooms.Seq) int {
	last := max(o.snapshot, seq, o.last)
	return int(last-seq) - len(o.behind(seq))
}

// salvageState reads what is whole of a generation. The error is a *VersionError, or one
// of the disk.
func (s *Store) salvageState(number uint64) (oldState, error) {
	path := s.statePath(number)
	f, err := s.fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return oldState{}, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return oldState{}, err
	}
	o := oldState{broken: true}
	fits := func(h header) bool { return h.first == 1 && h.room == rooms.RoomKey{} }
	h, err := readHeader(f, path, stateMagic, size)
	o.known = err == nil && fits(h)
	if errors.Is(err, errHeader) && size >= headerSize {
		h, o.known, err = mendHeader(f, stateMagic, path, fits)
		if err == nil && !o.known {
			salt, lone, serr := findSalt(f, size, 1)
			if serr != nil || salt == nil || lone {
				return o, serr
			}
			h.salt = *salt
		}
	}
	if errors.Is(err, errHeader) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	if o.known {
		o.snapshot = rooms.Seq(h.epoch)
	}
	return o, o.read(f, h.salt, size, s.sector)
}

// read reads the whole frames, also those that have lost the beginning of their block.
func (o *oldState) read(f file, salt uint32, size, sector int64) error {
	o.broken = false
	own := ownDefinitions(&changeRecord{})
	r := frameReader{f: f, salt: salt, off: headerSize, end: size}
	var blocks blockReader
	for {
		off := r.off
		fr, err := r.find()
		if errors.Is(err, io.EOF) {
			r.off = off
			o.last, err = r.spoiled(o.last, sector)
			o.broken = r.off < size
			return err
		}
		if err != nil {
			return err
		}
		if fr.off != off {
			blocks = blockReader{}
		}
		var rec changeRecord
		if blocks.decode(fr, &rec) != nil {
			rec = changeRecord{}
			err = own.decode(fr.payload, &rec)
		}
		c, ok := rec.change()
		if n := len(o.seqs); err != nil || !ok || fr.seq == 0 || n > 0 && fr.seq <= o.seqs[n-1] {
			continue
		}
		o.seqs, o.changes, o.last = append(o.seqs, fr.seq), append(o.changes, c), fr.seq
	}
}
