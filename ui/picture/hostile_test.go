package picture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"runtime"
	"testing"
	"time"
)

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

// hostile is a file that is made to hurt, and what becomes of it: nil is a preview.
type hostile struct {
	name string
	file []byte
	want error
}

// atTheLimit are files that are just let through, or need large buffers to make.
func atTheLimit(t testing.TB) []hostile {
	return []hostile{
		{"WebP at the limit", uniformWebP(2750, 2750), nil},
		{"WebP of as many trees as are let through", treesWebP(720), errAny},
		{"PNG at the limit", pngOf(3900, 3890, 8, 6, pngChunk("IDAT", deflated(t, (3900*4+1)*3890))), nil},
		{"PNG of a scanned page", pngOf(4960, 7016, 1, 0, pngChunk("IDAT", deflated(t, (4960/8+1)*7016))), nil},
		{"PNG of 16 bits at the limit", pngOf(2700, 2700, 16, 6, pngChunk("IDAT", deflated(t, (2700*8+1)*2700))), nil},
		{"PNG with 256 MB behind its picture", pngOf(2000, 2000, 8, 6, pngChunk("IDAT", deflated(t, (2000*4+1)*2000+1<<28))), errAny},
		{"PNG with 1,500,000 empty chunks", pngOf(100, 100, 8, 6, bytes.Repeat(pngChunk("IDAT", nil), 1_500_000)), errAny},
		{"PNG with a bomb of a profile", pngOf(100, 100, 8, 0, pngChunk("iCCP", append([]byte("a\x00\x00"), deflated(t, 1<<28)...)), pngChunk("IDAT", deflated(t, 101*100))), nil},
		{"GIF at the limit", largeGIF(t, 5400, 5500), nil},
		{"GIF over the limit", largeGIF(t, 5600, 5500), ErrTooLarge},
		{"JPEG of 40 Mpixel", encodedJPEG(t, 7600, 5200), nil},
		{"JPEG of as many scans as are let through", scansJPEG(t, 3000, 3000, 34), errAny},
	}
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
	cases := []hostile{
		{"PNG of 50,000×50,000", pngOf(50000, 50000, 8, 6, idat(deflated(t, 1000))), ErrTooLarge},
		{"PNG of 2³¹×2³¹", pngOf(1<<31-1, 1<<31-1, 16, 6, idat(nil)), ErrTooLarge},
		{"JPEG of 50,000×50,000", append(jpegHeader(0xc0, 50000, 50000, 3), 0xff, 0xd9), ErrTooLarge},
		{"GIF of 50,000×50,000", []byte("GIF89a\x50\xc3\x50\xc3\x00\x00\x00\x2c\x00\x00\x00\x00\x50\xc3\x50\xc3\x00\x02\x01\x00\x00\x3b"), ErrTooLarge},
		{"WebP of 50,000×50,000", riff(riffChunk("VP8X", vp8x(50000, 50000)), riffChunk("VP8L", []byte{0x2f, 0, 0, 0, 0})), ErrMalformed},
		{"WebP of 50,000×50,000, nothing in it", riff(riffChunk("VP8X", vp8x(50000, 50000))), ErrTooLarge},
		{"WebP of 16,384×16,384", uniformWebP(16384, 16384), ErrTooLarge},
		{"WebP that says small, is large", riff(riffChunk("VP8X", vp8x(10, 10)), uniformWebP(16000, 16000)[12:]), ErrMalformed},
		{"WebP animation with a large frame", animation(vp8x(10, 10), uniformWebP(16000, 16000)[12:]), ErrMalformed},
		{"WebP animation within itself", animation(vp8x(10, 10), animation(vp8x(10, 10), nil)[12:]), errAny},
		{"WebP animation", animation(vp8x(10, 10), uniformWebP(10, 10)[12:]), nil},
		{"WebP of 2,600 groups of trees", treesWebP(2600), ErrTooLarge},
		{"WebP whose chunk says 4 GB", append(riff(), "VP8 \xff\xff\xff\xff"...), errAny},
		{"PNG with bombs of text", pngOf(100, 100, 8, 0, large, idat(deflated(t, 101*100))), nil},
		{"PNG without data", pngOf(3900, 3890, 8, 6), errAny},
		{"GIF of 100,000 frames", manyFrames(t, 100_000), nil},
		{"JPEG of 30,000 scans", scansJPEG(t, 3000, 3000, 30_000), ErrTooLarge},
		{"JPEG with an archive behind it", zip, nil},
		{"JPEG cut short", encodedJPEG(t, 640, 480)[:700], errAny},
		{"a file over 20 MB", make([]byte, MaxInput+1), errAny},
	}
	if !testing.Short() {
		cases = append(cases, atTheLimit(t)...)
	}
	for _, c := range cases {
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
			case errors.Is(err, context.DeadlineExceeded):
				t.Log("this machine is too slow for it")
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

// TestHostilePreviews: what Check refuses costs next to nothing. (The runtime's own
// allocations are counted, too: a few KiB.)
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
		{"too long by one", make([]byte, MaxPreview+1), 100},
		{"GIF", stored(t, "anim.gif"), 100},
		{"WebP", stored(t, "lossy.webp"), 100},
		{"nothing", nil, 100},
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
