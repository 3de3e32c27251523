//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// seat is p2pchat join in a terminal of its own.
type seat struct {
	*testing.T
	cmd    *exec.Cmd
	keys   *os.File
	tty    *os.File // the program's end, held to look at its modes
	before *term.State

	mu    sync.Mutex // guards shown
	shown bytes.Buffer
	more  chan struct{} // of capacity one
}

func sitDown(t *testing.T, program, target string) *seat {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	s := &seat{T: t, keys: keys, tty: tty, more: make(chan struct{}, 1)}
	if s.before, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keys, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(program, "join", target, "--network", "none", "--data", filepath.Join(t.TempDir(), "anna"), "--nick", "anna", "--room", "lobby")
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "P2PCHAT_NETWORK=none")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(s, keys)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		_ = tty.Close()
		_ = keys.Close()
		<-read
	})
	s.wait("#lobby> ")
	return s
}

// Write takes what the terminal shows.
func (s *seat) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown.Write(p)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *seat) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

func (s *seat) wait(text string) {
	s.Helper()
	limit := time.After(patience)
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.more:
		case <-limit:
			s.Fatalf("no %q on the terminal:\n%q", text, s.text())
		}
	}
}

// left checks that the program has ended and left the terminal as it was.
func (s *seat) left() {
	s.Helper()
	ended := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		s.Fatalf("it still runs:\n%s", s.text())
	}
	fmt.Fprint(s.tty, "the end") // all it wrote comes before
	s.wait("the end")
	after, err := term.GetState(int(s.tty.Fd()))
	if err != nil || !reflect.DeepEqual(s.before, after) {
		s.Errorf("the modes are not those of before: %v\n%+v\n%+v", err, s.before, after)
	}
	shown := s.text()
	for on, off := range map[string]string{"\x1b[?2004h": "\x1b[?2004l", "\x1b[?25l": "\x1b[?25h", "\x1b[?2026h": "\x1b[?2026l"} {
		if !strings.Contains(shown, on) || strings.LastIndex(shown, on) > strings.LastIndex(shown, off) {
			s.Errorf("%q is not taken back", on)
		}
	}
}

// However a chat ends, its terminal is as it was. Only kill -9 and a crash inside
// of another package leave no chance to tidy up.
func TestTerminalIsGivenBack(t *testing.T) {
	program, err := exec.LookPath("p2pchat")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP) // what is ignored, as under nohup, children ignore as well
	t.Cleanup(func() { signal.Stop(heard) })
	for _, c := range []struct {
		name string
		end  func(s *seat, host *process)
	}{
		{"quit", func(s *seat, _ *process) { fmt.Fprint(s.keys, "/quit\r") }},
		{"^D", func(s *seat, _ *process) { fmt.Fprint(s.keys, "\x04") }},
		{"SIGTERM", func(s *seat, _ *process) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }},
		{"SIGINT", func(s *seat, _ *process) { _ = s.cmd.Process.Signal(syscall.SIGINT) }},
		{"SIGHUP", func(s *seat, _ *process) { _ = s.cmd.Process.Signal(syscall.SIGHUP) }},
		{"SIGQUIT", func(s *seat, _ *process) { _ = s.cmd.Process.Signal(syscall.SIGQUIT) }},
		{"half typed", func(s *seat, _ *process) {
			fmt.Fprint(s.keys, "half \x1b[200~open")
			_ = s.cmd.Process.Signal(syscall.SIGTERM)
		}},
		{"the host is gone", func(s *seat, host *process) {
			_ = host.cmd.Process.Signal(os.Interrupt)
			s.wait("lost")
			fmt.Fprint(s.keys, "/quit\r")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(context.Background(), program, "host", "--json", "--network", "none", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "host"))
			host, err := begin("host", command, newTranscript())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(host.kill)
			line, err := host.out.await(func(line string) bool { return strings.Contains(line, `"type":"listening"`) }, true)
			if err != nil {
				t.Fatal(err)
			}
			_, target, _ := strings.Cut(line, `"join":"p2pchat join `)
			target, _, _ = strings.Cut(target, `"`)
			s := sitDown(t, program, target)
			c.end(s, host)
			s.left()
		})
	}
}
