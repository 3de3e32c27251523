package ui

import (
	"bytes"
	"strings"
)

// librarySink swallows what the library would draw, except two things: a bell,
// and the state of the history search, which becomes the hint.
type librarySink struct{ view *view }

func (s librarySink) Write(p []byte) (int, error) {
	const mark = "-i-search: "
	if bytes.Equal(p, []byte{'\a'}) {
		s.view.ring()
		return len(p), nil
	}
	if text := string(p); strings.Contains(text, mark) {
		before, sought, _ := strings.Cut(text, mark)
		sought, _, _ = strings.Cut(sought, "\x1b")
		label := "(search) "
		if strings.Contains(before, "failing") {
			label = "(search, nothing found) "
		}
		s.view.setHint(label + Sanitize(typedText.Replace(sought)))
	}
	return len(p), nil
}

// noCompletion keeps the library's own completion, which reads the line without
// its lock (complete.go:87), out of the way; cmdComplete completes.
type noCompletion struct{}

func (noCompletion) Do([]rune, int) ([][]rune, int) { return nil, 0 }
