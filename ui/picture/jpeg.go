package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Markers of JPEG.
const (
	jpegSOF0  = 0xc0
	jpegDHT   = 0xc4
	jpegJPG   = 0xc8
	jpegDAC   = 0xcc
	jpegRST0  = 0xd0
	jpegSOI   = 0xd8
	jpegEOI   = 0xd9
	jpegSOS   = 0xda
	jpegAPP0  = 0xe0
	jpegAPP1  = 0xe1
	jpegAPP2  = 0xe2
	jpegAPP14 = 0xee
	jpegAPP15 = 0xef
	jpegCOM   = 0xfe
)

// segment is one marker segment of a JPEG file. Behind the header of a scan its
// entropy coded data belongs to it.
type segment struct {
	part
	marker byte
	header int64 // where the scan's data begins; end for all others
}

// errEnough ends a walk before the end.
var errEnough = errors.New("enough")

// jpegSegments calls each for the segments between the start and the end of the
// image and returns where the image ends.
func (f *file) jpegSegments(each func(segment) error) (int64, error) {
	off := int64(2)
	for {
		if err := f.step(); err != nil {
			return 0, err
		}
		h, err := f.bytes(off, 2)
		if err != nil {
			return 0, err
		}
		if h[0] != 0xff {
			return 0, malformed("no marker where one has to be")
		}
		s := segment{marker: h[1], part: part{start: off}}
		switch {
		case s.marker == 0xff: // filling
			off++
			continue
		case s.marker == jpegEOI:
			return off + 2, nil
		case s.marker == 0, s.marker == 1, s.marker >= jpegRST0 && s.marker <= jpegSOI:
			return 0, malformed("marker %#x at a wrong place", s.marker)
		}
		if h, err = f.bytes(off+2, 2); err != nil {
			return 0, err
		}
		n := int64(binary.BigEndian.Uint16(h))
		s.data, s.end = off+4, off+2+n
		if n < 2 || s.end > f.size {
			return 0, malformed("segment %#x has a wrong length", s.marker)
		}
		if s.header = s.end; s.marker == jpegSOS {
			if s.end, err = f.jpegScanEnd(s.header); err != nil {
				return 0, err
			}
		}
		if err := each(s); err != nil {
			return 0, err
		}
		off = s.end
	}
}

// jpegScanEnd is where the entropy coded data that begins at off ends: before the
// next marker that is no restart.
func (f *file) jpegScanEnd(off int64) (int64, error) {
	if f.buf == nil {
		f.buf = make([]byte, 32<<10)
	}
	buf := f.buf
	for off < f.size {
		n, err := f.r.ReadAt(buf[:min(int64(len(buf)), f.size-off)], off)
		if n < 2 {
			if err == nil || errors.Is(err, io.EOF) {
				err = malformed("a scan has no end")
			}
			return 0, err
		}
		for i := 0; i < n-1; i += 2 {
			k := bytes.IndexByte(buf[i:n-1], 0xff)
			if k < 0 {
				break
			}
			i += k
			switch m := buf[i+1]; {
			case m == 0xff:
				i-- // the next byte may begin a marker
			case m != 0 && (m < jpegRST0 || m >= jpegSOI):
				return off + int64(i), nil
			}
		}
		off += int64(n - 1) // the last byte may be half of a marker
	}
	return 0, malformed("a scan has no end")
}

// component is how one colour of a JPEG is stored.
type component struct{ id, h, v int }

// jpegFrame is what a JPEG says of its picture.
type jpegFrame struct {
	width, height int
	progressive   bool
	components    []component
	adobe         int // its colour transform, -1 without
}

// jpegFrame reads the segments up to the frame's header.
func (f *file) jpegFrame() (jpegFrame, error) {
	frame := jpegFrame{adobe: -1}
	_, err := f.jpegSegments(func(s segment) error {
		switch {
		case s.marker == jpegAPP14 && s.size() >= 12:
			p, err := f.bytes(s.data, 12)
			if err == nil && string(p[:5]) == "Adobe" {
				frame.adobe = int(p[11])
			}
			return err
		case s.marker >= jpegSOF0 && s.marker < jpegRST0 && s.marker != jpegDHT && s.marker != jpegJPG && s.marker != jpegDAC:
			if err := f.readFrame(&frame, s); err != nil {
				return err
			}
			return errEnough
		case s.marker == jpegSOS:
			return malformed("a scan before the frame")
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return frame, err
}

func (f *file) readFrame(frame *jpegFrame, s segment) error {
	p, err := f.bytes(s.data, int(s.size()))
	if err != nil {
		return err
	}
	if len(p) < 6 || len(p) != 6+3*int(p[5]) || p[5] == 0 || p[5] > 4 {
		return malformed("the frame's header has a wrong length")
	}
	frame.progressive = s.marker != jpegSOF0 && s.marker != jpegSOF0+1
	frame.height, frame.width = int(binary.BigEndian.Uint16(p[1:])), int(binary.BigEndian.Uint16(p[3:]))
	for c := p[6:]; len(c) > 0; c = c[3:] {
		frame.components = append(frame.components, component{int(c[0]), int(c[1] >> 4), int(c[1] & 15)})
	}
	return nil
}

// memory is how many bytes Go's decoder takes for the frame: a byte a sample, for
// progressive ones four more for the coefficients, for CMYK and RGB the picture
// once more.
func (j jpegFrame) memory() int64 {
	maxH, maxV := 1, 1
	for _, c := range j.components {
		maxH, maxV = max(maxH, c.h), max(maxV, c.v)
	}
	columns, rows := int64(j.width+8*maxH-1)/int64(8*maxH), int64(j.height+8*maxV-1)/int64(8*maxV)
	samples := int64(0)
	for _, c := range j.components {
		samples += 64 * columns * rows * int64(c.h) * int64(c.v)
	}
	total := samples
	if j.progressive {
		total += 4 * samples
	}
	rgb := len(j.components) == 3 && (j.adobe == 0 || j.adobe < 0 && j.components[0].id == 'R')
	if rgb || len(j.components) == 4 {
		total += 4 * int64(j.width) * int64(j.height)
	}
	return total
}

// jpegScans is how many scans the picture has.
func (f *file) jpegScans() (int64, error) {
	scans := int64(0)
	_, err := f.jpegSegments(func(s segment) error {
		if s.marker == jpegSOS {
			scans++
		}
		return nil
	})
	return scans, err
}
