package ui

import (
	"slices"
	"strings"
	"testing"
)

func TestBlockRows(t *testing.T) {
	for _, c := range []struct {
		name, prompt, line string
		pos, width         int
		rows               string // joined by |
		row, column        int
	}{
		{"empty", "> ", "", 0, 20, "> ", 0, 2},
		{"text", "> ", "abc", 1, 20, "> abc", 0, 3},
		{"end of a full row", "> ", "abcdefgh", 8, 10, "> abcdefgh|", 1, 0},
		{"before the last of a full row", "> ", "abcdefgh", 7, 10, "> abcdefgh", 0, 9},
		{"first of the next row", "> ", "abcdefghij", 8, 10, "> abcdefgh|ij", 1, 0},
		{"wide at the edge", "> ", "abcdefg你", 8, 10, "> abcdefg|你", 1, 2},
		{"before wide at the edge", "> ", "abcdefg你", 7, 10, "> abcdefg|你", 1, 0},
		{"inside a grapheme", "> ", "e\u0301x", 1, 20, "> e\u0301x", 0, 2},
		{"behind a grapheme", "> ", "e\u0301x", 2, 20, "> e\u0301x", 0, 3},
		{"line end and tab", "> ", "a\ue00ab\ue009c", 4, 20, "> a⏎|  b→c", 1, 4},
		{"before a line end", "> ", "a\ue00ab", 1, 20, "> a⏎|  b", 0, 3},
		{"behind a line end", "> ", "a\ue00ab", 2, 20, "> a⏎|  b", 1, 2},
		{"line end at the end", "> ", "a\ue00a", 2, 20, "> a⏎|  ", 1, 2},
		{"the cursor before that", "> ", "a\ue00a", 0, 20, "> a⏎|  ", 0, 2},
		{"empty lines", "> ", "\ue00a\ue00ab", 1, 20, "> ⏎|  ⏎|  b", 1, 2},
		{"line end that does not fit", "> ", "abcdefgh\ue00ab", 9, 10, "> abcdefgh|  ⏎|  b", 2, 2},
		{"line end in the last column", "> ", "abcdefg\ue00ab", 8, 10, "> abcdefg⏎|  b", 1, 2},
		{"mark behind a line end", "> ", "\ue00a\u0301", 2, 20, "> ⏎|  \u0301", 1, 2},
		{"end of a full row among several", "> ", "a\ue00abcdefghi", 10, 10, "> a⏎|  bcdefghi|  ", 2, 2},
		{"first of the next row among several", "> ", "a\ue00abcdefghij", 10, 10, "> a⏎|  bcdefghi|  j", 2, 2},
		{"several, and a prompt too wide", "#a-room-name> ", "a\ue00ab", 3, 20, "> a⏎|  b", 1, 3},
		{"own escape", "> ", "a\x1b\u202eb", 3, 30, "> a^[<U+202E>b", 0, 13},
		{"prompt too wide", "#a-room-name> ", "x", 1, 20, "> x", 0, 3},
		{"coloured prompt", "\x1b[1m#room>\x1b[0m ", "x", 1, 20, "\x1b[1m#room>\x1b[0m x", 0, 8},
	} {
		b := blockRows(c.prompt, []rune(c.line), c.pos, c.width)
		if got := strings.Join(b.rows, "|"); got != c.rows || b.row != c.row || b.column != c.column {
			t.Errorf("%s: %q with the cursor at %d,%d, want %q and %d,%d", c.name, got, b.row, b.column, c.rows, c.row, c.column)
		}
		for _, row := range b.rows {
			if w := shownWidth(row); w > c.width {
				t.Errorf("%s: row %q is %d wide of %d", c.name, row, w, c.width)
			}
		}
	}
}

func TestLayOutOnSmallScreens(t *testing.T) {
	p := parts{prompt: "> ", line: []rune(strings.Repeat("0123456789", 20)), hint: "/join  /list\nmore", status: "sending a big file"}
	p.pos = len(p.line)
	want := []string{"89012345678901234567", "89012345678901234567", "89012345678901234567", "89", "\x1b[2mrows 8 to 11 of 11\x1b[0m", "\x1b[2m/join  /list\x1b[0m", "\x1b[2msending a big file\x1b[0m"}
	if b := layOut(p, 21, 12); !slices.Equal(b.rows[1:], want[1:]) || b.row != 3 || b.column != 2 {
		t.Errorf("rows %q, cursor in %d,%d; want %q", b.rows, b.row, b.column, want)
	}
	for rows := 1; rows < 8; rows++ {
		for columns := 1; columns < 30; columns++ {
			for _, pos := range []int{0, 100, 200} {
				p.pos = pos
				b := layOut(p, columns, rows)
				if len(b.rows) > max(1, rows-1) || b.row >= len(b.rows) || b.row < 0 {
					t.Fatalf("%d×%d, rune %d: %d rows, cursor in row %d", columns, rows, pos, len(b.rows), b.row)
				}
			}
		}
	}
}

