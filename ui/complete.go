package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// typedText turns the edited line into what the person means by it.
var typedText = strings.NewReplacer(string(newlineRune), "\n", string(tabRune), "\t")

// choice is a completion under way: a menu, and the word that changes with what
// is chosen. It lasts until a key that is not Tab or Shift-Tab.
type choice struct {
	menu
	from, to int    // where the word stands in the line now
	typed    []rune // the word before the first Tab
}

// complete completes the word that ends at pos: by the one candidate and a
// blank, or by what all candidates begin with. Several make a menu, through which
// each further call (open is the choice so far) goes by step.
func (e *lineEditor) complete(line []rune, pos, step int, open *choice) ([]rune, int) {
	if open != nil {
		open.step(step)
		e.choice = open
		return open.put(line, []rune(open.candidates[open.chosen].Text))
	}
	ask := e.view.completer()
	if ask == nil {
		return line, pos
	}
	before := typedText.Replace(string(line[:pos]))
	answer := ask(before)
	if len(answer.Candidates) == 0 || answer.From < 0 || answer.From > len(before) {
		e.view.ring()
		return line, pos
	}
	from := utf8.RuneCountInString(before[:answer.From]) // every rune of before is one of the line
	c := &choice{menu: menu{answer.Candidates, -1}, from: from, to: pos, typed: slices.Clone(line[from:pos])}
	insert := commonPrefix(answer.Candidates)
	if len(answer.Candidates) == 1 {
		if !strings.HasSuffix(answer.Candidates[0].Text, "/") && (pos == len(line) || notBlank(line[pos])) {
			insert = append(insert, ' ')
		}
		return c.put(line, insert)
	}
	e.choice = c
	if step < 0 {
		return e.complete(line, pos, step, c)
	}
	if len(insert) > len(c.typed) {
		return c.put(line, insert)
	}
	return line, pos
}

// put makes the word be another one.
func (c *choice) put(line, word []rune) ([]rune, int) {
	line = slices.Replace(line, c.from, c.to, word...)
	c.to = c.from + len(word)
	return line, c.to
}

// parts reports whether a key typed at pos begins a word of its own behind what was
// chosen: any but a blank or punctuation, or @ or #, which begin one; and behind a
// command any that is no blank.
func (c *choice) parts(pos int, key rune) bool {
	if c == nil || c.chosen < 0 || pos != c.to || key <= ' ' || key == 0x7f || !notBlank(key) {
		return false
	}
	word := c.candidates[c.chosen].Text
	if word == "" || strings.HasSuffix(word, "/") || strings.HasSuffix(word, "=") {
		return false
	}
	if _, _, closed := pathWord(word); !closed {
		return false
	}
	return c.from == 0 && word[0] == '/' || key == '@' || key == '#' || !unicode.IsPunct(key)
}
