package picture

import (
	"encoding/binary"
	"math"
)

// Flags of a WebP file's VP8X chunk.
const (
	webpXMP   = 0x04
	webpEXIF  = 0x08
	webpAlpha = 0x10
)

// stripWebP keeps the chunks that are drawn and the colour profile, and sets the
// flags and the container's length right.
func (f *file) stripWebP(e *edits) error {
	container := []byte("RIFF\x00\x00\x00\x00WEBP")
	e.put(container)
	var flags []byte // the VP8X chunk as it is written
	length, turn, pictures := int64(4), false, 0
	_, err := f.webpChunks(func(c part) error {
		padded := c.end + c.size()%2
		switch c.kind {
		case "VP8X":
			if c.size() != 10 || flags != nil {
				return malformed("a wrong header")
			}
			var err error
			if flags, err = f.bytes(c.start, 18); err != nil {
				return err
			}
			flags[8] &^= webpEXIF | webpXMP
			e.put(flags)
		case "EXIF":
			data, err := f.bytes(c.data, int(min(c.size(), maxExif)))
			if err != nil {
				return err
			}
			n := exifOrientation(data)
			if n == upright || turn || flags == nil {
				return nil
			}
			turn = true
			flags[8] |= webpEXIF
			p := minimalExif(n)
			e.put(append(binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(p))), p...))
			padded = c.start + 8 + int64(len(p))
		case "VP8 ", "VP8L", "ANMF":
			pictures++
			e.keep(c.start, padded)
		case "ALPH", "ANIM", "ICCP":
			e.keep(c.start, padded)
		default:
			return nil
		}
		length += padded - c.start
		return nil
	})
	if err == nil && (pictures == 0 || length > math.MaxUint32) {
		err = malformed("no picture in it")
	}
	binary.LittleEndian.PutUint32(container[4:], uint32(length))
	return err
}