// A long line says what of it is not seen, but not at the cost of what is.
func TestNoteOnALongLine(t *testing.T) {
	long, command := strings.Repeat("0123456789", 383), "/"+strings.Repeat("x", 3999)
	for _, c := range []struct {
		line          string
		columns, rows int
		want          string
	}{
		{"short", 80, 24, ""}, {strings.Repeat("x", 630), 81, 24, ""},
		{strings.Repeat("x", 799), 81, 24, "rows 4 to 11 of 11"},
		{long, 81, 24, "rows 41 to 48 of 48 · 3,830 of 4,000 characters"},
		{long + long, 81, 24, "rows 89 to 96 of 96 · 7,660 of 4,000 characters, 3,660 too many"},
		{command, 81, 24, "rows 44 to 51 of 51"},
		{long, 81, 9, "rows 46 to 48 of 48 · 3,830 of 4,000 characters"},
		{long, 81, 6, ""}, {long, 22, 24, "rows 176 to 183 of 1…"},
	} {
		p := parts{prompt: "> ", line: []rune(c.line), pos: len(c.line), plain: true}
		b := layOut(p, c.columns, c.rows)
		if last := b.rows[len(b.rows)-1]; c.want != "" && last != c.want || c.want == "" && b.row != len(b.rows)-1 {
			t.Errorf("%d characters on %d×%d: %q, want %q", len(c.line), c.columns, c.rows, last, c.want)
		}
	}
}

func TestWaitingRows(t *testing.T) {
	p := parts{prompt: "> ", line: []rune("x"), pos: 1, plain: true, status: "away"}
	for _, c := range []struct {
		waiting []string
		rows    int
		want    string
	}{
		{nil, 24, "> x|away"},
		{[]string{"one", "two\nlines"}, 24, "one|two|> x|away"},
		{[]string{"1", "2", "3"}, 24, "1|2|3|> x|away"},
		{[]string{"1", "2", "3", "4"}, 24, "1|2|3|… 1 more|> x|away"},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8"}, 24, "1|2|3|… 5 more|> x|away"},
		{[]string{"1", "2", "3", "4"}, 12, "1|2|… 2 more|> x|away"},
		{[]string{"1", "2", "3", "4"}, 4, "… 4 lines|> x|away"},
		{[]string{"1", "2"}, 3, "> x|away"},
		{[]string{"123456789012345678901234567890"}, 24, "1234567890123456789…|> x|away"},
	} {
		p.waiting = c.waiting
		b := layOut(p, 21, c.rows)
		if got := strings.Join(b.rows, "|"); got != c.want || b.rows[b.row] != "> x" || b.column != 3 {
			t.Errorf("%d rows, %d waiting: %q with the cursor in %d,%d; want %q", c.rows, len(c.waiting), got, b.row, b.column, c.want)
		}
	}
}

func TestUpAndDownInALine(t *testing.T) {
	const line = "ab\ue00acdefgh\ue00ai\ue00a\ue00ajklmnopqrstu你v"
	keys := map[rune]int{'u': -1, 'd': 1}
	for _, c := range []struct {
		from string // the cursor is before this
		keys string
		want string // "": the history
	}{
		{"b", "u", ""}, {"b", "d", "d"}, {"c", "u", "a"}, {"h", "u", "\ue00acd"}, {"h", "ud", "h"},
		{"h", "d", "\ue00a\ue00a"}, {"h", "dd", "\ue00aj"}, {"h", "ddu", "\ue00a\ue00a"}, {"h", "dddu", "\ue00aj"},
		{"h", "ddd", "o"}, {"j", "d", "r"}, {"m", "d", "u"}, {"n", "d", "你"}, {"o", "d", "你"}, {"p", "d", "v"}, {"q", "d", "END"}, {"t", "d", ""},
	} {
		text, pos, column := []rune(line+"END"), 0, -1
		text = text[:len(text)-3]
		pos = len([]rune(line[:strings.Index(line, c.from)]))
		ok := true
		for _, key := range c.keys {
			pos, column, ok = neighbour("> ", text, pos, column, keys[key], 10)
		}
		got := ""
		if ok {
			got = string(text[pos:]) + "END"
		}
		if ok != (c.want != "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("from %q by %q to %q, want %q", c.from, c.keys, got, c.want)
		}
	}
}

func TestColours(t *testing.T) {
	const s = "\x1b[1;31mré\x1b[0md\x1b[2J你"
	if got, want := withoutLooks(s), "réd\x1b[2J你"; got != want {
		t.Errorf("withoutLooks gives %q, want %q", got, want)
	}
	if got := shownWidth("\x1b[38:2::1:2:3mab\x1b[0m你"); got != 4 {
		t.Errorf("shownWidth gives %d, want 4", got)
	}
	if got, want := cutToWidth("\x1b[31mab你好\x1b[0m", 5), "\x1b[31mab你\x1b[0m"; got != want {
		t.Errorf("cutToWidth gives %q, want %q", got, want)
	}
}
