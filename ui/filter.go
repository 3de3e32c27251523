package ui

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"p2pchat/ui/picture"
)

// Runes of the private use area that stand in the edited line for what cannot.
// Remote text cannot bring them in: Sanitize shows private use.
const (
	newlineRune rune = 0xE00A // a line end within the line, drawn "⏎"
	tabRune     rune = 0xE009 // a tab, drawn "→"
)

// Commands: runes that pass through the library as if typed and are acted upon
// by lineEditor, in the library's own goroutine, before anyone sees them.
const (
	cmdPaste rune = 0xE010 + iota
	cmdComplete
	cmdDelete
	cmdWordLeft
	cmdWordRight
	cmdKillBlankWord
	cmdKillWordLeft
	cmdKillWordRight
	cmdKillToStart
	cmdKillToEnd
	cmdYank
	cmdCompleteBack
	cmdUp
	cmdDown
	cmdPrevious
	cmdNext
	cmdSearch
	cmdEnter
	cmdInterrupt
	cmdEnd
	cmdDraft
	cmdReturn
	cmdLast = cmdReturn
)

// endsLine tells the commands that may end the line: nothing may follow one until it
// is clear what becomes of it.
func endsLine(cmd rune) bool { return cmd == cmdEnter || cmd == cmdInterrupt || cmd == cmdEnd }

const (
	escapeWait = 100 * time.Millisecond // a lone ESC is the key of that name after this
	pasteWait  = time.Second            // a paste whose end got lost is over after this
	maxEscape  = picture.MaxAnswer      // bytes of an escape sequence
	longRun    = 64                     // bytes that nobody types at once: taken as a paste
	torn       = 2                      // bytes of a read that somebody may type at once
	burstWait  = 50 * time.Millisecond  // a paste without marks is over after this
)

// action says what a keyPress is for.
type action byte

const (
	actType    action = iota // bytes for the library
	actPaste                 // text to insert as a whole
	actReturn                // text to put back into an empty line
	actClear                 // clear the screen
	actSuspend               // stop the process
	actBell                  // something was refused
	actAsk                   // show a question, or take it away
)

// keyPress is one thing the keyboard said.
type keyPress struct {
	act   action
	bytes []byte // of actType
	text  []rune // of actPaste and actReturn
	note  string // of actAsk: the question; "": it is settled
	ends  bool   // nothing may follow until it is clear what the library makes of it
}

// keyFilter turns bytes from the terminal into key presses and lets only those
// pass that the library handles without fault. It keeps its state across reads
// and mirrors whether the library is in its history search.
type keyFilter struct {
	emit     func(keyPress)
	answered func(sequence string) bool // takes an answer of the terminal, which is no key; nil: none comes

	escape   []byte // sequence being collected, from its ESC on
	earlier  bool   // its ESC came in an earlier read
	skipped  int    // bytes that are left of a character typed with Alt
	prefix   bool   // Ctrl-X came last
	text     []byte // printable bytes of this read
	paste    []byte
	pasting  bool
	burst    bool // the paste has no marks: it ends when nothing more comes
	overflow bool // the paste is over its limit
	torn     bool // a paste has stalled, and its end has not come
	lone     bool // no text follows an Enter in this read, so the Enter is a key

	asked    []rune // a paste that waits for the person's consent
	question string // about it
	kept     []byte // what was typed meanwhile
	unseen   bool   // the question is as old as this read
}

// feed takes what one read returned. A line feed by itself is Ctrl-J and begins a
// new line. One at the end of more is Enter: it was typed before the terminal was
// raw, or comes from a program that types.
func (f *keyFilter) feed(p []byte) {
	f.unseen, f.earlier, f.lone = false, len(f.escape) > 0, !goesOn(p)
	switch {
	case f.unmarked(p):
		f.pasting, f.burst = true, true
	case f.torn && len(p) > torn && p[0] != 0x1b: // the paste goes on
		f.pasting = true
	case f.torn && p[0] != 0x1b: // somebody types again
		f.torn = false
	}
	for i, b := range p {
		if b == '\n' && i > 0 && i == len(p)-1 && !f.pasting && len(f.escape) == 0 {
			b = '\r'
		}
		f.step(b)
	}
	f.flush()
}

// goesOn reports whether text follows an Enter within one read, as in a piece of a paste.
func goesOn(p []byte) bool {
	i := bytes.IndexByte(p, '\r')
	return i >= 0 && slices.ContainsFunc(p[i:], func(b byte) bool { return b >= ' ' && b != 0x7f && b != 0x1b })
}

// patience is how long the filter waits for more input before quiet is due;
// negative when it waits for nothing.
func (f *keyFilter) patience() time.Duration {
	switch {
	case f.burst:
		return burstWait
	case f.pasting:
		return pasteWait
	case len(f.escape) > 0:
		return escapeWait
	}
	return -1
}

