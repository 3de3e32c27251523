package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// margin begins every row of a message but its first, so that no text can pass
// for another message.
const margin = "    │ "

// narrowMargin is the margin of a screen on which the other would take too much.
const narrowMargin = "│ "

// marginOf is the margin on a screen of width columns (0: no limit).
func marginOf(width int) string {
	if width > 0 && width < 4*utf8.RuneCountInString(margin) {
		return narrowMargin
	}
	return margin
}

// cell is one grapheme on the screen.
type cell struct {
	text  string
	width int
	style style
	whole int // not 0: which cell it is, from 1, of something that is not broken
}

// cells cuts runs into graphemes.
func cells(runs []run) []cell {
	var out []cell
	for _, r := range runs {
		state := -1
		for rest := r.text; rest != ""; {
			var g string
			var width int
			g, rest, width, state = nextCluster(rest, state)
			out = append(out, cell{text: g, width: width, style: r.style})
		}
	}
	return out
}

// layout sets runs in rows of at most width columns (0: no limit), broken at
// blanks, every row but the first behind a margin. A link and an invite are never
// broken, for they could not be followed any more.
func layout(runs []run, width int) [][]run {
	indent := marginOf(width)
	var rows [][]run
	for i, line := range splitLines(cells(runs)) {
		first := i == 0
		keepLinksWhole(line)
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

// fill takes from line what fits into width columns, and breaks it at a blank if it can.
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
		at, end := i, i
		if c.whole > 0 { // go back to the beginning of what must not be broken
			at, end = i-(c.whole-1), i-(c.whole-1)
			for end < len(line) && line[end].whole == end-at+1 {
				end++
			}
		}
		switch {
		case c.text == " ":
			return line[:i], line[i+1:]
		case blank > 0:
			return line[:blank], line[blank+1:]
		case at > 0 && c.whole > 0:
			return line[:at], line[at:]
		case c.whole > 0:
			return line[:end], dropBlank(line[end:])
		}
		return line[:max(1, i)], line[max(1, i):]
	}
	return line, nil
}

// dropBlank drops the blank that a row is broken at.
func dropBlank(line []cell) []cell {
	if len(line) > 0 && line[0].text == " " {
		return line[1:]
	}
	return line
}

// keepLinksWhole counts the cells of every link and invite from 1 on: they are not to be
// torn apart, for nobody could follow the pieces. What is wider than the screen is left for
// the terminal to wrap, without a margin; so a link is what is marked as one, and an
// invite has no letter that a row of ours could be made of.
func keepLinksWhole(line []cell) {
	for start := 0; start < len(line); {
		end := start
		for end < len(line) && line[end].text != " " && line[end].style == line[start].style {
			end++
		}
		if line[start].style == link || line[start].style == oldLink || isInvite(line[start:end]) {
			for i := start; i < end; i++ {
				line[i].whole = i - start + 1
			}
		}
		start = max(end, start+1)
	}
}

// isInvite reports whether word is an invite: p2pchat: and base32.
func isInvite(word []cell) bool {
	var b strings.Builder
	for _, c := range word {
		b.WriteString(c.text)
	}
	return inviteText(b.String())
}

func inviteText(word string) bool {
	const scheme = "p2pchat:"
	if len(word) <= len(scheme) || !strings.EqualFold(word[:len(scheme)], scheme) {
		return false
	}
	return !strings.ContainsFunc(word[len(scheme):], func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '2' || r > '7')
	})
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
