package picture

import (
	"bytes"
	"compress/lzw"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io"
	"slices"
	"testing"
)

// pngOf is a PNG of one header, chunks, and an end.
func pngOf(w, h uint32, depth, colors byte, chunks ...[]byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	p := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(head, depth, colors, 0, 0, 0))...)
	for _, c := range chunks {
		p = append(p, c...)
	}
	return append(p, pngChunk("IEND", nil)...)
}

// deflated is n zeroes, compressed.
func deflated(t testing.TB, n int64) []byte {
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, io.LimitReader(nothing{}, n)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// jpegHeader is a JPEG up to its frame of n colours, 2×2 sampled, without a scan.
func jpegHeader(marker byte, w, h uint16, n int) []byte {
	p := []byte{0xff, 0xd8, 0xff, marker, 0, byte(8 + 3*n), 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(n)}
	for i := range n {
		p = append(p, byte(1+i), 0x11, 0)
	}
	return p
}

func encodedJPEG(t testing.TB, w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func riff(chunks ...[]byte) []byte {
	p := bytes.Join(chunks, nil)
	return append(append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(p))), "WEBP"...), p...)
}

func riffChunk(kind string, data []byte) []byte {
	p := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	return append(p, make([]byte, len(data)%2)...)
}

// animation has one frame, which says that it is as large as the canvas.
func animation(vp8x, chunks []byte) []byte {
	frame := append(append(make([]byte, 6), vp8x[4:]...), 0, 0, 0, 0)
	return riff(riffChunk("VP8X", vp8x), riffChunk("ANIM", make([]byte, 6)), riffChunk("ANMF", append(frame, chunks...)))
}

// bitWriter writes bits, the least significant first, as lossless WebP has them.
type bitWriter struct {
	p []byte
	n int
}

func (b *bitWriter) put(v uint32, bits int) {
	for i := range bits {
		if b.n%8 == 0 {
			b.p = append(b.p, 0)
		}
		b.p[b.n/8] |= byte(v>>i&1) << (b.n % 8)
		b.n++
	}
}

func (b *bitWriter) header(w, h int) {
	b.put(0x2f, 8)
	b.put(uint32(w-1), 14)
	b.put(uint32(h-1), 14)
	b.put(0, 4) // no alpha, version 0
	b.put(0, 1) // no transform
}

// symbol is a tree of one symbol, which takes no bits.
func (b *bitWriter) symbol(v uint32) { b.put(1, 1); b.put(0, 1); b.put(1, 1); b.put(v, 8) }

// uniformWebP is one colour: the pixels themselves take no bits.
func uniformWebP(w, h int) []byte {
	b := &bitWriter{}
	b.header(w, h)
	b.put(0, 1) // no colour cache
	b.put(0, 1) // one group
	for range 5 {
		b.symbol(0)
	}
	return riff(riffChunk("VP8L", b.p))
}

// lengthOrder is how the lengths of the codes of lengths are ordered.
var lengthOrder = [19]int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// tree describes a tree of n symbols, long of them with a code longer by one bit
// than the others, in the fewest bits: repetitions of the length before.
func (b *bitWriter) tree(short, length, long int) {
	b.put(0, 1)
	b.put(15, 4)
	for _, s := range lengthOrder { // 16 is coded "0", the lengths "10" and "11"
		switch s {
		case 16:
			b.put(1, 3)
		case length, length + 1:
			b.put(2, 3)
		default:
			b.put(0, 3)
		}
	}
	b.put(0, 1)
	run := func(n int, code uint32) {
		if n == 0 {
			return
		}
		b.put(code, 2)
		for n--; n >= 3; {
			k := min(n, 6)
			b.put(0, 1)
			b.put(uint32(k-3), 2)
			n -= k
		}
		for ; n > 0; n-- {
			b.put(code, 2)
		}
	}
	run(short, 1) // "10", first bit first
	run(long, 3)  // "11"
}

// treesWebP has many groups of the largest trees.
func treesWebP(groups int) []byte {
	b := &bitWriter{}
	side := 4 * 51 // in tiles of four pixels: 2601 of them
	b.header(side, side)
	b.put(1, 1)
	b.put(11, 4) // a colour cache of 2048
	b.put(1, 1)  // many groups
	b.put(0, 3)  // tiles of four pixels
	// The picture of groups: red and green are a number, all bits given.
	b.put(0, 1)            // no cache
	b.literals(256, 8, 24) // green: the lower byte, and no lengths
	b.literals(16, 4, 240) // red: the higher
	b.symbol(0)
	b.symbol(0)
	b.symbol(0)
	for i := range 51 * 51 {
		g := min(i, groups-1)
		b.code(uint32(g&0xff), 8)
		b.code(uint32(g>>8), 4)
	}
	for range groups {
		b.tree(1768, 11, 560) // 256 + 24 + 2048
		for range 3 {
			b.tree(256, 8, 0)
		}
		b.tree(24, 5, 16) // 40
	}
	return riff(riffChunk("VP8L", append(b.p, make([]byte, 1<<10)...)))
}

// code writes a code of a tree in which all codes are equally long.
func (b *bitWriter) code(v uint32, bits int) {
	for i := bits - 1; i >= 0; i-- {
		b.put(v>>i&1, 1)
	}
}

// literals is a tree of the first n symbols; the rest have no code.
func (b *bitWriter) literals(n, length, rest int) {
	b.put(0, 1)
	b.put(15, 4)
	for _, s := range lengthOrder {
		if s == 0 || s == length {
			b.put(1, 3)
		} else {
			b.put(0, 3)
		}
	}
	b.put(0, 1)
	for range n {
		b.put(1, 1)
	}
	for range rest {
		b.put(0, 1)
	}
}

func manyFrames(t testing.TB, n int) []byte {
	frame := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black, color.White})
	g := gif.GIF{}
	for range n {
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// largeGIF is interlaced, which takes the most memory.
func largeGIF(t testing.TB, w, h uint16) []byte {
	var b bytes.Buffer
	z := lzw.NewWriter(&b, lzw.LSB, 2)
	if _, err := io.Copy(z, io.LimitReader(nothing{}, int64(w)*int64(h))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, w), h)
	p := append(append([]byte("GIF89a"), size...), 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x2c, 0, 0, 0, 0)
	p = append(append(p, size...), 0x40, 2)
	for block := range slices.Chunk(b.Bytes(), 255) {
		p = append(append(p, byte(len(block))), block...)
	}
	return append(p, 0, 0x3b)
}

func scansJPEG(t testing.TB, w, h uint16, n int) []byte {
	p := jpegHeader(0xc2, w, h, 1)
	p = append(p, 0xff, jpegDHT, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0)
	for range n { // AC of the highest coefficient: all blocks are at their end
		p = append(p, 0xff, jpegSOS, 0, 8, 1, 1, 0, 63, 63, 0, 0, 0, 0, 0)
	}
	return append(p, 0xff, jpegEOI)
}
