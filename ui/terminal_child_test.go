//go:build unix

package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests of the real terminal run this test binary once more, as a small
// program that chats with nobody: it reads lines and does what the test says over
// a socket. deadline is far beyond what any of them needs.
const deadline = 20 * time.Second

// TestTerminalChild is that program; in an ordinary run it does nothing.
func TestTerminalChild(t *testing.T) {
	socket := os.Getenv("P2PCHAT_TEST_SOCKET")
	if socket == "" {
		t.Skip("only runs as the child of other tests")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	term, err := NewReadline(ReadlineOptions{
		HistoryFile: os.Getenv("P2PCHAT_TEST_HISTORY"), Prompt: "#lobby> ", NoSuspend: os.Getenv("P2PCHAT_TEST_CONSOLE") != "",
	})
	if err != nil {
		fmt.Fprintf(conn, "error %v\n", err)
		os.Exit(1)
	}
	term.SetCompleter(completeInChild)
	go childReads(term, conn)
	childObeys(term, conn)
	os.Exit(0)
}

// completeInChild knows some words and the paths behind /send.
func completeInChild(before string) Completion {
	from := strings.LastIndexByte(before, ' ') + 1
	switch {
	case strings.HasPrefix(before, "/send "):
		return Completion{len("/send "), pathsLike(before[len("/send "):])}
	case before == "panic":
		panic("in the library's goroutine")
	}
	words := []string{"/join", "/leave", "/list", "日本語", "日本酒"}
	for i := range 40 {
		words = append(words, fmt.Sprintf("word%02d", i))
	}
	return Completion{from, startingWith(words, before[from:], "", "")}
}

func childReads(term Terminal, conn net.Conn) {
	for {
		line, err := term.ReadLine()
		switch {
		case errors.Is(err, ErrInterrupt):
			fmt.Fprintf(conn, "interrupt %q\n", line)
		case errors.Is(err, io.EOF):
			fmt.Fprintf(conn, "eof\n")
			return
		default:
			fmt.Fprintf(conn, "line %q\n", line)
		}
	}
}

func childObeys(term Terminal, conn net.Conn) {
	for orders := bufio.NewScanner(conn); orders.Scan(); {
		verb, rest, _ := strings.Cut(orders.Text(), " ")
		text, _ := strconv.Unquote(rest)
		switch verb {
		case "print":
			term.Print(text)
		case "status":
			term.SetStatus(text)
		case "waiting":
			term.SetWaiting(strings.Fields(text)...)
		case "edit":
			if err := term.Edit(text); err != nil {
				fmt.Fprintf(conn, "refused %v\n", err)
			}
		case "return":
			term.Return(text)
		case "prompt":
			term.SetPrompt(text)
		case "width":
			fmt.Fprintf(conn, "width %d\n", term.Width())
		case "flood", "drip": // so many lines, a thousand a second or a hundred
			n, _ := strconv.Atoi(text)
			tick := time.NewTicker(map[string]time.Duration{"flood": time.Millisecond, "drip": 10 * time.Millisecond}[verb])
			for i := range n {
				<-tick.C
				term.Print(fmt.Sprintf("flood %04d", i))
			}
			fmt.Fprintf(conn, "flooded\n")
		case "stop": // from outside, without a key
			fmt.Fprintf(conn, "stopping\n")
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		case "restore":
			term.(Restorer).Restore()
			fmt.Fprintf(conn, "restored\n")
		case "panic":
			term.(*readlineTerminal).display.do(func() { panic("in the display's goroutine") })
		case "close":
			start := time.Now()
			_ = term.Close()
			fmt.Fprintf(conn, "closed %v\n", time.Since(start) < closeLimit)
		}
	}
}

// child is the test's end of the program.
type child struct {
	t       testing.TB
	conn    net.Conn
	reports chan string
	args    []string
	env     []string
}

// newChild prepares the program; args and env start it, on whatever terminal.
func newChild(t testing.TB, history string) (*child, net.Listener) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ui") // short enough for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &child{t: t, reports: make(chan string, 10000)}
	c.args = []string{os.Args[0], "-test.run=^TestTerminalChild$", "-test.timeout=5m"}
	c.env = []string{"P2PCHAT_TEST_SOCKET=" + socket, "P2PCHAT_TEST_HISTORY=" + history}
	return c, listener
}

// accept waits for the program to say that it runs.
func (c *child) accept(listener net.Listener) {
	c.t.Helper()
	_ = listener.(*net.UnixListener).SetDeadline(time.Now().Add(deadline))
	conn, err := listener.Accept()
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn = conn
	c.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		defer close(c.reports)
		s := bufio.NewScanner(conn)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			c.reports <- s.Text()
		}
	}()
}

func (c *child) command() *exec.Cmd {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	return cmd
}

// order tells the program to do something with a text.
func (c *child) order(verb, text string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, "%s %q\n", verb, text); err != nil {
		c.t.Fatal(err)
	}
}

// expect waits for the program's next report.
func (c *child) expect(want string) {
	c.t.Helper()
	select {
	case got := <-c.reports:
		if got != want {
			c.t.Fatalf("the program reports %.200s, want %.200s", got, want)
		}
	case <-time.After(deadline):
		c.t.Fatalf("the program does not report %.200s", want)
	}
}

// expectBoth waits for two reports that may come in any order.
func (c *child) expectBoth(a, b string) {
	c.t.Helper()
	select {
	case got := <-c.reports:
		switch got {
		case a:
			c.expect(b)
		case b:
			c.expect(a)
		default:
			c.t.Fatalf("the program reports %s, want %s and %s", got, a, b)
		}
	case <-time.After(deadline):
		c.t.Fatalf("the program reports neither %s nor %s", a, b)
	}
}
