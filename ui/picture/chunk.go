package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// ErrMalformed is a file that breaks the rules of its own format.
var ErrMalformed = errors.New("malformed file")

// maxParts is how many parts of a file are walked before it counts as malformed;
// it bounds the time and memory that a hostile one can take.
const maxParts = 1 << 16

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// file is a file's bytes and how many there are, and how many of its parts were
// walked.
type file struct {
	r     io.ReaderAt
	size  int64
	parts int
	buf   []byte // to look for ends in
}

// step counts a part.
func (f *file) step() error {
	if f.parts++; f.parts > maxParts {
		return malformed("it has too many parts")
	}
	return nil
}

// bytes are n bytes at off; n is small and never comes from the file unchecked.
func (f *file) bytes(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size-int64(n) {
		return nil, malformed("it ends too early")
	}
	p := make([]byte, n)
	if k, err := f.r.ReadAt(p, off); k < n {
		if err == nil || errors.Is(err, io.EOF) {
			err = malformed("it ends too early")
		}
		return nil, err
	}
	return p, nil
}

func (f *file) section(off, n int64) io.Reader { return io.NewSectionReader(f.r, off, n) }

// part is one chunk, segment or box of a file.
type part struct {
	kind       string
	start, end int64 // with its header
	data       int64 // where its content begins
}

func (p part) size() int64 { return p.end - p.data }

// pngChunks calls each for the chunks of a PNG up to IEND and returns where that
// ends.
func (f *file) pngChunks(each func(part) error) (int64, error) {
	off := int64(8)
	for {
		if err := f.step(); err != nil {
			return 0, err
		}
		h, err := f.bytes(off, 8)
		if err != nil {
			return 0, err
		}
		c := part{kind: string(h[4:]), start: off, data: off + 8}
		c.end = c.data + int64(binary.BigEndian.Uint32(h))
		if off = c.end + 4; off > f.size { // a checksum follows
			return 0, malformed("chunk %q is too long", c.kind)
		}
		if err := each(c); err != nil {
			return 0, err
		}
		if c.kind == "IEND" {
			return off, nil
		}
	}
}

// webpChunks calls each for the chunks of a WebP file and returns where its
// container ends.
func (f *file) webpChunks(each func(part) error) (int64, error) {
	h, err := f.bytes(0, 12)
	if err != nil {
		return 0, err
	}
	end := 8 + int64(binary.LittleEndian.Uint32(h[4:]))
	if string(h[:4]) != "RIFF" || string(h[8:]) != "WEBP" || end > f.size || end < 12 {
		return 0, malformed("the container's length is wrong")
	}
	return end, f.riffChunks(12, end, each)
}

// riffChunks calls each for the chunks between off and end; they have even lengths.
func (f *file) riffChunks(off, end int64, each func(part) error) error {
	for off != end {
		if err := f.step(); err != nil {
			return err
		}
		h, err := f.bytes(off, 8)
		if err != nil {
			return err
		}
		n := int64(binary.LittleEndian.Uint32(h[4:]))
		c := part{kind: string(h[:4]), start: off, data: off + 8, end: off + 8 + n}
		if off = c.end + n%2; off > end {
			return malformed("chunk %q is too long", c.kind)
		}
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// boxes calls each for the boxes between off and end of an MP4 or MOV file.
func (f *file) boxes(off, end int64, each func(part) error) error {
	for off != end && off+4 != end { // QuickTime may end a list with four zero bytes
		if err := f.step(); err != nil {
			return err
		}
		h, err := f.bytes(off, 8)
		if err != nil {
			return err
		}
		b := part{kind: string(h[4:]), start: off, data: off + 8}
		switch n := int64(binary.BigEndian.Uint32(h)); n {
		case 0:
			b.end = end
		case 1:
			h, err := f.bytes(off+8, 8)
			if err != nil {
				return err
			}
			long := binary.BigEndian.Uint64(h)
			if long > uint64(end-off) {
				return malformed("box %q is too long", b.kind)
			}
			b.data, b.end = off+16, off+int64(long)
		default:
			b.end = off + n
		}
		if b.end < b.data || b.end > end {
			return malformed("box %q is too long", b.kind)
		}
		if err := each(b); err != nil {
			return err
		}
		off = b.end
	}
	return nil
}

// pngChunk is a chunk of a PNG.
func pngChunk(kind string, data []byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	p = append(append(p, kind...), data...)
	return binary.BigEndian.AppendUint32(p, crc32.ChecksumIEEE(p[4:]))
}

// nothing is zeroes without end.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
