package ui

import (
	"strconv"
	"unicode/utf8"

	"p2pchat/rooms"
)

// lineSize is how long a line is as a message, in the measure in which it is nearest to
// what one takes: characters or bytes.
type lineSize struct {
	n, most int
	unit    string
}

// measure is the size of an edited line.
func measure(line []rune) lineSize {
	text, limits := typedText.Replace(string(line)), rooms.DefaultLimits()
	runes := lineSize{utf8.RuneCountInString(text), limits.TextRunes, "character"}
	bytes := lineSize{len(text), limits.TextBytes, "byte"}
	if bytes.near() && bytes.n*runes.most > runes.n*bytes.most {
		return bytes
	}
	return runes
}

// over is how much is too much; 0 or less: it is not.
func (s lineSize) over() int { return s.n - s.most }

// near reports whether little more fits.
func (s lineSize) near() bool { return s.n*10 > s.most*9 }

// number is the size in words.
func (s lineSize) number() string {
	if s.n == 1 {
		return "1 " + s.unit
	}
	return grouped(s.n) + " " + s.unit + "s"
}

// warning tells of a line that is near what one message takes, or over it; "": it is
// neither.
func (s lineSize) warning() string {
	switch {
	case s.over() > 0:
		return s.ratio() + ", " + grouped(s.over()) + " too many"
	case s.near():
		return s.ratio()
	}
	return ""
}

func (s lineSize) ratio() string { return grouped(s.n) + " of " + grouped(s.most) + " " + s.unit + "s" }

// grouped is n with commas between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
