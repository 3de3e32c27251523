package picture

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stored is a file of testdata.
func stored(t testing.TB, name string) []byte {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func look(p []byte) Facts { return Look(bytes.NewReader(p), int64(len(p)), Sniff(p)) }

func TestSniffFiles(t *testing.T) {
	for _, c := range []struct {
		name, mime string
		facts      Facts
	}{
		{"photo.png", "image/png", Facts{Width: 64, Height: 48}},
		{"photo.jpg", "image/jpeg", Facts{Width: 64, Height: 48}},
		{"progressive.jpg", "image/jpeg", Facts{Width: 64, Height: 48}},
		{"anim.gif", "image/gif", Facts{Width: 32, Height: 24}},
		{"lossy.webp", "image/webp", Facts{Width: 64, Height: 48}},
		{"lossless.webp", "image/webp", Facts{Width: 64, Height: 48}},
		{"alpha.webp", "image/webp", Facts{Width: 64, Height: 48}},
		{"anim.webp", "image/webp", Facts{Width: 64, Height: 48}},
		{"film.mp4", "video/mp4", Facts{96, 54, 2 * time.Second}},
		{"film.mov", "video/quicktime", Facts{96, 54, 2 * time.Second}},
		{"film.webm", "video/webm", Facts{96, 54, 2 * time.Second}},
		{"film.mkv", "video/x-matroska", Facts{96, 54, 2 * time.Second}},
		{"film.avi", "video/x-msvideo", Facts{96, 54, 2 * time.Second}},
		{"tone.flac", "audio/flac", Facts{Duration: 1500 * time.Millisecond}},
		{"tone.wav", "audio/wav", Facts{Duration: 500 * time.Millisecond}},
	} {
		p := stored(t, c.name)
		if got := Sniff(p); got != c.mime {
			t.Errorf("%s: Sniff says %s, want %s", c.name, got, c.mime)
		}
		if got := look(p); got != c.facts {
			t.Errorf("%s: Look says %v, want %v", c.name, got, c.facts)
		}
		if got := Claims(c.name, c.mime); got != "" {
			t.Errorf("%s %s", c.name, got)
		}
		if Executable(c.name, c.mime) {
			t.Errorf("%s counts as executable", c.name)
		}
	}
}

func TestSniff(t *testing.T) {
	pe := append([]byte("MZ"), make([]byte, 200)...)
	pe[60] = 128
	copy(pe[128:], "PE\x00\x00")
	tar := make([]byte, 512)
	copy(tar[257:], "ustar\x0000")
	for _, c := range []struct{ name, head, mime string }{
		{"nothing", "", mimeOctets},
		{"text", "hello\n\twörld", mimeText},
		{"text with BOM", "\xef\xbb\xbfhello", mimeText},
		{"text that is cut", strings.Repeat("x", HeadSize-1) + "ö", mimeText},
		{"other encodings", "h\xe9llo", mimeOctets},
		{"a zero in it", "hello\x00", mimeOctets},
		{"svg", `<svg xmlns="http://www.w3.org/2000/svg"><script>`, mimeXML},
		{"svg with header", "<?xml version=\"1.0\"?>\n<svg/>", mimeXML},
		{"html", "\n <!DOCTYPE html><title>x", "text/html"},
		{"script", "#!/bin/sh\nrm -rf /\n", mimeScript},
		{"desktop entry", "[Desktop Entry]\nExec=x\n", "application/x-desktop"},
		{"elf", "\x7fELF\x02\x01\x01", "application/x-elf"},
		{"windows program", string(pe), "application/vnd.microsoft.portable-executable"},
		{"mach-o", "\xcf\xfa\xed\xfe\x07\x00\x00\x01", "application/x-mach-binary"},
		{"shortcut", "L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"},
		{"pdf", "%PDF-1.7", "application/pdf"},
		{"zip", "PK\x03\x04", mimeZip},
		{"gzip", "\x1f\x8b\x08\x00", "application/gzip"},
		{"7z", "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
		{"tar", string(tar), "application/x-tar"},
		{"avif", "\x00\x00\x00\x20ftypavif\x00\x00\x00\x00", "image/avif"},
		{"heic", "\x00\x00\x00\x20ftypheic\x00\x00\x00\x00", "image/heic"},
		{"old mov", "\x00\x00\x00\x08wide\x00\x00", mimeMOV},
		{"tiff", "II*\x00\x08\x00", "image/tiff"},
		{"bmp", "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "image/bmp"},
		{"no bmp", "BMW is a car\n", mimeText},
		{"mp3", "\xff\xfb\x90\x64", "audio/mpeg"},
		{"mp3 with tag", "ID3\x04", "audio/mpeg"},
		{"ogg", "OggS\x00", "audio/ogg"},
	} {
		if got := Sniff([]byte(c.head)); got != c.mime {
			t.Errorf("%s: %s, want %s", c.name, got, c.mime)
		}
	}
}

func TestClaims(t *testing.T) {
	for _, c := range []struct{ name, mime, want string }{
		{"cat.png", mimeZip, "says png, looks like zip"},
		{"cat.PNG. ", mimeJPEG, "says png, looks like jpeg"},
		{"cat.jpg", "application/x-elf", "says jpeg, looks like a program"},
		{"notes.txt", mimeScript, ""}, // text all the same; Executable tells
		{"notes.txt", mimeOctets, "says text, looks like other data"},
		{"report.docx", mimeZip, ""},
		{"film.mp4", mimeMOV, ""},
		{"film.mkv", mimeWebM, ""},
		{"cat", mimeZip, ""},
		{"cat.unheard-of", mimeZip, ""},
	} {
		if got := Claims(c.name, c.mime); got != c.want {
			t.Errorf("Claims(%q, %q) = %q, want %q", c.name, c.mime, got, c.want)
		}
	}
}

func TestExecutable(t *testing.T) {
	for _, name := range []string{"a.exe", "a.SH", "a.desktop", "a.lnk", "a.app", "a.bat", "a.ps1", "a.jar", "cat.png.exe", "a.exe.", "a.exe ", ".command", "a.iso",
		"a.html", "a.xhtml", "a.svg", "a.doc", "a.docm", "a.xls", "a.xlsb", "a.ppt", "a.mdb", "a.rdp", "a.cab", "a.msu", "a.crx", "a.xpi", "a.vsix", "a.cgi", "a.directory"} {
		if !Executable(name, mimeOctets) {
			t.Errorf("%q is not executable", name)
		}
	}
	for _, mime := range []string{"application/x-elf", "application/x-mach-binary", "application/vnd.microsoft.portable-executable", mimeScript, "application/x-desktop", "application/x-ms-shortcut"} {
		if !Executable("cat.png", mime) {
			t.Errorf("%s is not executable", mime)
		}
	}
	for _, name := range []string{"cat.png", "exe", "notes.txt", "film.mp4", "", "a.pdf"} {
		if Executable(name, mimeText) {
			t.Errorf("%q is executable", name)
		}
	}
}

// A file is shown when name and content agree on a kind that nothing obeys.
func TestViewable(t *testing.T) {
	const ole, page = "application/x-ole-storage", "text/html"
	for _, c := range []struct{ name, mime string }{
		{"cat.png", mimePNG}, {"CAT.JPG", mimeJPEG}, {"a.ico", "image/x-icon"}, {"film.mp4", mimeMOV}, {"film.mkv", mimeWebM},
		{"a.m4a", mimeMP4}, {"a.opus", "audio/ogg"}, {"a.pdf", "application/pdf"}, {"notes.txt", mimeText}, {"a.exe.png", mimePNG},
	} {
		if !Viewable(c.name, c.mime) {
			t.Errorf("%s with %s is not shown", c.name, c.mime)
		}
	}
	for _, c := range []struct{ name, mime string }{
		{"a.html", page}, {"a.html", mimeText}, {"a.xhtml", mimeXML}, {"a.svg", mimeXML}, {"a.doc", ole}, {"a.docm", mimeZip},
		{"a.docx", mimeZip}, {"a.xls", ole}, {"a.xlsb", mimeZip}, {"a.mdb", mimeOctets}, {"a.rdp", mimeText}, {"a.cab", mimeOctets},
		{"a.msu", mimeOctets}, {"a.crx", mimeOctets}, {"a.xpi", mimeZip}, {"a.vsix", mimeZip}, {"a.cgi", mimeText}, {"a.zip", mimeZip},
		{"a.directory", mimeText}, {"a.m3u", mimeText}, {"a.csv", mimeText}, {"a.unheard-of", mimePNG}, {"cat", mimePNG}, {"", mimePNG},
		{"cat.png", mimeText}, {"cat.png", mimeJPEG}, {"cat.png", ""}, {"cat.txt", page}, {"cat.txt", mimeXML}, {"cat.txt", mimeScript},
		{"cat.txt", "application/x-desktop"}, {"cat.txt", mimePNG}, {"cat.html.", mimePNG}, {"cat.pdf", mimeZip}, {"cat.png.exe", mimePNG},
	} {
		if Viewable(c.name, c.mime) {
			t.Errorf("%s with %s is shown", c.name, c.mime)
		}
	}
	for ext := range viewableExtensions {
		if kindOfExtension[ext] == "" || executableExtensions[ext] {
			t.Errorf("%s is in the wrong tables", ext)
		}
	}
}

// countingReader counts what is read.
type countingReader struct {
	r *bytes.Reader
	n int64
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// FuzzLook: the facts are believable, and looking reads a header a part, but for
// the JPEG scan that may stand before the frame.
func FuzzLook(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.jpg", "anim.gif", "lossy.webp", "lossless.webp", "film.mp4", "film.mov", "film.webm", "film.mkv", "film.avi", "tone.flac", "tone.wav"} {
		p := stored(f, name)
		f.Add(p[:min(len(p), 3000)])
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		mime := Sniff(p)
		if mime == "" || Sniff(p[:min(len(p), HeadSize)]) != mime {
			t.Errorf("the kind %q depends on more than the head", mime)
		}
		for _, as := range []string{mime, mimeMP4, mimeWebM, mimeJPEG, mimeWebP} {
			r := &countingReader{r: bytes.NewReader(p)}
			facts := Look(r, int64(len(p)), as)
			if facts.believed() != facts || (facts.Width == 0) != (facts.Height == 0) {
				t.Errorf("facts as %s: %v", as, facts)
			}
			if r.n > 4*int64(len(p))+HeadSize {
				t.Errorf("as %s: %d bytes read of %d", as, r.n, len(p))
			}
		}
	})
}
