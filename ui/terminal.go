package ui

import "errors"

// ErrInterrupt is what ReadLine returns for Ctrl-C.
var ErrInterrupt = errors.New("interrupted")

// Terminal is where a person types and reads. Its methods may be called from
// any goroutine; ReadLine only from one at a time.
type Terminal interface {
	// Print shows lines above the line being typed. They may carry our own
	// colours and must have passed Sanitize where they hold remote text.
	Print(lines ...string)
	// SetPrompt changes what stands before the line being typed.
	SetPrompt(prompt string)
	// SetStatus shows one quiet row below the prompt; empty removes it.
	SetStatus(status string)
	// SetWaiting shows rows above the prompt, such as own lines that nobody has
	// confirmed yet: each cut to one row, the first three of them, and how many
	// more there are. Without rows it removes them.
	SetWaiting(rows ...string)
	// SetCompleter says what could stand at the end of the text before the
	// cursor; nil: nothing. It is called while a key waits, so it must not block.
	SetCompleter(complete Completer)
	// ReadLine returns the next submitted line without its line end; a pasted
	// paragraph is one line with newlines in it. io.EOF: there are no more.
	ReadLine() (string, error)
	// Edit gives the screen to the person's editor ($VISUAL, $EDITOR) with text in
	// it, and puts what the editor leaves into the line being typed. It does not
	// wait: what is printed meanwhile is shown afterwards, and what goes wrong
	// then is printed. The error says why no editor can be started.
	Edit(text string) error
	// Return puts text that was refused back into the line, with the cursor behind it,
	// if the line is empty when it gets there: else the person is on to something else,
	// and nothing happens. It does not wait.
	Return(text string)
	// Clear empties the screen.
	Clear()
	// Width is the number of columns; 0 when it has no width.
	Width() int
	// Close gives the terminal back as it was.
	Close() error
}
