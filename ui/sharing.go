package ui

import (
	"os"
	"strings"

	"p2pchat/rooms"
)

// sharing reads what stands behind /send: paths, and a caption for the last of the files.
// Behind the first, a word is a path where it looks like one (it begins with /, ~, ./
// or ../, as terminals write files that are dragged into them), where it has a slash and
// there is a file of that name, or where that holds for all that is left: a caption that
// begins with the name of a file shares none.
func (a *arguments) sharing() (paths []string, caption string, no *rooms.Refusal) {
	if path := fromHome(strings.Trim(a.rest, blanks)); strings.ContainsAny(path, blanks) && isFile(path) {
		return []string{path}, "", nil // without the quotes that it should have
	}
	for first := true; a.more() && (first || looksLikePath(a.rest) || namesFile(a.rest) || namesFiles(a.rest)); first = false {
		path, no := a.path()
		if no != nil {
			return nil, "", no
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil, "", a.usage("needs a path")
	}
	return paths, a.text(), nil
}

// namesFile reports whether text begins with the path of a file that is there, and that
// can't be meant for a word.
func namesFile(text string) bool {
	path, _, closed := pathWord(text)
	return closed && strings.Contains(path, "/") && isFile(fromHome(path))
}

// namesFiles reports whether text is made of the names of files that are there.
func namesFiles(text string) bool {
	a := arguments{rest: text}
	for a.more() {
		path, n, closed := pathWord(a.rest)
		if !closed || !isFile(fromHome(path)) {
			return false
		}
		a.rest = a.rest[n:]
	}
	return true
}

func isFile(path string) bool {
	if strings.HasPrefix(path, `\\`) {
		return false // another machine would be asked
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func looksLikePath(text string) bool {
	text = strings.TrimLeft(text, `"'`)
	for _, start := range []string{"/", "~/", "./", "../", `\\`, `.\`, `..\`, fileURL} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return len(text) > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') // a drive of Windows
}
