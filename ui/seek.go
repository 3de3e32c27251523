package ui

import "slices"

// beginSearch begins a search; the line stays what it is until something is found.
func (e *lineEditor) beginSearch(line []rune, pos int) {
	e.typed.leave(line)
	e.search = &search{found: -1, line: slices.Clone(line), pos: pos, place: e.typed.place}
}

// seek lets a search have a key. It reports false for one that ends the search and
// then does what it always does, on the line that is shown. What is not shown as found
// is never submitted: there Enter only leaves the search.
func (e *lineEditor) seek(key rune, command bool) (line []rune, pos int, taken bool) {
	s := e.search
	line, pos = slices.Clone(e.line), e.pos // without what the library made of the key
	switch {
	case key == cmdSearch && command:
		at, ok := e.typed.older(s)
		if !ok {
			e.view.ring()
			return line, pos, true
		}
		return slices.Clone(e.typed.lines[s.found]), at, true
	case key == cmdPaste && command: // what is sought is short
		text := e.view.takePaste()
		s.sought = append(s.sought, text[:min(len(text), longRun)]...)
	case key == cmdReturn && command:
		e.view.takePaste()
		return line, pos, true
	case key == 0x7f, key == rune(ctrl('H')):
		s.sought = s.sought[:max(0, len(s.sought)-1)]
	case key == rune(ctrl('G')), command && key == cmdInterrupt, command && key == cmdEnter && s.found < 0:
		e.search, e.typed.place = nil, s.place
		return slices.Clone(s.line), s.pos, true
	case !command && key >= ' ':
		s.sought = append(s.sought, key)
	default:
		if e.search = nil; s.found >= 0 {
			e.typed.place = s.found
		}
		return nil, 0, false
	}
	from := len(e.typed.lines) - 1
	if s.found >= 0 && !(key == 0x7f || key == rune(ctrl('H'))) {
		from = s.found
	}
	at, ok := e.typed.find(s, from)
	if !ok {
		s.found = -1
		return slices.Clone(s.line), s.pos, true
	}
	return slices.Clone(e.typed.lines[s.found]), at, true
}
