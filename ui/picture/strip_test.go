package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/image/webp"
)

func strip(p []byte, mime string) ([]byte, error) {
	var b bytes.Buffer
	err := Strip(&b, bytes.NewReader(p), int64(len(p)), mime)
	if err != nil && b.Len() > 0 {
		err = fmt.Errorf("written before the error: %d bytes: %w", b.Len(), err)
	}
	return b.Bytes(), err
}

// pixels decodes whatever it is, all frames of a GIF.
func pixels(p []byte) ([]image.Image, error) {
	var m image.Image
	var err error
	switch Sniff(p) {
	case mimePNG:
		m, err = png.Decode(bytes.NewReader(p))
	case mimeJPEG:
		m, err = jpeg.Decode(bytes.NewReader(p))
	case mimeWebP:
		m, err = webp.Decode(bytes.NewReader(p))
	case mimeGIF:
		g, err := gif.DecodeAll(bytes.NewReader(p))
		if err != nil {
			return nil, err
		}
		var all []image.Image
		for _, m := range g.Image {
			all = append(all, m)
		}
		return all, nil
	default:
		return nil, ErrNoPreview
	}
	return []image.Image{m}, err
}

func samePixels(a, b []image.Image) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Bounds() != b[i].Bounds() {
			return false
		}
		r := a[i].Bounds()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if a[i].At(x, y) != b[i].At(x, y) {
					return false
				}
			}
		}
	}
	return true
}

// marks are beginnings of metadata, and what the files of testdata hide.
var marks = []string{"Secret", "ns.adobe.com", "XMP", "Photoshop", "+52", "Lavf", "GPS"}

func TestStripPictures(t *testing.T) {
	for name, turn := range map[string]int{
		"photo.jpg": 6, "progressive.jpg": 1, "photo.png": 8, "lossy.webp": 6, "lossless.webp": 1, "alpha.webp": 1, "anim.gif": 1,
	} {
		p := stored(t, name)
		mime := Sniff(p)
		got, err := strip(p, mime)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before, err := pixels(p)
		if err != nil {
			t.Fatal(err)
		}
		after, err := pixels(got)
		if err != nil || !samePixels(before, after) {
			t.Errorf("%s: the picture has changed: %v", name, err)
		}
		for _, mark := range marks {
			if bytes.Contains(got, []byte(mark)) {
				t.Errorf("%s: %q is still in it", name, mark)
			}
		}
		if n := (&file{r: bytes.NewReader(got), size: int64(len(got))}).orientation(mime); n != turn {
			t.Errorf("%s: orientation %d, want %d", name, n, turn)
		}
		again, err := strip(got, mime)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: a second time it changes again: %v", name, err)
		}
		if len(got) > len(p) {
			t.Errorf("%s: %d bytes became %d", name, len(p), len(got))
		}
	}
}

