package history

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"

	"p2pchat/rooms"
)

// A block ends after so many frames, or so many bytes of payload: it is what has
// to be read to find one message.
const (
	blockFrames = 64
	blockBytes  = 64 << 10
)

// blockWriter turns records into frames, one gob stream a block. It keeps the
// frames of one write.
type blockWriter struct {
	buf    []byte // the frames
	out    bytes.Buffer
	gob    *gob.Encoder // nil: the next frame begins a block
	frames int          // in the block
	bytes  int          // in the block
}

// reset forgets the frames of the last write; the block goes on.
func (w *blockWriter) reset() {
	const keep = 1 << 20
	if cap(w.buf) > keep {
		w.buf = nil
	}
	w.buf = w.buf[:0]
}

// add appends the frame of a record, a pointer to one of the flat structs, and
// tells whether it began a block.
func (w *blockWriter) add(salt uint32, flags byte, seq rooms.Seq, rec any) (began bool, err error) {
	if w.gob == nil || w.frames >= blockFrames || w.bytes >= blockBytes {
		w.gob = gob.NewEncoder(&w.out)
		w.frames, w.bytes = 0, 0
		flags |= flagRestart
		began = true
	}
	w.out.Reset()
	if err := w.gob.Encode(rec); err != nil {
		return began, err
	}
	payload := w.out.Bytes()
	if len(payload) > maxPayload {
		return began, fmt.Errorf("record %d has %d bytes, at most %d fit", seq, len(payload), maxPayload)
	}
	w.frames++
	w.bytes += len(payload)
	w.buf = appendFrame(w.buf, salt, flags, seq, payload)
	return began, nil
}

// writeFlags are the flags of the i-th of n frames of a write.
func writeFlags(i, n int) byte {
	var flags byte
	if i == 0 {
		flags |= flagBegin
	}
	if i == n-1 {
		flags |= flagEnd
	}
	return flags
}

// blockReader decodes the payloads of frames whose checksum holds. Within a block,
// frames behind the first may be skipped.
type blockReader struct {
	in  bytes.Reader
	gob *gob.Decoder // nil: no block has begun
}

var (
	errNoBlock = errors.New("it is not the first of a block, and that was not read")
	errSurplus = errors.New("bytes follow the record")
)

// decode decodes the frame into rec, a pointer to a zero flat struct.
func (r *blockReader) decode(fr frame, rec any) error {
	if fr.flags&flagRestart != 0 {
		r.gob = gob.NewDecoder(&r.in)
	}
	if r.gob == nil {
		return errNoBlock
	}
	r.in.Reset(fr.payload)
	err := r.gob.Decode(rec)
	if err == nil && r.in.Len() != 0 {
		err = errSurplus
	}
	if err != nil {
		r.gob = nil // its types may be half read
	}
	return err
}
