package picture

import (
	"strconv"
	"strings"
)

// query asks for kitty's graphics with a picture that is not kept, for the size of
// a cell, and what the terminal is (DA1). Every terminal answers the last, and in
// order: when that answer is here, no other is coming.
const query = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\" + "\x1b[16t" + "\x1b[c"

// MaxAnswer is how many bytes an escape sequence has at most that can be an answer.
const MaxAnswer = 128

// Query is what to write to a terminal to find out how it shows pictures, to be
// answered within a second or never; "" for one that had better not be asked,
// because it would print the question, has a multiplexer before it, or is to show
// none. The answers come among the keys, see [Answers.Take].
func Query(env func(string) string, tty bool) string {
	term := env("TERM")
	switch {
	case Detect(env, tty) == None, term == "linux", strings.HasPrefix(term, "vt"), multiplexed(env),
		term == "" && env("WT_SESSION") == "": // Windows Terminal has no TERM
		return ""
	}
	return query
}

// Answers are what a terminal has said.
type Answers struct {
	Kitty, Sixel          bool
	CellWidth, CellHeight int  // pixels; 0: not told
	Done                  bool // no more answers are coming
}

// Take adds what an escape sequence says, from its ESC on and whole: APC up to its
// ST, CSI up to its final byte. It reports whether the sequence is an answer to
// [Query], and so no key. An answer that makes no sense changes nothing.
func (a Answers) Take(sequence string) (Answers, bool) {
	if len(sequence) > MaxAnswer {
		return a, false
	}
	if body, ok := between(sequence, "\x1b_G", "\x1b\\"); ok {
		control, message, _ := strings.Cut(body, ";")
		if control == "i=31" && message == "OK" {
			a.Kitty = true
		}
		return a, true
	}
	if body, ok := between(sequence, "\x1b[?", "c"); ok && numbers(body) {
		class, rest, _ := strings.Cut(body, ";")
		for _, n := range strings.Split(rest, ";") {
			a.Sixel = a.Sixel || n == "4" && class != ""
		}
		a.Done = true
		return a, true
	}
	if body, ok := between(sequence, "\x1b[6;", "t"); ok && numbers(body) {
		h, w, _ := strings.Cut(body, ";")
		height, _ := strconv.Atoi(h)
		width, _ := strconv.Atoi(w)
		if width >= 2 && width <= maxCellWidth && height >= 2 && height <= maxCellHeight {
			a.CellWidth, a.CellHeight = width, height
		}
		return a, true
	}
	return a, false
}

// Mode is the best way to show pictures, where the environment said what [Detect]
// found.
func (a Answers) Mode(detected Mode) Mode {
	switch {
	case detected != Blocks:
		return detected // the environment named the terminal, or forbids
	case a.Kitty:
		return Kitty
	case a.Sixel:
		return Sixel
	}
	return detected
}

// between is what stands between prefix and suffix.
func between(s, prefix, suffix string) (string, bool) {
	s, before := strings.CutPrefix(s, prefix)
	s, after := strings.CutSuffix(s, suffix)
	return s, before && after
}

// numbers reports whether s is numbers with semicolons between them.
func numbers(s string) bool {
	return s != "" && strings.Trim(s, "0123456789;") == ""
}
