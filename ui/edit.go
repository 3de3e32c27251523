package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// lineEditor is the library's Listener: called after each key with the line, it
// carries out the commands of keyFilter, keeps the cursor between graphemes, and
// tells the display what to draw. All fields are owned by the library's
// goroutine that calls OnChange.
type lineEditor struct {
	view    *view
	engine  engine
	line    []rune // as it was after the last key
	pos     int
	killed  []rune // what cmdYank brings back
	choice  *choice
	column  int            // that Up and Down keep to; -1: that of the cursor
	columns func() int     // of the terminal
	pending func()         // opens the keyboard's gate
	again   func(key byte) // gives the library a key once the gate is open
}

// engine is what lineEditor needs of the library.
type engine interface {
	IsSearchMode() bool
	SaveHistory(content string) error
}

// OnChange implements readline.Listener.
func (e *lineEditor) OnChange(line []rune, pos int, key rune) ([]rune, int, bool) {
	if key == 0 { // a read begins (operation.go:387); nothing was typed
		return nil, 0, false
	}
	searching := e.engine.IsSearchMode()
	open, column := e.choice, e.column
	e.choice, e.column = nil, -1
	if key == cmdUp || key == cmdDown {
		defer e.pending() // whatever becomes of it
	}
	changed := searching // a found line is shared with the history until it is copied
	switch {
	case key == '\r':
		e.remember()
	case key == rune(ctrl('D')) && len(e.line) > 0:
		e.pending() // it deleted a character and did not end the input
		fallthrough
	case key == 0x7f, key == rune(ctrl('H')), key == rune(ctrl('B')), key == rune(ctrl('F')):
		if !searching {
			line, pos, changed = e.snap(line, pos, key)
		}
	case key == rune(ctrl('G')) && open != nil:
		line, pos = open.put(line, open.typed)
		changed = true
	case pos > 0 && line[pos-1] == key && key >= cmdPaste && key <= cmdLast:
		line, pos, changed = slices.Delete(line, pos-1, pos), pos-1, true
		switch key {
		case cmdComplete:
			line, pos = e.complete(line, pos, 1, open)
		case cmdCompleteBack:
			line, pos = e.complete(line, pos, -1, open)
		case cmdUp:
			pos = e.climb(line, pos, column, -1)
		case cmdDown:
			pos = e.climb(line, pos, column, 1)
		default:
			line, pos = e.command(line, pos, key)
		}
	}
	if len(line) > maxInput {
		line, pos, changed = line[:maxInput], min(pos, maxInput), true
		e.view.ring()
	}
	e.line, e.pos = slices.Clone(line), pos
	e.view.typed(e.line, pos, e.menu(), searching && keepsSearch(key))
	return line, pos, changed
}

// remember puts the submitted line into the history. The library would do it,
// but saves an empty line after a search (history.go:284). Saving "" first makes
// it forget the place in the history the line came from.
func (e *lineEditor) remember() {
	_ = e.engine.SaveHistory("")
	if strings.TrimSpace(string(e.line)) != "" {
		_ = e.engine.SaveHistory(string(e.line))
	}
}

// keepsSearch reports whether the library's search goes on after key
// (operation.go:348).
func keepsSearch(key rune) bool {
	return key >= ' ' || key == rune(ctrl('R')) || key == rune(ctrl('H'))
}

// snap makes a move or a deletion of one rune one of a whole grapheme.
func (e *lineEditor) snap(line []rune, pos int, key rune) ([]rune, int, bool) {
	switch key {
	case rune(ctrl('B')):
		start, _ := graphemeAt(line, pos)
		return line, start, start != pos
	case rune(ctrl('F')):
		if start, end := graphemeAt(line, pos); start != pos {
			return line, end, true
		}
	case rune(ctrl('D')):
		if _, end := graphemeAt(e.line, e.pos); e.pos == pos && len(e.line) == len(line)+1 && end > pos+1 {
			return slices.Delete(line, pos, end-1), pos, true
		}
	default:
		if e.pos == pos+1 && len(e.line) == len(line)+1 {
			if start, _ := graphemeAt(e.line, pos); start != pos {
				return slices.Delete(line, start, pos), start, true
			}
		}
	}
	return line, pos, false
}

// graphemeAt is the range of runes of the grapheme that pos lies in or before.
func graphemeAt(line []rune, pos int) (start, end int) {
	state := -1
	for rest := string(line); rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		end = start + utf8.RuneCountInString(cluster)
		if pos < end {
			return start, end
		}
		start = end
	}
	return start, start
}

// menu is what is to be shown of the completion under way.
func (e *lineEditor) menu() menu {
	if e.choice == nil {
		return menu{}
	}
	return e.choice.menu
}

// climb moves the cursor to the row above or below in a line of several lines; at
// the first or last row, and where there is one line, the library goes to what was
// typed before or after.
func (e *lineEditor) climb(line []rune, pos, column, by int) int {
	if slices.Contains(line, newlineRune) {
		to, kept, ok := e.view.neighbour(line, pos, column, by, e.columns())
		if ok {
			e.column = kept
			return to
		}
	}
	e.again(map[int]byte{-1: ctrl('P'), 1: ctrl('N')}[by])
	return pos
}

// command carries out a command on the line.
func (e *lineEditor) command(line []rune, pos int, cmd rune) ([]rune, int) {
	switch cmd {
	case cmdPaste:
		text := e.view.takePaste()
		if room := maxInput - len(line); len(text) > room {
			text = text[:max(0, room)]
			e.view.ring()
		}
		return slices.Insert(line, pos, text...), pos + len(text)
	case cmdYank:
		return slices.Insert(line, pos, e.killed...), pos + len(e.killed)
	case cmdDelete:
		if _, end := graphemeAt(line, pos); end > pos {
			return slices.Delete(line, pos, end), pos
		}
		e.view.ring()
	case cmdWordLeft:
		return line, wordStart(line, pos, inWord)
	case cmdWordRight:
		return line, wordEnd(line, pos)
	case cmdKillBlankWord:
		return e.kill(line, wordStart(line, pos, notBlank), pos)
	case cmdKillWordLeft:
		return e.kill(line, wordStart(line, pos, inWord), pos)
	case cmdKillWordRight:
		return e.kill(line, pos, wordEnd(line, pos))
	case cmdKillToStart:
		return e.kill(line, 0, pos)
	case cmdKillToEnd:
		return e.kill(line, pos, len(line))
	}
	return line, pos
}

func (e *lineEditor) kill(line []rune, from, to int) ([]rune, int) {
	if from < to {
		e.killed = slices.Clone(line[from:to])
	}
	return slices.Delete(line, from, to), from
}

// inWord tells letters, digits and the marks and joiners between them.
func inWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.Cf) || r == '_'
}

func notBlank(r rune) bool {
	return !unicode.IsSpace(r) && r != newlineRune && r != tabRune
}

// wordStart is where the word before pos begins.
func wordStart(line []rune, pos int, in func(rune) bool) int {
	for pos > 0 && !in(line[pos-1]) {
		pos--
	}
	for pos > 0 && in(line[pos-1]) {
		pos--
	}
	return pos
}

// wordEnd is where the word after pos ends.
func wordEnd(line []rune, pos int) int {
	for pos < len(line) && !inWord(line[pos]) {
		pos++
	}
	for pos < len(line) && inWord(line[pos]) {
		pos++
	}
	return pos
}
