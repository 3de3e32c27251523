package ui

import (
	"slices"
	"strings"
	"testing"
)

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
		case key == '\r', key == rune(ctrl('C')):
			line, pos = nil, 0
		case key == '\a':
		default:
			line, pos = slices.Insert(line, pos, key), pos+1
		}
		if l, p, ok := e.OnChange(slices.Clone(line), pos, key); ok {
			line, pos = l, p
		}
	}
	return string(line[:pos]) + "|" + string(line[pos:])
}

// newEditor is an editor in which lines were typed before.
func newEditor(before ...string) *lineEditor {
	return &lineEditor{
		view: newView(""), typed: newRecall(nil, []byte(strings.Join(before, "\n"))), column: -1,
		columns: func() int { return 21 }, pending: func() {}, again: func(byte) {},
	}
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
		{"^D of an emoji", "a|" + family + "b", []rune{cmdEnd}, "a|b"},
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
		e := newEditor()
		if got := edit(e, c.before, c.keys...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPasteIsBounded(t *testing.T) {
	e := newEditor()
	e.view.givePaste([]rune(strings.Repeat("x", maxInput)))
	if got := edit(e, "abc|d", cmdPaste); len(got) != maxInput+1 || !strings.HasPrefix(got, "abcxx") || !strings.HasSuffix(got, "x|d") {
		t.Errorf("the line has %d runes", len(got)-1)
	}
}

// In a line of several lines Up and Down move; beyond its ends, and in others,
// they go through what was typed before.
func TestUpAndDownKeys(t *testing.T) {
	const draft = "abc\ue00ade"
	for _, c := range []struct {
		before string
		keys   []rune
		want   string
	}{
		{"one line|", []rune{cmdUp}, "old|"},
		{"one line|", []rune{cmdDown}, "one line|"},
		{"a line of more than one row, but without an end|", []rune{cmdUp}, "old|"},
		{draft + "|", []rune{cmdUp}, "ab|c\ue00ade"},
		{draft + "|", []rune{cmdUp, cmdUp}, "old|"},
		{draft + "|", []rune{cmdPrevious}, "old|"},
		{draft + "|", []rune{cmdPrevious, cmdNext}, draft + "|"},
		{"abc|\ue00ad\ue00aefg", []rune{cmdDown, cmdDown}, "abc\ue00ad\ue00aefg|"},
		{"abc|\ue00ad\ue00aefg", []rune{cmdDown, 'x', cmdDown}, "abc\ue00adx\ue00aef|g"},
	} {
		if got := edit(newEditor("old"), c.before, c.keys...); got != c.want {
			t.Errorf("%q: %q, want %q", c.before, got, c.want)
		}
	}
}

// The table of what a step is, in scripts of all kinds: after the keys the
// cursor stands at | and in this column.
func TestGraphemesOfManyScripts(t *testing.T) {
	const left, right, back, del = 2, 6, 0x7f, cmdDelete
	for _, c := range []struct {
		name, before string
		keys         []rune
		want         string
		column       int // behind a prompt of none
	}{
		{"han", "你好|", []rune{left}, "你|好", 2},
		{"han, deleted", "你|好", []rune{back}, "|好", 0},
		{"kana with a mark", "か\u3099|", []rune{left}, "|か\u3099", 0},
		{"hangul", "한국|", []rune{left}, "한|국", 2},
		{"hangul of parts", "\u1112\u1161\u11ab|", []rune{left}, "|\u1112\u1161\u11ab", 0},
		{"family", "👩‍👩‍👧|", []rune{back}, "|", 0},
		{"family, over it", "|👩‍👩‍👧x", []rune{right}, "👩‍👩‍👧|x", 6}, // for who draws three people,
		{"flags", "🇩🇪🇫🇷|", []rune{left}, "🇩🇪|🇫🇷", 2},
		{"flags, deleted", "|🇩🇪🇫🇷", []rune{del}, "|🇫🇷", 0},
		{"flag of tags", "🏴󠁧󠁢󠁳󠁣󠁴󠁿|", []rune{back}, "|", 0},
		{"skin", "👍🏽|", []rune{left}, "|👍🏽", 0},
		{"keycap", "1️⃣|", []rune{back}, "|", 0},
		{"combining marks", "e\u0301\u0323x|", []rune{left, left}, "|e\u0301\u0323x", 0},
		{"thai", "ที่|", []rune{left}, "|ที่", 0},
		{"thai, two", "ทำที่|", []rune{back}, "ทำ|", 2},
		{"devanagari", "नि|", []rune{left}, "|नि", 0},
		{"arabic", "سلام|", []rune{left}, "سلا|م", 3},
		{"arabic with a mark", "سَل|", []rune{left, left}, "|سَل", 0},
		{"hebrew", "שָׁלוֹם|", []rune{left}, "שָׁלוֹ|ם", 3},
		{"mixed", "aש你|", []rune{left, left}, "a|ש你", 1},
	} {
		e := newEditor()
		got := edit(e, c.before, c.keys...)
		b := blockRows("", []rune(strings.Replace(got, "|", "", 1)), len([]rune(got[:strings.Index(got, "|")])), 40)
		if got != c.want || b.column != c.column {
			t.Errorf("%s: %+q in column %d, want %+q in %d", c.name, got, b.column, c.want, c.column)
		}
	}
}
