package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// TestHostileScreen says the Big List of Naughty Strings and a thousand strings made to
// steer a terminal, as text, whisper, nick, topic, room and reason, to members of every
// kind: in a real terminal, in plain mode, in a pipe, in JSON. None of it may reach a
// terminal as anything but text.
func TestHostileScreen(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: hostile text is tried on no real screen")
	}
	t.Parallel()
	s := newScreens(t)
	s.watch()
	s.attack(append(naughty(t), hostile(1000)...))
	s.check()
}

// naughty are the 485 strings of the list.
func naughty(t *testing.T) []string {
	data, err := os.ReadFile(filepath.Join("ui", "testdata", "blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil || len(all) != 485 {
		t.Fatalf("%d strings: %v", len(all), err)
	}
	return all
}

// pieces are what terminals and eyes are steered with. victim never speaks.
var pieces = []string{
	"\x1b[2J", "\x1b[H", "\x1b[1;1H", "\x1b[31;1m", "\x1b[?1049h", "\x1b[?25l", "\x1b[?2004l", "\x1b[3J", "\x1bc", "\x1b[!p", "\x1b(0", "\x1b#8", "\x1b[6n", "\x1b[c",
	"\x1b]0;owned\a", "\x1b]2;owned\x1b\\", "\x1bkowned\x1b\\", "\x1b]52;c;b3duZWQ=\a", "\x1b]8;;https://evil.example\x1b\\good\x1b]8;;\x1b\\", "\x1b]9;owned\a",
	"\x1b]777;notify;owned;owned\a", "\x1b]1337;File=inline=1:AAAA\a", "\x1b_Ga=T,f=100;AAAA\x1b\\", "\x1bPq#0;2;0;0;0~\x1b\\", "\x1b^owned\x1b\\", "\x1bXowned\x1b\\", "\x1b[200~", "\x1b[201~",
	"\u009b2J", "\u009d0;owned\u009c", "\u0090q\u009c", "\u0085", "\u008d", "\x1b\x1b[[2J2J",
	"\r00:00 victim owned", "\n00:00 victim owned", "\r\n00:00 victim owned", "\v\f", "\b\b\b\b\b\b\b\b", "\a", "\x00", "\x7f", "\x0e\x0f", "\t\t", "\x05", "\x11\x13",
	"\u202e", "\u202a\u202b\u202d", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c", "\u200b\u2060\ufeff", "\u2028\u2029", "\u3164\u115f\uffa0", "\U000e0041\U000e007f", "\ufe00\U000e0100",
	"Z" + strings.Repeat("\u0335", 200), strings.Repeat("\u0301", 40), "\ue000\U000f0000", "👩‍👧‍👦", "🏴\U000e0067\U000e0062\U000e007f", "你好", "مرحبا", strings.Repeat("x", 200), "https://example.org/a", "*b* `c` > d", "\u00a0", "#lobby> ", "-- ", "!! ", "│ ",
	strings.Repeat("\uff9e", 70) + "00:00 victim owned", strings.Repeat("\uff9f", 30), strings.Repeat("\u09be", 50) + "00:00 victim owned", strings.Repeat("\u0b57", 40),
	strings.Repeat("\u302e", 40), strings.Repeat("👍🏽", 25) + "00:00 victim owned", strings.Repeat("\ufdfd", 30), strings.Repeat("㉈䷀", 30), strings.Repeat("█", 90), "ｶﾞ",
	"p2pchat:" + strings.Repeat("a", 86) + "00:00_victim_owned",
}

// hostile makes strings of such pieces.
func hostile(n int) []string {
	r := rand.New(rand.NewPCG(7, 11))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			if r.IntN(2) == 0 {
				fmt.Fprintf(&b, "text%d", r.IntN(100))
			}
		}
		out[i] = b.String()
	}
	return out
}

// screens is a host with an attacker, and members who watch in every way there is.
type screens struct {
	*stage
	tmux    func(args ...string) string
	mallory *process
	readers map[string]*process
	said    int
}

