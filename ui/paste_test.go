package ui

import (
	"strings"
	"testing"
)

// lines is a text of n lines.
func lines(n int) string { return strings.TrimSuffix(strings.Repeat("line\r", n), "\r") }

func TestLargePasteAsksFirst(t *testing.T) {
	begin, end := "\x1b[200~", "\x1b[201~"
	big, two := begin+lines(9)+end, begin+lines(2)+end
	in := "<" + strings.Repeat("line\n", 8) + "line>"
	for _, c := range []struct {
		name  string
		reads []string // "": nothing came in time
		want  string
	}{
		{"eight lines do not ask", []string{begin + lines(8) + end}, "<" + strings.Repeat("line\n", 7) + "line>"},
		{"nine lines do", []string{big}, "[paste 9 lines?]"},
		{"Enter inserts", []string{big, "\r"}, "[paste 9 lines?] [?] " + in},
		{"Enter twice sends", []string{big, "\r\r"}, "[paste 9 lines?] [?] " + in + ` "\r"!`},
		{"Esc drops", []string{big, "\x1b", "", "a"}, `[paste 9 lines?] [?] "a"`},
		{"^C drops", []string{big, "\x03\x03"}, `[paste 9 lines?] [?] "\x03"!`},
		{"others ring", []string{big, "\x1b[A\t\x12\x04\x7f", "\r"}, "[paste 9 lines?] [bell] [bell] [bell] [bell] [bell] [?] " + in},
		{"what is typed follows it", []string{big, "a", "bc\x7f", "\x1b\r", "\r\r"}, "[paste 9 lines?] [paste 9 lines?] [paste 9 lines?] [paste 9 lines?] [paste 9 lines?] [?] " + in + " <ab\n> \"\\r\"!"},
		{"or comes without it", []string{big, "ab", "\x1b", ""}, "[paste 9 lines?] [paste 9 lines?] [?] <ab>"},
		{"or before another", []string{big, "ab", two}, "[paste 9 lines?] [paste 9 lines?] [?] <ab> <line\nline>"},
		{"screen keys work", []string{big, "\x0c\x1a"}, "[paste 9 lines?] [clear] [suspend]"},
		{"typed ahead is no answer", []string{"x" + big + "y\r", "\r"}, `"x" [paste 9 lines?] [paste 9 lines?] [bell] [?] ` + in + " <y>"},
		{"dropped ahead", []string{big + "\x03y"}, `[paste 9 lines?] [?] "y"`},
		{"the newest counts", []string{big + two, "\r"}, `[paste 9 lines?] [?] <line` + "\nline> \"\\r\"!"},
		{"the last line end goes", []string{begin + "a\r\rb\r\n" + end}, "<a\n\nb>"},
		{"2000 characters", []string{begin + strings.Repeat("你", 2000) + end}, "<" + strings.Repeat("你", 2000) + ">"},
		{"and one more", []string{begin + strings.Repeat("你", 2001) + end}, "[paste 1 line?]"},
		{"without marks", []string{lines(20), "\r" + lines(5), ""}, "[paste 25 lines?]"},
		{"and few", []string{strings.Repeat("x", 40) + "\r" + strings.Repeat("y", 40), ""}, "<" + strings.Repeat("x", 40) + "\n" + strings.Repeat("y", 40) + ">"},
		{"and keys behind it", []string{lines(20) + "\x03\x1b[C"}, `[paste 20 lines?] [?] "\x06"`},
		{"and one long line", []string{strings.Repeat("x", 2000), "x", ""}, "[paste 1 line?]"},
		{"a long line and Enter", []string{strings.Repeat("x", 100) + "\r"}, "<" + strings.Repeat("x", 100) + `> "\r"!`},
		{"a very long line and Enter", []string{strings.Repeat("x", 2001) + "\r", "\r"}, "[paste 1 line?] [bell] [?] <" + strings.Repeat("x", 2001) + ">"},
	} {
		var got []string
		f := &keyFilter{emit: func(key keyPress) { got = append(got, describe(key)) }}
		for _, read := range c.reads {
			if read == "" {
				f.quiet()
				continue
			}
			f.feed([]byte(read))
		}
		if all := strings.Join(got, " "); all != c.want {
			t.Errorf("%s: got %s, want %s", c.name, all, c.want)
		}
	}
}

func TestPasteQuestion(t *testing.T) {
	for _, c := range []struct {
		text string
		cut  bool
		want string
	}{
		{lines(200), false, "paste 200 lines, 999 characters, as one message? Enter inserts it, Esc drops it"},
		{strings.Repeat("x", 4000), false, "paste 1 line, 4,000 characters, as one message? Enter inserts it, Esc drops it"},
		{lines(900), false, "paste 900 lines, 4,499 characters? One message takes 4,000. Enter inserts it, for you to shorten; Esc drops it"},
		{strings.Repeat("你", 2731), false, "paste 1 line, 8,193 bytes? One message takes 8,192. Enter inserts it, for you to shorten; Esc drops it"},
		{strings.Repeat("x", maxInput), true, "paste its first 64 KiB? One message takes 4,000 characters. Enter inserts it, for you to shorten; Esc drops it"},
	} {
		text := lineRunes(c.text)
		n := 1 + strings.Count(string(text), string(newlineRune))
		if got := pasteQuestion(text, n, c.cut); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestTheQuestionShowsWhatIsKept(t *testing.T) {
	note := ""
	f := &keyFilter{emit: func(key keyPress) { note = key.note }}
	f.feed([]byte("\x1b[200~" + lines(9) + "\x1b[201~"))
	f.feed([]byte("hi"))
	if !strings.HasSuffix(note, "Esc drops it; then follows: hi") {
		t.Errorf("it asks %q", note)
	}
}

// A paste that stalls does not end in keys: what comes after the pause is a paste, too,
// until its end mark, or until somebody types.
func TestPasteThatStalls(t *testing.T) {
	var keys, pasted []string
	f := &keyFilter{emit: func(k keyPress) {
		switch k.act {
		case actPaste:
			pasted = append(pasted, typedText.Replace(string(k.text)))
		case actType:
			keys = append(keys, string(k.bytes))
		}
	}}
	f.feed([]byte("\x1b[200~one\r"))
	f.quiet()
	f.feed([]byte("/leave\rpassword\r"))
	f.quiet()
	f.feed([]byte("/quit\r\x1b[201~"))
	if len(keys) > 0 || strings.Join(pasted, "|") != "one|/leave\npassword|/quit" {
		t.Errorf("keys %q, pasted %q", keys, pasted)
	}
	f.feed([]byte("\x1b[200~two"))
	f.quiet()
	f.feed([]byte("x"))
	f.feed([]byte("y\r")) // typed ahead
	if strings.Join(keys, "") != "xy"+string(cmdEnter) {
		t.Errorf("keys %q", keys)
	}
}

// The answer to a question is a key by itself: a piece of a paste that comes late is none.
func TestLatePieceAnswersNothing(t *testing.T) {
	var pasted int
	f := &keyFilter{emit: func(k keyPress) {
		if k.act == actPaste {
			pasted++
		}
	}}
	f.feed([]byte(strings.Repeat("a long line of a paste\r", 20)))
	f.quiet()
	f.feed([]byte("\rmore of it\r"))
	if pasted > 0 {
		t.Error("the paste answered its own question")
	}
	f.feed([]byte("\r"))
	if pasted == 0 {
		t.Errorf("%d pastes", pasted)
	}
}
