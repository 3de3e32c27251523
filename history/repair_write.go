package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"p2pchat/rooms"
)

// flushSize is how many bytes of frames are written at once.
const flushSize = 1 << 20

// rewriter writes a segment of what was salvaged.
type rewriter struct {
	salvage *salvage
	repair  *Repair
	out     file
	salt    uint32
	blocks  blockWriter
	end     int64     // what was flushed
	want    rooms.Seq // the next message
	inBlock bool      // the last frames were taken over as they are, from the first one of their block on
	time    int64     // Unix milliseconds, of the message before; 0: not known
	chain   chainSum  // behind it
}

// write writes a target to a file of its own, and syncs that. It returns the file's
// path also when that failed, if it was made.
func (s *salvage) write(t target, r *Repair) (path string, err error) {
	h := s.newHeader(t)
	out, path, err := createFresh(s.store.fs, s.dir, segmentName(t.first), newSuffix)
	if err != nil {
		return "", err
	}
	w := &rewriter{salvage: s, repair: r, out: out, salt: h.salt, end: headerSize, want: t.first}
	if w.time, w.chain = s.before(t.first); s.done != nil && s.done.want == t.first {
		w.time, w.chain = s.done.time, s.done.chain
	}
	s.done = w
	_, err = out.WriteAt(h.encode(logMagic), 0)
	if err == nil {
		err = w.pieces(t)
	}
	if err == nil {
		err = w.flush()
	}
	if err == nil {
		err = out.Sync()
	}
	return path, errors.Join(err, out.Close())
}

// newHeader makes the header of a target: the one of the damaged file, where that is
// known, with another salt.
func (s *salvage) newHeader(t target) header {
	h := s.store.newHeader(s.key, t.first, 0)
	if t.source != nil && t.source.known {
		salt := h.salt
		h = t.source.header
		h.salt, h.room, h.first = salt, s.key, t.first
	}
	if h.epoch == 0 {
		h.epoch = s.epochNear(t.first)
	}
	if t.renew || h.epoch == 0 {
		h.epoch = s.store.newEpoch()
	}
	return h
}

// epochNear returns the epoch of the segment before a message, or else of the one behind it.
func (s *salvage) epochNear(seq rooms.Seq) uint64 {
	var epoch uint64
	for _, src := range s.sources {
		if src.known && !src.spare && (src.first <= seq || epoch == 0) {
			epoch = src.header.epoch
		}
	}
	return epoch
}

// before returns the time and the chain of the message before seq: those of the last
// one before it that could be read. Where there is none, the time is that of the first one
// behind it.
func (s *salvage) before(seq rooms.Seq) (ms int64, chain chainSum) {
	for _, p := range s.pieces {
		if ms == 0 || p.to < seq && p.till != 0 {
			ms = p.since
			if p.to < seq && p.chain != nil {
				ms, chain = p.till, *p.chain
			}
		}
	}
	return ms, chain
}

// pieces writes what there is of a target, and placeholders for the rest.
func (w *rewriter) pieces(t target) error {
	for _, p := range w.salvage.pieces {
		if p.to < t.first || p.from >= t.next {
			continue
		}
		if err := w.piece(p, max(p.from, t.first), min(p.to, t.next-1)); err != nil {
			return err
		}
	}
	return w.lose(t.next, w.time)
}

// piece writes the messages from one to another.
func (w *rewriter) piece(p piece, from, to rooms.Seq) error {
	f, err := w.salvage.store.fs.OpenFile(p.source.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	r := frameReader{f: f, salt: p.source.header.salt, off: p.off, end: p.source.size}
	var blocks blockReader
	w.inBlock = false
	for seq := p.first; seq <= to; seq++ {
		fr, err := r.next()
		if err == nil && fr.seq != seq || errors.Is(err, io.EOF) {
			err = fmt.Errorf("%q changed while it was read", p.source.path)
		}
		if err != nil {
			return err
		}
		var rec record
		own := blocks.decode(fr, &rec) == nil
		if seq < from {
			continue
		}
		if !own && !w.salvage.decodeAlone(fr, p.types, &rec) || !rec.whole() || p.source.spare && rec.Lost {
			w.inBlock = false
			continue // a placeholder stands for it, when the next one comes
		}
		if err := w.keep(fr, &rec, own); err != nil {
			return err
		}
	}
	return nil
}

// keep writes one message: as it is, where its block is whole up to it.
func (w *rewriter) keep(fr frame, rec *record, own bool) error {
	ms := rec.TimeMS
	if w.time != 0 {
		ms = min(ms, w.time)
	}
	if err := w.lose(fr.seq, ms); err != nil {
		return err
	}
	if fr.flags&flagRestart != 0 && own {
		w.inBlock = true
	}
	if w.inBlock && own {
		w.blocks.gob = nil // what is encoded next begins a block
		w.blocks.buf = appendFrame(w.blocks.buf, w.salt, fr.flags, fr.seq, fr.payload)
	} else {
		if !own {
			w.repair.Recovered++
		}
		if err := w.encode(fr.flags&^flagRestart, fr.seq, rec); err != nil {
			return err
		}
	}
	w.want, w.time, w.chain = fr.seq+1, rec.TimeMS, rec.chain(fr.seq)
	return w.flushSome()
}

func (w *rewriter) encode(flags byte, seq rooms.Seq, rec *record) error {
	w.inBlock = false
	_, err := w.blocks.add(w.salt, flags, seq, rec)
	return err
}

// lose writes placeholders up to the message next, as said at a time.
func (w *rewriter) lose(next rooms.Seq, ms int64) error {
	if w.want >= next {
		return nil
	}
	w.repair.lost(Range{w.want, next - 1})
	for ; w.want < next; w.want++ {
		rec := record{TimeMS: ms, Kind: uint8(rooms.Lost), Lost: true, Prev: slices.Clone(w.chain[:])}
		hash := rec.bodyHash()
		rec.BodyHash = hash[:]
		if err := w.encode(0, w.want, &rec); err != nil { // part of whatever write stood here
			return err
		}
		w.chain = rec.chain(w.want)
		if err := w.flushSome(); err != nil {
			return err
		}
	}
	return nil
}

// lost notes what was lost, joined with what was lost before it.
func (r *Repair) lost(l Range) {
	if n := len(r.Lost); n > 0 && r.Lost[n-1].Last+1 == l.First {
		r.Lost[n-1].Last = l.Last
		return
	}
	r.Lost = append(r.Lost, l)
}

func (w *rewriter) flushSome() error {
	if len(w.blocks.buf) < flushSize {
		return nil
	}
	return w.flush()
}

func (w *rewriter) flush() error {
	_, err := w.out.WriteAt(w.blocks.buf, w.end)
	w.end += int64(len(w.blocks.buf))
	w.blocks.reset()
	return err
}
