package ui

import (
	"slices"
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
	typed   *recall
	search  *search // nil: there is none
	line    []rune  // as it was after the last key
	pos     int
	killed  []rune // what cmdYank brings back
	choice  *choice
	column  int                     // that Up and Down keep to; -1: that of the cursor
	columns func() int              // of the terminal
	pending func()                  // opens the keyboard's gate
	again   func(key byte)          // gives the library a key once the gate is open
	leaves  func() bool             // asked at the end of input; false: not yet. nil: it leaves
	draft   func(text string) error // lets an editor have the line; see Terminal.Edit
}

// OnChange implements readline.Listener.
func (e *lineEditor) OnChange(line []rune, pos int, key rune) ([]rune, int, bool) {
	if key == 0 { // a read begins (operation.go:387); nothing was typed
		return nil, 0, false
	}
	command := pos > 0 && line[pos-1] == key && key >= cmdPaste && key <= cmdLast
	if command {
		line, pos = slices.Delete(line, pos-1, pos), pos-1
	}
	if command && endsLine(key) {
		defer e.pending() // whatever becomes of it
	}
	changed := command
	if e.search != nil {
		if found, at, taken := e.seek(key, command); taken {
			return e.show(found, at, true)
		}
	}
	open, column := e.choice, e.column
	e.choice, e.column = nil, -1
	switch {
	case command:
		line, pos = e.command(line, pos, key, open, column)
	case key == '\r':
		e.typed.add(e.line)
	case key == rune(ctrl('C')), key == rune(ctrl('D')):
		e.typed.reset()
	case key == 0x7f, key == rune(ctrl('H')), key == rune(ctrl('B')), key == rune(ctrl('F')):
		line, pos, changed = e.snap(line, pos, key)
	case key == rune(ctrl('G')) && open != nil:
		line, pos = open.put(line, open.typed)
		changed = true
	case open.parts(pos-1, key):
		line, pos, changed = slices.Insert(line, pos-1, ' '), pos+1, true
	}
	return e.show(line, pos, changed)
}

// show bounds the line, and lets the display and the library have it.
func (e *lineEditor) show(line []rune, pos int, changed bool) ([]rune, int, bool) {
	if len(line) > maxInput {
		line, pos, changed = line[:maxInput], min(pos, maxInput), true
		e.view.ring()
	}
	hint := ""
	if e.search != nil {
		hint = e.search.hint()
	}
	e.line, e.pos = slices.Clone(line), pos
	e.view.typed(e.line, pos, e.menu(), hint)
	return line, pos, changed
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
// the first or last row, and where there is one line, it goes to what was typed
// before or after.
func (e *lineEditor) climb(line []rune, pos, column, by int) ([]rune, int) {
	if slices.Contains(line, newlineRune) {
		to, kept, ok := e.view.neighbour(line, pos, column, by, e.columns())
		if ok {
			e.column = kept
			return line, to
		}
	}
	return e.recall(line, pos, by)
}

// recall goes to what was typed before or after.
func (e *lineEditor) recall(line []rune, pos, by int) ([]rune, int) {
	other, ok := e.typed.step(line, by)
	if !ok {
		e.view.ring()
		return line, pos
	}
	return other, len(other)
}

// command carries out a command on the line. open and column are the choice and the
// column of the key before.
func (e *lineEditor) command(line []rune, pos int, cmd rune, open *choice, column int) ([]rune, int) {
	switch cmd {
	case cmdEnter:
		e.again('\r')
	case cmdInterrupt:
		e.again(ctrl('C'))
	case cmdEnd:
		if len(line) > 0 {
			return e.change(line, pos, cmdDelete)
		}
		if e.leaves == nil || e.leaves() {
			e.again(ctrl('D'))
		}
	case cmdComplete:
		return e.complete(line, pos, 1, open)
	case cmdCompleteBack:
		return e.complete(line, pos, -1, open)
	case cmdUp:
		return e.climb(line, pos, column, -1)
	case cmdDown:
		return e.climb(line, pos, column, 1)
	case cmdPrevious:
		return e.recall(line, pos, -1)
	case cmdNext:
		return e.recall(line, pos, 1)
	case cmdSearch:
		e.beginSearch(line, pos)
	case cmdDraft:
		if err := e.draft(typedText.Replace(string(line))); err != nil {
			e.view.print([]string{"!! " + Sanitize(err.Error())})
			return line, pos
		}
		return nil, 0
	case cmdReturn:
		if text := e.view.takePaste(); len(line) == 0 {
			return text, len(text)
		}
	}
	return e.change(line, pos, cmd)
}

// change carries out a command that changes the line or moves in it.
func (e *lineEditor) change(line []rune, pos int, cmd rune) ([]rune, int) {
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
