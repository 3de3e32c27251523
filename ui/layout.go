package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// margin begins every row of a message but its first, so that no text can pass
// for another message.
const margin = "    │ "

// narrowMargin is the margin of a screen on which the other would take too much.
const narrowMargin = "│ "

// cell is one grapheme on the screen.
type cell struct {
	text  string
	width int
	style style
}

// cells cuts runs into graphemes.
func cells(runs []run) []cell {
	var out []cell
	for _, r := range runs {
		state := -1
		for rest := r.text; rest != ""; {
			var g string
			var width int
			g, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
			out = append(out, cell{g, width, r.style})
		}
	}
	return out
}

// layout sets runs in rows of at most width columns (0: no limit), broken at
// blanks, every row but the first behind a margin. A link is never broken, for
// it could not be followed any more.
func layout(runs []run, width int) [][]run {
	indent := margin
	if width > 0 && width < 4*utf8.RuneCountInString(margin) {
		indent = narrowMargin
	}
	var rows [][]run
	for i, line := range splitLines(cells(runs)) {
		first := i == 0
		for {
			room := width
			if width > 0 && !first {
				room = max(2, width-utf8.RuneCountInString(indent))
			}
			row, rest := fill(line, room)
			rows = append(rows, join(row, indent, first))
			first = false
			if line = rest; len(line) == 0 {
				break
			}
		}
	}
	return rows
}

// splitLines cuts cells at their line ends.
func splitLines(all []cell) [][]cell {
	lines := [][]cell{nil}
	for _, c := range all {
		if c.text == "\n" || c.text == "\r\n" {
			lines = append(lines, nil)
			continue
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], c)
	}
	return lines
}

// fill takes from line what fits into width columns.
func fill(line []cell, width int) (row, rest []cell) {
	if width <= 0 {
		return line, nil
	}
	used, blank := 0, -1
	for i, c := range line {
		if c.text == " " {
			blank = i
		}
		used += c.width
		if used <= width {
			continue
		}
		if c.text == " " {
			return line[:i], line[i+1:]
		}
		if start := blank + 1; isLink(line[start:]) {
			if start > 0 {
				return line[:blank], line[start:]
			}
			return cutWord(line)
		}
		if blank > 0 {
			return line[:blank], line[blank+1:]
		}
		return line[:max(1, i)], line[max(1, i):]
	}
	return line, nil
}

// cutWord takes the first word of line.
func cutWord(line []cell) (row, rest []cell) {
	for i, c := range line {
		if c.text == " " {
			return line[:i], line[i+1:]
		}
	}
	return line, nil
}

// isLink reports whether line begins with a link of nothing but visible ASCII:
// only such a word may be left for the terminal to wrap.
func isLink(line []cell) bool {
	if !hasScheme(line) {
		return false
	}
	word, _ := cutWord(line)
	return !slices.ContainsFunc(word, func(c cell) bool {
		return len(c.text) != 1 || c.text[0] <= ' ' || c.text[0] > '~'
	})
}

// hasScheme reports whether line begins like a link.
func hasScheme(line []cell) bool {
	var b strings.Builder
	for _, c := range line[:min(len(line), len("https://"))] {
		b.WriteString(c.text)
	}
	text := strings.ToLower(b.String())
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "p2pchat:")
}

// join makes runs of cells again.
func join(row []cell, indent string, first bool) []run {
	var runs []run
	if !first {
		runs = append(runs, run{dim, indent})
	}
	for i := 0; i < len(row); {
		var b strings.Builder
		style := row[i].style
		for ; i < len(row) && row[i].style == style; i++ {
			b.WriteString(row[i].text)
		}
		runs = append(runs, run{style, b.String()})
	}
	return runs
}

// columns is how wide text is on the screen.
func columns(text string) int { return uniseg.StringWidth(text) }

// pad fills text with blanks to width columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// wordIndex returns where word stands in text by itself, ignoring case; or -1.
func wordIndex(text, word string) int {
	for at := 0; at+len(word) <= len(text); {
		if part := text[at : at+len(word)]; strings.EqualFold(part, word) && utf8.ValidString(part) &&
			!letterBefore(text[:at]) && !letterAfter(text[at+len(word):]) {
			return at
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return -1
}

func letterBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && isNickLetter(r)
}

func letterAfter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && isNickLetter(r)
}

func isNickLetter(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-'
}
