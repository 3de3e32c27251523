package picture

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// HeadSize is how many bytes from the beginning of a file [Sniff] looks at.
const HeadSize = 4096

const (
	mimePNG  = "image/png"
	mimeJPEG = "image/jpeg"
	mimeGIF  = "image/gif"
	mimeWebP = "image/webp"
	mimeHEIC = "image/heic"
	mimeAVIF = "image/avif"
	mimeMP4  = "video/mp4"
	mimeMOV  = "video/quicktime"
	mimeWebM = "video/webm"
	mimeMKV  = "video/x-matroska"
	mimeAVI  = "video/x-msvideo"
	mimeWAV  = "audio/wav"
	mimeFLAC = "audio/flac"

	mimeText   = "text/plain; charset=utf-8"
	mimeXML    = "text/xml"
	mimeScript = "text/x-shellscript"
	mimeZip    = "application/zip"
	mimeOctets = "application/octet-stream"
)

// signature is a kind of file that is known by bytes at a fixed place.
type signature struct {
	at   int
	sign string
	mime string
}

// signatures are in the order in which they are tried.
var signatures = []signature{
	{0, "\x89PNG\r\n\x1a\n", mimePNG},
	{0, "\xff\xd8\xff", mimeJPEG},
	{0, "GIF87a", mimeGIF},
	{0, "GIF89a", mimeGIF},
	{0, "II*\x00", "image/tiff"},
	{0, "MM\x00*", "image/tiff"},
	{0, "\x00\x00\x01\x00", "image/x-icon"},
	{0, "fLaC", mimeFLAC},
	{0, "OggS", "audio/ogg"},
	{0, "ID3", "audio/mpeg"},
	{0, "%PDF-", "application/pdf"},
	{0, "PK\x03\x04", mimeZip},
	{0, "PK\x05\x06", mimeZip},
	{0, "\x1f\x8b\x08", "application/gzip"},
	{0, "BZh", "application/x-bzip2"},
	{0, "\xfd7zXZ\x00", "application/x-xz"},
	{0, "\x28\xb5\x2f\xfd", "application/zstd"},
	{0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
	{0, "Rar!\x1a\x07", "application/vnd.rar"},
	{257, "ustar", "application/x-tar"},
	{0, "\x7fELF", "application/x-elf"},
	{0, "\xfe\xed\xfa\xce", "application/x-mach-binary"},
	{0, "\xfe\xed\xfa\xcf", "application/x-mach-binary"},
	{0, "\xce\xfa\xed\xfe", "application/x-mach-binary"},
	{0, "\xcf\xfa\xed\xfe", "application/x-mach-binary"},
	{0, "\xca\xfe\xba\xbe", "application/x-mach-binary"}, // also a Java class: no less executable
	{0, "L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
	{0, "SQLite format 3\x00", "application/vnd.sqlite3"},
	{0, "wOF2", "font/woff2"},
}

// Sniff says what a file is from its first [HeadSize] bytes (or all, if it has
// fewer); its name has no say. What it can't tell is text/plain when it is UTF-8
// without control characters, else application/octet-stream. SVG is text/xml: it
// can hold scripts and links, so it is never drawn.
func Sniff(head []byte) string {
	head = head[:min(len(head), HeadSize)]
	for _, s := range signatures {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.sign)) {
			return s.mime
		}
	}
	switch {
	case len(head) >= 12 && string(head[:4]) == "RIFF":
		return sniffRIFF(string(head[8:12]))
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return sniffFtyp(string(head[8:12]))
	case len(head) >= 8 && (string(head[4:8]) == "moov" || string(head[4:8]) == "wide" || string(head[4:8]) == "mdat"):
		return mimeMOV // written before the brand came into use
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		if bytes.Contains(head[:min(len(head), 64)], []byte("webm")) {
			return mimeWebM
		}
		return mimeMKV
	case isPE(head):
		return "application/vnd.microsoft.portable-executable"
	case len(head) >= 18 && string(head[:2]) == "BM" && binary.LittleEndian.Uint32(head[14:]) <= 256:
		return "image/bmp"
	case len(head) >= 4 && isMP3(binary.BigEndian.Uint32(head)):
		return "audio/mpeg"
	}
	return sniffText(head)
}

func sniffRIFF(form string) string {
	switch form {
	case "WEBP":
		return mimeWebP
	case "WAVE":
		return mimeWAV
	case "AVI ":
		return mimeAVI
	}
	return mimeOctets
}

func sniffFtyp(brand string) string {
	switch brand {
	case "avif", "avis":
		return mimeAVIF
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return mimeHEIC
	case "qt  ":
		return mimeMOV
	case "M4A ", "M4B ":
		return "audio/mp4"
	}
	return mimeMP4
}

// isPE finds a Windows program by its two headers; one that is only an MS-DOS
// program counts too.
func isPE(head []byte) bool {
	if len(head) < 64 || string(head[:2]) != "MZ" {
		return false
	}
	at := binary.LittleEndian.Uint32(head[60:])
	return at >= uint32(len(head))-4 || string(head[at:at+2]) == "PE" || at < 64
}

// isMP3 reports whether a file without ID3 tag begins with a frame of MPEG audio:
// layer III, with a bit rate, sampling rate and emphasis that exist.
func isMP3(h uint32) bool {
	return h>>21 == 0x7ff && h>>19&3 != 1 && h>>17&3 == 1 && h>>12&15 != 0 && h>>12&15 != 15 && h>>10&3 != 3 && h&3 != 2
}

func sniffText(head []byte) string {
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if len(text) == 0 || !plainText(text, len(head) == HeadSize) {
		return mimeOctets
	}
	if bytes.HasPrefix(text, []byte("#!")) {
		return mimeScript
	}
	start := strings.ToLower(string(bytes.TrimLeft(text[:min(len(text), 256)], " \t\r\n")))
	switch {
	case strings.HasPrefix(start, "[desktop entry]"):
		return "application/x-desktop"
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return "text/html"
	case strings.HasPrefix(start, "<?xml"), strings.HasPrefix(start, "<svg"), strings.HasPrefix(start, "<!doctype svg"):
		return mimeXML
	}
	return mimeText
}

// plainText reports whether p is UTF-8 without controls that no text needs. The
// last character may be cut off.
func plainText(p []byte, cut bool) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		switch {
		case r == utf8.RuneError && n == 1:
			return cut && !utf8.FullRune(p)
		case r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != 0x1b, r == 0x7f:
			return false
		}
		p = p[n:]
	}
	return true
}
