package picture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// previewOf makes a preview and checks it as a receiver does.
func previewOf(t *testing.T, p []byte) (image.Image, string) {
	t.Helper()
	preview, err := Preview(t.Context(), bytes.NewReader(p), int64(len(p)), Sniff(p))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Check(preview)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Exif", "Secret", "ns.adobe"} {
		if bytes.Contains(preview, []byte(secret)) {
			t.Errorf("%q is in the preview", secret)
		}
	}
	if m.Bounds().Dx() > PreviewWidth || m.Bounds().Dy() > PreviewHeight {
		t.Errorf("the preview has %v", m.Bounds())
	}
	return m, Sniff(preview)
}

func encodedPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// quarters has a colour in each corner, so that every turn of it differs.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	colors := [4]color.NRGBA{{200, 0, 0, 255}, {0, 200, 0, 255}, {0, 0, 200, 255}, {200, 200, 0, 255}}
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, colors[2*(2*y/h)+2*x/w])
		}
	}
	return m
}

// photo has gradients and an edge.
func photo(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(128 + 127*(x-y)/(w+h)), 255}
			if dx, dy := x-w/3, y-h/2; dx*dx+dy*dy < h*h/12 {
				c = color.NRGBA{255, 220, 40, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func noise(w, h int, alpha bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(rnd.Uint32())
		if i%4 == 3 && !alpha {
			m.Pix[i] = 255
		}
	}
	return m
}

// near fails if a pixel is another colour than it should be.
func near(t *testing.T, m image.Image, x, y int, want color.NRGBA) {
	t.Helper()
	if got := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA); distance(got, want) > 30 {
		t.Errorf("pixel %d,%d is %v, want %v", x, y, got, want)
	}
}

// distance is the largest difference of a part; of what can't be seen there is none.
func distance(a, b color.NRGBA) int {
	if a.A == 0 && b.A == 0 {
		return 0
	}
	return max(abs(int(a.R)-int(b.R)), abs(int(a.G)-int(b.G)), abs(int(a.B)-int(b.B)), abs(int(a.A)-int(b.A)))
}

func TestPreviewFits(t *testing.T) {
	for _, c := range []struct {
		name   string
		m      *image.NRGBA
		w, h   int
		format string
	}{
		{"small", photo(200, 100), 200, 100, mimeJPEG},
		{"landscape", photo(1600, 900), 320, 180, mimeJPEG},
		{"portrait", photo(900, 1600), 135, 240, mimeJPEG},
		{"a line", photo(5000, 1), 320, 1, mimeJPEG},
		{"a pixel", photo(1, 1), 1, 1, mimePNG},
		{"few colours", quarters(300, 200), 300, 200, mimePNG},
		{"noise", noise(500, 400, false), -1, -1, mimeJPEG},
		{"noise at its own size", noise(320, 240, false), -1, -1, mimeJPEG},
		{"transparent noise", noise(320, 240, true), -1, -1, mimeJPEG},
	} {
		m, format := previewOf(t, encodedPNG(t, c.m))
		if w, h := m.Bounds().Dx(), m.Bounds().Dy(); c.w > 0 && (w != c.w || h != c.h) || format != c.format {
			t.Errorf("%s: %d×%d %s, want %d×%d %s", c.name, w, h, format, c.w, c.h, c.format)
		}
	}
}

func TestPreviewTransparency(t *testing.T) {
	m := photo(640, 480)
	for y := range 480 {
		for x := range 320 {
			m.SetNRGBA(x, y, color.NRGBA{})
		}
	}
	got, format := previewOf(t, encodedPNG(t, m))
	if format != mimePNG {
		t.Fatalf("it is %s", format)
	}
	b := got.Bounds()
	near(t, got, b.Dx()/4, b.Dy()/4, color.NRGBA{})
	near(t, got, b.Dx()*7/8, b.Dy()*7/8, m.NRGBAAt(640*7/8, 480*7/8))
}

func TestPreviewKeepsColors(t *testing.T) {
	for _, name := range []string{"photo.jpg", "progressive.jpg", "photo.png", "lossy.webp", "lossless.webp", "anim.webp"} {
		m, _ := previewOf(t, stored(t, name))
		turnedRight := map[string]bool{"photo.jpg": true, "lossy.webp": true}
		switch {
		case turnedRight[name]: // orientation 6: the stored left is at the top
			if m.Bounds().Dx() != 48 || m.Bounds().Dy() != 64 {
				t.Fatalf("%s: %v", name, m.Bounds())
			}
			near(t, m, 48-1-20, 20, color.NRGBA{255, 255, 0, 255})
			near(t, m, 46, 60, color.NRGBA{250, 0, 5, 255})
			near(t, m, 1, 60, color.NRGBA{5, 0, 250, 255})
		case name == "photo.png": // orientation 8
			near(t, m, 20, 64-1-20, color.NRGBA{255, 255, 0, 255})
		default:
			near(t, m, 20, 20, color.NRGBA{255, 255, 0, 255})
			near(t, m, 60, 1, color.NRGBA{250, 0, 5, 255})
			near(t, m, 60, 46, color.NRGBA{5, 0, 250, 255})
		}
	}
	m, _ := previewOf(t, stored(t, "anim.gif"))
	near(t, m, 16, 12, color.NRGBA{255, 0, 0, 255})
}