// TestStripForOthers asks exiftool, which knows more places than we do.
func TestStripForOthers(t *testing.T) {
	exiftool, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skip("no exiftool")
	}
	for _, name := range []string{"photo.jpg", "progressive.jpg", "photo.png", "lossy.webp", "lossless.webp", "anim.webp", "anim.gif", "film.mp4", "film.mov", "photo.heic", "photo.avif"} {
		p := stored(t, name)
		got, err := strip(p, Sniff(p))
		if err != nil {
			t.Fatal(name, err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(exiftool, "-a", "-G1", "-validate", "-warning", "-error", "-EXIF:All", "-XMP:All", "-IPTC:All", "-GPS:All", "-Comment", "-Keys:All", "-UserData:All", "-ItemList:All", "-CreateDate", path).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s\n%s", name, out)
		for _, mark := range marks {
			if bytes.Contains(out, []byte(mark)) && !bytes.Contains([]byte(mark), []byte("GPS")) {
				t.Errorf("%s: exiftool finds %q", name, mark)
			}
		}
	}
}

func TestStripWhatIsBehind(t *testing.T) {
	for _, name := range []string{"photo.jpg", "photo.png", "lossy.webp", "anim.gif"} {
		p := stored(t, name)
		got, err := strip(append(p[:len(p):len(p)], "Secret film behind"...), Sniff(p))
		if err != nil || bytes.Contains(got, []byte("Secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStripThumbnail(t *testing.T) {
	p := encodedJPEG(t, 16, 16)
	jfif := append([]byte{0xff, jpegAPP0, 0, 19}, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01SEC"...)
	jfxx := append([]byte{0xff, jpegAPP0, 0, 13}, "JFXX\x00Secret"...)
	got, err := strip(append(append(append([]byte{0xff, 0xd8}, jfif...), jfxx...), p[2:]...), mimeJPEG)
	if err != nil || bytes.Contains(got, []byte("SEC")) || bytes.Contains(got, []byte("Secret")) {
		t.Errorf("thumbnails stay: %v", err)
	}
	if !bytes.Contains(got, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")) {
		t.Error("the header has gone")
	}
}

func TestStripKeepsProfiles(t *testing.T) {
	p := encodedJPEG(t, 16, 16)
	icc := append([]byte{0xff, jpegAPP2, 0, 20}, "ICC_PROFILE\x00\x01\x01abcd"...)
	mpf := append([]byte{0xff, jpegAPP2, 0, 8}, "MPF\x00ab"...)
	got, err := strip(append(append(append([]byte{0xff, 0xd8}, icc...), mpf...), p[2:]...), mimeJPEG)
	if err != nil || !bytes.Contains(got, icc) || bytes.Contains(got, []byte("MPF")) {
		t.Errorf("JPEG: %v", err)
	}
	adobe, err := os.ReadFile("testdata/progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	app14 := append([]byte{0xff, jpegAPP14, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00\x01"...)
	if got, err = strip(append(append([]byte{0xff, 0xd8}, app14...), adobe[2:]...), mimeJPEG); err != nil || !bytes.Contains(got, app14) {
		t.Errorf("Adobe: %v", err)
	}
}

func TestStripMalformed(t *testing.T) {
	for _, name := range []string{"photo.jpg", "photo.png", "lossy.webp", "anim.gif", "film.mp4", "film.mov"} {
		p := stored(t, name)
		for _, n := range []int{0, 1, 11, 12, 20, len(p) / 2, len(p) - 1} {
			if _, err := strip(p[:n], Sniff(p)); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
		}
	}
	if _, err := strip([]byte("text"), mimeText); !errors.Is(err, ErrUnknownKind) {
		t.Errorf("text: %v", err)
	}
}

// box is a box of an MP4 film.
func box(kind string, content ...[]byte) []byte {
	p := bytes.Join(content, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(p))), kind...), p...)
}

func numbersOf(n ...uint32) (p []byte) {
	for _, v := range n {
		p = binary.BigEndian.AppendUint32(p, v)
	}
	return p
}

// TestStripTrack: a track of measurements goes, with its samples.
func TestStripTrack(t *testing.T) {
	ftyp := box("ftyp", []byte("isom\x00\x00\x00\x00"))
	mdat := box("mdat", []byte("FILMsecretFILMsecretFILM"))
	at := uint32(len(ftyp) + 8)
	handler := func(kind string) []byte { return box("hdlr", numbersOf(0, 0), []byte(kind), make([]byte, 13)) }
	tables := box("minf", box("stbl", box("stsz", numbersOf(0, 0, 3, 2, 4, 6)), box("stsc", numbersOf(0, 2, 1, 2, 1, 2, 1, 1)), box("stco", numbersOf(0, 2, at+4, at+14))))
	moov := box("moov",
		box("trak", box("mdia", handler("vide"), box("minf"))),
		box("trak", box("mdia", handler("meta"), tables)),
		box("udta", []byte("\xa9xyz+52.5+013.4/")))
	film := append(append(ftyp, mdat...), moov...)
	got, err := strip(film, mimeMP4)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(film) {
		t.Errorf("%d bytes became %d", len(film), len(got))
	}
	for mark, n := range map[string]int{"secret": 0, "+52": 0, "trak": 1, "vide": 1, "free": 2, "FILM\x00\x00\x00\x00\x00\x00FILM\x00\x00\x00\x00\x00\x00FILM": 1} {
		if k := bytes.Count(got, []byte(mark)); k != n {
			t.Errorf("%q is in it %d times, want %d", mark, k, n)
		}
	}
}

// TestStrippedFilm: ffmpeg finds the same frames and no place.
func TestStrippedFilm(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg")
	}
	for _, name := range []string{"film.mp4", "film.mov"} {
		p := stored(t, name)
		got, err := strip(p, Sniff(p))
		if err != nil {
			t.Fatal(err)
		}
		for _, mark := range append(marks, "secret-title") {
			if bytes.Contains(got, []byte(mark)) {
				t.Errorf("%s: %q is still in it", name, mark)
			}
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		sum := func(path string) string {
			out, err := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-i", path, "-f", "framemd5", "-").Output()
			if err != nil || len(out) < 100 {
				t.Fatalf("%s: %v", path, err)
			}
			return string(out)
		}
		if sum(path) != sum(filepath.Join("testdata", name)) {
			t.Errorf("%s: other frames", name)
		}
		if look(got) != look(p) {
			t.Errorf("%s: other facts: %v", name, look(got))
		}
	}
}

// TestStripIsBounded: a file of the largest size allowed takes no memory of its own.
func TestStripIsBounded(t *testing.T) {
	many := append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), bytes.Repeat([]byte("!\xfe\x01x\x00"), 1<<20)...)
	alternating := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", make([]byte, 13))...)
	alternating = append(alternating, bytes.Repeat(append(pngChunk("IDAT", nil), pngChunk("tEXt", nil)...), 1<<17)...)
	large := pngOf(10, 10, 8, 0, pngChunk("tEXt", make([]byte, 64<<20)), pngChunk("IDAT", make([]byte, 64<<20)))
	for name, p := range map[string][]byte{"blocks": many, "alternating chunks": alternating, "large chunks": large} {
		allocated, _ := used(func() { _ = Strip(io.Discard, bytes.NewReader(p), int64(len(p)), Sniff(p)) })
		t.Logf("%s: %d KiB", name, allocated>>10)
		if allocated > 24<<20 {
			t.Errorf("%s: %d MiB allocated", name, allocated>>20)
		}
	}
}

