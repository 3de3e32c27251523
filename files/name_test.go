package files

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"p2pchat/rooms"
)

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"cat.png":                            "cat.png",
		"my cat (1).png":                     "my cat (1).png",
		"../../etc/passwd":                   "passwd",
		`..\..\windows\win.ini`:              "win.ini",
		"/":                                  "_",
		"":                                   "file",
		".":                                  "file",
		"..":                                 "file",
		".bashrc":                            "bashrc",
		"-rf":                                "rf",
		"CON":                                "_CON",
		"nul.txt":                            "_nul.txt",
		"com1 .txt":                          "_com1 .txt",
		"COM¹":                               "_COM¹",
		"console.txt":                        "console.txt",
		"a:b|c?.txt":                         "a_b_c_.txt",
		"invoice\u202efdp.exe":               "invoice_fdp.exe",
		"a\x00b\x1b[2J.txt":                  "a_b_[2J.txt",
		"e\u0301.txt":                        "é.txt",
		"trailing. . ":                       "trailing",
		"\xff\xfe.txt":                       "_.txt",
		strings.Repeat("x", 300) + ".png":    strings.Repeat("x", 116) + ".png",
		strings.Repeat("你", 100) + ".tar.gz": strings.Repeat("你", 37) + ".tar.gz",
		"...":                                "file",
		"con." + strings.Repeat("x", 200):    "_con." + strings.Repeat("x", 115),
		"con" + strings.Repeat(" ", 120) + "x.txt": "_con.txt",
		"cat\u2800\u17b4\u180b\u3164.png":          "cat____.png",
		"\u2800":                                   "_",
		"a\n.txt":                                  "a_.txt",
	} {
		if got := SafeName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// FuzzSafeName: every name becomes one that is safe, and stays as it is then.
func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"", "../x", "CON.txt", "a\u202eb", "\xff", "\u2800\u17b5\U000e0001", strings.Repeat("é", 200), "con." + strings.Repeat("x", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		safe := SafeName(name)
		switch {
		case safe == "" || len(safe) > maxName || !utf8.ValidString(safe):
		case !filepath.IsLocal(safe) || filepath.Base(safe) != safe || strings.ContainsAny(safe, `/\:`):
		case strings.HasPrefix(safe, ".") || strings.HasPrefix(safe, "-") || strings.HasSuffix(safe, ".") || strings.HasSuffix(safe, " "):
		case strings.IndexFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) || rooms.Unseen(r) }) >= 0:
		case SafeName(safe) != safe:
		default:
			return
		}
		t.Fatalf("%q became %q, and that %q", name, safe, SafeName(safe))
	})
}
