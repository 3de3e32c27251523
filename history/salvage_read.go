package history

import (
	"errors"
	"io"
	"os"
	"slices"

	"p2pchat/rooms"
)

// read finds the runs of a file, and whether it is sound.
func (s *salvage) read(src *source, final bool) error {
	f, err := s.store.fs.OpenFile(src.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	if src.size, err = f.Size(); err != nil {
		return err
	}
	h, err := readHeader(f, src.path, logMagic, src.size)
	switch {
	case errors.Is(err, errHeader):
		torn, err := tornHeader(f, src.size)
		if err != nil || torn {
			src.sound = final // a crash left it: opening the log takes it away
			return err
		}
		return s.readHeadless(src, f)
	case err != nil:
		return err
	case h.room != s.key:
		return nil // another room's
	}
	src.header, src.known = h, true
	if err := s.frames(src, f); err != nil {
		return err
	}
	src.sound, err = s.judge(src, f, final)
	return err
}

// judge tells whether a file with a whole header is what has to be in its place. At the
// end of the last one, opening the log decides what is left of a crash, in the same way.
func (s *salvage) judge(src *source, f file, final bool) (bool, error) {
	if src.strange || src.header.first != src.first {
		return false, nil
	}
	one := len(src.runs) == 1 && src.runs[0].first == src.first && !src.broken
	if one || !final {
		return one, nil
	}
	e, err := scan(f, src.header, src.size)
	if err != nil {
		return false, err
	}
	d, err := e.damage(f, src.path, src.size, s.store.sector)
	src.torn = d == nil && e.bad != nil
	if err == nil && d != nil && src.broken {
		err = src.count(f, s.store.sector)
	}
	return d == nil, err
}

// count finds which messages stood at the broken end of the final file.
func (src *source) count(f file, sector int64) error {
	src.through = src.first - 1
	if n := len(src.runs); n > 0 {
		src.through = src.runs[n-1].last
	}
	r := frameReader{f: f, salt: src.header.salt, off: src.tail, end: src.size}
	var err error
	src.through, err = r.spoiled(src.through, sector)
	src.broken = r.off < r.end
	return err
}

// readHeadless reads a file whose header is broken.
func (s *salvage) readHeadless(src *source, f file) error {
	name := header{room: s.key, first: src.first}
	h, ok, err := mendHeader(f, logMagic, src.path, func(h header) bool {
		return h.room == name.room && (src.spare || h.first == name.first)
	})
	if err != nil {
		return err
	}
	if ok {
		src.header, src.known = h, true
		if err := s.frames(src, f); err != nil || len(src.runs) > 0 {
			return err
		}
	}
	salt, lone, err := findSalt(f, src.size, src.first)
	if err != nil || salt == nil {
		src.broken = true
		return err
	}
	src.header, src.known, src.lone = header{salt: *salt, room: s.key, first: src.first}, false, lone
	return s.frames(src, f)
}

// frames finds the runs of a file whose salt is known.
func (s *salvage) frames(src *source, f file) error {
	src.runs, src.broken, src.strange = nil, false, false
	r := frameReader{f: f, salt: src.header.salt, off: headerSize, end: src.size}
	var blocks blockReader
	types, apart := definitions{}, true
	for {
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *badFrame
		if errors.As(err, &bad) {
			src.broken, apart, blocks = true, true, blockReader{}
			r.off = bad.off + 1
			fr, err = r.find()
			if errors.Is(err, io.EOF) {
				src.tail = bad.off
				return nil
			}
		}
		if err != nil {
			return err
		}
		src.broken = false
		if fr.seq == 0 {
			src.strange, apart = true, true
			continue
		}
		if n := len(src.runs); apart || src.runs[n-1].last+1 != fr.seq {
			apart = false
			src.runs = append(src.runs, stretch{source: src, off: fr.off, first: fr.seq, types: types})
		}
		now := &src.runs[len(src.runs)-1]
		now.last = fr.seq
		var rec record
		if err := blocks.decode(fr, &rec); err != nil || !rec.whole() {
			src.strange = true
			continue
		}
		if fr.flags&flagRestart != 0 {
			types = s.learn(fr.payload)
		}
		now.note(fr.seq, &rec)
	}
}

// note keeps of a message what placeholders near it need.
func (r *stretch) note(seq rooms.Seq, rec *record) {
	if seq == r.first {
		r.prev = rec.Prev
	}
	if r.since == 0 {
		r.since = rec.TimeMS
	}
	chain := rec.chain(seq)
	r.till, r.chain = rec.TimeMS, &chain
}

// learn keeps the definitions in the first payload of a block.
func (s *salvage) learn(payload []byte) definitions {
	types, ok := definitionsIn(payload)
	if i := slices.Index(s.types, types); i >= 0 {
		return s.types[i] // the same bytes, once in memory
	}
	if ok && len(s.types) < maxTypes {
		s.types = append(s.types, types)
	}
	return types
}
