package ui

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"p2pchat/rooms"
)

const (
	dirEntries = 4096 // entries of a directory that completion looks at
	dirOffers  = 200  // of these are offered
)

// pathWord reads the path that text begins with, the way people and the terminals
// into which a file is dragged write one: in quotes of either kind, or with a
// backslash before a blank. n is how many bytes it takes; closed is false where a
// quote has no end.
func pathWord(text string) (path string, n int, closed bool) {
	var b strings.Builder
	fresh := true // here a quote begins a quoted part; inside a word it is a letter
	for n < len(text) {
		c := text[n]
		switch {
		case strings.IndexByte(blanks, c) >= 0:
			return b.String(), n, true
		case fresh && (c == '"' || c == '\''):
			part, length, ended := quotedPart(text[n:])
			b.WriteString(part)
			if n += length; !ended {
				return b.String(), n, false
			}
		case c == '\\' && escapes && n+1 < len(text):
			b.WriteByte(text[n+1])
			n += 2
			fresh = true
		default:
			b.WriteByte(c)
			n++
			fresh = false
		}
	}
	return b.String(), n, true
}

// escapes says whether a backslash is no part of paths.
const escapes = runtime.GOOS != "windows"

// needQuotes are characters that pathWord would not take as they are; on Windows,
// where names have none of these, a backslash is one between directories.
var needQuotes = map[bool]string{true: blanks + `"'\\`, false: blanks}[escapes]

// quotedPart reads the quoted part that text begins with.
func quotedPart(text string) (part string, n int, closed bool) {
	var b strings.Builder
	for n = 1; n < len(text); n++ {
		switch c := text[n]; {
		case c == text[0]:
			return b.String(), n + 1, true
		case c == '\\' && text[0] == '"' && escapes && n+1 < len(text) && (text[n+1] == '"' || text[n+1] == '\\'):
			n++
			b.WriteByte(text[n])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), n, false
}

// fromHome puts the home directory in the place of a ~ that path begins with.
func fromHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return home + rest
}

// path returns the next word as a path on this machine: with ~ for the home
// directory, in quotes or with a backslash before each blank.
func (a *arguments) path() (string, *rooms.Refusal) {
	if !a.more() {
		return "", a.usage("needs a path")
	}
	path, n, closed := pathWord(a.rest)
	if !closed {
		return "", a.usage("has a quote that is not closed")
	}
	a.rest = a.rest[n:]
	return fromHome(fromURL(path)), nil
}

// fileURL is how some file managers begin a path that is dragged or copied.
const fileURL = "file://"

// fromURL returns the path of a file: URL of this machine; what is none stays as it is.
func fromURL(path string) string {
	if !strings.HasPrefix(path, fileURL) {
		return path
	}
	u, err := url.Parse(path)
	if err != nil || u.Path == "" || u.Host != "" && u.Host != "localhost" {
		return path
	}
	if !escapes { // "/C:/x" on Windows
		return filepath.FromSlash(strings.TrimPrefix(u.Path, "/"))
	}
	return u.Path
}

// pathsLike are the files and directories that could be meant by a word that is
// not finished. Names that a terminal would not show as they are are left out.
func pathsLike(word string) []Candidate {
	path, _, _ := pathWord(word)
	if path == "~" {
		return []Candidate{{Text: "~/"}}
	}
	dir, start := filepath.Split(path)
	var out []Candidate
	quotes := strings.HasPrefix(word, `"`) || strings.HasPrefix(word, "'")
	for _, name := range namesIn(dir, start) {
		quotes = quotes || strings.ContainsAny(dir+name, needQuotes)
		out = append(out, Candidate{Text: dir + name, Name: name})
	}
	for i := range out {
		if quotes {
			out[i].Text = quotedPath(out[i].Text)
		}
	}
	return out
}

// quotedPath writes a path in quotes; those of a directory stay open.
func quotedPath(path string) string {
	if escapes {
		path = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path)
	}
	if strings.HasSuffix(path, "/") {
		return `"` + path
	}
	return `"` + path + `"`
}

// namesIn are the names in dir that begin with start, those of directories with a
// slash behind them. It looks at a limited number of entries, so that it ends.
func namesIn(dir, start string) []string {
	if strings.HasPrefix(filepath.VolumeName(dir), `\\`) {
		return nil // another machine would be asked
	}
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(fromHome(dir))
	if err != nil {
		return nil
	}
	defer d.Close()
	var names []string
	for seen := 0; seen < dirEntries && len(names) < dirOffers; {
		entries, err := d.ReadDir(dirOffers)
		for _, entry := range entries {
			name := entry.Name()
			hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(start, ".")
			if hidden || !hasPrefixFold(name, start) || Sanitize(name) != name {
				continue
			}
			if kind := kindOf(fromHome(dir), entry); kind.IsDir() {
				names = append(names, name+"/")
			} else if kind.IsRegular() {
				names = append(names, name)
			}
		}
		if seen += len(entries); err != nil || len(entries) == 0 {
			break
		}
	}
	slices.Sort(names)
	return names[:min(len(names), dirOffers)]
}

// kindOf is what an entry is, or what it points to.
func kindOf(dir string, entry fs.DirEntry) fs.FileMode {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type()
	}
	info, err := os.Stat(filepath.Join(dir, entry.Name()))
	if err != nil {
		return fs.ModeIrregular
	}
	return info.Mode().Type()
}
