package ui

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// inputBlock is what stands below the messages: the prompt with the line being
// typed, a hint, a status. No row of it reaches the last column, so the terminal
// never wraps it by itself.
type inputBlock struct {
	rows   []string
	widths []int // columns each row takes
	row    int   // of the cursor
	column int
}

// glyph is a piece of the edited line as drawn; runes is how many of the line's
// runes it stands for.
type glyph struct {
	text         string
	width, runes int
}

// glyphs cuts the edited line into what is drawn. It is the person's own text,
// but pasted text may hold anything, so it is shown sanitised.
func glyphs(line []rune) []glyph {
	var out []glyph
	var b strings.Builder
	state := -1
	for rest := string(line); rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		runes := []rune(cluster)
		for len(runes) > 0 && (runes[0] == newlineRune || runes[0] == tabRune) {
			out = append(out, glyph{map[rune]string{newlineRune: "⏎", tabRune: "→"}[runes[0]], 1, 1})
			runes = runes[1:]
		}
		if len(runes) == 0 {
			continue
		}
		b.Reset()
		sanitizeCluster(&b, runes, " ")
		if b.String() == cluster {
			out = append(out, glyph{cluster, width, len(runes)})
			continue
		}
		first := len(out)
		for shown := uniseg.NewGraphemes(b.String()); shown.Next(); {
			out = append(out, glyph{shown.Str(), shown.Width(), 0})
		}
		if first < len(out) {
			out[first].runes = len(runes)
		}
	}
	return out
}

// blockRows sets prompt and line in rows of at most width columns. The cursor
// stands before the grapheme that holds rune pos; behind a full row it opens the
// next one.
func blockRows(prompt string, line []rune, pos, width int) inputBlock {
	if shownWidth(prompt) > width/2 {
		prompt = "> "
	}
	var block inputBlock
	var row strings.Builder
	row.WriteString(prompt)
	column := shownWidth(prompt)
	next := func() {
		block.rows, block.widths = append(block.rows, row.String()), append(block.widths, column)
		row.Reset()
		column = 0
	}
	seen, placed := 0, false
	for _, g := range glyphs(line) {
		if column+g.width > width {
			next()
		}
		if !placed && pos < seen+g.runes {
			block.row, block.column, placed = len(block.rows), column, true
		}
		seen += g.runes
		row.WriteString(g.text)
		column += g.width
	}
	if !placed {
		if column >= width {
			next()
		}
		block.row, block.column = len(block.rows), column
	}
	next()
	return block
}

// window keeps at most limit rows, around the cursor.
func (b *inputBlock) window(limit int) {
	if len(b.rows) <= limit {
		return
	}
	from := min(max(0, b.row-limit/2), len(b.rows)-limit)
	b.rows, b.widths = b.rows[from:from+limit], b.widths[from:from+limit]
	b.row -= from
}

// addQuiet appends a dim row below the line, cut to width.
func (b *inputBlock) addQuiet(text string, width int) {
	text = cutToWidth(text, width)
	b.rows = append(b.rows, "\x1b[2m"+text+"\x1b[0m")
	b.widths = append(b.widths, shownWidth(text))
}

// layOut makes the block of p for a screen of columns × rows. The line takes a
// third of the screen at most; hint and status give way on a tiny screen.
func layOut(p picture, columns, rows int) inputBlock {
	width := max(8, columns-1)
	block := blockRows(p.prompt, p.line, p.pos, width)
	block.window(max(1, rows/3))
	for _, quiet := range []string{choices(p.hint, width), p.status} {
		if quiet != "" && len(block.rows)+1 < rows {
			block.addQuiet(firstLine(quiet), width)
		}
	}
	return block
}

// firstLine guards the one-row rows against a line end.
func firstLine(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}
