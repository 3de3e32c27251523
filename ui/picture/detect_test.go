package picture

import (
	"strings"
	"testing"
)

// environment looks names up in "NAME=value NAME=value".
func environment(s string) func(string) string {
	m := map[string]string{}
	for _, f := range strings.Fields(s) {
		name, value, _ := strings.Cut(f, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		env    string
		mode   Mode
		asking bool
	}{
		{"TERM=xterm-kitty KITTY_WINDOW_ID=1", Kitty, true},
		{"TERM=xterm-kitty", Kitty, true},
		{"TERM=xterm-ghostty TERM_PROGRAM=ghostty", Kitty, true},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm", ITerm, true},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app", ITerm, true},
		{"TERM=xterm-256color LC_TERMINAL=iTerm2", ITerm, true},
		{"TERM=xterm-256color KONSOLE_VERSION=230800", ITerm, true},
		{"TERM=foot", Sixel, true},
		{"TERM=foot-extra", Sixel, true},
		{"TERM=mlterm-256color", Sixel, true},
		{"TERM=xterm-256color", Blocks, true},
		{"TERM=xterm-256color TERM_PROGRAM=vscode", Blocks, true},
		{"WT_SESSION=1", Blocks, true},
		{"", Blocks, false},
		{"TERM=linux", Blocks, false},
		{"TERM=vt220", Blocks, false},
		{"TERM=tmux-256color TMUX=/tmp/x KITTY_WINDOW_ID=1", Blocks, false},
		{"TERM=xterm-kitty TMUX=/tmp/x", Blocks, false},
		{"TERM=screen.xterm-256color STY=1.x TERM_PROGRAM=iTerm.app", Blocks, false},
		{"TERM=screen-256color TERM_PROGRAM=WezTerm", Blocks, false},
		{"TERM=dumb", None, false},
		{"TERM=xterm-kitty NO_COLOR=1", None, false},
	} {
		env := environment(c.env)
		if got := Detect(env, true); got != c.mode {
			t.Errorf("%q: %s, want %s", c.env, got, c.mode)
		}
		if got := Query(env, true) != ""; got != c.asking {
			t.Errorf("%q: asked %v", c.env, got)
		}
		if Detect(env, false) != None || Query(env, false) != "" {
			t.Errorf("%q: pictures without a terminal", c.env)
		}
	}
}

func TestParseMode(t *testing.T) {
	for _, m := range []Mode{Auto, Kitty, ITerm, Sixel, Blocks, None} {
		if got, ok := ParseMode(string(m)); got != m || !ok {
			t.Errorf("%s is read as %s", m, got)
		}
	}
	if _, ok := ParseMode("half"); ok {
		t.Error("half is a mode")
	}
}

// TestAnswers takes what terminals have really said.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name      string
		sequences []string
		want      Answers
		mode      Mode
	}{
		{"kitty", []string{"\x1b_Gi=31;OK\x1b\\", "\x1b[6;20;9t", "\x1b[?62;c"}, Answers{Kitty: true, CellWidth: 9, CellHeight: 20, Done: true}, Kitty},
		{"xterm as a VT340", []string{"\x1b[?63;1;2;4;6;9;15;16;22;28c"}, Answers{Sixel: true, Done: true}, Sixel},
		{"mlterm", []string{"\x1b[6;22;10t", "\x1b[?63;1;2;3;4;6;7;15;18;22;29c"}, Answers{Sixel: true, CellWidth: 10, CellHeight: 22, Done: true}, Sixel},
		{"tmux", []string{"\x1b[?1;2c"}, Answers{Done: true}, Blocks},
		{"xterm", []string{"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c"}, Answers{Done: true}, Blocks},
		{"an old one", []string{"\x1b[?4c"}, Answers{Done: true}, Blocks},
		{"VT102", []string{"\x1b[?6c"}, Answers{Done: true}, Blocks},
		{"kitty's refusal", []string{"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\", "\x1b[?62;4c"}, Answers{Sixel: true, Done: true}, Sixel},
		{"another's answer", []string{"\x1b_Gi=32;OK\x1b\\"}, Answers{}, Blocks},
		{"cells that make no sense", []string{"\x1b[6;0;0t", "\x1b[6;99999;1t", "\x1b[6;;t"}, Answers{}, Blocks},
	} {
		var a Answers
		for _, s := range c.sequences {
			took := false
			if a, took = a.Take(s); !took {
				t.Errorf("%s: %q was not taken", c.name, s)
			}
		}
		if a != c.want || a.Mode(Blocks) != c.mode {
			t.Errorf("%s: %+v and mode %s", c.name, a, a.Mode(Blocks))
		}
		for _, m := range []Mode{Kitty, ITerm, None} {
			if a.Mode(m) != m {
				t.Errorf("%s: %s became %s", c.name, m, a.Mode(m))
			}
		}
	}
	for _, key := range []string{"\x1b[A", "\x1b[1;5C", "\x1b[3~", "\x1bOP", "\x1b[200~", "a", "", "\x1b", "\x1b[?c", "\x1b[6;t", "\x1b[24;80R", "\x1b[?1;2R"} {
		if a, took := (Answers{}).Take(key); took || a != (Answers{}) {
			t.Errorf("the key %q was taken for an answer", key)
		}
	}
}

// FuzzAnswers: only sequences of the three kinds are taken, a cell's size is one,
// and what was known stays known.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{"\x1b_Gi=31;OK\x1b\\", "\x1b[?62;4c", "\x1b[6;20;10t", "\x1b[A", "\x1b[?;4c", "\x1b_G\x1b\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		known := Answers{Kitty: true, Sixel: true, CellWidth: 9, CellHeight: 18}
		for _, before := range []Answers{{}, known} {
			a, took := before.Take(s)
			shaped := strings.HasPrefix(s, "\x1b_G") && strings.HasSuffix(s, "\x1b\\") || strings.HasPrefix(s, "\x1b[?") && strings.HasSuffix(s, "c") || strings.HasPrefix(s, "\x1b[6;") && strings.HasSuffix(s, "t")
			if took && (!shaped || len(s) > MaxAnswer) || !took && a != before {
				t.Errorf("%q: taken %v, %+v", s, took, a)
			}
			if (a.CellWidth == 0) != (a.CellHeight == 0) || a.CellWidth < 0 || a.CellWidth > maxCellWidth || a.CellHeight < 0 || a.CellHeight > maxCellHeight {
				t.Errorf("%q: a cell of %d×%d", s, a.CellWidth, a.CellHeight)
			}
			if before == known && (!a.Kitty || !a.Sixel || a.CellWidth == 0) {
				t.Errorf("%q makes it forget: %+v", s, a)
			}
		}
	})
}
