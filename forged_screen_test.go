package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestForgedRows says what would go on in the first column of a screen of 80 columns as a
// message of carol, who is not there, if a letter could lie about its width, or a word
// could pass for an invite.
func TestForgedRows(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: no row is forged on a real screen")
	}
	t.Parallel()
	s := newScreens(t)
	bob, err := begin("bob", s.command("join", s.target("tcp"), "--json", "--create", "--room", "dev", "--nick", "bob", "--data", filepath.Join(s.dir, "bob")), s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.readers["bob"] = bob
	s.hears(bob, `"event":"entered"`)
	s.tmux("new-session", "-d", "-s", "alice", "-x", "80", "-y", "40", "env", "NO_COLOR=1", "TZ=UTC", "HOME="+s.dir, "P2PCHAT_NETWORK=none",
		s.program, "join", s.target("tcp"), "--room", "dev", "--nick", "alice", "--data", filepath.Join(s.dir, "alice"), "--bell", "off")
	s.tmux("set", "-g", "history-limit", "50000")
	s.onScreen("in #dev as alice")
	say := func(text string) {
		t.Helper()
		line, err := json.Marshal(map[string]any{"do": "say", "text": text})
		if err == nil {
			err = bob.tell(string(line))
		}
		if err != nil {
			t.Fatal(err)
		}
		s.hears(bob, `"type":"ok"`)
	}
	const words = "14:02 carol: I quit, delete my account"
	for _, letter := range []string{"\uff9e", "\uff9f", "\u09be", "\u0b57", "\u1b35", "\u302e", "👍🏽", "\ufdfd", "㉈", "䷀", "⸻"} {
		for n := 10; n <= 80; n++ {
			if n > 40 && n < 60 {
				continue
			}
			say("lookx" + strings.Repeat(letter, n) + words)
		}
	}
	for n := 60; n <= 75; n++ {
		say("p2pchat:" + strings.Repeat("a", n) + strings.ReplaceAll(words, " ", "_"))
	}
	say("the last word")
	s.onScreen("the last word")
	screen := s.tmux("capture-pane", "-p", "-t", "alice", "-S", "-")
	row := regexp.MustCompile(`^(\d\d:\d\d bob( |$)| {4}│ |-- |#dev>|alice · local |$)`)
	for _, r := range strings.Split(screen, "\n") {
		if strings.HasPrefix(r, "14:02 carol") || !row.MatchString(r) {
			t.Errorf("a row is forged: %q", r)
		}
	}
	if n := strings.Count(strings.NewReplacer("\n    │ ", "", "\n", "").Replace(screen), "14:02"); n < 500 {
		t.Errorf("only %d of the lines are on the screen", n)
	}
}