// TestOrientation turns a picture by each of the eight and looks at its corners.
func TestOrientation(t *testing.T) {
	red, green, blue, yellow := color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 200, 0, 255}, color.NRGBA{0, 0, 200, 255}, color.NRGBA{200, 200, 0, 255}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, quarters(64, 32), nil); err != nil {
		t.Fatal(err)
	}
	for turn, corners := range map[int][4]color.NRGBA{ // top left, top right, bottom left, bottom right
		1: {red, green, blue, yellow}, 2: {green, red, yellow, blue}, 3: {yellow, blue, green, red}, 4: {blue, yellow, red, green},
		5: {red, blue, green, yellow}, 6: {blue, red, yellow, green}, 7: {yellow, green, blue, red}, 8: {green, yellow, red, blue},
		0: {red, green, blue, yellow}, 9: {red, green, blue, yellow},
	} {
		exif := append([]byte(exifPrefix), minimalExif(turn)...)
		p := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(2 + len(exif))}, exif...)
		p = append(p, b.Bytes()[2:]...)
		m, _ := previewOf(t, p)
		w, h := m.Bounds().Dx(), m.Bounds().Dy()
		if (w < h) != (turn >= 5 && turn <= 8) {
			t.Errorf("turn %d: %d×%d", turn, w, h)
		}
		for i, at := range [4]image.Point{{4, 4}, {w - 5, 4}, {4, h - 5}, {w - 5, h - 5}} {
			got := color.NRGBAModel.Convert(m.At(at.X, at.Y)).(color.NRGBA)
			if distance(got, corners[i]) > 30 {
				t.Errorf("turn %d, corner %d: %v, want %v", turn, i, got, corners[i])
			}
		}
	}
}

func TestPreviewOfOtherKinds(t *testing.T) {
	for _, p := range [][]byte{[]byte("hello"), []byte("<svg/>"), stored(t, "film.mp4"), []byte("%PDF-1.7"), nil} {
		if _, err := Preview(t.Context(), bytes.NewReader(p), int64(len(p)), Sniff(p)); !errors.Is(err, ErrNoPreview) {
			t.Errorf("%s: %v", Sniff(p), err)
		}
	}
}

// TestOneAtATime: many previews at once are all made; one who no longer waits gets
// out of the queue.
func TestOneAtATime(t *testing.T) {
	p := encodedPNG(t, photo(600, 400))
	previewTurn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Preview(ctx, bytes.NewReader(p), int64(len(p)), mimePNG); !errors.Is(err, context.Canceled) {
		t.Errorf("while another is decoded: %v", err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := Preview(t.Context(), bytes.NewReader(p), int64(len(p)), mimePNG); err != nil {
				t.Error(err)
			}
		})
	}
	<-previewTurn
	wait.Wait()
}

// TestStopped: the decoder gets nothing more to read once the time is over.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := jpeg.Decode(stopping{ctx, bytes.NewReader(stored(t, "photo.jpg"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestStill(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg")
	}
	for _, name := range []string{"film.mp4", "film.mov", "film.webm", "film.mkv", "film.avi"} {
		path := filepath.Join("testdata", name)
		preview, err := Still(t.Context(), path, Sniff(stored(t, name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := Check(preview)
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds().Dx() < 96 || 9*m.Bounds().Dx() != 16*m.Bounds().Dy() {
			t.Errorf("%s: %v", name, m.Bounds())
		}
	}
	film := stored(t, "film.mp4")
	// Names that a program could take for something else.
	t.Chdir(t.TempDir())
	for _, name := range []string{"-i", "http:x", "a%d.mp4", "concat:a|b", "$(touch x)", "'", "pipe:0"} {
		if err := os.WriteFile(name, film, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Still(t.Context(), name, mimeMP4); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	// A playlist that says it is a film reads nothing else.
	list := []byte("#EXTM3U\n#EXTINF:1,\nfile:" + filepath.Join(t.TempDir(), "-i") + "\n#EXT-X-ENDLIST\n")
	if err := os.WriteFile("list.mp4", list, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Still(t.Context(), "list.mp4", mimeMP4); err == nil {
		t.Error("a playlist was read")
	}
	if _, err := Still(t.Context(), "list.mp4", Sniff(list)); !errors.Is(err, ErrNoPreview) {
		t.Errorf("text: %v", err)
	}
	if entries, _ := os.ReadDir("."); len(entries) != 8 {
		t.Errorf("files came into being: %v", entries)
	}
}

// TestStillWithout: no ffmpeg is no preview, and one that writes without end is
// stopped.
func TestStillWithout(t *testing.T) {
	film := filepath.Join("testdata", "film.mp4")
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	if _, err := Still(t.Context(), film, mimeMP4); !errors.Is(err, ErrNoPreview) {
		t.Errorf("without ffmpeg: %v", err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	if err := os.WriteFile(filepath.Join(bin, "ffmpeg"), []byte("#!/bin/sh\nwhile :; do echo 'something that is no picture'; done\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	allocated, _ := used(func() {
		if _, err := Still(t.Context(), film, mimeMP4); err == nil || errors.Is(err, ErrNoPreview) {
			t.Errorf("output without end: %v", err)
		}
	})
	if allocated > 8<<20 {
		t.Errorf("%d MiB allocated", allocated>>20)
	}
}

func FuzzPreview(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.jpg", "progressive.jpg", "anim.gif", "lossy.webp", "lossless.webp", "alpha.webp", "anim.webp"} {
		f.Add(stored(f, name))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		preview, err := Preview(t.Context(), bytes.NewReader(p), int64(len(p)), Sniff(p))
		if err != nil {
			return
		}
		if _, err := Check(preview); err != nil {
			t.Errorf("our own preview is refused: %v", err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.jpg", "progressive.jpg", "anim.gif"} {
		f.Add(stored(f, name))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := Check(p)
		if err != nil {
			return
		}
		b := m.Bounds()
		if b.Empty() || b.Dx() > CheckWidth || b.Dy() > CheckHeight || len(p) > MaxPreview {
			t.Errorf("%v of %d bytes passes", b, len(p))
		}
	})
}
