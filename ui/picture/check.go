package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
)

// A preview that somebody sent may be larger than one that we make.
const (
	CheckWidth  = 640 // pixels at most
	CheckHeight = 480 // pixels at most

	checkScans = 32 // of a JPEG at most: each goes over all pixels
)

// Check decodes a preview that came from somebody else, once its length, kind and
// size are within the limits: [MaxPreview] bytes of PNG or JPEG, [CheckWidth] ×
// [CheckHeight]. The error is [ErrTooLarge], [ErrNoPreview], or the decoder's.
func Check(preview []byte) (image.Image, error) {
	if len(preview) > MaxPreview {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(preview))
	}
	config, decode := jpeg.DecodeConfig, jpeg.Decode
	switch Sniff(preview) {
	case mimePNG:
		config, decode = png.DecodeConfig, png.Decode
	case mimeJPEG:
		f := &file{r: bytes.NewReader(preview), size: int64(len(preview))}
		if scans, err := f.jpegScans(); err != nil || scans > checkScans {
			return nil, errors.Join(ErrTooLarge, err)
		}
	default:
		return nil, ErrNoPreview
	}
	c, err := config(bytes.NewReader(preview))
	if err != nil {
		return nil, err
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > CheckWidth || c.Height > CheckHeight {
		return nil, fmt.Errorf("%w: %d×%d pixels", ErrTooLarge, c.Width, c.Height)
	}
	return decode(bytes.NewReader(preview))
}
