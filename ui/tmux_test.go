//go:build unix

package ui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pane is a tmux pane with the program in it: a terminal with wide characters,
// a scrollback and a re-wrap of its own.
type pane struct {
	*child
	socket string
}

// openPane starts the program in tmux, below an interactive shell if one is named.
func openPane(t *testing.T, columns, rows int, shell ...string) *pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: the scrollback, wide characters and ^Z are not tested")
	}
	c, listener := newChild(t, "")
	p := &pane{child: c, socket: filepath.Join(filepath.Dir(listener.Addr().String()), "tmux")}
	config := p.socket + ".conf"
	if err := os.WriteFile(config, []byte("set -g history-limit 20000\nset -g remain-on-exit on\nset -sg escape-time 10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := append(append([]string{"env"}, c.env...), c.args...)
	if len(shell) > 0 {
		start = append(append([]string{"env", "PS1=shell% "}, c.env...), shell...)
	}
	args := []string{"-f", config, "new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows)}
	p.tmux(append(args, start...)...)
	t.Cleanup(func() {
		if out := p.capture(); strings.Contains(out, "panic:") || strings.Contains(out, "DATA RACE") {
			t.Errorf("the program says:\n%s", out)
		}
		p.tmux("kill-server")
	})
	if len(shell) > 0 {
		p.wait("shell", func(s string) bool { return strings.Contains(s, "shell%") })
		p.press(strings.Join(c.args, " ") + "\r")
	}
	c.accept(listener)
	p.wait("prompt", func(s string) bool { return strings.Contains(s, "#lobby>") })
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", p.socket}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (p *pane) press(keys string) {
	p.t.Helper()
	args := []string{"send-keys", "-H"}
	for _, b := range []byte(keys) {
		args = append(args, fmt.Sprintf("%02x", b))
	}
	p.tmux(args...)
}

// capture is the scrollback and the screen.
func (p *pane) capture() string {
	return strings.TrimRight(p.tmux("capture-pane", "-p", "-J", "-S", "-"), " \n")
}

// wait polls the pane until it is as it should be.
func (p *pane) wait(what string, ok func(s string) bool) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(deadline)
	for !ok(p.capture()) {
		select {
		case <-tick.C:
		case <-limit:
			p.t.Fatalf("no %s in the pane:\n%s", what, p.capture())
		}
	}
}

func (p *pane) waitEnd(text string) {
	p.t.Helper()
	p.wait(text, func(s string) bool { return strings.HasSuffix(s, text) })
}

func (p *pane) cursor() string {
	return strings.TrimSpace(p.tmux("display-message", "-p", "#{cursor_x}"))
}

// holdsOnce checks that every message is in the scrollback, once and in order,
// and that there is one prompt.
func holdsOnce(t *testing.T, all, format string, n int) {
	t.Helper()
	at := 0
	for i := range n {
		message := fmt.Sprintf(format, i)
		next := strings.Index(all[at:], message)
		if count := strings.Count(all, message); count != 1 || next < 0 {
			t.Fatalf("%q is there %d times, or out of order", message, count)
		}
		at += next
	}
	if n := strings.Count(all, "#lobby>"); n != 1 {
		t.Errorf("%d prompts, want 1:\n%s", n, all)
	}
}

// flooding is how many messages a flood has: three seconds of them.
func flooding() int {
	if testing.Short() {
		return 1000
	}
	return 3000
}

func TestTmuxScrollbackKeepsEveryMessage(t *testing.T) {
	p, n := openPane(t, 40, 20), flooding()
	p.press(strings.Repeat("abcdefghi ", 13)) // four rows
	p.press(strings.Repeat("\x1b[D", 65))
	p.order("flood", fmt.Sprint(n))
	for i := range n / 50 * 6 {
		p.press([]string{"x", "\x1b[C", "\x1b[D", "\x7f", "你", "\x7f"}[i%6])
	}
	p.expect("flooded")
	p.press("|\r")
	half := strings.Repeat("abcdefghi ", 6)
	p.expect(fmt.Sprintf("line %q", half+"abcde|fghi "+half))
	p.press("after\x01")
	p.waitEnd(fmt.Sprintf("flood %04d\n#lobby> after", n-1))
	holdsOnce(t, p.capture(), "flood %04d", n)
}

func TestTmuxCursorAmongWideCharacters(t *testing.T) {
	p := openPane(t, 60, 10)
	for _, step := range []struct {
		keys, show string
		column     int
	}{
		{"a你好", "a你好", 13},
		{"🎉b", "🎉b", 16},
		{"\x1b[D\x1b[D", "🎉b", 13},
		{"\x1b[D", "🎉b", 11},
		{"x", "你x好", 12},
		{"\x05é", "é", 18},
	} {
		p.press(step.keys)
		p.wait(step.show, func(s string) bool {
			return strings.Contains(s, step.show) && p.cursor() == fmt.Sprint(step.column)
		})
	}
	p.order("print", "爱丽丝 <bob> 你好")
	p.waitEnd("爱丽丝 <bob> 你好\n#lobby> a你x好🎉bé")
}

// Where tmux and uniseg disagree about widths, the cursor is where tmux has it, and no
// row of the block runs over the edge and stays behind.
func TestTmuxCursorWhereWidthsDiffer(t *testing.T) {
	p := openPane(t, 60, 12)
	for _, step := range []struct {
		keys   string
		column int
	}{
		{"aｶﾞ", 11}, {"\x1b[D", 9}, {"\x05", 11},
		{"\u0995\u09be", 13}, {"\x1b[D", 11}, {"\x05", 13},
		{"한국", 17}, {"\x1b[D", 15}, {"\x05", 17},
		{"👍🏽", 21}, {"\x1b[D", 17}, {"\x05", 21}, // two and two for tmux 3.3a
		{"\x7f\x7f\x7f\x7f", 11}, // each goes as a whole
	} {
		p.press(step.keys)
		p.wait(fmt.Sprintf("cursor in column %d after %q", step.column, step.keys), func(string) bool { return p.cursor() == fmt.Sprint(step.column) })
	}
	p.press("\x15" + strings.Repeat("ｶﾞ", 100))
	p.wait("the last row", func(s string) bool { return strings.Count(s, "ﾞ") == 100 })
	p.press("\x01x\x05y\x15")
	p.waitEnd("#lobby>")
	p.order("print", "calm")
	p.waitEnd("calm\n#lobby>")
	if s := p.capture(); strings.Count(s, "#lobby>") != 1 || strings.Contains(s, "ﾞ") {
		t.Errorf("rows of the prompt stay behind:\n%s", s)
	}
}

// resize changes the pane and waits until the program has been told: tmux takes
// its time over that.
func (p *pane) resize(columns, rows int) {
	p.t.Helper()
	p.tmux("resize-window", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows))
	want := fmt.Sprintf("width %d", columns)
	for limit := time.Now().Add(deadline); ; {
		p.order("width", "")
		if got := <-p.reports; got == want {
			return
		}
		if time.Now().After(limit) {
			p.t.Fatalf("the program is never told of %s", want)
		}
	}
}

