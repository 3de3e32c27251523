package ui

import (
	"fmt"
	"math"
)

const (
	menuRows = 2    // rows of candidates shown at a time
	menuGap  = "  " // between two candidates
)

// menu is a choice among candidates. It is shown below the line.
type menu struct {
	candidates []Candidate
	chosen     int // -1: none yet
}

// step goes on to another candidate, around the ends.
func (m *menu) step(by int) {
	n := len(m.candidates)
	if m.chosen < 0 && by < 0 {
		m.chosen = 0
	}
	m.chosen = (m.chosen + by + n) % n
}

// rows is the menu as at most limit rows of width columns: the candidates around
// the chosen one, how many there are beside them, and what the chosen one is.
func (m menu) rows(width, limit int, plain bool) []string {
	if len(m.candidates) == 0 || limit <= 0 {
		return nil
	}
	about := ""
	if m.chosen >= 0 && limit > 1 {
		about = firstLine(m.candidates[m.chosen].About)
	}
	if about != "" {
		limit--
	}
	rows := m.page(width, min(limit, menuRows), plain)
	if about != "" {
		rows = append(rows, quiet(shortened(about, width), plain))
	}
	return rows
}

// page is the part of the candidates with the chosen one in it.
func (m menu) page(width, limit int, plain bool) []string {
	for from := 0; ; {
		to, rows := m.fill(from, width, limit, plain)
		if m.chosen < to || to == len(m.candidates) {
			return rows
		}
		from = to
	}
}

// fill sets the candidates from one on in rows; at least one of them.
func (m menu) fill(from, width, limit int, plain bool) (to int, rows []string) {
	row, column := "", 0
	for to = from; to < len(m.candidates); to++ {
		word := m.word(to, max(1, width-2), plain)
		wide := shownWidth(word)
		last := len(rows) == limit-1
		room := width
		if last && !(from == 0 && m.fits(to, width-column-len(menuGap), plain)) {
			room -= shownWidth(others(len(m.candidates) - 1 - to + from))
		}
		switch {
		case column == 0:
		case column+len(menuGap)+wide <= room:
			row, column = row+menuGap, column+len(menuGap)
		case last:
			if more := others(len(m.candidates) - to + from); column+shownWidth(more) <= width {
				row += quiet(more, plain)
			}
			return to, append(rows, row)
		default:
			rows, row, column = append(rows, row), "", 0
		}
		row, column = row+word, column+wide
	}
	if from > 0 && column+shownWidth(others(from)) <= width {
		row += quiet(others(from), plain)
	}
	return to, append(rows, row)
}

// fits reports whether all candidates from one on fit into width columns.
func (m menu) fits(from, width int, plain bool) bool {
	for i := from; i < len(m.candidates); i++ {
		if width -= shownWidth(m.word(i, math.MaxInt, plain)); width < 0 {
			return false
		}
		width -= len(menuGap)
	}
	return true
}

// word is candidate i as the menu shows it.
func (m menu) word(i, width int, plain bool) string {
	name := cutToWidth(m.candidates[i].name(), width)
	switch {
	case i != m.chosen:
		return quiet(name, plain)
	case plain:
		return "[" + name + "]"
	}
	return "\x1b[7m" + name + "\x1b[0m"
}

// others tells of candidates that are not shown.
func others(n int) string { return fmt.Sprintf("%s… %d more", menuGap, n) }

// quiet makes text dim where the terminal may show attributes.
func quiet(text string, plain bool) string {
	if plain || text == "" {
		return text
	}
	return "\x1b[2m" + text + "\x1b[0m"
}
