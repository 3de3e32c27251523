package ui

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"p2pchat/rooms"
)

const (
	askLines = 8    // a paste of more lines asks first
	askRunes = 2000 // and one of more characters
)

// unmarked reports whether a read begins a paste that the terminal does not mark
// as one: more than anybody types at once, of several lines, or very long.
func (f *keyFilter) unmarked(p []byte) bool {
	if i := slices.IndexFunc(p, func(b byte) bool { return !isText(b) }); i >= 0 {
		p = p[:i]
	}
	if f.pasting || f.searching || len(f.escape) > 0 || len(p) <= longRun {
		return false
	}
	end := bytes.IndexAny(p, "\r\n")
	return end < 0 && len(p) >= askRunes || end >= 0 && len(bytes.TrimRight(p[end:], "\r\n")) > 0
}

// isText tells what text is made of from control characters.
func isText(b byte) bool { return b >= ' ' && b != 0x7f || b == '\r' || b == '\n' || b == '\t' }

// pasted hands a paste over, or asks first when it is large. The newest paste
// counts: it takes the place of one that is asked about. The line end behind a
// copied text is not meant to be said.
func (f *keyFilter) pasted(text []rune, cut bool) {
	if last := len(text) - 1; last > 0 && text[last] == newlineRune {
		text = text[:last]
	}
	if f.asked != nil {
		f.settle()
	}
	lines := 1 + strings.Count(string(text), string(newlineRune))
	if lines <= askLines && len(text) <= askRunes {
		f.emit(keyPress{act: actPaste, text: text})
		return
	}
	f.asked, f.unseen = text, true
	f.emit(keyPress{act: actAsk, note: pasteQuestion(text, lines, cut)})
}

// send passes a key on. While a paste is asked about, Enter inserts it, Esc,
// Ctrl-G and Ctrl-C drop it, and other keys do nothing but ring: who types on
// without looking loses neither the paste nor the place. What came in the same
// read as the paste was typed before the question could be seen, so its Enter is
// no answer.
func (f *keyFilter) send(key keyPress) {
	if f.asked == nil || key.act != actType {
		f.emit(key)
		return
	}
	f.searching = false // the library has not seen the key
	switch text := f.asked; string(key.bytes) {
	case "\r":
		if !f.unseen {
			f.settle()
			f.emit(keyPress{act: actPaste, text: text})
			return
		}
		f.emit(keyPress{act: actBell})
	case string(rune(ctrl('G'))), string(rune(ctrl('C'))):
		f.settle()
	default:
		f.emit(keyPress{act: actBell})
	}
}

// settle takes the question away.
func (f *keyFilter) settle() {
	f.asked = nil
	f.emit(keyPress{act: actAsk})
}

// pasteQuestion asks whether to insert text.
func pasteQuestion(text []rune, lines int, cut bool) string {
	sent := typedText.Replace(string(text))
	what := "paste " + plural(lines, "line") + ", " + byteSize(int64(len(sent)))
	if cut {
		what = "paste the first " + byteSize(maxInput) + " of more"
	}
	if limits := rooms.DefaultLimits(); len(sent) > limits.TextBytes || utf8.RuneCountInString(sent) > limits.TextRunes {
		return fmt.Sprintf("%s? One message takes %d characters, %s. Enter inserts it to be shortened, Esc drops it",
			what, limits.TextRunes, byteSize(int64(limits.TextBytes)))
	}
	return what + ", as one message? Enter inserts it, Esc drops it"
}

// wholeRunes is the length of p without a character cut at its end.
func wholeRunes(p []byte) int {
	for i := len(p) - 1; i >= 0 && i > len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// keep takes a byte of a paste.
func (f *keyFilter) keep(b byte) {
	if len(f.paste) < maxInput {
		f.paste = append(f.paste, b)
		return
	}
	if !f.overflow {
		f.overflow = true
		f.emit(keyPress{act: actBell})
	}
}

// pasteRunes makes one line of pasted text.
var pasteRunes = strings.NewReplacer("\r\n", string(newlineRune), "\r", string(newlineRune),
	"\n", string(newlineRune), "\t", string(tabRune))

// lineRunes is text as it stands in the edited line: without control characters,
// but with its line ends and tabs.
func lineRunes(text string) []rune {
	var runes []rune
	for _, r := range pasteRunes.Replace(text) {
		if r >= ' ' && (r < 0x7f || r > 0x9f) {
			runes = append(runes, r)
		}
	}
	return runes
}

func (f *keyFilter) endPaste() {
	text, cut := lineRunes(string(f.paste[:wholeRunes(f.paste)])), f.overflow
	f.pasting, f.burst, f.overflow, f.paste = false, false, false, nil
	switch {
	case len(text) == 0:
	case f.searching: // what is searched is short and has no lines
		f.send(keyPress{bytes: []byte(string(text[:min(len(text), longRun)]))})
	default:
		f.pasted(text, cut)
	}
}