// quiet is called when nothing came for patience.
func (f *keyFilter) quiet() {
	lone := len(f.escape) == 1
	f.escape = nil
	switch {
	case f.pasting:
		f.torn = !f.burst
		f.endPaste()
	case lone: // Esc leaves a search, a menu, a question
		f.control(ctrl('G'))
	}
}

func (f *keyFilter) step(b byte) {
	prefix := f.prefix
	if f.prefix = false; f.skipped > 0 && !utf8.RuneStart(b) {
		f.skipped--
		return
	}
	f.skipped = 0
	switch {
	case len(f.escape) > 0:
		f.collect(b)
	case f.burst && !isText(b):
		f.endPaste()
		f.step(b)
	case b == 0x1b:
		f.flush()
		f.escape, f.earlier = append(f.escape, b), false
	case f.pasting:
		f.keep(b)
	case b >= ' ' && b != 0x7f:
		f.text = append(f.text, b)
	case b == ctrl('X'):
		f.flush()
		f.prefix = true
	case b == ctrl('E') && prefix:
		f.command(cmdDraft)
	default:
		f.flush()
		f.control(b)
	}
}

// collect takes a byte after ESC.
func (f *keyFilter) collect(b byte) {
	switch {
	case len(f.escape) == 1:
		f.second(b)
		return
	case f.escape[1] == '_':
		f.message(b)
		return
	}
	if b < ' ' {
		f.escape = nil
		f.step(b)
		return
	}
	f.escape = append(f.escape, b)
	body := string(f.escape[1:])
	consoleKey := body == "[[" // the Linux console's F1 to F5 have one more byte
	switch {
	case b >= 0x40 && b <= 0x7e && !consoleKey:
		f.escape = nil
		f.sequence(body)
	case len(f.escape) >= maxEscape:
		f.escape = nil
	}
}

// message takes a byte of a message from the terminal itself, which ends with ESC \.
func (f *keyFilter) message(b byte) {
	f.escape = append(f.escape, b)
	switch n := len(f.escape); {
	case n > 3 && b == '\\' && f.escape[n-2] == 0x1b:
		f.take(string(f.escape))
		f.escape = nil
	case n >= maxEscape:
		f.escape = nil
	}
}

// take hands over a sequence that may be an answer.
func (f *keyFilter) take(sequence string) bool { return f.answered != nil && f.answered(sequence) }

// second takes the byte right after ESC.
func (f *keyFilter) second(b byte) {
	if b == '[' || b == '_' && f.answered != nil && !f.pasting || (b == 'O' && !f.pasting) {
		f.escape = append(f.escape, b)
		return
	}
	f.escape = nil
	if cmd, known := metaKeys[b]; known && !f.pasting {
		f.command(cmd)
		return
	}
	if b >= ' ' && b < 0x7f || b >= utf8.RuneSelf {
		if !f.pasting && !f.earlier { // a key with Alt that is none of ours
			f.skipped = alsoBytes(b)
			return
		}
	}
	f.step(b)
}

// alsoBytes is how many bytes follow the first one of a character.
func alsoBytes(first byte) int {
	switch {
	case first >= 0xf0:
		return 3
	case first >= 0xe0:
		return 2
	case first >= 0xc0:
		return 1
	}
	return 0
}

// sequence acts upon a whole escape sequence, here without its ESC.
func (f *keyFilter) sequence(body string) {
	switch {
	case body == "[200~":
		f.pasting = true
	case body == "[201~":
		f.torn = false
		if f.pasting {
			f.endPaste()
		}
	case f.pasting:
	case f.take("\x1b" + body):
	case controlSequences[body] != 0:
		f.control(controlSequences[body])
	case commandSequences[body] != 0:
		f.command(commandSequences[body])
	}
}

// control passes on a control key the library handles well. It must not see
// the others: NUL it takes for the end of input (operation.go:123), ^S and ^T
// make it panic (search.go:118, runebuf.go:274), its history loses drafts, and the rest
// it inserts as text.
func (f *keyFilter) control(b byte) {
	switch b {
	case ctrl('A'), ctrl('B'), ctrl('E'), ctrl('F'), ctrl('G'), ctrl('H'), 0x7f:
		f.send(keyPress{bytes: []byte{b}})
	case ctrl('L'):
		f.send(keyPress{act: actClear})
	case ctrl('Z'):
		f.send(keyPress{act: actSuspend})
	default:
		if cmd, known := controlCommands[b]; known {
			f.command(cmd)
		}
	}
}

// command sends a rune for lineEditor.
func (f *keyFilter) command(cmd rune) {
	f.send(keyPress{bytes: utf8.AppendRune(nil, cmd), ends: endsLine(cmd)})
}

// flush hands over the printable bytes so far. A long run is pasted at once:
// the library's work for one typed character grows with the line.
func (f *keyFilter) flush() {
	if len(f.text) == 0 {
		return
	}
	text := f.text
	f.text = nil
	if len(text) > longRun {
		whole := wholeRunes(text)
		f.pasted([]rune(string(text[:whole])), false)
		if text = text[whole:]; len(text) == 0 {
			return
		}
	}
	f.send(keyPress{bytes: text})
}
