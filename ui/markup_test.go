package ui

import (
	"strings"
	"testing"
)

// shape writes runs with their looks: [b bold] [c code] [q quote] [l link] [. dim].
func shape(runs []run) string {
	letters := map[style]string{strong: "b", code: "c", cited: "q", link: "l", dim: ".", mentioned: "@"}
	var b strings.Builder
	for _, r := range runs {
		switch {
		case r.text == "":
		case r.style == plain:
			b.WriteString(r.text)
		default:
			b.WriteString("[" + letters[r.style] + " " + r.text + "]")
		}
	}
	return b.String()
}

func TestMarked(t *testing.T) {
	for text, want := range map[string]string{
		"plain text":                         "plain text",
		"so *very bold* here":                "so [. *][b very bold][. *] here",
		"*all*":                              "[. *][b all][. *]",
		"2*3*4 and a * b * c":                "2*3*4 and a * b * c",
		"**shout** or *a or b*c or ****":     "**shout** or *a or b*c or ****",
		"(*in brackets*), *é*!":              "([. *][b in brackets][. *]), [. *][b é][. *]!",
		"run `go *test* ./...` now":          "run [. `][c go *test* ./...][. `] now",
		"``a ` tick`` and ` alone":           "[. ``][c a ` tick][. ``] and ` alone",
		"`*`, `**` and ``":                   "[. `][c *][. `], [. `][c **][. `] and ``",
		"> who said that?":                   "[q > who said that?]",
		"yes\n> no\nyes":                     "yes\n[q > no\n]yes",
		">_< is a face":                      ">_< is a face",
		"```\nx := *p\n> y\n```\nand *so*":   "[. ```\n][c x := *p\n> y\n][. ```\n]and [. *][b so][. *]",
		"```go\nfunc\n```":                   "[. ```go\n][c func\n][. ```]",
		"```\nnever closed":                  "```\nnever closed",
		"``` in the line ```":                "[. ```][c  in the line ][. ```]",
		"see https://example.org/a_b*c?q=1.": "see [l https://example.org/a_b*c?q=1].",
		"(https://en.wikipedia.org/wiki/Go_(game)), http://x!": "([l https://en.wikipedia.org/wiki/Go_(game)]), [l http://x]!",
		"HTTPS://EXAMPLE.ORG":                 "[l HTTPS://EXAMPLE.ORG]",
		"https:// nothing, xhttps://y.z":      "https:// nothing, xhttps://y.z",
		"https://exаmple.org with a Cyrillic": "https://exаmple.org with a Cyrillic",
		"<https://example.org>":               "<[l https://example.org]>",
		"javascript:alert(1) ftp://x":         "javascript:alert(1) ftp://x",
		"https://...":                         "https://...",
		"":                                    "",
	} {
		if got := shape(marked(text)); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestMentions(t *testing.T) {
	for text, want := range map[string]string{
		"hi Bob, bob!":           "hi [@ Bob], [@ bob]!",
		"*bob* and bobby":        "[. *][@ bob][. *] and bobby",
		"`bob` https://x.y/bob ": "[. `][c bob][. `] [l https://x.y/bob] ",
		"> bob\nsaid":            "[q > ][@ bob][q \n]said",
	} {
		runs, found := mentions(marked(text), "bob")
		if got := shape(runs); got != want || found != strings.Contains(want, "@") {
			t.Errorf("%q\n got %q, %v\nwant %q", text, got, found, want)
		}
	}
}

// FuzzMarked: whatever is marked, the text stays what was said.
func FuzzMarked(f *testing.F) {
	for _, s := range []string{"*a* `b` ```\nc\n``` > d", "https://x.y/(z) *https://b*", "``` `` ` * ** \n> >\n```\n\n```"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = SanitizeBody(text)
		var b strings.Builder
		runs, _ := mentions(marked(text), "a")
		for _, r := range runs {
			b.WriteString(r.text)
			if r.style == link && !webLink(r.text) {
				t.Fatalf("%q: no link: %q", text, r.text)
			}
		}
		if b.String() != text {
			t.Fatalf("%q became %q", text, b.String())
		}
	})
}

// A hyperlink leads where its text says, on a screen of any width.
func TestHyperlinksLeadWhereTheySay(t *testing.T) {
	const url = "https://example.org/a/rather/long/path?with=1&more=2"
	for _, text := range []string{"see " + url + ".", "x(" + url + ")!", url, "a b c " + url + " " + url, "*" + url + "*"} {
		for width := 8; width < 90; width++ {
			p := testPage(width, 256)
			p.links = true
			rows := p.rows(marked(text)...)
			all := strings.Join(rows, "\n")
			if got, want := strings.Count(all, "\x1b]8;;"+url+"\x1b\\"+url+"\x1b]8;;\x1b\\"), strings.Count(text, url); got != want {
				t.Fatalf("at %d %q has %d whole links, want %d:\n%q", width, text, got, want, all)
			}
			if strings.Count(all, "\x1b]8;;") != 2*strings.Count(text, url) {
				t.Fatalf("at %d %q has another link:\n%q", width, text, all)
			}
		}
	}
}

func TestHyperlinks(t *testing.T) {
	for env, want := range map[string]bool{
		"TERM=xterm-256color":                     false,
		"TERM=xterm-kitty":                        true,
		"TERM=foot-extra":                         true,
		"TERM=xterm VTE_VERSION=7600":             true,
		"TERM=xterm VTE_VERSION=4800":             false,
		"TERM=xterm TERM_PROGRAM=iTerm.app":       true,
		"WT_SESSION=x":                            true,
		"TERM=xterm-kitty TMUX=/tmp/x":            false,
		"TERM=screen.xterm-256color WT_SESSION=x": false,
		"TERM=dumb TERM_PROGRAM=vscode":           false,
		"TERM=xterm FORCE_HYPERLINK=1":            true,
		"TERM=xterm-kitty FORCE_HYPERLINK=0":      false,
	} {
		vars := map[string]string{}
		for _, pair := range strings.Fields(env) {
			name, value, _ := strings.Cut(pair, "=")
			vars[name] = value
		}
		lookup := func(name string) string { return vars[name] }
		if got := Hyperlinks(lookup, true); got != want {
			t.Errorf("%s: %v", env, got)
		}
		if Hyperlinks(lookup, false) {
			t.Errorf("%s: links without a terminal", env)
		}
	}
}
