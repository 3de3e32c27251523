package ui

import (
	"slices"
	"strings"
	"testing"
)

// noEngine is a library that is never in its search.
type noEngine struct{ saved []string }

func (*noEngine) IsSearchMode() bool { return false }
func (n *noEngine) SaveHistory(s string) error {
	n.saved = append(n.saved, s)
	return nil
}

// edit types keys as the library would; | in before and in the result is the cursor.
func edit(e *lineEditor, before string, keys ...rune) string {
	line, pos := []rune(strings.Replace(before, "|", "", 1)), len([]rune(before[:strings.Index(before, "|")]))
	e.line, e.pos = slices.Clone(line), pos
	for _, key := range keys {
		switch {
		case key == rune(ctrl('B')):
			pos = max(0, pos-1)
		case key == rune(ctrl('F')):
			pos = min(len(line), pos+1)
		case key == 0x7f:
			if pos > 0 {
				line, pos = slices.Delete(line, pos-1, pos), pos-1
			}
		case key == rune(ctrl('D')):
			if pos < len(line) {
				line = slices.Delete(line, pos, pos+1)
			}
		case key == '\r':
			line, pos = nil, 0
		default:
			line, pos = slices.Insert(line, pos, key), pos+1
		}
		if l, p, ok := e.OnChange(slices.Clone(line), pos, key); ok {
			line, pos = l, p
		}
	}
	return string(line[:pos]) + "|" + string(line[pos:])
}

func newEditor() (*lineEditor, *noEngine) {
	library := &noEngine{}
	return &lineEditor{view: newView(""), engine: library, pending: func() {}}, library
}

func TestEditing(t *testing.T) {
	const family = "👩‍👩‍👧"
	for _, c := range []struct {
		name, before string
		keys         []rune
		want         string
	}{
		{"left over an emoji", "a" + family + "|", []rune{2}, "a|" + family},
		{"right over an emoji", "a|" + family + "b", []rune{6}, "a" + family + "|b"},
		{"backspace of an emoji", "a" + family + "|b", []rune{0x7f}, "a|b"},
		{"^D of an emoji", "a|" + family + "b", []rune{4}, "a|b"},
		{"delete key", "a|e\u0301b", []rune{cmdDelete}, "a|b"},
		{"delete key at the end", "ab|", []rune{cmdDelete}, "ab|"},
		{"backspace of a letter", "ab|c", []rune{0x7f}, "a|c"},
		{"flags are two", "🇩🇪🇫🇷|", []rune{0x7f}, "🇩🇪|"},
		{"word left", "один два-три|", []rune{cmdWordLeft, cmdWordLeft}, "один |два-три"},
		{"word right", "|один, два", []rune{cmdWordRight, cmdWordRight}, "один, два|"},
		{"^W goes to the blank", "скажи http://a.b/c|", []rune{cmdKillBlankWord}, "скажи |"},
		{"Alt-Backspace to the word", "a http://a.b/c|", []rune{cmdKillWordLeft}, "a http://a.b/|"},
		{"Alt-d", "a| слово b", []rune{cmdKillWordRight}, "a| b"},
		{"kill and yank", "ab|cd", []rune{cmdKillToEnd, cmdYank, cmdYank}, "abcdcd|"},
		{"^U", "ab|cd", []rune{cmdKillToStart}, "|cd"},
		{"newline", "a|b", []rune{newlineRune}, "a\ue00a|b"},
		{"paste that never came", "a|b", []rune{cmdPaste}, "a|b"},
	} {
		e, _ := newEditor()
		if got := edit(e, c.before, c.keys...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPasteIsBounded(t *testing.T) {
	e, _ := newEditor()
	e.view.givePaste([]rune(strings.Repeat("x", maxInput)))
	if got := edit(e, "abc|d", cmdPaste); len(got) != maxInput+1 || !strings.HasPrefix(got, "abcxx") || !strings.HasSuffix(got, "x|d") {
		t.Errorf("the line has %d runes", len(got)-1)
	}
}

func TestHistoryGetsWhatWasSent(t *testing.T) {
	e, library := newEditor()
	edit(e, "hello|", '\r')
	edit(e, "  |", '\r')
	if want := []string{"", "hello", ""}; !slices.Equal(library.saved, want) {
		t.Errorf("saved %q, want %q", library.saved, want)
	}
}

func TestCompletionInsertsByRune(t *testing.T) {
	for _, c := range []struct {
		before     string
		candidates []string
		want, hint string
	}{
		{"/jo|", []string{"/join"}, "/join |", ""},
		{"/jo| x", []string{"/join"}, "/join| x", ""},
		{"/send ca|", []string{"cats/"}, "/send cats/|", ""},
		{"say Al|", []string{"Alice", "Alicia"}, "say Alic|", ""},
		{"say Alic|", []string{"Alice", "Alicia"}, "say Alic|", "Alice\tAlicia"},
		{"é|", []string{"éa", "éb\x1b"}, "é|", "éa\téb^["},
		{"日|", []string{"日本語", "日本酒"}, "日本|", ""},
		{"x|", nil, "x|", ""},
		{"a\ue00ab|", []string{"bob"}, "a\ue00abob |", ""},
	} {
		e, _ := newEditor()
		e.view.complete = func(before string) []string {
			if strings.ContainsRune(before, newlineRune) {
				t.Errorf("the completer is asked about %q", before)
			}
			return c.candidates
		}
		if got := edit(e, c.before, cmdComplete); got != c.want || e.view.now.hint != c.hint {
			t.Errorf("%q becomes %q with hint %q, want %q and %q", c.before, got, e.view.now.hint, c.want, c.hint)
		}
	}
}
