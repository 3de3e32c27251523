package ui

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// inputBlock is what stands below the messages: lines that wait, the prompt with
// the line being typed, a menu or a hint, a status. No row of it reaches the last column, so the terminal
// never wraps it by itself.
type inputBlock struct {
	rows   []string
	row    int // of the cursor
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
		cluster, rest, width, state = nextCluster(rest, state)
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
		for _, c := range cells([]run{{text: b.String()}}) {
			out = append(out, glyph{c.text, c.width, 0})
		}
		if first < len(out) {
			out[first].runes = len(runes)
		}
	}
	return out
}

// spot is a place where the cursor can stand: before a rune of the line.
type spot struct{ rune, row, column int }

// setRows sets prompt and line in rows of at most width columns; a line end in
// the line ends its row. The rows of a text of several lines stand below each other,
// behind the prompt. The last spot is the one behind the line; where the last row is
// full, it is in a row of its own, which is not among the rows.
func setRows(prompt string, line []rune, width int) (rows []string, spots []spot) {
	if shownWidth(prompt) > width/2 {
		prompt = "> "
	}
	indent := indentOf(prompt, line)
	var row strings.Builder
	row.WriteString(prompt)
	column, seen := shownWidth(prompt), 0
	next := func() {
		rows = append(rows, row.String())
		row.Reset()
		row.WriteString(strings.Repeat(" ", indent))
		column = indent
	}
	for _, g := range glyphs(line) {
		if column+g.width > width {
			next()
		}
		if g.runes > 0 {
			spots = append(spots, spot{seen, len(rows), column})
		}
		row.WriteString(g.text)
		column += g.width
		if g.runes > 0 && line[seen] == newlineRune {
			next()
		}
		seen += g.runes
	}
	end := spot{seen, len(rows), column}
	if column >= width {
		end = spot{seen, len(rows) + 1, indent}
	}
	next()
	return rows, append(spots, end)
}

// indentOf is the column in which rows of line begin that are not its first.
func indentOf(prompt string, line []rune) int {
	if slices.Contains(line, newlineRune) {
		return shownWidth(prompt)
	}
	return 0
}

// spotOf is the index of the spot of the grapheme that holds rune pos.
func spotOf(spots []spot, pos int) int {
	for i := len(spots) - 1; i > 0; i-- {
		if spots[i].rune <= pos {
			return i
		}
	}
	return 0
}

// blockRows is the block of prompt and line with the cursor at rune pos.
func blockRows(prompt string, line []rune, pos, width int) inputBlock {
	rows, spots := setRows(prompt, line, width)
	at := spots[spotOf(spots, pos)]
	if at.row == len(rows) {
		rows = append(rows, strings.Repeat(" ", at.column))
	}
	return inputBlock{rows: rows, row: at.row, column: at.column}
}

// neighbour is the rune that the cursor comes to from pos in the row above (by
// -1) or below (1); false: there is none. It stays near the column kept, which is
// that of the cursor if column is negative.
func neighbour(prompt string, line []rune, pos, column, by, width int) (to, kept int, ok bool) {
	_, spots := setRows(prompt, line, width)
	i := spotOf(spots, pos)
	row := spots[i].row
	if kept = column; kept < 0 {
		kept = spots[i].column
	}
	for i >= 0 && i < len(spots) && spots[i].row == row {
		i += by
	}
	if i < 0 || i >= len(spots) {
		return pos, kept, false
	}
	to, row = spots[i].rune, spots[i].row
	for _, s := range spots { // the first of the row, or one further right
		if s.row == row && (s.rune < to || s.column <= kept) {
			to = s.rune
		}
	}
	return to, kept, true
}

// window keeps at most limit rows, around the cursor, and says which of them these are;
// "": they are all there.
func (b *inputBlock) window(limit int) string {
	all := len(b.rows)
	if all <= limit {
		return ""
	}
	from := min(max(0, b.row-limit/2), all-limit)
	b.rows = b.rows[from : from+limit]
	b.row -= from
	if limit == 1 {
		return fmt.Sprintf("row %s of %s", grouped(from+1), grouped(all))
	}
	return fmt.Sprintf("rows %s to %s of %s", grouped(from+1), grouped(from+limit), grouped(all))
}

// below adds rows under the line.
func (b *inputBlock) below(rows []string) { b.rows = append(b.rows, rows...) }

// above adds rows over the prompt.
func (b *inputBlock) above(rows []string) {
	b.rows = slices.Concat(rows, b.rows)
	b.row += len(rows)
}

// lineWidth is how wide a row of the block may be.
func lineWidth(columns int) int { return max(8, columns-1) }

// layOut makes the block of p for a screen of columns × rows. The line takes a
// third of the screen at most; the rest gives way on a small screen.
func layOut(p parts, columns, rows int) inputBlock {
	width := lineWidth(columns)
	block := blockRows(p.prompt, p.line, p.pos, width)
	extent := block.window(max(1, rows/3))
	spare := func() int { return max(0, rows-1-len(block.rows)) }
	if note := noteOn(p.line, extent); note != "" && spare() >= tightRows {
		block.below(quietRows([]string{note}, width, p.plain))
	}
	switch {
	case p.question != "":
		block.below(wrapped(p.question, width, min(questionRows, spare()), p.plain))
	case len(p.menu.candidates) > 0:
		block.below(p.menu.rows(width, min(menuRows+1, spare()), p.plain))
	case p.hint != "" && spare() > 0:
		block.below(quietRows([]string{p.hint}, width, p.plain))
	}
	if p.status != "" && spare() > 0 {
		block.below(quietRows([]string{p.status}, width, p.plain))
	}
	block.above(quietRows(few(p.waiting, min(waitingRows+1, rows/4, spare())), width, p.plain))
	return block
}

const (
	waitingRows  = 3 // lines shown above the prompt
	questionRows = 4
	tightRows    = 4 // with fewer to spare, hint and status go before a note on the line
)

// noteOn says what cannot be seen of a long line: which of its rows are shown, and how
// much of a message it is. A command's own text is measured by the command.
func noteOn(line []rune, extent string) string {
	if len(line) > 0 && line[0] == '/' {
		return extent
	}
	warning := measure(line).warning()
	if extent != "" && warning != "" {
		return extent + " · " + warning
	}
	return extent + warning
}

// few is at most limit rows: the first ones and how many more there are.
func few(rows []string, limit int) []string {
	if len(rows) <= min(limit, waitingRows) {
		return rows
	}
	if limit < 2 {
		return []string{fmt.Sprintf("… %s", plural(len(rows), "line"))}[:limit]
	}
	return append(slices.Clone(rows[:limit-1]), fmt.Sprintf("… %d more", len(rows)-limit+1))
}

// quietRows makes each text one dim row, shortened to width.
func quietRows(texts []string, width int, plain bool) []string {
	var rows []string
	for _, text := range texts {
		rows = append(rows, quiet(shortened(firstLine(text), width), plain))
	}
	return rows
}

// wrapped sets text in at most limit rows.
func wrapped(text string, width, limit int, plain bool) []string {
	var rows []string
	for rest := cells([]run{{text: text}}); len(rest) > 0 && len(rows) < limit; {
		var part []cell
		part, rest = fill(rest, width)
		var row strings.Builder
		for _, c := range part {
			row.WriteString(c.text)
		}
		shown := row.String()
		if !plain {
			shown = "\x1b[1m" + shown + "\x1b[0m"
		}
		rows = append(rows, shown)
	}
	return rows
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
