package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"p2pchat/rooms"
)

// mendHeader looks for the one bit that makes a broken header whole again, and the
// header fit. The error is a *VersionError, or one of the disk.
func mendHeader(f file, magic, path string, fits func(header) bool) (h header, ok bool, err error) {
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return header{}, false, err
	}
	for bit := range headerSize * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		h, err := decodeHeader(b, magic, path)
		b[bit/8] ^= 1 << (bit % 8)
		var later *VersionError
		if errors.As(err, &later) {
			return header{}, false, err
		}
		if err == nil && fits(h) {
			return h, true, nil
		}
	}
	return header{}, false, nil
}

// Bounds of the search for a salt.
const (
	maxSalts    = 8       // salts whose frames are counted
	maxStepping = 1 << 30 // bytes that checksums are stepped back over
)

// findSalt finds the salt of a file without its header: a frame's checksum is stepped
// back to it, and the next frame has to confirm it. What a member said could look like
// two such frames; so the salt counts under which the largest part of the file is whole.
// It is nil when there is none. lone says that there is only one frame, with number
// first, and nothing in the file confirms it.
func findSalt(f file, size int64, first rooms.Seq) (salt *uint32, lone bool, err error) {
	var best int64
	tried := map[uint32]bool{}
	stepped := 0
	r := frameReader{f: f, off: headerSize, end: size}
	for r.end-r.off >= frameHead && len(tried) < maxSalts && stepped < maxStepping {
		c, ok, err := r.likely()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			break
		}
		stepped += len(c.payload)
		off := r.off
		r.off = c.off + 1
		if tried[c.salt] {
			continue
		}
		next := frameReader{f: f, salt: c.salt, off: c.next(), end: size}
		fr, err := next.next()
		if c.next() == size && c.off == headerSize && c.seq == first {
			return &c.salt, true, nil
		}
		var bad *badFrame
		if err != nil && !errors.As(err, &bad) && next.off < size {
			return nil, false, err
		}
		if err != nil || fr.seq != c.seq+1 {
			continue
		}
		tried[c.salt] = true
		n, err := wholeBytes(f, c.salt, off, size)
		if err != nil {
			return nil, false, err
		}
		if n > best {
			best, salt = n, &c.salt
		}
		if best > size/2 {
			break
		}
	}
	return salt, false, nil
}

// candidate looks like a frame, and would be one with that salt.
type candidate struct {
	frame
	salt uint32
}

// likely returns the next thing that looks like a frame with something that looks like
// another one, or nothing, behind it.
func (r *frameReader) likely() (candidate, bool, error) {
	for r.end-r.off >= frameHead {
		head, err := r.bytes(r.off, frameHead)
		if err != nil {
			return candidate{}, false, err
		}
		seen := r.buf[r.off-r.at:]
		if i := bytes.IndexByte(seen, frameMagic); i != 0 {
			if i < 0 {
				i = len(seen)
			}
			r.off += int64(i)
			continue
		}
		n := int64(binary.LittleEndian.Uint32(head[2:]))
		next := r.off + frameHead + n
		if head[1]&^flagsKnown != 0 || n > maxPayload || next > r.end {
			r.off++
			continue
		}
		b, err := r.bytes(r.off, int(min(frameHead+n+1, r.end-r.off)))
		if err != nil {
			return candidate{}, false, err
		}
		if next < r.end && b[frameHead+n] != frameMagic {
			r.off++
			continue
		}
		payload := b[frameHead : frameHead+n]
		return candidate{
			frame: frame{off: r.off, flags: b[1], seq: rooms.Seq(binary.LittleEndian.Uint64(b[6:])), payload: payload},
			salt:  saltOf(binary.LittleEndian.Uint32(b[14:]), b[1:14], payload),
		}, true, nil
	}
	return candidate{}, false, nil
}

// wholeBytes counts the bytes of whole frames from off on.
func wholeBytes(f file, salt uint32, off, size int64) (int64, error) {
	var n int64
	r := frameReader{f: f, salt: salt, off: off, end: size}
	for {
		fr, err := r.find()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		n += frameHead + int64(len(fr.payload))
	}
}

// saltOf steps a frame's checksum back to the salt that it started from. Each step of
// CRC32C can be undone: no two entries of its table have the same highest byte.
func saltOf(sum uint32, head, payload []byte) uint32 {
	var index [256]byte
	for i, v := range castagnoli {
		index[v>>24] = byte(i)
	}
	crc := ^sum
	for _, part := range [][]byte{payload, head} {
		for i := len(part) - 1; i >= 0; i-- {
			at := index[crc>>24]
			crc = (crc^castagnoli[at])<<8 | uint32(at^part[i])
		}
	}
	return ^crc
}
