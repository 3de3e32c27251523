package ui

import (
	"slices"
	"strings"
	"testing"
)

// shownIn are the names that a menu shows.
func shownIn(m menu) (out []string) {
	for _, c := range m.candidates {
		out = append(out, c.name())
	}
	return out
}

func TestCompletionInsertsByRune(t *testing.T) {
	for _, c := range []struct {
		before     string
		candidates []string
		want       string
		menu       []string
	}{
		{"/jo|", []string{"/join"}, "/join |", nil},
		{"/jo| x", []string{"/join"}, "/join| x", nil},
		{"/send ca|", []string{"cats/"}, "/send cats/|", nil},
		{"say Al|", []string{"Alice", "Alicia"}, "say Alic|", []string{"Alice", "Alicia"}},
		{"say al|", []string{"Alice", "ALICIA"}, "say Alic|", []string{"Alice", "ALICIA"}},
		{"say AL|", []string{"alice", "albert"}, "say AL|", []string{"alice", "albert"}},
		{"日|", []string{"日本語", "日本酒"}, "日本|", []string{"日本語", "日本酒"}},
		{"É|", []string{"éa", "éb"}, "É|", []string{"éa", "éb"}},
		{"x|", nil, "x|", nil},
		{"a\ue00ab|", []string{"bob"}, "a\ue00abob |", nil},
	} {
		e := newEditor()
		e.view.complete = func(before string) Completion {
			if strings.ContainsRune(before, newlineRune) {
				t.Errorf("the completer is asked about %q", before)
			}
			return Completion{strings.LastIndexAny(before, blanks) + 1, startingWith(c.candidates, "", "", "")}
		}
		if got := edit(e, c.before, cmdComplete); got != c.want || !slices.Equal(shownIn(e.view.now.menu), c.menu) {
			t.Errorf("%q becomes %q with menu %q, want %q and %q", c.before, got, shownIn(e.view.now.menu), c.want, c.menu)
		}
	}
}

func TestCompletionWalksThroughTheMenu(t *testing.T) {
	const tab, back, esc = cmdComplete, cmdCompleteBack, rune('\a')
	for _, c := range []struct {
		name string
		keys []rune
		want string
		open bool
	}{
		{"first Tab", []rune{tab}, "hi al| you", true},
		{"second", []rune{tab, tab}, "hi Al| you", true},
		{"third", []rune{tab, tab, tab}, "hi alice 1| you", true},
		{"around", []rune{tab, tab, tab, tab, tab}, "hi Al| you", true},
		{"back", []rune{tab, tab, tab, back}, "hi Al| you", true},
		{"back around", []rune{tab, back}, "hi alina| you", true},
		{"back first", []rune{back, back}, "hi alice 1| you", true},
		{"given back", []rune{tab, tab, tab, esc}, "hi al| you", false},
		{"given back twice", []rune{tab, tab, esc, esc}, "hi al| you", false},
		{"accepted by a sign", []rune{tab, tab, '!', esc}, "hi Al!| you", false},
		{"accepted by a letter", []rune{tab, tab, 'x', 'y'}, "hi Al xy| you", false},
		{"accepted by a blank", []rune{tab, tab, ' ', 'y'}, "hi Al y| you", false},
		{"and nothing is chosen", []rune{tab, 'i'}, "hi ali| you", false},
		{"accepted by a move", []rune{tab, tab, tab, 2}, "hi alice |1 you", false},
		{"accepted by a yank", []rune{tab, tab, cmdYank}, "hi Al| you", false},
	} {
		e := newEditor()
		e.view.complete = func(string) Completion {
			return Completion{3, []Candidate{{Text: "Al"}, {Text: "alice 1"}, {Text: "alina"}}}
		}
		got := edit(e, "hi al| you", c.keys...)
		if got != c.want || (len(e.view.now.menu.candidates) > 0) != c.open {
			t.Errorf("%s: %q with menu %q, want %q", c.name, got, shownIn(e.view.now.menu), c.want)
		}
	}
}

