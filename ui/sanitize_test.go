package ui

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "hello, world!", "hello, world!"},
		{"empty", "", ""},
		{"other scripts", "Привет 你好 नमस्ते ไทย 한국어", "Привет 你好 नमस्ते ไทย 한국어"},
		{"clear screen", "\x1b[2J", "^[[2J"},
		{"nested escape", "\x1b[\x1b[2J2J", "^[[^[[2J2J"},
		{"clipboard, BEL", "\x1b]52;c;eA==\x07", "^[]52;c;eA==^G"},
		{"clipboard, ST", "\x1b]52;c;eA==\x1b\\", "^[]52;c;eA==^[\\"},
		{"open string", "\x1b]0;title and the rest", "^[]0;title and the rest"},
		{"DCS, APC", "\x1bPq\x1b\\\x1b_G\x1b\\", "^[Pq^[\\^[_G^[\\"},
		{"C1 as bytes", "\x9b2J", "\uFFFD2J"},
		{"C1 in UTF-8", "\u009b2J\u009d0;x\u009c", "<9B>2J<9D>0;x<9C>"},
		{"overwriting", "safe\rEVIL\b\b", "safe EVIL^H^H"},
		{"other controls", "\x00\x0e\x0b\x0c\x7f", "^@^N^K^L^?"},
		{"tab and line end", "a\tb\nc", "a    b c"},
		{"CR LF", "a\r\nb", "a  b"},
		{"bidi override", "gnp\u202egpj.exe", "gnp<U+202E>gpj.exe"},
		{"all bidi", "\u200e\u200f\u061c\u2066\u2069", "<U+200E><U+200F><U+061C><U+2066><U+2069>"},
		{"line separators", "a\u2028b\u2029c", "a<U+2028>b<U+2029>c"},
		{"zero width", "ad\u200bmin\ufeff", "ad<U+200B>min<U+FEFF>"},
		{"joiners that join nothing", "ad\u200cm\u200di\ufe0fn", "ad<U+200C>m<U+200D>i<U+FE0F>n"},
		{"soft hyphen", "ad\u00admin", "ad<U+00AD>min"},
		{"fillers", "\u115f\u1160\u3164\uffa0\u034f", "<U+115F><U+1160><U+3164><U+FFA0><U+034F>"},
		{"default ignorable", "a\u17b4\u2064\u180b\ufff0", "a<U+17B4><U+2064><U+180B><U+FFF0>"},
		{"drawn empty", "a\U0001d159\u2800b", "a<U+1D159> b"},
		{"picture of braille", "\u2800⠃\u2800⠇", " ⠃ ⠇"},
		{"Mongolian", "ᠭ\u180bᠠ", "ᠭ\u180bᠠ"},
		{"private use", "\ue00a\ue010\U000f0000", "<U+E00A><U+E010><U+F0000>"},
		{"noncharacter", "\ufdd0\U0010ffff", "<U+FDD0><U+10FFFF>"},
		{"variation selectors", "a\ufe00\U000e0100", "a<U+FE00><U+E0100>"},
		{"tags as hidden text", "hi\U000e0068\U000e0069", "hi<U+E0068><U+E0069>"},
		{"flag of Scotland", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"},
		{"family", "👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"},
		{"flags and skin", "🇩🇪 👍🏽", "🇩🇪 👍🏽"},
		{"heart, keycap", "❤️ 1️⃣", "❤️ 1️⃣"},
		{"emoji presentation of nothing", "\ufe0f", "<U+FE0F>"},
		{"Persian", "می\u200cخواهم", "می\u200cخواهم"},
		{"Sinhala", "ශ්\u200dරී", "ශ්\u200dරී"},
		{"zalgo", "Z" + strings.Repeat("\u0301", 40), "Z\u0301\u0301\u0301"},
		{"accents in order", "e\u0301\u0302", "e\u0301\u0302"},
		{"bad bytes", "a\xffb\xc3(\xed\xa0\x80", "a\uFFFDb\uFFFD(\uFFFD\uFFFD\uFFFD"},
		{"overlong", "\xc0\x9b", "\uFFFD\uFFFD"},
	} {
		if got := Sanitize(c.in); got != c.want {
			t.Errorf("%s: Sanitize(%+q) = %+q, want %+q", c.name, c.in, got, c.want)
		}
	}
}

func TestSanitizeBodyAndNick(t *testing.T) {
	if got, want := SanitizeBody("one\n14:02 alice two\r\n\x1b"), "one\n14:02 alice two \n^["; got != want {
		t.Errorf("SanitizeBody gives %q, want %q", got, want)
	}
	if got, want := SanitizeNick("bob the\tbuilder\n\u00a0\u3000x\u2028"), "bob_the____builder___x<U+2028>"; got != want {
		t.Errorf("SanitizeNick gives %q, want %q", got, want)
	}
}

// firstUnsafe reports the first rune a terminal could obey, or "".
func firstUnsafe(s string, lineEnds bool) string {
	if !utf8.ValidString(s) {
		return "invalid UTF-8"
	}
	for _, r := range s {
		switch {
		case r == '\n' && lineEnds:
		case r < ' ', r >= 0x7f && r <= 0x9f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069,
			r == 0x200b, r == 0xfeff, r >= 0xe000 && r <= 0xf8ff:
			return string(r)
		}
	}
	return ""
}

func checkSafe(t *testing.T, s string) {
	t.Helper()
	if bad := firstUnsafe(Sanitize(s), false); bad != "" {
		t.Errorf("Sanitize(%+q) lets %+q through", s, bad)
	}
	if bad := firstUnsafe(SanitizeBody(s), true); bad != "" {
		t.Errorf("SanitizeBody(%+q) lets %+q through", s, bad)
	}
	nick := SanitizeNick(s)
	if bad := firstUnsafe(nick, false); bad != "" || strings.ContainsAny(nick, " \t\u00a0") {
		t.Errorf("SanitizeNick(%+q) = %+q", s, nick)
	}
}

func TestSanitizeNaughtyStrings(t *testing.T) {
	data, err := os.ReadFile("testdata/blns.json")
	if err != nil {
		t.Fatal(err)
	}
	var naughty []string
	if err := json.Unmarshal(data, &naughty); err != nil {
		t.Fatal(err)
	}
	if len(naughty) < 400 {
		t.Fatalf("only %d strings", len(naughty))
	}
	for _, s := range naughty {
		checkSafe(t, s)
		if got := glyphs([]rune(s)); len(s) > 0 && len(got) == 0 {
			t.Errorf("nothing is drawn for %q", s)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[2J", "\u009b2J", "a\xffb", "👩‍👧", "می\u200cخواهم", "\u202e", "Z\u0301\u0301\u0301\u0301", "a\nb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkSafe(t, s) })
}
