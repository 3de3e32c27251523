package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPathWord(t *testing.T) {
	if !escapes {
		t.Skip("a backslash is a part of paths here")
	}
	for _, c := range []struct {
		text, path, rest string
		closed           bool
	}{
		{`cat.png look`, `cat.png`, ` look`, true},
		{`"a b.png" look`, `a b.png`, ` look`, true},
		{`'a b.png' look`, `a b.png`, ` look`, true},
		{`a\ b.png look`, `a b.png`, ` look`, true},
		{`'it'\''s here' x`, `it's here`, ` x`, true},
		{`"a\"b\\c\d"`, `a"b\c\d`, ``, true},
		{`don't.png x`, `don't.png`, ` x`, true},
		{`"a b`, `a b`, ``, false},
		{`"a b\`, `a b\`, ``, false},
		{`a\`, `a\`, ``, true},
		{``, ``, ``, true},
	} {
		path, n, closed := pathWord(c.text)
		if path != c.path || c.text[n:] != c.rest || closed != c.closed {
			t.Errorf("%q: path %q, rest %q, closed %v", c.text, path, c.text[n:], closed)
		}
	}
}

// What completion writes is read back as it was.
func FuzzPathWord(f *testing.F) {
	f.Add("a b", "c")
	f.Add(`"\'`, `\`)
	f.Fuzz(func(t *testing.T, path, rest string) {
		if !escapes || path == "" || strings.HasSuffix(path, "/") {
			return
		}
		got, n, closed := pathWord(quotedPath(path) + " " + rest)
		if got != path || n != len(quotedPath(path)) || !closed {
			t.Errorf("%q is read as %q", path, got)
		}
		if _, n, _ := pathWord(rest); n < 0 || n > len(rest) {
			t.Errorf("%q takes %d bytes", rest, n)
		}
	})
}

func TestPathArgument(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("USERPROFILE", "/home/me")
	e := &entry{name: "send", args: "PATH [CAPTION]", example: "/send cat.png"}
	a := &arguments{entry: e, rest: `  "~/a b.png"  look `}
	if path, no := a.path(); no != nil || path != "/home/me/a b.png" || a.text() != "look" {
		t.Errorf("%q, %v", path, no)
	}
	for _, rest := range []string{"", "  ", `"open`} {
		if path, no := (&arguments{entry: e, rest: rest}).path(); no == nil {
			t.Errorf("%q is the path %q", rest, path)
		}
	}
}

// tree makes files (and directories, where a name ends in a slash) and goes there.
func tree(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range files {
		err := os.MkdirAll(filepath.Dir(name+"x"), 0o700)
		if err == nil && !strings.HasSuffix(name, "/") {
			err = os.WriteFile(name, nil, 0o600)
		}
		if err != nil {
			t.Skip("no such file can be made here: ", err)
		}
	}
}

func TestPathsAreOffered(t *testing.T) {
	if !escapes {
		t.Skip("names like these can't be made here")
	}
	tree(t, "cat.png", "Caps/", "cap.txt", "a b.png", "a c/", "a c/x y", "ab.png", ".hidden", "evil\x1b[2J", "rtl\u202egnp", "quo\"te", "home/")
	t.Setenv("HOME", "home")
	_ = os.WriteFile("home/in home", nil, 0o600)
	_ = os.Symlink("a c", "link")
	_ = os.Symlink("nowhere", "lost")
	old := table
	defer func() { table = old }()
	table = append(slices.Clone(table), &entry{name: "post", args: "PATH [--quiet]", word: offerPaths}, &entry{name: "keep", args: "N [PATH]", second: offerPaths})
	ask := completer([]string{"carol"}, []string{"cave"})
	for before, want := range map[string][]string{
		"/post c":         {"Caps/", "cap.txt", "cat.png"},
		"/post CAT":       {"cat.png"},
		"/post a":         {`"a b.png"`, `"a c/`, `"ab.png"`},
		`/post a\ `:       {`"a b.png"`, `"a c/`},
		`/post "a b`:      {`"a b.png"`},
		`/post 'a c/`:     {`"a c/x y"`},
		`/post "a c/x`:    {`"a c/x y"`},
		"/post ./ca":      {"./cap.txt", "./Caps/", "./cat.png"},
		"/post .":         {".hidden"},
		"/post ~":         {"~/"},
		"/post ~/":        {`"~/in home"`},
		"/post l":         {"link/"},
		"/post q":         {`"quo\"te"`},
		"/post e":         nil,
		"/post r":         nil,
		"/post nowhere/x": nil,
		"/post cat.png c": nil,
		"/post cat.png -": {"--quiet"},
		"/keep 3 cat":     {"cat.png"},
		`/keep 3 "a b`:    {`"a b.png"`},
		"/keep c":         nil,
		"/post @c":        nil,
		"/keep @c":        {"@carol"},
	} {
		answer := ask(before)
		var got []string
		for _, c := range answer.Candidates {
			got = append(got, c.Text)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", before, got, want)
		}
	}
	if answer := ask(`/post "a b`); answer.From != len("/post ") || answer.Candidates[0].name() != "a b.png" {
		t.Errorf("got %+v", answer)
	}
}

func TestPathsAreBounded(t *testing.T) {
	var files []string
	for i := range dirOffers + 50 {
		files = append(files, fmt.Sprintf("file%03d", i))
	}
	tree(t, files...)
	if n := len(pathsLike("")); n != dirOffers {
		t.Errorf("%d files are offered", n)
	}
	if runtime.GOOS != "windows" && pathsLike(`\\host\share\`) != nil {
		t.Error("another machine is asked")
	}
}

func FuzzCompleter(f *testing.F) {
	f.Add("/join d")
	f.Add("/msg @b")
	f.Add(`/close "x y`)
	ask := completer([]string{"bob"}, []string{"dev"})
	f.Fuzz(func(t *testing.T, before string) {
		c := ask(before)
		if c.From < 0 || c.From > len(before) || (utf8.ValidString(before) && !utf8.ValidString(before[c.From:])) {
			t.Errorf("%q: the word begins at %d", before, c.From)
		}
	})
}
