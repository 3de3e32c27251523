package picture

import (
	"bytes"
	"compress/lzw"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"
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

// used measures what do allocates and how long it takes.
func used(do func()) (allocated uint64, took time.Duration) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	do()
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, took
}

// TestHostilePictures: whatever the file, a preview takes 64 MiB and two seconds
// at most. The time is asserted with room for a machine that is busy.
func TestHostilePictures(t *testing.T) {
	idat := func(p []byte) []byte { return pngChunk("IDAT", p) }
	large := bytes.Repeat(pngChunk("zTXt", append([]byte("a\x00\x00"), deflated(t, 8<<20)...)), 20)
	zip := append(encodedJPEG(t, 64, 48), "PK\x03\x04 and so on"...)
	vp8x := func(w, h int) []byte {
		return []byte{0, 0, 0, 0, byte(w - 1), byte((w - 1) >> 8), byte((w - 1) >> 16), byte(h - 1), byte((h - 1) >> 8), byte((h - 1) >> 16)}
	}
	for _, c := range []struct {
		name string
		file []byte
		want error // nil: a preview; any: any error
	}{
		{"PNG of 50,000×50,000", pngOf(50000, 50000, 8, 6, idat(deflated(t, 1000))), ErrTooLarge},
		{"PNG of 2³¹×2³¹", pngOf(1<<31-1, 1<<31-1, 16, 6), ErrTooLarge},
		{"JPEG of 50,000×50,000", append(jpegHeader(0xc0, 50000, 50000, 3), 0xff, 0xd9), ErrTooLarge},
		{"GIF of 50,000×50,000", []byte("GIF89a\x50\xc3\x50\xc3\x00\x00\x00\x2c\x00\x00\x00\x00\x50\xc3\x50\xc3\x00\x02\x01\x00\x00\x3b"), ErrTooLarge},
		{"WebP of 50,000×50,000", riff(riffChunk("VP8X", vp8x(50000, 50000)), riffChunk("VP8L", []byte{0x2f, 0, 0, 0, 0})), ErrMalformed},
		{"WebP of 50,000×50,000, nothing in it", riff(riffChunk("VP8X", vp8x(50000, 50000))), ErrTooLarge},
		{"WebP of 16,384×16,384", uniformWebP(16384, 16384), ErrTooLarge},
		{"WebP at the limit", uniformWebP(2750, 2750), nil},
		{"WebP that says small, is large", riff(riffChunk("VP8X", vp8x(10, 10)), uniformWebP(16000, 16000)[12:]), ErrMalformed},
		{"WebP animation with a large frame", animation(vp8x(10, 10), uniformWebP(16000, 16000)[12:]), ErrMalformed},
		{"WebP animation within itself", animation(vp8x(10, 10), animation(vp8x(10, 10), nil)[12:]), errAny},
		{"WebP animation", animation(vp8x(10, 10), uniformWebP(10, 10)[12:]), nil},
		{"WebP of 2,600 groups of trees", treesWebP(2600), ErrTooLarge},
		{"WebP of as many trees as are let through", treesWebP(720), errAny},
		{"WebP whose chunk says 4 GB", append(riff(), "VP8 \xff\xff\xff\xff"...), errAny},
		{"PNG at the limit", pngOf(3900, 3890, 8, 6, idat(deflated(t, (3900*4+1)*3890))), nil},
		{"PNG of 16 bits at the limit", pngOf(2700, 2700, 16, 6, idat(deflated(t, (2700*8+1)*2700))), nil},
		{"PNG with 10 GB behind its picture", pngOf(2000, 2000, 8, 6, idat(deflated(t, (2000*4+1)*2000+1<<30))), errAny},
		{"PNG with endless data", pngOf(100, 100, 8, 6, bytes.Repeat(idat(make([]byte, 1<<20)), 18)), errAny},
		{"PNG with bombs of text", pngOf(100, 100, 8, 0, large, idat(deflated(t, 101*100))), nil},
		{"PNG with a bomb of a profile", pngOf(100, 100, 8, 0, pngChunk("iCCP", append([]byte("a\x00\x00"), deflated(t, 1<<30)...)), idat(deflated(t, 101*100))), nil},
		{"PNG without data", pngOf(3900, 3890, 8, 6), errAny},
		{"GIF at the limit", largeGIF(t, 5400, 5500), nil},
		{"GIF over the limit", largeGIF(t, 5600, 5500), ErrTooLarge},
		{"GIF of 100,000 frames", manyFrames(t, 100_000), nil},
		{"JPEG of 40 Mpixel", encodedJPEG(t, 7600, 5200), nil},
		{"JPEG of 100,000 scans", scansJPEG(t, 3000, 3000, 30_000), ErrTooLarge},
		{"JPEG of as many scans as are let through", scansJPEG(t, 3000, 3000, 34), errAny},
		{"JPEG with an archive behind it", zip, nil},
		{"JPEG cut short", encodedJPEG(t, 640, 480)[:700], errAny},
		{"a file over 20 MB", make([]byte, MaxInput+1), errAny},
	} {
		t.Run(c.name, func(t *testing.T) {
			var preview []byte
			var err error
			mime := Sniff(c.file)
			if len(c.file) > MaxInput {
				mime, c.want = mimePNG, ErrTooLarge
			}
			allocated, took := used(func() {
				preview, err = Preview(t.Context(), bytes.NewReader(c.file), int64(len(c.file)), mime)
			})
			t.Logf("%s, %d bytes: %.1f MiB, %v, %v", mime, len(c.file), float64(allocated)/(1<<20), took.Round(time.Millisecond), err)
			if allocated > 64<<20 {
				t.Errorf("%d MiB allocated", allocated>>20)
			}
			if took > 5*MaxTime {
				t.Errorf("took %v", took)
			}
			switch {
			case c.want == errAny && err == nil, c.want == nil && err != nil, c.want != nil && c.want != errAny && !errors.Is(err, c.want):
				t.Errorf("error %v, want %v", err, c.want)
			case err == nil:
				if _, err := Check(preview); err != nil {
					t.Errorf("the preview is refused: %v", err)
				}
			}
		})
	}
}

