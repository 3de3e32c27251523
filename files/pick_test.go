package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

// photo is a JPEG with an EXIF block that tells where it was taken.
func photo(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 80, 60))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	m.Set(3, 3, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00"), "GPS 52.5200 N 13.4050 E"...)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(append([]byte{0xff, 0xd8}, segment...), b.Bytes()[2:]...)
}

func put(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// all is what would be sent.
func all(t *testing.T, p *Picked) []byte {
	t.Helper()
	b := make([]byte, p.File.Size)
	if n, err := p.ReadAt(b, 0); n != len(b) {
		t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
	return b
}

func TestPick(t *testing.T) {
	jpg := photo(t)
	path, temp := put(t, "send-me.jpg", jpg), t.TempDir()
	for _, whole := range []bool{false, true} {
		var read int64
		p, err := Pick(context.Background(), path, PickOptions{Temp: temp, Whole: whole, Report: func(done, _ int64) { read = done }})
		if err != nil {
			t.Fatal(err)
		}
		content := all(t, p)
		if bytes.Contains(content, []byte("GPS")) != whole || whole && !bytes.Equal(content, jpg) {
			t.Errorf("whole %v: %q…", whole, content[:40])
		}
		f := p.File
		if f.Name != "send-me.jpg" || f.MIME != "image/jpeg" || f.Width != 80 || f.Height != 60 || f.Hash != rooms.Hash(sha256.Sum256(content)) || read != f.Size {
			t.Errorf("it is %+v, %d bytes read", f, read)
		}
		if _, err := picture.Check(f.Preview); err != nil {
			t.Errorf("its preview: %v", err)
		}
		if no := rooms.DefaultLimits().CheckFile(f); no != nil {
			t.Error(no)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if left := listing(t, temp); len(left) > 0 {
		t.Errorf("copies are left: %v", left)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, jpg) {
		t.Errorf("the person's own file: %v", err)
	}
}

func TestPickWhatIsNoPicture(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty": {}, "a b.txt": []byte("hello\n"), "broken.jpg": photo(t)[:200], "raw.tif": []byte("II*\x00\x08\x00\x00\x00\x00\x00"), "film.avi": []byte("RIFF\x10\x00\x00\x00AVI LIST"), "x\x1by.bin": {0, 1, 2},
	} {
		p, err := Pick(context.Background(), put(t, name, content), PickOptions{Temp: t.TempDir()})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := all(t, p); !bytes.Equal(got, content) || len(p.File.Preview) > 0 {
			t.Errorf("%q became %q", name, got)
		}
		if (p.Kept != "") != (name == "broken.jpg" || name == "raw.tif" || name == "film.avi") {
			t.Errorf("%q: kept %q", name, p.Kept)
		}
		if no := rooms.DefaultLimits().CheckFile(p.File); no != nil {
			t.Errorf("%q: %v", name, no)
		}
		_ = p.Close()
	}
}

func TestPickRefuses(t *testing.T) {
	if _, err := Pick(context.Background(), t.TempDir(), PickOptions{Temp: t.TempDir()}); err == nil {
		t.Error("took a folder")
	}
	if _, err := Pick(context.Background(), filepath.Join(t.TempDir(), "none"), PickOptions{Temp: t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("took nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Pick(ctx, put(t, "a", []byte("a")), PickOptions{Temp: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("went on: %v", err)
	}
}

// A file that becomes shorter is not sent; one that becomes longer is sent as it was.
func TestPickOfAChangingFile(t *testing.T) {
	path := put(t, "log.bin", bytes.Repeat([]byte{0, 'x'}, 500_000))
	shrink := func(done, total int64) {
		if done < total {
			_ = os.Truncate(path, 10)
		}
	}
	if _, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir(), Report: shrink}); !errors.Is(err, ErrChanged) {
		t.Errorf("a shorter one: %v", err)
	}
	path = put(t, "log.bin", bytes.Repeat([]byte{0, 'x'}, 500_000))
	p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir(), Report: func(done, total int64) { _ = os.Truncate(path, total*2) }})
	if err != nil || p.File.Size != 1_000_000 || rooms.Hash(sha256.Sum256(all(t, p))) != p.File.Hash {
		t.Errorf("a longer one: %v", err)
	}
	_ = p.Close()
}

// Who is told by the host that something else has arrived can ask why.
func TestPickTellsOfChanges(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"longer":  func(path string) error { return os.Truncate(path, 7) },
		"content": func(path string) error {
			if err := os.WriteFile(path, []byte("WRONG!"), 0o600); err != nil {
				return err
			}
			return os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)) // clocks may be coarse
		},
		"another file": func(path string) error { return os.Rename(put(t, "b", []byte("WRONG!")), path) },
	} {
		path := put(t, "a.bin", []byte("right!"))
		p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Log(err)
		} else if got := p.Changed(); (got != nil) != (name == "longer" || name == "content") {
			t.Errorf("%s: %v; what is read is %q", name, got, all(t, p))
		}
		_ = p.Close()
	}
	path := put(t, "a.jpg", photo(t))
	p, err := Pick(context.Background(), path, PickOptions{Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before := all(t, p)
	if err := os.WriteFile(path, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Changed(); err != nil || !bytes.Equal(all(t, p), before) {
		t.Errorf("a copy: %v", err)
	}
}