func TestTmuxResize(t *testing.T) {
	p := openPane(t, 60, 16)
	for i := range 40 { // a screen full: tmux treats an empty one in its own way
		p.order("print", fmt.Sprintf("message %03d", i))
	}
	p.press(strings.Repeat("0123456789", 11))
	p.waitEnd("0123456789")
	for i, columns := range []int{40, 25, 80, 33, 61, 25, 70, 50, 28, 60} {
		p.resize(columns, 12+i%5)
		message := fmt.Sprintf("message %03d", 40+i)
		p.order("print", message)
		p.press("y")
		p.wait("message", func(s string) bool {
			_, tail, found := strings.Cut(s, message)
			return found && strings.Count(tail, "y")-strings.Count(tail, "lobby") == i+1
		})
	}
	p.press("\x15end")
	p.waitEnd("\n#lobby> end")
	holdsOnce(t, p.capture(), "message %03d", 50)
}

// While the terminal has a new size and the program was not told yet, a frame may
// leave a piece of an old prompt behind, but never takes a message away.
func TestTmuxResizeStormKeepsMessages(t *testing.T) {
	p, n := openPane(t, 60, 16), flooding()
	text := strings.Repeat("0123456789", 20)
	p.press(text + strings.Repeat("\x1b[D", 100))
	p.waitEnd("789")
	p.order("flood", fmt.Sprint(n))
	for i := range n / 50 {
		p.tmux("resize-window", "-x", fmt.Sprint(20+i*37%121), "-y", fmt.Sprint(8+i%12))
		p.press("y")
	}
	p.expect("flooded")
	p.resize(90, 20)
	p.press("\r")
	p.expect(fmt.Sprintf("line %q", text[:100]+strings.Repeat("y", n/50)+text[100:]))
	p.press("end")
	p.waitEnd("\n#lobby> end")
	all := p.capture()
	at := 0
	for i := range n {
		message := fmt.Sprintf("flood %04d", i)
		next := strings.Index(all[at:], message)
		if count := strings.Count(all, message); count != 1 || next < 0 {
			t.Fatalf("message %d is there %d times, or out of order", i, count)
		}
		at += next
	}
}

// Stopped and continued in the middle of a flood, nothing is lost or doubled.
func TestTmuxSuspendDuringAFlood(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed: job control is not tested")
	}
	p := openPane(t, 80, 16, shell, "--norc", "--noprofile", "-i")
	p.press("half typed")
	p.waitEnd("#lobby> half typed")
	p.order("flood", "1000")
	for range 3 {
		p.press("\x1a")
		p.waitEnd("shell%")
		p.press("fg\r")
		p.waitEnd("#lobby> half typed")
	}
	p.expect("flooded")
	p.press("!\r")
	p.expect(`line "half typed!"`)
	p.waitEnd("flood 0999\n#lobby>")
	all := p.capture()
	for i := range 1000 {
		if n := strings.Count(all, fmt.Sprintf("flood %04d", i)); n != 1 {
			t.Fatalf("message %d is there %d times", i, n)
		}
	}
}

func TestTmuxSuspend(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed: job control is not tested")
	}
	p := openPane(t, 80, 16, shell, "--norc", "--noprofile", "-i")
	p.order("print", "before")
	p.press("half typed")
	p.waitEnd("before\n#lobby> half typed")
	p.press("\x1a")
	p.waitEnd("shell%")
	p.press("stty -a | grep -o ' icanon'\r")
	p.waitEnd("icanon\nshell%")
	p.press("fg\r")
	p.waitEnd("#lobby> half typed")
	p.order("print", "calm") // no frame is due any more when it is stopped
	p.waitEnd("calm\n#lobby> half typed")
	p.order("stop", "")
	p.expect("stopping")
	p.waitEnd("shell%")
	p.press("fg\r")
	p.waitEnd("#lobby> half typed")
	p.press("!\r")
	p.expect(`line "half typed!"`)
	p.order("close", "")
	p.expectBoth("eof", "closed true")
	p.waitEnd("TestTerminalChild$ -test.timeout=5m") // what the shell says at fg stays
	_ = p.conn.Close()                               // the program ends
	p.waitEnd("shell%")
}
