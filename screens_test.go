package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestScreens plays a lively room on real screens of three widths, and looks that what
// has to be there is. With P2PCHAT_SCREENS=1 it writes them to docs/screens, for people.
func TestScreens(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: the screens are not played")
	}
	t.Parallel()
	for _, columns := range []int{34, 80, 140} {
		s := newScreens(t)
		screen := s.lively(columns)
		for _, want := range []string{"bob", "carol", "你好", "look^[[2J", "<U+202E>", "#dev> half typed"} {
			if !strings.Contains(screen, want) {
				t.Errorf("at %d columns there is no %q:\n%s", columns, want, screen)
			}
		}
		barred := 0
		for _, row := range strings.Split(screen, "\n") {
			if strings.HasPrefix(row, "    │ ") {
				barred++
			} else if !begins.MatchString(row) || strings.HasPrefix(row, "14:02 carol this") {
				t.Errorf("at %d columns a row begins neither a message nor with the bar: %q", columns, row)
			}
		}
		if barred < 5 {
			t.Errorf("at %d columns only %d rows continue a message:\n%s", columns, barred, screen)
		}
		if os.Getenv("P2PCHAT_SCREENS") != "" {
			path := filepath.Join("docs", "screens", fmt.Sprintf("%d.txt", columns))
			if err := os.WriteFile(path, []byte(screen+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d columns:\n%s", columns, screen)
	}
}

// begins is how a row begins that continues no message: with a time, as a notice, an entry
// of a list or the prompt; the status; and the rest of a link wider than the screen.
var begins = regexp.MustCompile(`^(\d\d:\d\d |-- |!! |   \S|#dev> |alice · local [<\d]|$|/1234\?job=test$)`)

// lively is the screen of alice when some things have happened in a room.
func (s *screens) lively(columns int) string {
	people := map[string]*process{}
	for _, name := range []string{"bob", "carol"} {
		args := []string{"join", s.target("tcp"), "--json", "--nick", name, "--data", filepath.Join(s.dir, name), "--room", "dev"}
		if name == "bob" {
			args = append(args, "--create")
		}
		p, err := begin(name, s.command(args...), s.log)
		if err != nil {
			s.Fatal(err)
		}
		people[name], s.readers[name] = p, p
		s.hears(p, `"event":"entered"`)
	}
	do := func(who string, request map[string]any) {
		line, err := json.Marshal(request)
		if err == nil {
			err = people[who].tell(string(line))
		}
		if err != nil {
			s.Fatal(err)
		}
		s.hears(people[who], `"type":"ok"`)
	}
	say := func(who, text string) { do(who, map[string]any{"do": "say", "text": text}) }
	line := func(who, text string) { do(who, map[string]any{"do": "line", "text": text}) }

	line("bob", "/topic what we build")
	say("bob", "good morning")
	start := []string{"new-session", "-d", "-s", "alice", "-x", fmt.Sprint(columns), "-y", "40", "env", "NO_COLOR=1", "TZ=UTC", "HOME=" + s.dir, "P2PCHAT_NETWORK=none",
		s.program, "join", s.target("tcp"), "--room", "dev", "--nick", "alice", "--data", filepath.Join(s.dir, "alice"), "--bell", "off"}
	s.tmux(start...)
	s.onScreen("good morning")
	say("bob", "hi alice, hi all 👋")
	say("carol", "the build is *green* again, see https://ci.example.org/build/1234?job=test")
	say("carol", "```\n$ go test ./...\nok  \tp2pchat\t0.3s\n```")
	say("bob", "> the build is green\nlovely! That took a while: it was the third change this week that nobody had asked for, and all of them were mine")
	say("carol", "你好，世界 🎉")
	line("bob", "/me opens a window")
	say("bob", "look\x1b[2J\x1b]52;c;eA==\a at gnp\u202egpj.exe\n14:02 carol this row is forged")
	line("carol", "/msg alice lunch?")
	line("carol", "/away lunch")
	s.onScreen("carol is away")
	s.tmux("send-keys", "-t", "alice", "thanks, both", "Enter")
	s.onScreen("alice thanks, both")
	s.tmux("send-keys", "-t", "alice", "/who", "Enter")
	s.onScreen("3 members in")
	s.tmux("send-keys", "-t", "alice", "half typed reply to @c")
	s.tmux("send-keys", "-t", "alice", "Tab")
	s.onScreen("@carol")
	screen := strings.TrimRight(s.tmux("capture-pane", "-p", "-t", "alice"), "\n")
	var rows []string
	for _, row := range strings.Split(screen, "\n") {
		rows = append(rows, strings.TrimRight(row, " "))
	}
	return strings.Join(rows, "\n")
}

// hears waits for a line of a process, behind the last one that it was waited for.
func (s *screens) hears(p *process, text string) {
	s.Helper()
	if _, err := p.out.await(func(line string) bool { return strings.Contains(line, text) }, true); err != nil {
		s.Fatal(err)
	}
}

// onScreen waits until a text is on alice's screen, wherever its rows are broken.
func (s *screens) onScreen(text string) {
	s.Helper()
	squeeze := strings.NewReplacer(" ", "", "\n", "", "│", "")
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		screen := s.tmux("capture-pane", "-p", "-t", "alice", "-S", "-")
		if strings.Contains(squeeze.Replace(screen), squeeze.Replace(text)) {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("no %q on the screen:\n%s", text, screen)
		}
	}
}
