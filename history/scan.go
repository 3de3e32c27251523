package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"p2pchat/rooms"
)

// Tuning.
const (
	windowSize = 64 << 10 // bytes read at once
	markStep   = 8 << 10  // bytes between two marks of an index, at least
)

// badFrame says that there is no whole frame at an offset. It says nothing about
// why: a crash, damage, or a host that is just writing.
type badFrame struct {
	off    int64
	reason string
}

func (b *badFrame) Error() string { return fmt.Sprintf("at byte %d: %s", b.off, b.reason) }

// frameReader reads the frames of a file, through a window.
type frameReader struct {
	f    file
	salt uint32
	off  int64 // of the next frame
	end  int64 // nothing behind it is read
	buf  []byte
	at   int64 // offset of buf[0]
}

// bytes returns n bytes from off on; the caller checked them against end. They
// stay valid until the next call.
func (r *frameReader) bytes(off int64, n int) ([]byte, error) {
	if off < r.at || off+int64(n) > r.at+int64(len(r.buf)) {
		size := int(min(int64(max(n, windowSize)), r.end-off))
		if cap(r.buf) < size {
			r.buf = make([]byte, size)
		}
		r.buf, r.at = r.buf[:size], off
		if got, err := r.f.ReadAt(r.buf, off); got < size {
			r.buf = r.buf[:0]
			if errors.Is(err, io.EOF) { // the host cut the file since
				return nil, &badFrame{off, "the file ends here"}
			}
			return nil, err
		}
	}
	return r.buf[off-r.at:][:n], nil
}

// next returns the frame at r.off and goes behind it; io.EOF at the end. A
// *badFrame is told from an error of the disk. The payload stays valid until the
// next call.
func (r *frameReader) next() (frame, error) {
	if r.off >= r.end {
		return frame{}, io.EOF
	}
	fr, err := r.frame(r.off)
	if err == nil {
		r.off = fr.next()
	}
	return fr, err
}

func (r *frameReader) frame(off int64) (frame, error) {
	if r.end-off < frameHead {
		return frame{}, &badFrame{off, "the file ends inside a frame"}
	}
	head, err := r.bytes(off, frameHead)
	if err != nil {
		return frame{}, err
	}
	n := binary.LittleEndian.Uint32(head[2:])
	switch {
	case head[0] != frameMagic:
		return frame{}, &badFrame{off, "no frame begins here"}
	case n > maxPayload:
		return frame{}, &badFrame{off, "a frame's length is impossible"}
	case int64(n) > r.end-off-frameHead:
		return frame{}, &badFrame{off, "the file ends inside a frame"}
	}
	b, err := r.bytes(off, frameHead+int(n))
	if err != nil {
		return frame{}, err
	}
	if binary.LittleEndian.Uint32(b[14:]) != checksum(r.salt, b[1:14], b[frameHead:]) {
		return frame{}, &badFrame{off, "a frame's checksum is wrong"}
	}
	return frame{
		off:     off,
		flags:   b[1],
		seq:     rooms.Seq(binary.LittleEndian.Uint64(b[6:])),
		payload: b[frameHead:],
	}, nil
}

// find looks for the first whole frame from r.off on and goes behind it; io.EOF
// where there is none.
func (r *frameReader) find() (frame, error) {
	for r.end-r.off >= frameHead {
		if _, err := r.bytes(r.off, frameHead); err != nil {
			return frame{}, err
		}
		seen := r.buf[r.off-r.at:]
		i := bytes.IndexByte(seen, frameMagic)
		switch {
		case i < 0:
			r.off += int64(len(seen))
		case i > 0:
			r.off += int64(i)
		default:
			if seen[1]&^flagsKnown == 0 {
				fr, err := r.next()
				var bad *badFrame
				if err == nil || !errors.As(err, &bad) {
					return fr, err
				}
			}
			r.off++
		}
	}
	return frame{}, io.EOF
}

// mark says where a block begins.
type mark struct {
	seq rooms.Seq
	off int64
}

// index is a sparse index of a segment: where some of its blocks begin.
type index struct {
	header
	marks []mark
	last  rooms.Seq // first-1 where it holds nothing
	end   int64     // behind the last frame
}

// add notes a block.
func (x *index) add(seq rooms.Seq, off int64) {
	if n := len(x.marks); n == 0 || off-x.marks[n-1].off >= markStep {
		x.marks = append(x.marks, mark{seq, off})
	}
}

// extent is what a scan found in a file.
type extent struct {
	index
	block     int64     // where the last block begins
	whole     int64     // behind the last write that is there to its end
	wholeLast rooms.Seq // the last frame of that write
	bad       *badFrame // why the scan ended; nil: at the end of the file
	gap       bool      // the frame at bad is whole but not the next one

	redactions []rooms.Seq // in the last write: only these may wait to be carried out
}

// scan reads all frames of f, whose header is h and which has size bytes. Its
// error is one of the disk.
func scan(f file, h header, size int64) (extent, error) {
	e := extent{
		index: index{header: h, last: h.first - 1, end: headerSize},
		block: headerSize, whole: headerSize, wholeLast: h.first - 1,
	}
	r := frameReader{f: f, salt: h.salt, off: headerSize, end: size}
	for {
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return e, nil
		}
		if errors.As(err, &e.bad) {
			return e, nil
		}
		if err != nil {
			return e, err
		}
		if fr.seq != e.last+1 {
			e.bad = &badFrame{fr.off, fmt.Sprintf("%d follows %d", fr.seq, e.last)}
			e.gap = true
			return e, nil
		}
		if fr.flags&flagRestart != 0 {
			e.add(fr.seq, fr.off)
			e.block = fr.off
		}
		if fr.flags&flagBegin != 0 {
			e.redactions = nil
		}
		if fr.flags&flagRedacts != 0 {
			e.redactions = append(e.redactions, fr.seq)
		}
		e.last, e.end = fr.seq, fr.next()
		if fr.flags&flagEnd != 0 {
			e.whole, e.wholeLast = e.end, e.last
		}
	}
}

// damage tells whether what ended the scan is damage, or else the rest of a write
// that was never acknowledged (nil): what a crash leaves lacks a sector, or its end.
// A write begins only when the one before was synced; so a whole frame with the
// begin flag, behind the broken bytes, proves that these had been on the disk.
func (e *extent) damage(f file, name string, size, sector int64) (*DamageError, error) {
	if e.bad == nil {
		return nil, nil
	}
	d := &DamageError{File: name, Offset: e.bad.off, After: e.last, Reason: e.bad.reason}
	if e.gap {
		return d, nil
	}
	r := frameReader{f: f, salt: e.salt, off: e.bad.off + 1, end: size}
	lost, cut, err := r.torn(e.bad.off, sector)
	var bad *badFrame
	if errors.As(err, &bad) { // the host has cut it off since
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for {
		fr, err := r.find()
		if errors.Is(err, io.EOF) && (lost || cut) {
			return nil, nil
		}
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		if d.Before == 0 {
			d.Before = fr.seq
		}
		if !lost || fr.flags&flagBegin != 0 {
			return d, nil // a file that ends inside a frame has none behind it
		}
	}
}
