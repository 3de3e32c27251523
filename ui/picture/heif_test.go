package picture

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStripHEIF: what describes the picture is gone, every other byte is where it was.
func TestStripHEIF(t *testing.T) {
	for _, name := range []string{"photo.heic", "photo.avif"} {
		p := stored(t, name)
		got, err := strip(p, Sniff(p))
		if err != nil {
			t.Fatal(name, err)
		}
		if len(got) != len(p) {
			t.Errorf("%s: %d bytes became %d", name, len(p), len(got))
		}
		for i := range got {
			if got[i] != p[i] && got[i] != 0 && !bytes.Contains([]byte("free"), got[i:i+1]) {
				t.Fatalf("%s: byte %d became %d", name, i, got[i])
			}
		}
		for _, mark := range append(marks, "SECRET", "Exif", "mime") {
			if !bytes.Contains(p, []byte(mark)) && mark == "SECRET" {
				t.Errorf("%s: %q never was in it", name, mark)
			}
			if at := bytes.Index(got, []byte(mark)); at >= 0 {
				t.Errorf("%s: %q is still in it, at %d", name, mark, at)
			}
		}
		if again, err := strip(got, Sniff(got)); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: a second time it changes again: %v", name, err)
		}
		want := Facts{Width: 64, Height: 48}
		if look(p) != want || look(got) != want {
			t.Errorf("%s: %v, then %v, want %v", name, look(p), look(got), want)
		}
	}
}

// TestStrippedHEIFIsRead: libheif draws the same, and finds no metadata.
func TestStrippedHEIFIsRead(t *testing.T) {
	convert, err := exec.LookPath("heif-convert")
	if err != nil {
		t.Skip("no heif-convert")
	}
	for _, name := range []string{"photo.heic", "photo.avif"} {
		p := stored(t, name)
		got, err := strip(p, Sniff(p))
		if err != nil {
			t.Fatal(name, err)
		}
		var drawn [2][]byte
		for i, content := range [][]byte{p, got} {
			from, to := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "x.png")
			if err := os.WriteFile(from, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(convert, from, to).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", name, err, out)
			}
			if drawn[i], err = os.ReadFile(to); err != nil {
				t.Fatal(err)
			}
		}
		before, err1 := pixels(drawn[0])
		after, err2 := pixels(drawn[1])
		if err := errors.Join(err1, err2); err != nil || !samePixels(before, after) {
			t.Errorf("%s: the picture has changed: %v", name, err)
		}
	}
}

// TestStripHEIFBeside: films beside the picture go; a picture that would go is left alone.
func TestStripHEIFBeside(t *testing.T) {
	p := append(stored(t, "photo.heic"), box("mpvd", []byte("a film with a place"))...)
	got, err := strip(append(p, box("sefd", []byte("a place"))...), mimeHEIC)
	if err != nil || bytes.Contains(got, []byte("place")) {
		t.Errorf("%v: %q", err, got[len(got)-60:])
	}
	p = stored(t, "photo.heic")
	at := bytes.Index(p, []byte("pitm"))
	f := &file{r: bytes.NewReader(p), size: int64(len(p))}
	h, err := f.heif(func(*heif, part) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for id, item := range h.items {
		p[at+9] = byte(id)
		if _, err := strip(p, mimeHEIC); (err != nil) != heifDescribes[item.kind] {
			t.Errorf("with an item of type %q as its picture: %v", item.kind, err)
		}
	}
}

// heifOf is a picture whose items have these entries in the table of places.
func heifOf(iloc []byte, infes ...[]byte) []byte {
	meta := box("meta", numbersOf(0), box("hdlr", numbersOf(0, 0), []byte("pict"), make([]byte, 13)),
		box("iinf", []byte{0, 0, 0, 0, 0, byte(len(infes))}, bytes.Join(infes, nil)), box("iloc", iloc), box("idat", []byte("INNERsecret")))
	p := append(box("ftyp", []byte("heic\x00\x00\x00\x00heic")), meta...)
	return append(p, box("mdat", []byte("PICTUREsecretPICTURE"))...)
}

func infe(id byte, kind string) []byte {
	return box("infe", []byte{2, 0, 0, 0, 0, id, 0, 0}, []byte(kind), []byte{0})
}

// TestHEIFPlaces: items in several parts, within meta, elsewhere, on each other.
func TestHEIFPlaces(t *testing.T) {
	at := func(table func(data uint32) []byte) []byte { // the table depends on where the data will be
		p := heifOf(table(0), infe(1, "hvc1"), infe(2, "Exif"), infe(3, "mime"))
		data := uint32(bytes.Index(p, []byte("PICTURE")))
		return heifOf(table(data), infe(1, "hvc1"), infe(2, "Exif"), infe(3, "mime"))
	}
	entry := func(id, within, elsewhere byte, extents ...uint32) []byte {
		p := []byte{0, id, 0, within, 0, elsewhere, 0, byte(len(extents) / 2)}
		return append(p, numbersOf(extents...)...)
	}
	table := func(entries ...[]byte) []byte {
		return append([]byte{1, 0, 0, 0, 0x44, 0, 0, byte(len(entries))}, bytes.Join(entries, nil)...)
	}
	for name, tt := range map[string]struct {
		table func(data uint32) []byte
		want  error
	}{
		"two parts, and within": {func(d uint32) []byte {
			return table(entry(1, 0, 0, d, 7, d+13, 7), entry(2, 0, 0, d+7, 3, d+10, 3), entry(3, 1, 0, 5, 6))
		}, nil},
		"upon the picture": {func(d uint32) []byte { return table(entry(1, 0, 0, d, 8), entry(2, 0, 0, d+7, 6)) }, ErrMalformed},
		"upon each other": {func(d uint32) []byte {
			return table(entry(1, 0, 0, d, 7, d+13, 7), entry(2, 0, 0, d+7, 6), entry(3, 0, 0, d+8, 2), entry(2, 1, 0, 5, 6))
		}, nil},
		"left behind":       {func(d uint32) []byte { return table(entry(1, 0, 0, d, 7, d+13, 7), entry(3, 1, 0, 5, 6)) }, nil},
		"outside":           {func(d uint32) []byte { return table(entry(2, 0, 0, d+7, 60)) }, ErrMalformed},
		"in the table":      {func(d uint32) []byte { return table(entry(2, 0, 0, 30, 6)) }, ErrMalformed},
		"of no length":      {func(d uint32) []byte { return table(entry(2, 0, 0, d+7, 0)) }, ErrMalformed},
		"in another file":   {func(d uint32) []byte { return table(entry(2, 0, 1, d+7, 6)) }, ErrMalformed},
		"in another item":   {func(d uint32) []byte { return table(entry(2, 2, 0, 0, 6)) }, ErrMalformed},
		"a short table":     {func(d uint32) []byte { return table(entry(2, 0, 0, d+7, 6))[:20] }, ErrMalformed},
		"a table of nobody": {func(d uint32) []byte { return []byte{2, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff} }, ErrMalformed},
	} {
		p := at(tt.table)
		got, err := strip(p, mimeHEIC)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err == nil && (bytes.Contains(got, []byte("secret")) || bytes.Count(got, []byte("PICTURE")) != 2 || !bytes.Contains(got, []byte("INNER"))) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
