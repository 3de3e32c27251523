package ui

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"p2pchat/rooms"
)

// maxMarks is how many combining marks one character may carry on the screen.
const maxMarks = 3

// brailleBlank is drawn as a blank. Pictures made of braille are full of it, so that it
// becomes one, too.
const brailleBlank = 0x2800

// Sanitize makes remote text safe to show on one line: it holds no control
// character, nothing that reorders text and nothing invisible. What it takes out
// it shows instead ("^[", "<U+202E>"), so that an attack is seen. Line ends
// become blanks.
func Sanitize(s string) string { return sanitize(s, " ") }

// SanitizeBody is Sanitize for text of several lines: line ends are kept.
func SanitizeBody(s string) string { return sanitize(s, "\n") }

// SanitizeNick is Sanitize for a name: blanks of all kinds become "_", so that a
// name is always one word.
func SanitizeNick(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) {
			return '_'
		}
		return r
	}, Sanitize(s))
}

func sanitize(s, newline string) string {
	if plainASCII(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	state := -1
	// The conversion turns each byte that is no UTF-8 into U+FFFD.
	for rest := string([]rune(s)); rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		sanitizeCluster(&b, []rune(cluster), newline)
	}
	return b.String()
}

// plainASCII reports whether there is nothing in s to look at twice.
func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// sanitizeCluster writes one grapheme.
func sanitizeCluster(b *strings.Builder, cluster []rune, newline string) {
	marks := 0
	for i, r := range cluster {
		switch {
		case r == '\n':
			b.WriteString(newline)
		case r == '\r':
			b.WriteByte(' ')
		case r == '\t':
			b.WriteString("    ")
		case r == brailleBlank:
			b.WriteByte(' ')
		case r < ' ':
			b.WriteByte('^')
			b.WriteRune(r + '@')
		case r == 0x7f:
			b.WriteString("^?")
		case r >= 0x80 && r <= 0x9f:
			fmt.Fprintf(b, "<%02X>", r)
		case joins(cluster, i):
			b.WriteRune(r)
		case hidden(r):
			fmt.Fprintf(b, "<U+%04X>", r)
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks <= maxMarks {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
	}
}

// joins reports whether the invisible rune at i does a job its writing system
// or an emoji needs, after something it can act upon. After an ASCII letter
// there is no such job: there it only makes two names look alike.
func joins(cluster []rune, i int) bool {
	if i == 0 {
		return false
	}
	before := cluster[i-1]
	switch r := cluster[i]; {
	case r == 0xFE0F: // emoji presentation; "#" and digits are keycaps with it
		return before > 0x7f || strings.ContainsRune("0123456789#*", before)
	case r >= 0x180B && r <= 0x180D, r == 0x180F: // forms of Mongolian letters
		return unicode.Is(unicode.Mongolian, before)
	case r == 0x200C: // zero width non-joiner: Persian, Indic
		return before > 0x7f
	case r == 0x200D: // zero width joiner: emoji families; last only behind a script that joins
		return before > 0x7f && (i+1 < len(cluster) || unicode.In(before, unicode.Mn, unicode.Mc, unicode.Lo))
	case r >= 0xE0020 && r <= 0xE007F: // the tags of a flag such as Scotland's
		return cluster[0] == 0x1F3F4
	}
	return false
}

// hidden reports whether r would change or hide text without being seen.
func hidden(r rune) bool {
	return rooms.Unseen(r) || !unicode.IsGraphic(r)
}
