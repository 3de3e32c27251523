package ui

import (
	"strings"

	"github.com/rivo/uniseg"
)

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

// withoutColours is s without our own colour escapes.
func withoutColours(s string) string {
	if !strings.Contains(s, "\x1b[") {
		return s
	}
	var b strings.Builder
	for s != "" {
		if n := colourLength(s); n > 0 {
			s = s[n:]
			continue
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// shownWidth is the number of columns s takes; colour escapes take none.
func shownWidth(s string) int { return uniseg.StringWidth(withoutColours(s)) }

// cutToWidth is the beginning of s that fits into width columns, with all its
// colour escapes.
func cutToWidth(s string, width int) string {
	var b strings.Builder
	state, full := -1, false
	for s != "" {
		if n := colourLength(s); n > 0 {
			b.WriteString(s[:n])
			s, state = s[n:], -1
			continue
		}
		var cluster string
		var w int
		cluster, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
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
		for rest := cells([]run{{plain, line}}); ; {
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
