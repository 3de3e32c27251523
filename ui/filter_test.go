package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// endings are the commands of Enter, ^C and ^D as these.
var endings = strings.NewReplacer(string(cmdEnter), "\r", string(cmdInterrupt), "\x03", string(cmdEnd), "\x04")

// describe writes a key press as text: <pasted>, "typed", with ! if it may end the line.
func describe(key keyPress) string {
	switch key.act {
	case actPaste:
		return "<" + typedText.Replace(string(key.text)) + ">"
	case actClear:
		return "[clear]"
	case actSuspend:
		return "[suspend]"
	case actBell:
		return "[bell]"
	case actAsk:
		question, _, _ := strings.Cut(key.note, ",")
		return "[" + question + "?]"
	}
	text := fmt.Sprintf("%+q", endings.Replace(string(key.bytes)))
	if key.ends {
		text += "!"
	}
	return text
}

func TestKeyFilter(t *testing.T) {
	for _, c := range []struct {
		name  string
		reads []string // "" means that nothing came in time
		want  string
	}{
		{"text", []string{"hé你"}, `"h\u00e9\u4f60"`},
		{"enter, interrupt, end", []string{"\r\x03\x04"}, `"\r"! "\x03"! "\x04"!`},
		{"dropped", []string{"\x00\x0f\x11\x13\x14\x16\x18\x1c\x1f"}, ``},
		{"actions", []string{"\x0c\x1a"}, `[clear] [suspend]`},
		{"arrows", []string{"\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA"}, `"\ue01c" "\ue01d" "\x06" "\x02" "\ue01c"`},
		{"home and end", []string{"\x1b[H\x1b[1~\x1b[F\x1b[4~"}, `"\x01" "\x01" "\x05" "\x05"`},
		{"cut sequence", []string{"\x1b", "[", "C"}, `"\x06"`},
		{"late sequence is text", []string{"\x1b", "", "[A"}, `"\a" "[A"`},
		{"unknown sequence", []string{"\x1b[99;99R\x1b[Yx"}, `"x"`},
		{"endless sequence", []string{"\x1b[" + strings.Repeat("1", 156) + "~x"}, `"` + strings.Repeat("1", 30) + `~x"`},
		{"aborted sequence", []string{"\x1b[1\rx"}, `"\r"! "x"`},
		{"function key of a console", []string{"\x1b[[Ax"}, `"x"`},
		{"escape twice", []string{"\x1b\x1b[C"}, `"\x06"`},
		{"alt enter, ctrl j", []string{"\x1b\r", "\n"}, `"\ue00a" "\ue00a"`},
		{"typed ahead, or by a program", []string{"hi\n", "\n", "a\nb\n"}, `"hi" "\r"! "\ue00a" "a" "\ue00a" "b" "\r"!`},
		{"line feed at the end of a paste's part", []string{"\x1b[200~ab\n", "c\x1b[201~"}, "<ab\nc>"},
		{"unknown alt keys", []string{"\x1bh", "a\x1bUb", "\x1bжc", "\x1b\xd0", "\xb6d"}, `"a" "b" "c" "d"`},
		{"escape, then soon a letter", []string{"\x1b", "h"}, `"h"`},
		{"alt key in a paste", []string{"\x1b[200~a\x1bhb\x1b[201~"}, `<ahb>`},
		{"ctrl x ctrl e", []string{"\x18\x05", "\x18", "\x05\x05", "\x18a\x05"}, `"\ue024" "\ue024" "\x05" "a" "\x05"`},
		{"before and after", []string{"\x10\x0e"}, `"\ue01e" "\ue01f"`},
		{"tab and back", []string{"\t\x1b[Z"}, `"\ue011" "\ue01b"`},
		{"delete", []string{"\x1b[3~"}, `"\ue012"`},
		{"paste", []string{"\x1b[200~a\r\nb\tc\x1b[31m\x03\x7f\u009bd\x1b[201~e"}, "<a\nb\tcd> \"e\""},
		{"paste in pieces", []string{"\x1b[20", "0~ab", "\xe4", "\xbd\xa0\x1b", "[201~"}, `<ab你>`},
		{"empty paste", []string{"\x1b[200~\x1b[201~"}, ``},
		{"paste without an end", []string{"\x1b[200~ab", "", "c\r"}, `<ab> "c" "\r"!`},
		{"end without a paste", []string{"\x1b[201~x"}, `"x"`},
		{"fast text", []string{strings.Repeat("x", 65) + "\xe4"}, `<` + strings.Repeat("x", 65) + `> "\xe4"`},
		{"search", []string{"\x12a\x03\x03"}, `"\ue020" "a" "\x03"! "\x03"!`},
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

func TestKeyFilterPatience(t *testing.T) {
	f := &keyFilter{emit: func(keyPress) {}}
	for _, c := range []struct {
		read string
		want time.Duration
	}{{"a", -1}, {"\x1b", escapeWait}, {"[200~", pasteWait}, {"\x1b", pasteWait}, {"[201~", -1}} {
		f.feed([]byte(c.read))
		if got := f.patience(); got != c.want {
			t.Errorf("after %q the filter waits %v, want %v", c.read, got, c.want)
		}
	}
}

func TestKeyFilterPasteLimit(t *testing.T) {
	var text, bells int
	f := &keyFilter{emit: func(key keyPress) {
		text += len(key.text)
		if key.act == actBell {
			bells++
		}
	}}
	f.feed([]byte("\x1b[200~" + strings.Repeat("x", maxInput+1000) + "\x1b[201~"))
	f.feed([]byte("\r"))
	if text != maxInput || bells != 1 {
		t.Errorf("%d runes and %d bells, want %d and 1", text, bells, maxInput)
	}
}

// Whatever is typed, the library sees none of the keys it cannot handle.
func FuzzKeyFilter(f *testing.F) {
	f.Add([]byte("\x1b[200~" + strings.Repeat("a\r", 9) + "\x1b[201~bc\x7f\x1bd\r\x18\x05"))
	f.Add([]byte("a\x1b[200~b\x1b[201~\x12\x1b[3~\x13\x00"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		filter := &keyFilter{emit: func(key keyPress) {
			if strings.ContainsAny(string(key.bytes), "\x00\x03\x04\x0e\x10\x12\r\x1b\t\n\x0b\x0c\x0f\x11\x13\x14\x15\x16\x17\x18\x19\x1a\x1c\x1d\x1e\x1f") {
				t.Errorf("%q passes for %q", key.bytes, keys)
			}
			for _, r := range key.text {
				if r < ' ' {
					t.Errorf("%q is pasted for %q", key.text, keys)
				}
			}
		}}
		filter.feed(keys[:len(keys)/2])
		filter.feed(keys[len(keys)/2:])
		filter.quiet()
		if filter.patience() >= 0 {
			t.Errorf("the filter still waits after %q", keys)
		}
	})
}

// What the terminal answers is no key, also when it comes in pieces, between keys, or is
// cut off.
func TestKeyFilterTakesAnswers(t *testing.T) {
	var typed strings.Builder
	var answers []string
	f := &keyFilter{
		emit:     func(k keyPress) { typed.Write(k.bytes) },
		answered: func(s string) bool { answers = append(answers, s); return strings.HasSuffix(s, "c") || s[1] == '_' },
	}
	for _, part := range []string{"a\x1b_Gi=31;O", "K\x1b", "\\b\x1b[?62;4", "cc\x1b[C", "\x1b_Gi=31;", "\x1b_cut"} {
		f.feed([]byte(part))
	}
	f.quiet()
	f.feed([]byte("d"))
	if typed.String() != "abc\x06d" {
		t.Errorf("typed %q", typed.String())
	}
	if want := []string{"\x1b_Gi=31;OK\x1b\\", "\x1b[?62;4c", "\x1b[C"}; !slices.Equal(answers, want) {
		t.Errorf("answers %q", answers)
	}
}
