package ui

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
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
	if f.pasting || len(f.escape) > 0 || len(p) <= longRun {
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
		f.settle(nil)
	}
	lines := 1 + strings.Count(string(text), string(newlineRune))
	if lines <= askLines && len(text) <= askRunes {
		f.emit(keyPress{act: actPaste, text: text})
		return
	}
	f.asked, f.unseen, f.question = text, true, pasteQuestion(text, lines, cut)
	f.ask()
}

// send passes a key on. While a paste is asked about, Enter inserts it, Esc,
// Ctrl-G and Ctrl-C drop it, what is typed waits for that and follows it, and other
// keys do nothing but ring: who types on without looking loses nothing. What came in the
// same read as the paste was typed before the question could be seen, so its Enter is
// no answer.
func (f *keyFilter) send(key keyPress) {
	if f.asked == nil || key.act != actType {
		f.emit(key)
		return
	}
	switch first, _ := utf8.DecodeRune(key.bytes); {
	case first == cmdEnter && !f.unseen && f.lone:
		f.settle(f.asked)
	case first == rune(ctrl('G')), first == cmdInterrupt:
		f.settle(nil)
	case (first == 0x7f || first == rune(ctrl('H'))) && len(f.kept) > 0:
		_, size := utf8.DecodeLastRune(f.kept)
		f.kept = f.kept[:len(f.kept)-size]
		f.ask()
	case first >= ' ' && first != 0x7f && (first < cmdPaste || first > cmdLast) && len(f.kept) < askRunes:
		f.kept = append(f.kept, key.bytes...)
		f.ask()
	default:
		f.emit(keyPress{act: actBell})
	}
}

// ask shows the question, and what waits for its answer.
func (f *keyFilter) ask() {
	note := f.question
	if len(f.kept) > 0 {
		note += "; then follows: " + Sanitize(typedText.Replace(string(f.kept)))
	}
	f.emit(keyPress{act: actAsk, note: note})
}

// settle takes the question away, inserts text, and then what was typed meanwhile.
func (f *keyFilter) settle(text []rune) {
	kept := f.kept
	f.asked, f.kept, f.question = nil, nil, ""
	f.emit(keyPress{act: actAsk})
	if text != nil {
		f.emit(keyPress{act: actPaste, text: text})
	}
	if len(kept) > 0 {
		f.emit(keyPress{act: actPaste, text: lineRunes(string(kept))})
	}
}

// pasteQuestion asks whether to insert text.
func pasteQuestion(text []rune, lines int, cut bool) string {
	size := measure(text)
	what, limit := "paste "+plural(lines, "line")+", "+size.number(), grouped(size.most)
	if cut {
		what, limit = "paste its first "+byteSize(maxInput), limit+" "+size.unit+"s"
	}
	if size.over() > 0 {
		return what + "? One message takes " + limit + ". Enter inserts it, for you to shorten; Esc drops it"
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
	if len(text) > 0 {
		f.pasted(text, cut)
	}
}
