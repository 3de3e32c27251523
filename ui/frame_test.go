package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
)

// easel draws frames on an emulated screen and counts the writes.
type easel struct {
	screen
	vt     vt10x.Terminal
	rows   int
	writes []string
}

func newEasel(columns, rows int) *easel {
	e := &easel{vt: vt10x.New(vt10x.WithSize(columns, rows)), rows: rows}
	e.out, e.columns = e, columns
	return e
}

func (e *easel) Write(p []byte) (int, error) {
	e.writes = append(e.writes, string(p))
	return e.vt.Write(p)
}

func (e *easel) show(p parts, lines ...string) {
	block := layOut(p, e.columns, e.rows)
	e.draw(frame{lines: lines, block: &block})
}

func (e *easel) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, row := range strings.Split(e.vt.String(), "\n") {
		got = append(got, strings.TrimRight(row, " "))
	}
	for len(got) > len(want) && got[len(got)-1] == "" {
		got = got[:len(got)-1]
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the screen shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func typing(text string, pos int) parts {
	return parts{prompt: "> ", line: []rune(text), pos: pos}
}

func TestFramesKeepMessages(t *testing.T) {
	e := newEasel(20, 10)
	text := strings.Repeat("abcdefghi ", 5) // three rows of 19
	e.show(typing(text, 0))
	for i := range 5 {
		e.show(typing(text, i*10), fmt.Sprintf("message %d", i))
	}
	e.expect(t, "message 0", "message 1", "message 2", "message 3", "message 4", "> abcdefghi abcdefg", "hi abcdefghi abcdef", "ghi abcdefghi")
	if c := e.vt.Cursor(); c.X != 4 || c.Y != 7 {
		t.Errorf("the cursor stands at %d,%d, want 4,7", c.X, c.Y)
	}
	e.show(typing("short", 5), "a message with\nan end", "one that is wider than the screen")
	e.expect(t, "message 0", "message 1", "message 2", "message 3", "message 4", "a message with", "an end", "one that is wider th", "│ an the screen", "> short")
	e.draw(frame{})
	e.expect(t, "message 0", "message 1", "message 2", "message 3", "message 4", "a message with", "an end", "one that is wider th", "│ an the screen", "")
}

func TestFrameIsOneWriteWithoutFlicker(t *testing.T) {
	e := newEasel(20, 10)
	e.show(typing("abc", 3))
	e.show(typing("abcd", 4), "message \x1b[31mred")
	if len(e.writes) != 2 {
		t.Fatalf("%d writes for two frames", len(e.writes))
	}
	for _, w := range e.writes {
		if !strings.HasPrefix(w, beginFrame) || !strings.HasSuffix(w, endFrame) {
			t.Errorf("%q is not one synchronized update", w)
		}
		if strings.Contains(w, "\x1b[J") {
			t.Errorf("%q erases what is below the cursor", w)
		}
	}
	if !strings.Contains(e.writes[1], "red\x1b[0m\r\n") {
		t.Errorf("%q lets a colour run on", e.writes[1])
	}
}

func TestFrameClear(t *testing.T) {
	e := newEasel(20, 10)
	e.show(typing("abc", 3), "old")
	block := layOut(typing("abc", 1), 20, 10)
	e.draw(frame{clear: true, bell: true, lines: []string{"new"}, block: &block})
	e.expect(t, "new", "> abc")
	if !strings.Contains(e.writes[1], "\a") {
		t.Error("the bell does not ring")
	}
}

// A terminal that re-wraps turns a row of d columns into as many rows as d needs.
func TestResizeArithmetic(t *testing.T) {
	for _, c := range []struct {
		widths              []int
		row, column, narrow int
		wantRow, wantColumn int
		wantHeight          int
	}{
		{[]int{10}, 0, 5, 20, 0, 5, 1},
		{[]int{59, 59, 20}, 2, 20, 60, 2, 20, 3},
		{[]int{59, 59, 20}, 2, 20, 30, 4, 20, 5},
		{[]int{59, 59, 20}, 1, 45, 30, 3, 15, 5},
		{[]int{49, 49, 28}, 2, 28, 28, 4, 28, 5}, // behind the last character of a full row
		{[]int{49, 49, 28}, 2, 28, 14, 9, 14, 10},
		{[]int{59, 59, 20}, 0, 0, 20, 0, 0, 7},
		{[]int{0, 40}, 0, 0, 20, 0, 0, 3},
	} {
		s := screen{columns: 60, widths: c.widths, height: len(c.widths), row: c.row, column: c.column}
		s.resize(c.narrow)
		if s.row != c.wantRow || s.column != c.wantColumn || s.height != c.wantHeight {
			t.Errorf("%v at %d: %d rows, cursor %d,%d; want %d, %d,%d", c.widths, c.narrow,
				s.height, s.row, s.column, c.wantHeight, c.wantRow, c.wantColumn)
		}
	}
}

// A screen that became lower may have lost rows of the block below the cursor.
func TestEraseOnALowerScreen(t *testing.T) {
	e := newEasel(20, 10)
	e.show(typing(strings.Repeat("x", 50), 0), "one", "two", "three", "four", "five", "six", "seven")
	e.vt.Resize(20, 8) // the cursor's row is the last now
	e.rows = 8
	e.show(typing("y", 1), "eight")
	if s := e.vt.String(); !strings.Contains(s, "seven") || !strings.Contains(s, "eight") || !strings.Contains(s, "> y") {
		t.Errorf("the screen shows\n%s", s)
	}
}
