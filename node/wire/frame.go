package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The specification of version 1. These numbers never change within it.
const (
	// Protocol is the stream protocol's identifier. It carries the major version.
	Protocol = "/p2pchat/1.0.0"

	// HelloLimit is the largest payload of the first frame, in bytes.
	HelloLimit = 4 << 10

	// FrameLimit is the largest payload of any other frame, in bytes.
	FrameLimit = 64 << 10

	// AnswerLimit is the largest sum of the payloads of one answer in parts, in bytes.
	AnswerLimit = 4 << 20

	// AnswerItems is the largest number of items in one answer, over all its parts.
	AnswerItems = 16 << 10
)

const (
	lengthBytes = 3       // of the longest length
	bufferBytes = 4 << 10 // of a Reader; about two dozen chat lines
)

// The errors of a Reader, besides those of the stream below it, io.EOF between
// frames, io.ErrUnexpectedEOF inside of one, and *MalformedError.
var (
	// ErrTooLarge says that a frame or an answer in parts is over its limit. It
	// was not read, so the stream is of no more use.
	ErrTooLarge = errors.New("frame too large")

	// ErrUnknown says that a frame has a kind, or a value of an enum, that this
	// version does not know: the peer is newer. The frame was read, the next
	// one can be.
	ErrUnknown = errors.New("frame of an unknown kind")
)

// MalformedError says that a frame breaks the protocol.
type MalformedError struct {
	// Ref is the frame's ref, where one was read. Then the frame's end is
	// known and the next frame can be read. 0: the stream is of no more use.
	Ref uint64

	// Reason says what is wrong. It holds none of the peer's bytes.
	Reason string
}

// Error returns the reason.
func (e *MalformedError) Error() string { return "malformed frame: " + e.Reason }

var (
	decoding = proto.UnmarshalOptions{Merge: true, DiscardUnknown: true, RecursionLimit: 8}
	encoding = proto.MarshalOptions{Deterministic: true, UseCachedSize: true}
)

// Reader reads the frames of one stream. It is buffered: several frames that
// arrived together cost one Read of the stream. It holds 4 KiB between frames,
// and within a larger frame that frame's bytes too. It is for one goroutine.
type Reader struct{ buf *bufio.Reader }

// NewReader returns a Reader of r. Deadlines are for the caller to set on r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, bufferBytes)} }

// read reads one frame into m, onto what m holds already, and returns the
// payload's size.
func (r *Reader) read(m proto.Message, limit int) (size int, err error) {
	size, err = r.length(limit)
	if err != nil {
		return 0, err
	}
	payload, err := r.payload(size)
	if err != nil {
		return 0, err
	}
	if decoding.Unmarshal(payload, m) != nil {
		return size, &MalformedError{Reason: "not the protobuf message that belongs here"}
	}
	return size, nil
}

// length reads a frame's length and checks it.
func (r *Reader) length(limit int) (int, error) {
	n := 0
	for i := range lengthBytes {
		b, err := r.buf.ReadByte()
		if err != nil {
			if i > 0 {
				err = inside(err)
			}
			return 0, err
		}
		n |= int(b&0x7f) << (7 * i)
		if b >= 0x80 {
			continue
		}
		if b == 0 && i > 0 {
			return 0, &MalformedError{Reason: "length not in its shortest form"}
		}
		if n > limit {
			return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, limit)
		}
		return n, nil
	}
	return 0, fmt.Errorf("%w: its length has more than %d bytes", ErrTooLarge, lengthBytes)
}

// payload returns the next n bytes; they are valid until the next call.
func (r *Reader) payload(n int) ([]byte, error) {
	if n > bufferBytes {
		// Not kept for the next frame: a host has thousands of Readers, and few
		// of them ever see a frame like this.
		large := make([]byte, n)
		_, err := io.ReadFull(r.buf, large)
		return large, inside(err)
	}
	payload, err := r.buf.Peek(n)
	if err != nil {
		return nil, inside(err)
	}
	_, err = r.buf.Discard(n)
	return payload, err
}

// inside is err, for a place where a stream may not end.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendFrame appends the length and the payload of m.
func appendFrame(buf []byte, m proto.Message) []byte {
	return appendSized(buf, m, proto.Size(m))
}

// appendSized is appendFrame for a message whose size was just computed.
func appendSized(buf []byte, m proto.Message, size int) []byte {
	buf = slices.Grow(buf, lengthBytes+size)
	buf = protowire.AppendVarint(buf, uint64(size))
	buf, err := encoding.MarshalAppend(buf, m)
	if err != nil {
		panic("wire: a string was not made UTF-8 before encoding: " + err.Error())
	}
	return buf
}
