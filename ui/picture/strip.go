package picture

import (
	"bytes"
	"errors"
	"io"
)

// ErrUnknownKind is a kind of file of which it is not known where metadata is.
var ErrUnknownKind = errors.New("metadata of this kind of file isn't known")

// Strip copies a file of size bytes without its metadata: place, time, camera,
// author, comments, thumbnails, and whatever is appended. What is drawn stays the
// same byte for byte, colour profiles too, and a photo that has to be turned still
// says so. Mime is what [Sniff] said: PNG, JPEG, GIF, WebP, HEIC, AVIF, MP4 or MOV.
//
// In films, HEIC and AVIF, descriptions and tracks of measurements are overwritten, so
// the length stays the same. Within encoded sound and pictures nothing is looked for.
//
// The whole file is walked before the first byte is written. On [ErrUnknownKind] and
// [ErrMalformed] nothing was written, and the caller may, after telling, send the
// file as it is. Other errors are those of r and w. The memory taken is bounded by
// 24 MiB.
func Strip(w io.Writer, r io.ReaderAt, size int64, mime string) error {
	f := &file{r: r, size: size}
	var e edits
	var err error
	switch mime {
	case mimeJPEG:
		err = f.stripJPEG(&e)
	case mimePNG:
		err = f.stripPNG(&e)
	case mimeWebP:
		err = f.stripWebP(&e)
	case mimeGIF:
		err = f.stripGIF(&e)
	case mimeMP4, mimeMOV:
		err = f.stripMovie(&e)
	case mimeHEIC, mimeAVIF:
		err = f.stripHEIF(&e)
	default:
		err = ErrUnknownKind
	}
	if err != nil {
		return err
	}
	return e.write(w, f)
}

// edit is a run of the output: bytes of the file, or given ones, or zeroes.
type edit struct {
	start, end int64  // of the file, unless literal is set or zeroes
	literal    []byte // written instead
	zeroes     int64
}

// edits are the output, in order.
type edits []edit

// keep adds the file's bytes between start and end.
func (e *edits) keep(start, end int64) {
	if start == end {
		return
	}
	if n := len(*e); n > 0 {
		if last := &(*e)[n-1]; last.end == start && last.end > last.start {
			last.end = end
			return
		}
	}
	*e = append(*e, edit{start: start, end: end})
}

func (e *edits) put(literal []byte) { *e = append(*e, edit{literal: literal}) }

func (e *edits) zero(n int64) { *e = append(*e, edit{zeroes: n}) }

func (e edits) write(w io.Writer, f *file) error {
	buf := make([]byte, 64<<10)
	for _, d := range e {
		var r io.Reader
		switch {
		case d.literal != nil:
			r = bytes.NewReader(d.literal)
		case d.zeroes > 0:
			r = io.LimitReader(nothing{}, d.zeroes)
		default:
			r = f.section(d.start, d.end-d.start)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, r, buf)
		if err != nil {
			return err
		}
		if n != max(d.end-d.start, d.zeroes, int64(len(d.literal))) {
			return io.ErrUnexpectedEOF // it became shorter meanwhile
		}
	}
	return nil
}

// stripJPEG keeps the segments that decoding needs, JFIF without its thumbnail,
// ICC profiles, and Adobe's note on the colours.
func (f *file) stripJPEG(e *edits) error {
	if head, err := f.bytes(0, 2); err != nil || head[1] != jpegSOI {
		return malformed("no start of an image")
	}
	e.keep(0, 2)
	scans, turned := 0, false
	end, err := f.jpegSegments(func(s segment) error {
		switch {
		case s.marker == jpegAPP0 && f.startsWith(s.part, "JFIF\x00") && s.size() >= 14:
			head, err := f.bytes(s.data, 12)
			if err == nil {
				e.put(append(append([]byte{0xff, jpegAPP0, 0, 16}, head...), 0, 0))
			}
			return err
		case s.marker == jpegAPP1 && !turned && f.startsWith(s.part, exifPrefix):
			turned = true
			data, err := f.bytes(s.data, int(s.size()))
			if err != nil {
				return err
			}
			if turn := exifOrientation(data); turn != upright {
				p := append([]byte(exifPrefix), minimalExif(turn)...)
				e.put(append([]byte{0xff, jpegAPP1, 0, byte(2 + len(p))}, p...))
			}
			return nil
		case s.marker == jpegAPP2 && f.startsWith(s.part, "ICC_PROFILE\x00"),
			s.marker == jpegAPP14 && f.startsWith(s.part, "Adobe"):
		case s.marker >= jpegAPP0 && s.marker <= jpegAPP15, s.marker >= 0xf0, s.marker < jpegSOF0:
			return nil // other applications', comments, reserved
		}
		if s.marker == jpegSOS {
			scans++
		}
		e.keep(s.start, s.end)
		return nil
	})
	if err == nil && scans == 0 {
		err = malformed("no picture in it")
	}
	e.keep(end-2, end)
	return err
}

// pngKept are the chunks besides the critical ones that change what is drawn.
var pngKept = set(`tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT`)

func (f *file) stripPNG(e *edits) error {
	if head, err := f.bytes(0, 16); err != nil || Sniff(head) != mimePNG || string(head[12:]) != "IHDR" {
		return malformed("no header")
	}
	e.keep(0, 8)
	data := false
	_, err := f.pngChunks(func(c part) error {
		data = data || c.kind == "IDAT"
		switch {
		case c.kind[0]&0x20 == 0, pngKept[c.kind]:
			e.keep(c.start, c.end+4)
		case c.kind == "eXIf":
			p, err := f.bytes(c.data, int(min(c.size(), maxExif)))
			if err != nil {
				return err
			}
			if turn := exifOrientation(p); turn != upright {
				e.put(pngChunk("eXIf", minimalExif(turn)))
			}
		}
		return nil
	})
	if err == nil && !data {
		err = malformed("no picture in it")
	}
	return err
}
