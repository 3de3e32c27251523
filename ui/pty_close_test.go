//go:build unix

package ui

import (
	"errors"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chzyer/readline"
	"github.com/creack/pty"
)

// ourGoroutines are the stacks of goroutines of this package and of the library.
func ourGoroutines() (stacks []string) {
	buf := make([]byte, 1<<20)
	for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		ours := strings.Contains(stack, "ui.(*keyboard)") || strings.Contains(stack, "ui.(*display)") ||
			strings.Contains(stack, "ui.(*readlineTerminal)") || strings.Contains(stack, "chzyer/readline")
		if ours {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// openHere is a terminal in this process; what it shows is thrown away.
func openHere(t *testing.T) (term Terminal, keys *os.File) {
	t.Helper()
	t.Setenv("TERM", "xterm")
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, ptmx)
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		_ = ptmx.Close()
		<-read
	})
	term, err = NewReadline(ReadlineOptions{Stdin: tty, Stdout: tty, Prompt: "> "})
	if err != nil {
		t.Fatal(err)
	}
	return term, ptmx
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	for _, c := range []struct{ name, keys string }{
		{"at once", ""},
		{"half typed", "half"},
		{"in a search", "half\x12x"},
		{"in a paste", "\x1b[200~open"},
		{"in a question", "\x1b[200~" + strings.Repeat("many\r", 20) + "\x1b[201~"},
		{"in the history", "one\x1b[A\x1b[B\x1b[A"},
		{"behind an end", "\x04more\r"},
		{"typed ahead", "one\rtwo\rthree"},
	} {
		for _, reads := range []int{0, 1, 2} {
			term, keys := openHere(t)
			if _, err := keys.WriteString(c.keys); err != nil {
				t.Fatal(err)
			}
			last := make(chan error, 1)
			go func() {
				var err error
				for range reads {
					_, err = term.ReadLine()
				}
				last <- err
			}()
			start := time.Now()
			if err := term.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took >= closeLimit {
				t.Errorf("%s, %d lines read: Close took %v", c.name, reads, took)
			}
			<-last //nolint:errcheck // how it ended is not the question here
			if line, err := term.ReadLine(); !errors.Is(err, io.EOF) {
				t.Errorf("%s: after Close a line %q, %v", c.name, line, err)
			}
			term.Print("last words")
			if err := term.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	left := ourGoroutines()
	for limit := time.Now().Add(deadline); len(left) > 0 && time.Now().Before(limit); left = ourGoroutines() {
		runtime.Gosched()
	}
	if len(left) > 0 {
		t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}

// A terminal that takes no output any more must not hold up the way out.
func TestCloseOfAStuckTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	defer tty.Close()
	defer ptmx.Close()
	before, err := readline.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	term, err := NewReadline(ReadlineOptions{Stdin: tty, Stdout: tty, Prompt: "> "})
	if err != nil {
		t.Fatal(err)
	}
	term.Print(strings.Repeat("x", 1<<20))
	start := time.Now()
	_ = term.Close()
	if took := time.Since(start); took > 4*closeLimit {
		t.Errorf("Close took %v", took)
	}
	after, err := readline.GetState(int(tty.Fd()))
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("the modes are not restored: %v", err)
	}
}
