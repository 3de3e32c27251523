package ui

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	var out strings.Builder
	p := NewPlain(strings.NewReader("one\r\n\ntwo\xff\n"+strings.Repeat("x", maxInput+10)+"\nlast"), &out)
	p.SetPrompt("> ")
	p.SetStatus("busy")
	p.Clear()
	p.Print("\x1b[31mred\x1b[0m", "two\nlines")
	if got, want := out.String(), "red\ntwo\nlines\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	for _, want := range []string{"one", "", "two\uFFFD", strings.Repeat("x", maxInput), "last"} {
		if got, err := p.ReadLine(); got != want || err != nil {
			t.Errorf("read %.20q (%d bytes), %v; want %.20q (%d)", got, len(got), err, want, len(want))
		}
	}
	if _, err := p.ReadLine(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if p.Width() != 0 || p.Close() != nil {
		t.Error("a plain terminal has no width and nothing to close")
	}
}

func TestColorDepth(t *testing.T) {
	for _, c := range []struct {
		env  string
		mode string
		tty  bool
		want int
	}{
		{"TERM=xterm", "auto", true, 16},
		{"TERM=xterm-256color", "auto", true, 256},
		{"TERM=xterm-256color COLORTERM=truecolor", "auto", true, trueColor},
		{"TERM=xterm-direct", "auto", true, trueColor},
		{"TERM=xterm-256color", "auto", false, 0},
		{"TERM=xterm-256color", "always", false, 256},
		{"TERM=xterm-256color", "never", true, 0},
		{"TERM=xterm-256color NO_COLOR=1", "auto", true, 0},
		{"TERM=xterm-256color NO_COLOR=", "auto", true, 256},
		{"TERM=xterm-256color NO_COLOR=1", "always", true, 256},
		{"TERM=dumb", "auto", true, 0},
		{"TERM=dumb", "always", true, 16},
	} {
		env := func(name string) string {
			for _, pair := range strings.Fields(c.env) {
				if k, v, _ := strings.Cut(pair, "="); k == name {
					return v
				}
			}
			return ""
		}
		if got := ColorDepth(env, c.mode, c.tty); got != c.want {
			t.Errorf("%s, %s, tty %v: %d colours, want %d", c.env, c.mode, c.tty, got, c.want)
		}
	}
}

func TestReadlineRefusesWhatIsNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := NewReadline(ReadlineOptions{Stdin: file, Stdout: file}); err == nil {
		t.Error("a file was taken for a terminal")
	}
}

func TestOpenHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "typed")
	file, _, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if err := os.WriteFile(path, []byte(strings.Repeat("line\n", historyLimit+1)+"newest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	file, text, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	typed := newRecall(file, text)
	if n := len(typed.lines); n != historyLimit || string(typed.lines[n-1]) != "newest" {
		t.Errorf("%d lines are read", n)
	}
	typed.add([]rune("even newer"))
	typed.add([]rune("even newer"))
	typed.add([]rune("  "))
	text, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n >= historyLimit || !strings.HasSuffix(string(text), "line\nnewest\neven newer\n") {
		t.Errorf("%d lines are kept", n)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("files beside the history: %v, %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || (os.PathSeparator == '/' && info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, _, err := openHistory(t.TempDir()); err == nil {
		t.Error("a folder was taken for a history file")
	}
}
