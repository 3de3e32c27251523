package picture

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// A preview is a JPEG, or a PNG where the picture has transparency or few colours.
const (
	PreviewWidth  = 320      // pixels at most
	PreviewHeight = 240      // pixels at most
	MaxPreview    = 12 << 10 // bytes at most
)

// previewTurn is held by who makes a preview, with the whole picture in memory.
var previewTurn = make(chan struct{}, 1)

// Preview makes the preview of a PNG, JPEG, GIF (its first frame) or WebP picture
// of size bytes, whose mime [Sniff] said. EXIF orientation is applied; no metadata
// is in it. It takes 64 MiB and two seconds at most, whatever the file holds, and
// waits while another preview is made.
//
// The error is [ErrNoPreview] for other kinds, [ErrTooLarge] for a picture over
// the limits, [ErrMalformed] or that of a decoder for a damaged one, or that of
// ctx or r. For films, see [Still].
func Preview(ctx context.Context, r io.ReaderAt, size int64, mime string) ([]byte, error) {
	select {
	case previewTurn <- struct{}{}:
		defer func() { <-previewTurn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m, err := (&file{r: r, size: size}).decode(ctx, mime)
	if err != nil {
		return nil, err
	}
	turn := (&file{r: r, size: size}).orientation(mime)
	return encode(m, turn)
}

// encode makes the preview of a decoded picture.
func encode(m image.Image, turn int) ([]byte, error) {
	maxW, maxH := PreviewWidth, PreviewHeight
	if turn > 4 {
		maxW, maxH = maxH, maxW
	}
	w, h := within(m.Bounds().Dx(), m.Bounds().Dy(), maxW, maxH)
	small := turned(scaled(m, w, h), turn)
	if p, err := encodePNG(small); p != nil || err != nil {
		return p, err
	}
	for w, h = small.Rect.Dx(), small.Rect.Dy(); ; w, h = max(1, w*3/4), max(1, h*3/4) {
		p, err := encodeJPEG(scaled(onWhite(small), w, h))
		if p != nil || err != nil || w == 1 && h == 1 {
			return p, err
		}
	}
}

// encodePNG is for pictures that JPEG would harm: those with transparency, also
// somewhat smaller, and those with few colours. It is nil for others, and where
// there is no room.
func encodePNG(m *image.NRGBA) ([]byte, error) {
	for range 3 {
		var frame image.Image = m
		if few := paletted(m); few != nil {
			frame = few
		} else if opaque(m) {
			return nil, nil
		}
		var b bytes.Buffer
		e := png.Encoder{CompressionLevel: png.BestCompression}
		if err := e.Encode(&b, frame); err != nil || b.Len() <= MaxPreview {
			return b.Bytes(), err
		}
		if opaque(m) {
			return nil, nil
		}
		m = scaled(m, max(1, m.Rect.Dx()*3/4), max(1, m.Rect.Dy()*3/4))
	}
	return nil, nil
}

// encodeJPEG tries one quality after the other; it is nil if there is no room even
// for the worst.
func encodeJPEG(m image.Image) ([]byte, error) {
	for quality := 85; quality >= 40; quality -= 15 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil || b.Len() <= MaxPreview {
			return b.Bytes(), err
		}
	}
	return nil, nil
}