// errAny stands for every error.
var errAny = errors.New("any error")

// TestTruncated: a file that ends anywhere is an error or a picture, never more.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"photo.png", "photo.jpg", "progressive.jpg", "anim.gif", "lossy.webp", "lossless.webp", "alpha.webp", "anim.webp"} {
		whole := stored(t, name)
		for n := 0; n < len(whole); n += 1 + len(whole)/300 {
			p := whole[:n]
			preview, err := Preview(t.Context(), bytes.NewReader(p), int64(n), Sniff(whole))
			if err == nil {
				if _, err := Check(preview); err != nil {
					t.Errorf("%s, %d bytes: %v", name, n, err)
				}
			}
		}
	}
}

// TestHostilePreviews: what Check refuses costs nothing.
func TestHostilePreviews(t *testing.T) {
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, CheckWidth+1, 10))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		most uint64 // KiB
	}{
		{"PNG of 50,000×50,000", pngOf(50000, 50000, 8, 6), 100},
		{"JPEG of 50,000×50,000", append(jpegHeader(0xc0, 50000, 50000, 3), 0xff, 0xd9), 100},
		{"too wide by one", wide.Bytes(), 100},
		{"too long by one", make([]byte, MaxPreview+1), 1},
		{"GIF", stored(t, "anim.gif"), 1},
		{"WebP", stored(t, "lossy.webp"), 1},
		{"nothing", nil, 1},
		{"JPEG of many scans", scansJPEG(t, 640, 480, 800), 4000},
		{"PNG with a bomb", pngOf(640, 480, 16, 6, pngChunk("IDAT", deflated(t, 10<<20)[:11000])), 8000},
	} {
		allocated, took := used(func() {
			if _, err := Check(c.file); err == nil {
				t.Errorf("%s passes", c.name)
			}
		})
		t.Logf("%s: %d KiB, %v", c.name, allocated>>10, took.Round(time.Millisecond))
		if allocated>>10 > c.most || took > 5*MaxTime {
			t.Errorf("%s: %d KiB allocated in %v", c.name, allocated>>10, took)
		}
	}
}
