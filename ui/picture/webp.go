package picture

import (
	"bytes"
	"encoding/binary"
	"io"
)

// webpFrame is what a WebP file says of its picture.
type webpFrame struct {
	width, height   int // of the canvas
	lossless, alpha bool
	coded           int64 // bytes that are coded without loss
	first           part  // the first frame of an animation
}

// webpFrame reads the headers of a WebP file, and of the first frame if it is an
// animation. All sizes in them agree, or a frame is within its canvas.
func (f *file) webpFrame() (webpFrame, error) {
	var w webpFrame
	_, err := f.webpChunks(func(c part) error {
		switch {
		case c.kind == "ANMF" && w.first.kind == "":
			w.first = c
			return f.webpFirst(&w)
		case w.first.kind != "":
			return nil
		}
		return f.webpHeader(&w, c)
	})
	if err == nil && w.width == 0 {
		err = malformed("no picture in it")
	}
	return w, err
}

// webpHeader adds what one chunk says.
func (f *file) webpHeader(w *webpFrame, c part) error {
	p, err := f.bytes(c.data, int(min(c.size(), 10)))
	if err != nil {
		return err
	}
	var width, height int
	switch {
	case c.kind == "VP8X" && len(p) == 10:
		w.alpha = p[0]&webpAlpha != 0
		width, height = 1+int(uint24(p[4:])), 1+int(uint24(p[7:]))
	case c.kind == "ALPH":
		w.alpha, w.coded = true, w.coded+c.size()
		return nil
	case c.kind == "VP8L" && len(p) >= 5:
		bits := binary.LittleEndian.Uint32(p[1:])
		w.lossless, w.coded = true, w.coded+c.size()
		width, height = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
	case c.kind == "VP8 " && len(p) == 10 && bytes.Equal(p[3:6], []byte("\x9d\x01\x2a")):
		width, height = int(p[6])|int(p[7]&0x3f)<<8, int(p[8])|int(p[9]&0x3f)<<8
	default:
		return nil
	}
	if w.width != 0 && (width != w.width || height != w.height) {
		return malformed("its headers differ")
	}
	w.width, w.height = width, height
	return nil
}

// animationHeader is how many bytes of a frame of an animation come before its
// chunks: its place, size, duration and flags.
const animationHeader = 16

// webpFirst looks into the first frame of an animation.
func (f *file) webpFirst(w *webpFrame) error {
	head, err := f.bytes(w.first.data, animationHeader)
	if err != nil {
		return err
	}
	frame := webpFrame{width: 1 + int(uint24(head[6:])), height: 1 + int(uint24(head[9:]))}
	err = f.riffChunks(w.first.data+animationHeader, w.first.end, func(c part) error { return f.webpHeader(&frame, c) })
	if err == nil && (frame.width > w.width || frame.height > w.height) {
		err = malformed("a frame is larger than its canvas")
	}
	w.lossless, w.alpha, w.coded = frame.lossless, frame.alpha, frame.coded
	return err
}

// webpStill is the file, or the first frame of an animation as a file of its own.
func (f *file) webpStill(w webpFrame) io.Reader {
	if w.first.kind == "" {
		return f.section(0, f.size)
	}
	start, n := w.first.data+animationHeader, w.first.size()-animationHeader
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+18+n))
	head = append(head, "WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"...)
	if w.alpha && !w.lossless {
		head[20] = webpAlpha
	}
	size, err := f.bytes(w.first.data+6, 6)
	if err != nil {
		return bytes.NewReader(nil)
	}
	return io.MultiReader(bytes.NewReader(append(head, size...)), f.section(start, n))
}

// memory is what x/image takes of a WebP file of size bytes: lossy, a byte and a
// half a pixel, one for the transparency, which is itself coded without loss, and
// the partitions of the file; lossless, four bytes a pixel and as many again where
// colours are indexed. Trees of a lossless one take up to treeGrowth times the
// bytes that describe them.
func (w webpFrame) memory(size int64) int64 {
	pixels := int64(w.width) * int64(w.height)
	trees := treeGrowth * w.coded
	if w.lossless {
		return 8*pixels + trees
	}
	total := 2*pixels + size
	if w.alpha {
		total += 9*pixels + trees
	}
	return total
}

// treeGrowth was measured with the largest trees in the fewest bytes. It is why there
// are no previews of lossless WebP files over 180 KB: how many trees there are is
// known only to who decodes them.
const treeGrowth = 330

func uint24(p []byte) uint32 { return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 }
