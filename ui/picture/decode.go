package picture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/webp"
)

// What the decoding of one picture may take. Go's decoders can't be stopped and
// don't know what they are worth, so it is worked out beforehand from the header.
const (
	MaxPixels = 40_000_000      // of a picture that is decoded
	MaxInput  = 20 << 20        // bytes of its file
	MaxTime   = 2 * time.Second // no more of the file is read after it

	maxMemory = 58 << 20  // bytes that its decoding allocates; the rest of a preview takes 6 MiB
	maxWork   = 300 << 20 // pixels over all scans of a JPEG
)

// ErrTooLarge is a picture that would take more to decode than is allowed.
var ErrTooLarge = errors.New("too large for a preview")

// ErrNoPreview is a file of which there are no previews.
var ErrNoPreview = errors.New("no preview of this kind of file")

// cost is how many bytes the decoder allocates, and pixels.
func (f *file) cost(mime string) (memory, pixels int64, err error) {
	switch mime {
	case mimeJPEG:
		frame, err := f.jpegFrame()
		return frame.memory(), int64(frame.width) * int64(frame.height), err
	case mimeWebP:
		frame, err := f.webpFrame()
		return frame.memory(f.size), int64(frame.width) * int64(frame.height), err
	case mimePNG:
		return f.pngCost()
	case mimeGIF:
		h, err := f.bytes(0, 16)
		if err != nil {
			return 0, 0, err
		}
		facts := headFacts(h, mime)
		pixels := int64(facts.Width) * int64(facts.Height)
		return 2 * pixels, pixels, nil // a byte, and another to bring the rows of an interlaced one in order
	}
	return 0, 0, ErrNoPreview
}

// pngCost is what Go's decoder takes: a byte a sample, or two, where three or four
// samples are always stored as four, and so is a grey with one that is transparent.
func (f *file) pngCost() (memory, pixels int64, err error) {
	h, err := f.bytes(0, 33)
	if err != nil {
		return 0, 0, err
	}
	transparent := false
	_, err = f.pngChunks(func(c part) error {
		if c.kind == "IDAT" {
			return errEnough
		}
		transparent = transparent || c.kind == "tRNS"
		return nil
	})
	if !errors.Is(err, errEnough) {
		return 0, 0, errors.Join(malformed("no picture in it"), err)
	}
	samples, depth, colors, interlaced := int64(4), h[24], h[25], h[28] != 0
	if colors == 3 || colors == 0 && !transparent {
		samples = 1
	}
	if depth == 16 {
		samples *= 2
	}
	if interlaced {
		samples *= 2 // the passes, one after the other
	}
	facts := headFacts(h, mimePNG)
	pixels = int64(facts.Width) * int64(facts.Height)
	return min(pixels, 1<<40) * samples, pixels, nil
}

// decode decodes what the header promised to be within the limits.
func (f *file) decode(ctx context.Context, mime string) (image.Image, error) {
	if f.size > MaxInput {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, f.size)
	}
	memory, pixels, err := f.cost(mime)
	switch {
	case err != nil:
		return nil, err
	case pixels <= 0:
		return nil, malformed("a picture without a size")
	case pixels > MaxPixels || memory > maxMemory:
		return nil, fmt.Errorf("%w: %d pixels", ErrTooLarge, pixels)
	}
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	r := stopping{ctx, f.section(0, f.size)}
	switch mime {
	case mimeJPEG:
		scans, err := f.jpegScans()
		if err != nil {
			return nil, err
		}
		if scans*pixels > maxWork {
			return nil, fmt.Errorf("%w: %d scans", ErrTooLarge, scans)
		}
		return jpeg.Decode(r)
	case mimePNG:
		return png.Decode(r)
	case mimeGIF:
		return gif.Decode(bufio.NewReaderSize(r, readAtOnce)) // the first frame
	default:
		frame, err := f.webpFrame()
		if err != nil {
			return nil, err
		}
		return webp.Decode(stopping{ctx, f.webpStill(frame)})
	}
}

// readAtOnce is small, so that a decoder notices soon that its time is over.
const readAtOnce = 1 << 10

// stopping is a file that ends when the time is over.
type stopping struct {
	ctx context.Context
	r   io.Reader
}

func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p[:min(len(p), readAtOnce)])
}
