package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Edit implements Terminal. The keyboard's goroutine does it, between two reads,
// so that only the editor reads the terminal; the display's goroutine waits for it,
// so that only the editor writes. The loop that called goes on.
func (t *readlineTerminal) Edit(text string) error {
	if t.closed.Load() || !t.tty.canLend() {
		return errors.New("an editor can't be given this terminal")
	}
	editor, err := findEditor(os.Getenv)
	if err != nil {
		return err
	}
	select {
	case t.keyboard.calls <- func() { t.draft(editor, text) }:
		t.tty.nudge()
		return nil
	default:
		return errors.New("the editor is open already")
	}
}

// findEditor is the person's editor with its own arguments.
func findEditor(env func(string) string) ([]string, error) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		words := strings.Fields(env(name))
		if len(words) == 0 {
			continue
		}
		path, err := exec.LookPath(words[0])
		if err != nil {
			return nil, fmt.Errorf("there is no %q, which $%s names", words[0], name)
		}
		words[0] = path
		return words, nil
	}
	for _, name := range []string{"nano", "vi"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}, nil
		}
	}
	return nil, errors.New("there is no editor: name one in $EDITOR")
}

// draft lets the person edit text in an editor and puts what comes out into the
// line; when that goes wrong, the text as it was. What does not fit there stays in
// its file, and so does what was written while the terminal was being closed.
func (t *readlineTerminal) draft(editor []string, text string) {
	path, err := writeDraft(text)
	if err == nil {
		t.display.do(func() {
			t.display.lend(func() { err = t.tty.run(append(editor, path), t.stoppable()) })
		})
		written, unfit := readDraft(path)
		if unfit == nil && t.keyboard.stopped() && written != text {
			unfit = errors.New("the chat is over")
		}
		if unfit != nil {
			t.Print(fmt.Sprintf("-- %s; what you wrote is in %s", Sanitize(unfit.Error()), Sanitize(path)))
			return
		}
		_ = os.RemoveAll(filepath.Dir(path))
		if err == nil {
			text = written
		}
	}
	if err != nil && !t.keyboard.stopped() {
		t.Print("-- the editor failed, and the text is as it was: " + Sanitize(err.Error()))
	}
	if line := lineRunes(text); len(line) > 0 {
		t.keyboard.pressed(keyPress{act: actPaste, text: line})
	}
}

// writeDraft puts text into a file that nobody else can read, in a directory of
// its own, where the editor may leave others.
func writeDraft(text string) (path string, err error) {
	dir, err := os.MkdirTemp("", "p2pchat-") // mode 0700
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "message.txt")
	if text != "" {
		text += "\n"
	}
	if err = os.WriteFile(path, []byte(text), 0o600); err != nil {
		_ = os.RemoveAll(dir)
	}
	return path, err
}

// readDraft is what the editor has left, without the line ends behind it.
func readDraft(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("one line takes %s", byteSize(maxInput))
	}
	return strings.TrimRight(string(text), "\r\n"), err
}
