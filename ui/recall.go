package ui

import (
	"os"
	"slices"
	"strings"
	"unicode"
)

// recall is what was typed before, and where among it the person is. The library
// has a history of its own, but that loses drafts, and its search submits lines
// that do not match.
type recall struct {
	lines [][]rune // the oldest first
	file  *os.File // where they are kept; nil: nowhere
	place int      // in lines; behind the last one is the draft
	draft []rune
	edits map[int][]rune // of lines, while there is a draft to come back to
}

// newRecall is a recall of the lines in file, which may be nil.
func newRecall(file *os.File, text []byte) *recall {
	r := &recall{file: file}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			r.lines = append(r.lines, []rune(line))
		}
	}
	r.lines = r.lines[max(0, len(r.lines)-historyLimit):]
	r.reset()
	return r
}

// reset goes to an empty draft.
func (r *recall) reset() { r.place, r.draft, r.edits = len(r.lines), nil, map[int][]rune{} }

// add takes in a submitted line.
func (r *recall) add(line []rune) {
	defer r.reset()
	last := len(r.lines) - 1
	if strings.TrimSpace(string(line)) == "" || last >= 0 && slices.Equal(line, r.lines[last]) {
		return
	}
	r.lines = append(r.lines, slices.Clone(line))
	if len(r.lines) > historyLimit {
		r.lines = r.lines[1:]
	}
	if r.file != nil {
		_, _ = r.file.WriteString(string(line) + "\n")
	}
}

// at is the line at a place, as it was left.
func (r *recall) at(place int) []rune {
	if place == len(r.lines) {
		return r.draft
	}
	if edit, ok := r.edits[place]; ok {
		return edit
	}
	return r.lines[place]
}

// leave keeps the line as it is before the person goes elsewhere. An edited line is
// the draft from then on, unless there is one that would be lost.
func (r *recall) leave(line []rune) {
	switch {
	case r.place == len(r.lines):
		r.draft = slices.Clone(line)
	case slices.Equal(line, r.at(r.place)):
	case len(r.draft) == 0:
		r.place, r.draft = len(r.lines), slices.Clone(line)
	case len(line) > 0:
		r.edits[r.place] = slices.Clone(line)
	}
}

// step goes from line to the one before (by -1) or after (1); false: there is none.
func (r *recall) step(line []rune, by int) ([]rune, bool) {
	r.leave(line)
	to := r.place + by
	if to < 0 || to > len(r.lines) {
		return line, false
	}
	r.place = to
	return slices.Clone(r.at(to)), true
}

// search is a search in what was typed before, under way.
type search struct {
	sought []rune
	found  int    // place of the line that is shown; -1: there is none
	line   []rune // of before the search, shown while nothing is found
	pos    int
	place  int
}

// find looks from a place on back for a line with what is sought.
func (r *recall) find(s *search, from int) (pos int, ok bool) {
	for place := from; place >= 0 && len(s.sought) > 0; place-- {
		if i := indexFold(r.lines[place], s.sought); i >= 0 {
			s.found = place
			return i, true
		}
	}
	return 0, false
}

// older looks for a line before the one that is found, and other than it.
func (r *recall) older(s *search) (pos int, ok bool) {
	if s.found < 0 {
		return 0, false
	}
	from := s.found - 1
	for from >= 0 && slices.Equal(r.lines[from], r.lines[s.found]) {
		from--
	}
	return r.find(s, from)
}

// hint says what is sought.
func (s *search) hint() string {
	label := "(search) "
	if s.found < 0 && len(s.sought) > 0 {
		label = "(search, nothing found) "
	}
	return label + Sanitize(typedText.Replace(string(s.sought)))
}

// indexFold is where part begins in line, ignoring case; -1: nowhere.
func indexFold(line, part []rune) int {
	for i := 0; i+len(part) <= len(line); i++ {
		if slices.EqualFunc(line[i:i+len(part)], part, func(a, b rune) bool {
			return unicode.ToLower(a) == unicode.ToLower(b)
		}) {
			return i
		}
	}
	return -1
}