func newScreens(t *testing.T) *screens {
	s := &screens{stage: newStage(t), readers: map[string]*process{}}
	s.start()
	socket := filepath.Join(s.dir, "tmux")
	s.tmux = func(args ...string) string {
		t.Helper()
		out, err := exec.Command("tmux", append([]string{"-u", "-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil && args[0] != "kill-server" {
			t.Fatalf("tmux %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() {
		s.tmux("kill-server")
		for _, p := range s.readers {
			p.kill()
		}
	})
	return s
}

// terminals are the members at a real terminal: without looks, with all of them, and with
// JSON on it.
var terminals = []string{"screen", "links", "jsontty"}

// watch starts the members, and waits until they are in the room.
func (s *screens) watch() {
	join := func(name string, args ...string) *process {
		p, err := begin(name, s.command(append(args, s.target("tcp"), "--room", "arena", "--data", filepath.Join(s.dir, name), "--nick", name)...), s.log)
		if err != nil {
			s.Fatal(err)
		}
		s.readers[name] = p
		return p
	}
	s.mallory = join("mallory", "join", "--json", "--create")
	if _, err := s.mallory.out.await(func(line string) bool { return strings.Contains(line, `"event":"entered"`) }, false); err != nil {
		s.Fatal(err)
	}
	join("json", "join", "--json")
	join("plain", "join", "--plain")
	join("pipe", "join")
	for i, name := range terminals {
		args := []string{"join", s.target("tcp"), "--room", "arena", "--data", filepath.Join(s.dir, name), "--nick", name, "--bell", "off"}
		looks := []string{"NO_COLOR=1"}
		switch name {
		case "jsontty":
			args = append(args, "--json")
		case "links":
			args = append(args, "--color", "always", "--images", "none")
			looks = []string{"-u", "TMUX", "-u", "STY", "-u", "NO_COLOR", "TERM=xterm-kitty", "FORCE_HYPERLINK=1"}
		}
		start := append([]string{"new-session", "-d", "-s", name, "-x", "100", "-y", "30", "env"}, looks...)
		start = append(start, "TZ=UTC", "HOME="+s.dir, "P2PCHAT_NETWORK=none",
			"sh", "-c", "while [ ! -e "+s.raw(name)+" ]; do sleep 0.01; done; exec \"$@\"", "sh", s.program)
		s.tmux(append(start, args...)...)
		if i == 0 {
			s.tmux("set", "-g", "history-limit", "50000")
		}
		s.tmux("pipe-pane", "-t", name, "cat >"+s.raw(name))
	}
	for name, p := range s.readers {
		in := `"event":"entered"`
		from := p.out
		if name == "plain" || name == "pipe" {
			in = "in #arena as"
		}
		if name == "pipe" {
			from = p.err
		}
		if _, err := from.await(func(line string) bool { return strings.Contains(line, in) }, false); err != nil {
			s.Fatal(err)
		}
	}
	s.awaitRaw("screen", "in #arena as screen")
	s.awaitRaw("links", "in #arena as links")
	s.awaitRaw("jsontty", `"event":"entered"`)
}

func (s *screens) raw(name string) string { return filepath.Join(s.dir, name+".raw") }

// awaitRaw waits until a terminal has got a text.
func (s *screens) awaitRaw(name, text string) {
	s.Helper()
	for deadline := time.Now().Add(enough); ; time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(s.raw(name))
		if strings.Contains(string(data), text) {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s never shows %q; it shows:\n%s", name, text, s.tmux("capture-pane", "-p", "-t", name))
		}
	}
}

// attack lets the attacker, and others who only come to go, say all strings, and waits
// until everybody has seen the last word.
func (s *screens) attack(texts []string) {
	ask := func(do map[string]any) {
		line, err := json.Marshal(do)
		if err == nil {
			err = s.mallory.tell(string(line))
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	line := func(text string) { ask(map[string]any{"do": "line", "text": text}) }
	s.shareFiles(texts, ask)
	for i, text := range texts {
		if i%60 == 0 {
			s.quitWith(text)
		}
		ask(map[string]any{"do": "say", "text": fmt.Sprintf("%s k%04d", text, i)})
		switch i % 12 {
		case 0:
			line("/me " + text)
		case 1:
			line("/msg screen " + text)
			line("/msg plain " + text)
		case 2:
			line("/topic " + text)
		case 5:
			line("/kick guest " + text)
		case 3:
			ask(map[string]any{"do": "nick", "nick": text})
		case 4:
			ask(map[string]any{"do": "create", "room": text, "topic": text})
			ask(map[string]any{"do": "join", "room": "arena"})
		}
	}
	ask(map[string]any{"do": "say", "text": "the last word", "ref": "last"})
	for _, name := range []string{"json", "plain", "pipe", "mallory"} {
		if _, err := s.readers[name].out.await(func(line string) bool { return strings.Contains(line, "the last word") }, false); err != nil {
			s.Fatal(err)
		}
	}
	s.awaitRaw("screen", "the last word")
	s.awaitRaw("links", "the last word")
	s.awaitRaw("jsontty", "the last word")
	s.said = len(texts)
}

// shareFiles lets the attacker share files that are called like every twentieth text. Most
// are accepted: a name may hold all but control characters, which the client replaces.
func (s *screens) shareFiles(texts []string, ask func(map[string]any)) {
	shared, tried := 0, 0
	for i := 0; i < len(texts); i += 20 {
		name := strings.NewReplacer("/", "", "\x00", "").Replace(texts[i])
		name = strings.ToValidUTF8(name[:min(len(name), 200)], "")
		path := filepath.Join(s.dir, "files", fmt.Sprint(i), name)
		if name == "" || name == "." || name == ".." || os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, []byte(texts[i]), 0o600) != nil {
			continue
		}
		tried++
		ask(map[string]any{"do": "send", "path": path, "caption": texts[i], "ref": fmt.Sprint("file", i)})
		answer, err := s.mallory.out.await(func(line string) bool {
			return strings.Contains(line, fmt.Sprintf(`"ref":"file%d"`, i)) && !strings.Contains(line, `"type":"transfer"`)
		}, true)
		if err != nil {
			s.Fatal(err)
		}
		if strings.Contains(answer, `"type":"ok"`) {
			shared++
		}
	}
	if shared < tried*2/3 || tried < len(texts)/40 {
		s.Errorf("only %d of %d files were shared", shared, tried)
	}
}

// quitWith lets somebody come, and leave with a reason.
func (s *screens) quitWith(reason string) {
	c := s.command("join", s.target("tcp"), "--room", "arena", "--data", filepath.Join(s.dir, "guest"), "--nick", "guest", "--json")
	request, err := json.Marshal(map[string]any{"do": "line", "text": "/quit " + reason})
	if err != nil {
		s.Fatal(err)
	}
	c.Stdin = strings.NewReader(string(request) + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		s.Fatalf("a guest: %v\n%s", err, out)
	}
}

// check looks at what everybody has got.
func (s *screens) check() {
	messages := 0
	for _, line := range s.readers["json"].out.soFar() {
		var e struct{ Type, Kind string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.Fatalf("no JSON: %q", line)
		}
		if e.Type == "message" && e.Kind == "text" {
			messages++
		}
	}
	if messages < s.said*9/10 { // a few are too long, or nothing but blanks
		s.Errorf("only %d of %d strings were said", messages, s.said)
	}
	for name, lines := range map[string][]string{
		"plain": s.readers["plain"].out.soFar(), "pipe": s.readers["pipe"].out.soFar(), "pipe:err": s.readers["pipe"].err.soFar(),
		"host:err": s.host.err.soFar(),
	} {
		for _, line := range lines {
			if bad := steers(line, "\t"); bad >= 0 {
				s.Fatalf("%s is steered at byte %d: %q", name, bad, line)
			}
			if forged.MatchString(line) {
				s.Errorf("%s: a message is forged: %q", name, line)
			}
		}
	}
	for _, name := range []string{"plain", "pipe"} {
		if n := numbered(strings.Join(s.readers[name].out.soFar(), "\n")); n < messages-1 {
			s.Errorf("%s shows %d of %d messages", name, n, messages)
		}
	}
	s.checkTerminal(messages)
}

// forged is a row that looks like a message of somebody who has said nothing.
var forged = regexp.MustCompile(`^\S*\d\d:\d\d\S*\s+victim`)

// numbered counts the messages in an output by the numbers that they end with.
func numbered(output string) int {
	seen := map[string]bool{}
	for _, number := range regexp.MustCompile(`k\d{4}\b`).FindAllString(output, -1) {
		seen[number] = true
	}
	return len(seen)
}

// steers returns where a text holds what steers a terminal or reorders what is on it; -1:
// nowhere.
func steers(text, allowed string) int {
	if !utf8.ValidString(text) {
		return 0
	}
	return strings.IndexFunc(text, func(r rune) bool {
		return unicode.Is(unicode.Cc, r) && !strings.ContainsRune(allowed, r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

// ours are the sequences that the line editor itself writes, and looks those of a chat
// with colours.
var (
	ours  = regexp.MustCompile(`\x1b\[(\?2026[hl]|\?25[hl]|\?7[hl]|0m|2m|2?K|\d+[AG])`)
	looks = regexp.MustCompile(`\x1b\[(1|3|4|7|3[1-6]|2;4|1;7|38;5;(31|35|37|64|69|98|130|136|161|166|170|172))m`)
	links = regexp.MustCompile(`\x1b\]8;;([!-~]+)\x1b\\([!-~]+)\x1b\]8;;\x1b\\`)
)

// checkTerminal looks at what real terminals were sent, and at what became of them.
func (s *screens) checkTerminal(messages int) {
	for _, name := range terminals {
		data, err := os.ReadFile(s.raw(name))
		if err != nil {
			s.Fatal(err)
		}
		text := string(data)
		if name != "jsontty" {
			text = s.checkFrames(name, text)
			if n := numbered(text); n < messages-1 {
				s.Errorf("%s shows %d of %d messages", name, n, messages)
			}
		}
		if bad := steers(text, "\r\n"); bad >= 0 {
			s.Errorf("%s is steered: %q", name, text[max(0, bad-100):min(len(text), bad+100)])
		}
		if name != "jsontty" {
			for _, row := range strings.Split(s.tmux("capture-pane", "-p", "-t", name, "-S", "-"), "\n") {
				if forged.MatchString(row) {
					s.Errorf("on %s a message is forged: %q", name, row)
				}
			}
		}
		s.checkState(name)
	}
	if buffers := s.tmux("list-buffers"); buffers != "" {
		s.Errorf("text came into the clipboard: %s", buffers)
	}
}

// checkFrames looks that a terminal was sent whole frames, and returns what is in them
// without our own sequences. The terminal may be drawn on still: what comes behind the
// last whole frame does not count.
func (s *screens) checkFrames(name, text string) string {
	const end = "\x1b[?7h\x1b[?25h\x1b[?2026l"
	text = text[:strings.LastIndex(text, end)+len(end)]
	frames := strings.Count(text, end)
	for _, once := range []string{"\x1b[?2026h\x1b[?25l", "\x1b[?2026h", "\x1b[?2026l", "\x1b[?25l", "\x1b[?25h"} {
		if n := strings.Count(text, once); n != frames {
			s.Errorf("%s: %d frames and %d times %q", name, frames, n, once)
		}
	}
	text = ours.ReplaceAllString(strings.Replace(text, "\x1b[?2004h", "", 1), "")
	if name != "links" {
		return text
	}
	seen := 0
	text = links.ReplaceAllStringFunc(looks.ReplaceAllString(text, ""), func(link string) string {
		if m := links.FindStringSubmatch(link); m[1] == m[2] {
			seen++
			return m[1]
		}
		return link // which steers
	})
	if seen == 0 {
		s.Errorf("%s shows no hyperlink", name)
	}
	return text
}

// checkState looks that a terminal is in the state of one that only text was written to.
func (s *screens) checkState(name string) {
	host, _ := os.Hostname()
	want := host + "|0|1|0|0|1|0\n"
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // a frame may be under way
		state := s.tmux("display", "-p", "-t", name, "#{pane_title}|#{alternate_on}|#{cursor_flag}|#{insert_flag}|#{origin_flag}|#{wrap_flag}|#{scroll_region_upper}")
		if state == want {
			return
		}
		if time.Now().After(deadline) {
			s.Errorf("%s is in the state %q, want %q", name, state, want)
			return
		}
	}
}
