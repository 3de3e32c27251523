package ui

import (
	"bytes"
	"strings"
	"testing"
)

// What terminals draw in more columns than uniseg says.
func TestWidestTerminalCounts(t *testing.T) {
	for text, want := range map[string]int{
		"abc": 3, "你好": 4, "é": 1, "e\u0301": 1, "ｶﾞ": 2, "x" + strings.Repeat("\uff9e", 5): 6, "\u0995\u09be": 2, "\u0b15\u0b57": 2,
		"a\u1b35": 2, "가\u302e": 4, "👍🏽": 4, "👩‍👩‍👧": 6, "🇩🇪": 2, "1️⃣": 2, "❤️": 2, "\ufdfd": 1, "㉈": 2, "䷀": 2, "⸻": 4,
	} {
		if got := columns(text); got != want {
			t.Errorf("%+q takes %d columns, want %d", text, got, want)
		}
		if least := leastWidth(text); least > want {
			t.Errorf("%+q takes %d columns at least and %d at most", text, least, want)
		}
	}
}

func TestEndlessGraphemeIsCut(t *testing.T) {
	text := "x" + strings.Repeat("\uff9e", 100)
	for _, width := range []int{20, 34, 80} {
		var all strings.Builder
		for i, row := range layout([]run{{plain, text}}, width) {
			shown := ""
			for _, r := range row {
				shown += r.text
			}
			if columns(shown) > width {
				t.Errorf("a row of %d columns on %d", columns(shown), width)
			}
			if i > 0 {
				shown = strings.TrimPrefix(shown, row[0].text)
			}
			all.WriteString(shown)
		}
		if all.String() != text {
			t.Errorf("at %d columns there is %q", width, all.String())
		}
		for _, row := range blockRows("> ", []rune(text), 50, width).rows {
			if columns(row) > width {
				t.Errorf("a row of the line of %d columns on %d", columns(row), width)
			}
		}
	}
}

// Only a link, an invite, a picture, and what is ASCII through and through may be left to
// the terminal to wrap; and no row is left wider than the screen.
func TestRowsThatTheTerminalMayWrap(t *testing.T) {
	long := strings.Repeat("abcdefghij", 3)
	for _, c := range []struct{ row, want string }{
		{"short", "short"},
		{"ｶﾞ", wrapOff + "ｶﾞ" + wrapOn},
		{margin + "abc", margin + "abc"},
		{narrowMargin + "é", wrapOff + narrowMargin + "é" + wrapOn},
		{narrowMargin + "https://" + long, narrowMargin + "https://" + long},
		{"p2pchat:" + long, "p2pchat:" + long},
		{"\x1b[4m\x1b]8;;http://" + long + "\x1b\\http://" + long + "\x1b]8;;\x1b\\\x1b[0m", ""},
		{"p2pchat:aaaaaaaaaaaaaa!!_full", "p2pchat:aaaaaaaaaaaa\r\n│ aa!!_full"},
		{"https://e.example/a b", "https://e.example/a \r\n│ b"},
		{"\x1b[1m" + long + "\x1b[0m", "\x1b[1mabcdefghijabcdefghij\r\n│ abcdefghij\x1b[0m"},
		{"\x1b_Ga=T,f=100;AAAAAAAAAAAAAAAAAAAA\x1b\\", ""},
	} {
		if c.want == "" {
			c.want = c.row
		}
		var b bytes.Buffer
		s := screen{columns: 20}
		s.writeMessages(&b, []string{c.row})
		got := strings.TrimSuffix(b.String(), "\r\n")
		if strings.Contains(c.row, "\x1b") {
			c.want += "\x1b[0m"
		}
		if got != c.want {
			t.Errorf("%q is written as\n%q, want\n%q", c.row, got, c.want)
		}
	}
}

func TestOnlyLinksAndInvitesAreLeftWhole(t *testing.T) {
	const width = 30
	for text, whole := range map[string]bool{
		"see https://example.org/" + strings.Repeat("a", 40) + ".":       true,
		"p2pchat:" + strings.Repeat("a2", 30):                            true,
		"P2PCHAT:" + strings.Repeat("A2", 30):                            true,
		"p2pchat:" + strings.Repeat("a", 22) + "!!_room_closed":          false,
		"p2pchat:" + strings.Repeat("a", 22) + "14:02_carol:_I_quit":     false,
		"`https://" + strings.Repeat("a", 22) + "!!_room_closed`":        false,
		"xhttps://" + strings.Repeat("a", 40):                            false,
		"https://example.org/é" + strings.Repeat("a", 40) + "é!!_closed": false,
	} {
		widest := 0
		for _, row := range layout(marked(text), width) {
			sum := 0
			for _, r := range row {
				sum += columns(r.text)
			}
			widest = max(widest, sum)
		}
		if (widest > width) != whole {
			t.Errorf("%q: the widest row has %d columns of %d", text, widest, width)
		}
	}
}
