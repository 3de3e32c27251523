package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/width"
)

// widestCluster is how many columns one grapheme may take: those of a family of four, each
// with a skin tone.
const widestCluster = 16

// nextCluster cuts the first grapheme off text, with the columns it takes at most. State
// is -1 at the beginning of a text.
//
// Terminals disagree. Some draw a grapheme as one thing, as uniseg measures it; some
// give each of its runes its place, as tmux and xterm do with skin tones and with vowels
// that uniseg takes for marks. The wider of both counts: a row may end early, but it
// never runs over the edge. Nor does one endless grapheme: it is cut.
func nextCluster(text string, state int) (cluster, rest string, columns, next int) {
	cluster, _, columns, next = uniseg.FirstGraphemeClusterInString(beginning(text), state)
	rest = text[len(cluster):]
	if len(cluster) == 1 {
		return cluster, rest, columns, next
	}
	sum := 0
	for i, r := range cluster {
		w := runeWidth(r)
		if sum+w > widestCluster {
			return cluster[:i], text[i:], sum, -1
		}
		if sum += w; r == 0xFE0F { // an emoji, also where a digit becomes one
			sum = max(sum, 2)
		}
	}
	return cluster, rest, max(columns, sum), next
}

// beginning is as much of text as one grapheme may have, so that an endless one is not
// read to its end again for each piece.
func beginning(text string) string {
	const most = 256 // bytes; the family has 41
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// lateWide are wide for some terminals: since Unicode 16, or because glibc has it so.
var lateWide = &unicode.RangeTable{
	R16: []unicode.Range16{{0x2630, 0x2637, 1}, {0x268A, 0x268F, 1}, {0x3248, 0x324F, 1}, {0x4DC0, 0x4DFF, 1}},
	R32: []unicode.Range32{{0x1D300, 0x1D356, 1}, {0x1D360, 0x1D376, 1}},
}

// runeWidth is how many columns a terminal gives a rune that it draws by itself.
func runeWidth(r rune) int {
	switch kind := width.LookupRune(r).Kind(); {
	case kind == width.EastAsianWide, kind == width.EastAsianFullwidth, unicode.Is(lateWide, r):
		return 2
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Cc):
		return 0
	}
	return 1
}

// columns is how many columns text takes on the screen at most; it holds no escapes.
func columns(text string) int {
	sum, state := 0, -1
	for text != "" {
		var w int
		_, text, w, state = nextCluster(text, state)
		sum += w
	}
	return sum
}

// colourLength is the length of the colour escape (ESC [ … m) s begins with, or 0.
func colourLength(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case (c < '0' || c > '9') && c != ';' && c != ':':
			return 0
		}
	}
	return 0
}

// linkLength is the length of the escape that begins or ends a hyperlink (ESC ] 8 … ESC \)
// s begins with, or 0.
func linkLength(s string) int {
	const end = "\x1b\\"
	if i := strings.Index(s, end); i > 0 && strings.HasPrefix(s, "\x1b]8;") {
		return i + len(end)
	}
	return 0
}

// lookLength is the length of the escape s begins with, if it only changes how text looks.
func lookLength(s string) int { return max(colourLength(s), linkLength(s)) }

// withoutLooks is s without our own escapes that colour and link.
func withoutLooks(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	var b strings.Builder
	for s != "" {
		if n := lookLength(s); n > 0 {
			s = s[n:]
			continue
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// shownWidth is columns of s, whose colours and hyperlinks take none.
func shownWidth(s string) int { return columns(withoutLooks(s)) }

// leastWidth is shownWidth on the terminal that makes the least of s.
func leastWidth(s string) int {
	sum, state := 0, -1
	for s = withoutLooks(s); s != ""; {
		var cluster string
		var w, runes int
		cluster, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		for _, r := range cluster {
			runes += runeWidth(r)
		}
		sum += min(w, runes)
	}
	return sum
}

// cutToWidth is the beginning of s that fits into width columns, with all its
// colour escapes.
func cutToWidth(s string, width int) string {
	var b strings.Builder
	state, full := -1, false
	for s != "" {
		if n := lookLength(s); n > 0 {
			b.WriteString(s[:n])
			s, state = s[n:], -1
			continue
		}
		var cluster string
		var w int
		cluster, s, w, state = nextCluster(s, state)
		if full = full || w > width; !full {
			b.WriteString(cluster)
			width -= w
		}
	}
	return b.String()
}

// shortened is s, or where it does not fit into width columns, its beginning and "…".
func shortened(s string, width int) string {
	if shownWidth(s) <= width {
		return s
	}
	return cutToWidth(s, width-1) + "…"
}

// CutRow cuts text so that it stays within one row of a terminal of this many columns.
func CutRow(text string, columns int) string { return cutToWidth(text, max(1, columns-1)) }

// Wrap breaks text into rows of a terminal of this many columns, at blanks where it can.
// Links and addresses stay whole.
func Wrap(text string, columns int) string {
	var rows []string
	for _, line := range strings.Split(text, "\n") {
		for rest := cells(withLinks(line, plain)); ; {
			keepLinksWhole(rest)
			var row []cell
			row, rest = fill(rest, max(8, columns-1))
			var b strings.Builder
			for _, c := range row {
				b.WriteString(c.text)
			}
			if rows = append(rows, b.String()); len(rest) == 0 {
				break
			}
		}
	}
	return strings.Join(rows, "\n")
}
