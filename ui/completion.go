package ui

import (
	"strings"
	"unicode/utf8"
)

// Completion is what could stand at the end of a text.
type Completion struct {
	From       int // the byte of the text where the word to replace begins
	Candidates []Candidate
}

// Candidate is one word that could stand there. It and its parts must have passed
// Sanitize, or be of our own making.
type Candidate struct {
	Text  string // replaces the word; a blank follows it unless it ends in "/"
	Name  string // what the menu shows; "": Text
	About string // what it is, in a few words; may be ""
}

// Completer says what could stand at the end of before, the text up to the cursor.
type Completer func(before string) Completion

// name is what the menu shows.
func (c Candidate) name() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Text
}

// startingWith returns the words that begin with start, ignoring case, dressed.
func startingWith(words []string, start, before, after string) []Candidate {
	var out []Candidate
	for _, w := range words {
		if hasPrefixFold(w, start) {
			out = append(out, Candidate{Text: before + w + after})
		}
	}
	return out
}

// hasPrefixFold reports whether word begins with start, rune by rune, ignoring case.
func hasPrefixFold(word, start string) bool {
	n := utf8.RuneCountInString(start)
	for i := range word {
		if n == 0 {
			return strings.EqualFold(word[:i], start)
		}
		n--
	}
	return n == 0 && strings.EqualFold(word, start)
}

// commonPrefix is what all candidates begin with, ignoring case, as the first of
// them writes it.
func commonPrefix(all []Candidate) []rune {
	common := []rune(all[0].Text)
	for _, c := range all[1:] {
		n := 0
		for _, r := range c.Text {
			if n == len(common) || !strings.EqualFold(string(common[n]), string(r)) {
				break
			}
			n++
		}
		common = common[:n]
	}
	return common
}