// A word that is typed behind what was chosen is one of its own.
func TestTypingBehindWhatWasChosen(t *testing.T) {
	for _, c := range []struct{ chosen, typed, want string }{
		{"/ignore", "g", "/ignore g"}, {"/create", "-", "/create -"}, {"/msg", "@", "/msg @"}, {"/msg", " ", "/msg "},
		{"bob:", "h", "bob: h"}, {"bob:", "@", "bob: @"}, {"bob", ",", "bob,"}, {"bob", "你", "bob 你"}, {"bob", "👋", "bob 👋"},
		{"cats/", "a", "cats/a"}, {"--limit=", "3", "--limit=3"}, {"\"my cat", "s", "\"my cats"}, {"\"my cat\"", "s", "\"my cat\" s"},
	} {
		e := newEditor()
		e.view.complete = func(string) Completion { return Completion{0, []Candidate{{Text: c.chosen}, {Text: "other"}}} }
		if got := edit(e, "x|", cmdComplete, cmdComplete, []rune(c.typed)[0]); got != c.want+"|" {
			t.Errorf("%q and %q: %q", c.chosen, c.typed, got)
		}
	}
}

func TestMenuRows(t *testing.T) {
	few := menu{startingWith([]string{"/ban", "/close", "/create", "/help"}, "", "", ""), -1}
	long := menu{nil, -1}
	for range 40 {
		long.candidates = append(long.candidates, Candidate{Text: "你好", About: "a greeting that is long"})
	}
	at := func(m menu, i int) menu { m.chosen = i; return m }
	for _, c := range []struct {
		m            menu
		width, limit int
		want         string
	}{
		{few, 80, 3, "/ban  /close  /create  /help"},
		{few, 28, 1, "/ban  /close  /create  /help"},
		{few, 27, 1, "/ban  /close  … 2 more"},
		{few, 12, 1, "/ban"},
		{few, 14, 1, "/ban  … 3 more"},
		{few, 16, 2, "/ban  /close|/create  /help"},
		{at(few, 2), 27, 1, "[/create]  /help  … 2 more"},
		{at(few, 0), 0, 0, ""},
		{long, 20, 3, "你好  你好  你好|你好  … 36 more"},
		{at(long, 39), 20, 3, "你好  你好  你好|[你好]  … 36 more|a greeting that is …"},
		{at(long, 5), 20, 1, "[你好]  … 39 more"},
		{at(long, 5), 5, 3, "你|[你]|a gr…"},
	} {
		rows := c.m.rows(c.width, c.limit, true)
		if got := strings.Join(rows, "|"); got != c.want {
			t.Errorf("at %d×%d, %d chosen: %q, want %q", c.width, c.limit, c.m.chosen, got, c.want)
		}
	}
	if got := at(few, 1).rows(80, 1, false)[0]; !strings.Contains(got, "  \x1b[7m/close\x1b[0m  ") || withoutLooks(got) != "/ban  /close  /create  /help" {
		t.Errorf("with attributes: %q", got)
	}
	for chosen := range 40 {
		for width := 8; width < 60; width++ {
			m := at(long, chosen)
			rows := m.rows(width, 3, true)
			if !strings.Contains(strings.Join(rows, ""), "[你") || len(rows) > 3 {
				t.Fatalf("candidate %d at width %d: %q", chosen, width, rows)
			}
			for _, row := range rows {
				if shownWidth(row) > width {
					t.Fatalf("candidate %d at width %d: %q", chosen, width, rows)
				}
			}
		}
	}
}

func TestPrefixByRune(t *testing.T) {
	for _, c := range []struct {
		word, start string
		want        bool
	}{
		{"Élan", "éL", true}, {"éa", "e", false}, {"K", "k", true}, {"kelvin", "KE", true},
		{"日本", "日", true}, {"日", "日本", false}, {"", "", true}, {"x", "", true}, {"", "x", false}, {"é", "\xc3", false},
	} {
		if got := hasPrefixFold(c.word, c.start); got != c.want {
			t.Errorf("%q begins with %q: %v", c.word, c.start, got)
		}
	}
}
