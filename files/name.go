package files

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"p2pchat/rooms"
)

// maxName is the most bytes of the name of a saved file. Every file system takes so many,
// with room for a number.
const maxName = 120

// SafeName makes of what a sender calls a file a name that can be saved on every system:
// one part of a path, in NFC, visible, not hidden, of at most 120 bytes. It is never empty.
func SafeName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "_"), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/<>:"|?*`, r), !unicode.IsPrint(r) && r != ' ', unicode.Is(unicode.Co, r), rooms.Unseen(r):
			return '_'
		}
		return r
	}, norm.NFC.String(name))
	name = cutName(strings.TrimLeft(name, ". -"))
	if stem, _, _ := strings.Cut(name, "."); device(strings.TrimRight(stem, " ")) {
		name = cutName("_" + name)
	}
	if name == "" {
		return "file"
	}
	return name
}

// cutName shortens a name, and keeps what tells its kind; what is invisible at its end goes.
func cutName(name string) string {
	name = strings.TrimRight(name, ". ")
	if len(name) <= maxName {
		return name
	}
	stem, ext := splitName(name)
	if len(ext) > 16 {
		stem, ext = name, ""
	}
	stem = stem[:maxName-len(ext)]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return strings.TrimRight(stem, ". ") + ext
}

// splitName cuts a name before its ending, which may have two parts, as in .tar.gz.
func splitName(name string) (stem, ext string) {
	ext = path.Ext(name)
	if len(ext) == len(name) {
		return name, ""
	}
	stem = strings.TrimSuffix(name, ext)
	if strings.HasSuffix(stem, ".tar") && len(stem) > len(".tar") {
		stem, ext = strings.TrimSuffix(stem, ".tar"), ".tar"+ext
	}
	return stem, ext
}

// device tells names that Windows keeps for devices.
func device(stem string) bool {
	switch s := strings.ToUpper(stem); s {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	default:
		r := []rune(s)
		return len(r) == 4 && (strings.HasPrefix(s, "COM") || strings.HasPrefix(s, "LPT")) && strings.ContainsRune("0123456789¹²³", r[3])
	}
}