// FuzzStrip: what comes out is no longer, has no metadata, can be stripped again
// without a change, and shows the same.
func FuzzStrip(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.jpg", "progressive.jpg", "anim.gif", "lossy.webp", "lossless.webp", "film.mp4", "film.mov", "photo.heic", "photo.avif"} {
		f.Add(stored(f, name))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		mime := Sniff(p)
		got, err := strip(p, mime)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnknownKind) {
				t.Errorf("error %v", err)
			}
			return
		}
		if len(got) > len(p)+64 {
			t.Errorf("%d bytes became %d", len(p), len(got))
		}
		again, err := strip(got, mime)
		if err != nil || !bytes.Equal(got, again) {
			t.Errorf("a second time it changes again: %v", err)
		}
		if look(p) != look(got) {
			t.Errorf("facts %v became %v", look(p), look(got))
		}
		if s := (&file{r: bytes.NewReader(got), size: int64(len(got))}); s.leftOver(mime) {
			t.Error("there is metadata in it")
		}
		facts := look(p)
		if mime == mimeMP4 || mime == mimeMOV || facts.Width*facts.Height > 1<<16 || len(p) > 1<<16 {
			return
		}
		before, err := pixels(p)
		if err != nil {
			return
		}
		if after, err := pixels(got); err != nil || !samePixels(before, after) {
			t.Errorf("the picture has changed: %v", err)
		}
	})
}

// leftOver walks the parts once more and looks for those that had to go.
func (f *file) leftOver(mime string) bool {
	found := false
	switch mime {
	case mimeJPEG:
		_, _ = f.jpegSegments(func(s segment) error {
			exif := s.marker == jpegAPP1 && s.size() == int64(len(exifPrefix)+len(minimalExif(1))) && f.startsWith(s.part, exifPrefix)
			found = found || s.marker == jpegCOM || s.marker == jpegAPP1 && !exif || s.marker > jpegAPP2 && s.marker < jpegAPP14
			return nil
		})
	case mimePNG:
		_, _ = f.pngChunks(func(c part) error {
			found = found || c.kind == "tEXt" || c.kind == "iTXt" || c.kind == "zTXt" || c.kind == "tIME" || c.kind == "eXIf" && c.size() != 26
			return nil
		})
	case mimeWebP:
		_, _ = f.webpChunks(func(c part) error {
			found = found || c.kind == "XMP " || c.kind == "EXIF" && c.size() != 26
			return nil
		})
	case mimeHEIC, mimeAVIF:
		_, _ = f.heif(func(h *heif, _ part) error {
			for _, item := range h.items {
				found = found || heifDescribes[item.kind]
			}
			return nil
		})
	}
	return found
}
