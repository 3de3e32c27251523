package ui

import "bytes"

// librarySink swallows what the library would draw, except a bell.
type librarySink struct{ view *view }

func (s librarySink) Write(p []byte) (int, error) {
	if bytes.Equal(p, []byte{'\a'}) {
		s.view.ring()
	}
	return len(p), nil
}

// noCompletion keeps the library's own completion, which reads the line without
// its lock (complete.go:87), out of the way; cmdComplete completes.
type noCompletion struct{}

func (noCompletion) Do([]rune, int) ([][]rune, int) { return nil, 0 }
