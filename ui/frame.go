package ui

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

const (
	beginFrame = "\x1b[?2026h\x1b[?25l" // synchronized update, cursor hidden
	endFrame   = wrapOn + "\x1b[?25h\x1b[?2026l"
	wrapOff    = "\x1b[?7l" // what does not fit into a row stays in its last column
	wrapOn     = "\x1b[?7h"
	pasteOn    = "\x1b[?2004h"
	pasteOff   = "\x1b[?2004l"
	eraseRow   = "\x1b[2K"
)

// screen draws frames: messages that scroll away, and below them the input
// block, redrawn in place. All fields are owned by the goroutine of the display.
type screen struct {
	out     io.Writer
	columns int

	// Where the block drawn last stands.
	widths []int // columns of its rows at least; empty: there is no block
	height int   // rows it covers on the screen
	row    int   // of the cursor, from the top of the block
	column int
}

// resize works out where the terminal's own re-wrap has put the block: a row of
// d columns now covers as many rows as d needs. Where terminals disagree about d it is
// the least, as too high up we would erase messages.
func (s *screen) resize(columns int) {
	if columns == s.columns {
		return
	}
	s.columns = columns
	if len(s.widths) == 0 {
		return
	}
	height, above := 0, 0
	for i, width := range s.widths {
		if i == s.row {
			above = height
		}
		height += max(1, (width+columns-1)/columns)
	}
	s.height = height
	down := s.column / columns
	if s.column == s.widths[s.row] && s.column > 0 {
		// Behind the last character the cursor stays with it. If a terminal
		// thinks otherwise, a piece of the block stays behind; the other mistake
		// would erase a message.
		down = (s.column - 1) / columns
	}
	s.row, s.column = above+down, s.column-down*columns
	// From here on the block is one of other rows, all of them narrow enough.
	s.widths = make([]int, max(height, s.row+1))
}

// frame is one change of the screen, to be drawn in one write.
type frame struct {
	clear  bool     // empty the screen
	before []string // messages of before clear
	bell   bool
	lines  []string
	block  *inputBlock // nil: none, the cursor stays below the lines
}

// draw writes f. Old rows are erased one by one: ESC[J at the top of the screen
// makes tmux and others push the erased screen into the scrollback, where every
// key would leave a ghost of the prompt.
func (s *screen) draw(f frame) {
	var b bytes.Buffer
	b.WriteString(beginFrame)
	s.erase(&b)
	s.writeMessages(&b, f.before)
	if f.clear {
		b.WriteString("\x1b[H\x1b[2J")
	}
	if f.bell {
		b.WriteByte('\a')
	}
	s.writeMessages(&b, f.lines)
	if f.block != nil {
		s.place(&b, f.block)
	}
	b.WriteString(endFrame)
	_, _ = s.out.Write(b.Bytes())
}

// writeMessages writes lines that will scroll away; no colour runs on.
func (s *screen) writeMessages(b *bytes.Buffer, lines []string) {
	for _, line := range lines {
		for row := range strings.SplitSeq(line, "\n") {
			s.writeRow(b, row)
		}
	}
}

// writeRow writes one row of a message, or more where the screen has become narrower than
// it is. The terminal must not go on in the first column, where another message would
// begin: it may do so only with a link, and where nothing but ASCII leaves no doubt about
// the width.
func (s *screen) writeRow(b *bytes.Buffer, row string) {
	text := withoutLooks(row)
	picture := strings.Contains(text, "\x1b")
	text = withoutMargin(text)
	if !picture && !linkText(text) && s.columns > 0 {
		row = fold(row, s.columns)
	}
	doubtful := !picture && !plainASCII(text)
	if doubtful {
		b.WriteString(wrapOff)
	}
	b.WriteString(row)
	if strings.Contains(row, "\x1b") {
		b.WriteString("\x1b[0m")
	}
	if doubtful {
		b.WriteString(wrapOn)
	}
	b.WriteString("\r\n")
}

// withoutMargin is a row without the margin that it may begin with.
func withoutMargin(row string) string {
	if text, ok := strings.CutPrefix(row, margin); ok {
		return text
	}
	return strings.TrimPrefix(row, narrowMargin)
}

// linkText reports whether text is a link or an invite, and nothing else.
func linkText(text string) bool {
	return inviteText(text) || webLink(text) && linkAt(text, 0) == len(text)
}

// fold breaks a row at width columns; what follows stands behind a margin.
func fold(row string, width int) string {
	if shownWidth(row) <= width {
		return row
	}
	var b strings.Builder
	indent := marginOf(width)
	used, state := 0, -1
	for row != "" {
		if n := lookLength(row); n > 0 {
			b.WriteString(row[:n])
			row, state = row[n:], -1
			continue
		}
		var cluster string
		var w int
		cluster, row, w, state = nextCluster(row, state)
		if used += w; used > width {
			b.WriteString("\r\n" + indent)
			used = columns(indent) + w
		}
		b.WriteString(cluster)
	}
	return b.String()
}

// erase removes the block drawn last and leaves the cursor where it began. It
// goes down by line ends, not by cursor movements: if the screen became lower and
// lost rows of the block, the screen scrolls and the count still holds.
func (s *screen) erase(b *bytes.Buffer) {
	b.WriteByte('\r')
	up(b, s.row)
	for i := range s.height {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(eraseRow)
	}
	up(b, s.height-1)
	s.forget()
}

// forget makes the screen one without a block, with the cursor in the first column.
func (s *screen) forget() { s.widths, s.height, s.row, s.column = nil, 0, 0, 0 }

// place draws the block from the cursor on. Where the terminal may take what stands before
// the cursor for wider or narrower than we do, that is written once more: so the cursor
// comes to stand where it belongs. The terminal may wrap here: its rows have room to spare,
// and a terminal that has just become narrower does with them what resize reckons with.
func (s *screen) place(b *bytes.Buffer, block *inputBlock) {
	b.WriteString(strings.Join(block.rows, "\x1b[0m\r\n"))
	b.WriteString("\x1b[0m")
	up(b, len(block.rows)-1-block.row)
	before := cutToWidth(block.rows[block.row], block.column)
	if plainASCII(withoutLooks(before)) {
		fmt.Fprintf(b, "\x1b[%dG", block.column+1)
	} else {
		b.WriteString("\r" + before + "\x1b[0m")
	}
	s.widths, s.height = nil, len(block.rows)
	for _, row := range block.rows {
		s.widths = append(s.widths, leastWidth(row))
	}
	s.row, s.column = block.row, leastWidth(before)
}

func up(b *bytes.Buffer, rows int) {
	if rows > 0 {
		fmt.Fprintf(b, "\x1b[%dA", rows)
	}
}
