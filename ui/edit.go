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
	pending func() // opens the keyboard's gate
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
	hint, isHint := "", false
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
	case pos > 0 && line[pos-1] == key && key >= cmdPaste && key <= cmdYank:
		line = slices.Delete(line, pos-1, pos)
		line, pos, hint = e.command(line, pos-1, key)
		isHint, changed = hint != "", true
	}
	if len(line) > maxInput {
		line, pos, changed = line[:maxInput], min(pos, maxInput), true
		e.view.ring()
	}
	e.line, e.pos = slices.Clone(line), pos
	e.view.typed(e.line, pos, hint, !isHint && searching && keepsSearch(key))
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

// command carries out a command on the line; it may answer with a hint.
func (e *lineEditor) command(line []rune, pos int, cmd rune) ([]rune, int, string) {
	switch cmd {
	case cmdPaste:
		text := e.view.takePaste()
		if room := maxInput - len(line); len(text) > room {
			text = text[:max(0, room)]
			e.view.ring()
		}
		return slices.Insert(line, pos, text...), pos + len(text), ""
	case cmdYank:
		return slices.Insert(line, pos, e.killed...), pos + len(e.killed), ""
	case cmdComplete:
		return e.complete(line, pos)
	case cmdDelete:
		if _, end := graphemeAt(line, pos); end > pos {
			return slices.Delete(line, pos, end), pos, ""
		}
		e.view.ring()
	case cmdWordLeft:
		return line, wordStart(line, pos, inWord), ""
	case cmdWordRight:
		return line, wordEnd(line, pos), ""
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
	return line, pos, ""
}

func (e *lineEditor) kill(line []rune, from, to int) ([]rune, int, string) {
	if from < to {
		e.killed = slices.Clone(line[from:to])
	}
	return slices.Delete(line, from, to), from, ""
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
