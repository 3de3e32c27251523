//go:build unix

package ui

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// ptyWindow is a terminal with the program in it.
type ptyWindow struct {
	*child
	pty     *os.File
	tty     *os.File // the program's end, held to look at its modes
	cmd     *exec.Cmd
	dies    bool          // the program is meant to
	changed chan struct{} // of capacity one

	mu     sync.Mutex
	screen vt10x.Terminal // guarded by mu, as is raw
	raw    bytes.Buffer   // all output
}

func openPtyWindow(t testing.TB, columns, rows int, history string) *ptyWindow {
	t.Helper()
	c, listener := newChild(t, history)
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	w := &ptyWindow{
		child: c, pty: ptmx, tty: tty, cmd: c.command(), changed: make(chan struct{}, 1),
		screen: vt10x.New(vt10x.WithSize(columns, rows)),
	}
	if err := pty.Setsize(ptmx, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		t.Fatal(err)
	}
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = tty, tty, tty
	w.cmd.SysProcAttr = sessionLeader()
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		w.copy()
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
		_ = tty.Close()
		_ = ptmx.Close()
		<-read
		if w.dies {
			return
		}
		for _, fault := range []string{"panic:", "DATA RACE", "fatal error:"} {
			if i := strings.Index(w.output(), fault); i >= 0 {
				t.Errorf("the program says:\n%.5000s", w.output()[i:])
			}
		}
	})
	c.accept(listener)
	w.wait("the prompt", func(s string) bool { return strings.Contains(s, "#lobby>") })
	return w
}

// copy feeds the emulator.
func (w *ptyWindow) copy() {
	buf := make([]byte, 32<<10)
	for {
		n, err := w.pty.Read(buf)
		w.mu.Lock()
		w.raw.Write(buf[:n])
		_, _ = w.screen.Write(buf[:n])
		w.mu.Unlock()
		select {
		case w.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (w *ptyWindow) press(keys string) {
	w.t.Helper()
	if _, err := w.pty.WriteString(keys); err != nil {
		w.t.Fatal(err)
	}
}

// text is the screen without blanks at the ends of rows.
func (w *ptyWindow) text() string {
	w.mu.Lock()
	rows := strings.Split(w.screen.String(), "\n")
	w.mu.Unlock()
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}

func (w *ptyWindow) output() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.raw.String()
}

// wait waits until the screen is as it should be.
func (w *ptyWindow) wait(what string, ok func(screen string) bool) {
	w.t.Helper()
	limit := time.After(deadline)
	for !ok(w.text()) {
		select {
		case <-w.changed:
		case <-limit:
			seen := w.text()
			w.t.Fatalf("no %s on the screen:\n%s\nwhat the program does:\n%.20000s", what, seen, w.stacks())
		}
	}
}

// stacks ends the program, which says what it was doing.
func (w *ptyWindow) stacks() string {
	before := len(w.output())
	if w.cmd.Process.Signal(syscall.SIGQUIT) != nil {
		return ""
	}
	_ = w.cmd.Wait()
	time.Sleep(100 * time.Millisecond) // nothing tells when all of it was read
	return w.output()[before:]
}

func (w *ptyWindow) waitFor(text string) {
	w.t.Helper()
	w.wait(text, func(s string) bool { return strings.Contains(s, text) })
}

// waitCursor waits for the cursor, counted from 0.
func (w *ptyWindow) waitCursor(x, y int) {
	w.t.Helper()
	w.wait("cursor there", func(string) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		c := w.screen.Cursor()
		return c.X == x && c.Y == y
	})
}

// waitOutput waits for bytes of the raw output after from.
func (w *ptyWindow) waitOutput(from int, text string) {
	w.t.Helper()
	w.wait("such output", func(string) bool { return strings.Contains(w.output()[from:], text) })
}

func (w *ptyWindow) resize(columns, rows int) {
	w.t.Helper()
	w.mu.Lock()
	w.screen.Resize(columns, rows)
	w.mu.Unlock()
	if err := pty.Setsize(w.pty, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		w.t.Fatal(err)
	}
}
