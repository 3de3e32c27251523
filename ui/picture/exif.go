package picture

import (
	"bytes"
	"encoding/binary"
	"image"
)

// upright is the orientation of a picture that is shown as it is stored.
const upright = 1

const (
	exifPrefix   = "Exif\x00\x00" // of a JPEG segment, before the TIFF
	orientation  = 0x0112         // the TIFF tag
	maxExif      = 64 << 10       // bytes; a longer one is not read
	maxExifFirst = 512            // tags of the first directory
)

// exifOrientation is how a picture has to be turned, 1 to 8 as EXIF numbers it;
// upright if the EXIF data p, a TIFF, says nothing that makes sense.
func exifOrientation(p []byte) int {
	p = bytes.TrimPrefix(p, []byte(exifPrefix))
	var order binary.ByteOrder = binary.LittleEndian
	if len(p) < 8 {
		return upright
	}
	if p[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(p[4:]))
	if at+2 > int64(len(p)) {
		return upright
	}
	tags := p[at+2:]
	for range min(order.Uint16(p[at:]), maxExifFirst) {
		if len(tags) < 12 {
			break
		}
		if order.Uint16(tags) == orientation {
			if n := int(order.Uint16(tags[8:])); n >= 1 && n <= 8 {
				return n
			}
			break
		}
		tags = tags[12:]
	}
	return upright
}

// minimalExif is a TIFF that says the orientation and nothing else.
func minimalExif(turn int) []byte {
	return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, orientation >> 8, orientation & 0xff, 0, 3, 0, 0, 0, 1, 0, byte(turn), 0, 0, 0, 0, 0, 0}
}

// orientation finds the picture's first EXIF data; upright without.
func (f *file) orientation(mime string) int {
	turn := upright
	read := func(p part) error {
		data, err := f.bytes(p.data, int(min(p.size(), maxExif)))
		if err == nil {
			turn, err = exifOrientation(data), errEnough
		}
		return err
	}
	// An error leaves the picture upright: a walk ends early with errEnough.
	switch mime {
	case mimeJPEG:
		_, _ = f.jpegSegments(func(s segment) error {
			if s.marker == jpegSOS {
				return errEnough
			}
			if s.marker == jpegAPP1 && f.startsWith(s.part, exifPrefix) {
				return read(s.part)
			}
			return nil
		})
	case mimePNG:
		_, _ = f.pngChunks(func(c part) error {
			if c.kind == "eXIf" {
				return read(c)
			}
			return nil
		})
	case mimeWebP:
		_, _ = f.webpChunks(func(c part) error {
			if c.kind == "EXIF" {
				return read(c)
			}
			return nil
		})
	}
	return turn
}

// startsWith reports whether the content of p begins with sign.
func (f *file) startsWith(p part, sign string) bool {
	if p.size() < int64(len(sign)) {
		return false
	}
	got, err := f.bytes(p.data, len(sign))
	return err == nil && string(got) == sign
}

// turned is m the way up that the orientation says.
func turned(m *image.NRGBA, turn int) *image.NRGBA {
	if turn <= upright || turn > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if turn > 4 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			sx, sy := x, y
			if turn > 4 {
				sx, sy = y, x
			}
			if turn == 2 || turn == 3 || turn == 7 || turn == 8 {
				sx = w - 1 - sx
			}
			if turn == 3 || turn == 4 || turn == 6 || turn == 7 {
				sy = h - 1 - sy
			}
			copy(out.Pix[out.PixOffset(x, y):][:4], m.Pix[m.PixOffset(m.Rect.Min.X+sx, m.Rect.Min.Y+sy):][:4])
		}
	}
	return out
}
