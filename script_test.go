package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long one command of a script may take.
const patience = 20 * time.Second

// world is what a script has started.
type world struct {
	env       []string
	processes map[string]*process
	hosts     map[string]hosting
	log       *transcript
}

// hosting is how a host was started, to start it again.
type hosting struct {
	listen []string // its ports, as flags
	flags  []string
}

// key finds a script's world among its values.
type key struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(key{}).(*world) }

func setUp(env *testscript.Env) error {
	for name, value := range map[string]string{
		"P2PCHAT_NETWORK": "none",
		"HOME":            filepath.Join(env.WorkDir, "home"),
		"USERPROFILE":     filepath.Join(env.WorkDir, "home"),
		"XDG_DATA_HOME":   filepath.Join(env.WorkDir, "xdg"),
		"TERM":            "dumb",
		"NO_COLOR":        "1",
		"TZ":              "UTC",
		"GORACE":          os.Getenv("GORACE") + " atexit_sleep_ms=0", // it would wait a second at every exit
	} {
		env.Setenv(name, value)
	}
	w := &world{env: env.Vars, processes: map[string]*process{}, hosts: map[string]hosting{}, log: newTranscript()}
	env.Values[key{}] = w
	env.Defer(func() {
		for _, p := range w.processes {
			p.kill()
		}
	})
	t := env.T().(testing.TB)
	t.Cleanup(func() {
		said := strings.ReplaceAll(w.log.String(), env.WorkDir, "$WORK")
		for _, alarm := range []string{"DATA RACE", "panic: ", "fatal error: "} {
			if strings.Contains(said, alarm) {
				t.Errorf("a process says %q", alarm)
			}
		}
		if t.Failed() {
			t.Logf("transcript:\n%s", said)
		}
	})
	return nil
}

// scriptCommands are the commands that TestScripts explains; least is how many
// words each needs.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for name, c := range map[string]struct {
		least int
		run   func(*testscript.TestScript, []string)
	}{
		"host": {1, startHost}, "restart": {1, restartHost}, "client": {2, startClient}, "start": {2, startAny},
		"exits": {2, exits}, "tell": {2, tell}, "flood": {3, flood},
		"expect": {2, expect}, "sees": {2, sees}, "never": {2, never}, "count": {3, count},
		"eof": {1, closeInput}, "interrupt": {1, interrupt}, "kill9": {1, kill9}, "ended": {1, ended},
		"clean": {1, clean}, "acked": {2, acked}, "ordered": {1, ordered}, "again": {4, again},
		"fill": {3, fill}, "replace": {3, replace}, "same": {2, same}, "write": {2, write}, "damage": {2, damage},
	} {
		all[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < c.least {
				ts.Fatalf("%s takes at least %d words, and no !", name, c.least)
			}
			c.run(ts, args)
		}
	}
	return all
}

// process finds a process by its name.
func (w *world) process(ts *testscript.TestScript, name string) *process {
	p, ok := w.processes[name]
	if !ok {
		ts.Fatalf("nothing was started as %q", name)
	}
	return p
}

// stream finds what a process writes: NAME, or NAME:err.
func (w *world) stream(ts *testscript.TestScript, name string) *stream {
	name, isErr := strings.CutSuffix(name, ":err")
	p := w.process(ts, name)
	if isErr {
		return p.err
	}
	return p.out
}

// command makes a command of [K=V…] PROGRAM [ARG…].
func (w *world) command(ctx context.Context, ts *testscript.TestScript, words []string) *exec.Cmd {
	env := slices.Clone(w.env)
	for len(words) > 1 && assignment.MatchString(words[0]) {
		env, words = append(env, words[0]), words[1:]
	}
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Env, c.Dir = env, ts.MkAbs(".")
	return c
}

var assignment = regexp.MustCompile(`^[A-Z][A-Z0-9_]*=`)

// begin starts a process in the background, in the place of one that has ended.
func (w *world) begin(ts *testscript.TestScript, name string, words ...string) *process {
	if p, ok := w.processes[name]; ok && !p.hasEnded() {
		ts.Fatalf("%s is running already", name)
	}
	p, err := begin(name, w.command(context.Background(), ts, words), w.log)
	ts.Check(err)
	w.processes[name] = p
	return p
}

func startAny(ts *testscript.TestScript, args []string) {
	worldOf(ts).begin(ts, args[0], args[1:]...)
}

func startHost(ts *testscript.TestScript, args []string) {
	hostOn(ts, args[0], hosting{listen: []string{"--listen", "127.0.0.1:0"}, flags: args[1:]})
}

func restartHost(ts *testscript.TestScript, args []string) {
	before, ok := worldOf(ts).hosts[args[0]]
	if !ok {
		ts.Fatalf("no host was started as %q", args[0])
	}
	before.flags = append(slices.Clone(before.flags), args[1:]...)
	hostOn(ts, args[0], before)
}

// hostOn starts a host and remembers where it listens.
func hostOn(ts *testscript.TestScript, name string, h hosting) {
	w := worldOf(ts)
	words := append([]string{"p2pchat", "host", "--json", "--data", ts.MkAbs(name)}, h.listen...)
	p := w.begin(ts, name, append(words, h.flags...)...)
	line := await(ts, p.out, []string{`"type":"listening"`}, true)
	var listening struct {
		Addrs []string
		Join  string
	}
	ts.Check(json.Unmarshal([]byte(line), &listening))
	target, ok := strings.CutPrefix(listening.Join, "p2pchat join ")
	if !ok {
		ts.Fatalf("%s says how to join it in another way: %s", name, line)
	}
	ts.Setenv(name, target)
	h.listen = nil
	for _, a := range listening.Addrs {
		if strings.HasPrefix(a, "/ip4/127.0.0.1/") {
			h.listen = append(h.listen, "--listen", a)
		}
	}
	w.hosts[name] = h
}

func startClient(ts *testscript.TestScript, args []string) {
	words := []string{"p2pchat", "join", args[1], "--json", "--data", ts.MkAbs(args[0]), "--nick", args[0]}
	p := worldOf(ts).begin(ts, args[0], append(words, args[2:]...)...)
	await(ts, p.out, []string{`"type":"welcome"`}, true)
}

// exits runs a program to its end and compares its exit code.
func exits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	w, words := worldOf(ts), args[1:]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var input []byte
	for i, word := range words {
		if file, ok := strings.CutPrefix(word, "<"); ok {
			input, err = os.ReadFile(ts.MkAbs(file))
			ts.Check(err)
			words = slices.Delete(slices.Clone(words), i, i+1)
			break
		}
	}
	c := w.command(ctx, ts, words)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), ts.Stdout(), ts.Stderr()
	err = c.Run()
	w.log.add("$", strings.Join(words, " "))
	w.log.add("$", fmt.Sprint(c.ProcessState))
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		ts.Fatalf("%s: still running after %v", strings.Join(words, " "), patience)
	case err != nil && !errors.As(err, &ended):
		ts.Fatalf("%v", err)
	case c.ProcessState.ExitCode() != want:
		ts.Fatalf("%s: %v, and exit status %d was expected", strings.Join(words, " "), c.ProcessState, want)
	}
}

func tell(ts *testscript.TestScript, args []string) {
	p := worldOf(ts).process(ts, args[0])
	ts.Check(p.tell(strings.Join(args[1:], " ")))
}

func flood(ts *testscript.TestScript, args []string) {
	p := worldOf(ts).process(ts, args[0])
	from, to := number(ts, args[1]), number(ts, args[2])
	for i := from; i <= to; i++ {
		ts.Check(p.tell(fmt.Sprintf(`{"do":"say","ref":"%s-%d","text":"%s-%d"}`, args[0], i, args[0], i)))
	}
}

func number(ts *testscript.TestScript, word string) int {
	n, err := strconv.Atoi(word)
	ts.Check(err)
	return n
}

func expect(ts *testscript.TestScript, args []string) {
	await(ts, worldOf(ts).stream(ts, args[0]), args[1:], true)
}

func sees(ts *testscript.TestScript, args []string) {
	await(ts, worldOf(ts).stream(ts, args[0]), args[1:], false)
}

// await waits for a line that matches, and sets the variables of named groups.
func await(ts *testscript.TestScript, s *stream, patterns []string, move bool) string {
	all := compile(ts, patterns)
	line, err := s.await(func(line string) bool { return matches(all, line) }, move)
	if err != nil {
		ts.Fatalf("%s: %v: %s", s.name, err, strings.Join(patterns, " and "))
	}
	for _, re := range all {
		found := re.FindStringSubmatch(line)
		for i, name := range re.SubexpNames() {
			if name != "" {
				ts.Setenv(name, found[i])
			}
		}
	}
	return line
}

func compile(ts *testscript.TestScript, patterns []string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		ts.Check(err)
		all = append(all, re)
	}
	return all
}

func matches(all []*regexp.Regexp, line string) bool {
	return !slices.ContainsFunc(all, func(re *regexp.Regexp) bool { return !re.MatchString(line) })
}

func matching(ts *testscript.TestScript, name string, patterns []string) []string {
	all := compile(ts, patterns)
	var found []string
	for _, line := range worldOf(ts).stream(ts, name).soFar() {
		if matches(all, line) {
			found = append(found, line)
		}
	}
	return found
}

func never(ts *testscript.TestScript, args []string) {
	if found := matching(ts, args[0], args[1:]); found != nil {
		ts.Fatalf("%s has a line that it should never have: %s", args[0], found[0])
	}
}

func count(ts *testscript.TestScript, args []string) {
	if found := matching(ts, args[0], args[2:]); len(found) != number(ts, args[1]) {
		ts.Fatalf("%s has %d lines like this, and %s were expected:\n%s", args[0], len(found), args[1], strings.Join(found, "\n"))
	}
}

func closeInput(ts *testscript.TestScript, args []string) {
	worldOf(ts).process(ts, args[0]).closeInput()
	ended(ts, args)
}

func interrupt(ts *testscript.TestScript, args []string) {
	ts.Check(worldOf(ts).process(ts, args[0]).cmd.Process.Signal(os.Interrupt))
	ended(ts, args)
}

func kill9(ts *testscript.TestScript, args []string) {
	worldOf(ts).process(ts, args[0]).kill()
}

// ended waits for a process to end and compares its exit code.
func ended(ts *testscript.TestScript, args []string) {
	want := 0
	if len(args) > 1 {
		want = number(ts, args[1])
	}
	p := worldOf(ts).process(ts, args[0])
	code, err := p.wait()
	ts.Check(err)
	if code != want {
		ts.Fatalf("%s ended with exit status %d, and %d was expected", args[0], code, want)
	}
}

// clean finds bytes that a terminal would act on.
func clean(ts *testscript.TestScript, args []string) {
	var text string
	if args[0] == "stdout" || args[0] == "stderr" || strings.Contains(args[0], ".") {
		text = ts.ReadFile(args[0])
	} else {
		text = strings.Join(worldOf(ts).stream(ts, args[0]).soFar(), "\n")
	}
	for i, r := range text {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf) {
			ts.Fatalf("%s holds %U at byte %d: %q", args[0], r, i, text[max(0, i-40):min(len(text), i+40)])
		}
	}
}

// acked compares what the host acknowledged with what it has stored.
func acked(ts *testscript.TestScript, args []string) {
	type entry struct {
		Type, Text string
		Seq        int
		Ref        any
	}
	stored, last := map[int]string{}, 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var e entry
		ts.Check(json.Unmarshal([]byte(line), &e))
		if e.Seq != last+1 {
			ts.Fatalf("%d follows %d in %s", e.Seq, last, args[0])
		}
		stored[e.Seq], last = e.Text, e.Seq
	}
	times := map[string]int{}
	for _, text := range stored {
		times[text]++
	}
	for _, name := range args[1:] {
		answers := 0
		for _, line := range worldOf(ts).stream(ts, name).soFar() {
			var e entry
			text := ""
			if json.Unmarshal([]byte(line), &e) == nil {
				text, _ = e.Ref.(string)
			}
			if e.Type != "ok" || e.Seq == 0 || !strings.HasPrefix(text, name+"-") {
				continue
			}
			answers++
			if stored[e.Seq] != text || times[text] != 1 {
				ts.Fatalf("%q was acknowledged as %d: there is %q, and it is stored %d times", text, e.Seq, stored[e.Seq], times[text])
			}
		}
		if answers == 0 {
			ts.Fatalf("nothing that %s said was acknowledged", name)
		}
	}
}

// ordered checks that a client got every message of a room between its first and
// its last one, once and in order.
func ordered(ts *testscript.TestScript, args []string) {
	last := map[string]int{}
	for _, line := range worldOf(ts).stream(ts, args[0]).soFar() {
		var m struct {
			Type, Room string
			Seq        int
		}
		if json.Unmarshal([]byte(line), &m) != nil || m.Type != "message" {
			continue
		}
		if before := last[m.Room]; before != 0 && m.Seq != before+1 {
			ts.Fatalf("%s got %d behind %d in %q", args[0], m.Seq, before, m.Room)
		}
		last[m.Room] = m.Seq
	}
	if len(last) == 0 {
		ts.Fatalf("%s got no message", args[0])
	}
}

// again asks until the answer is the one wanted. The host answers after the
// other questions of the same client, so this does not flood it.
func again(ts *testscript.TestScript, args []string) {
	p := worldOf(ts).process(ts, args[0])
	wanted := compile(ts, args[3:])
	for deadline := time.Now().Add(patience); ; {
		ts.Check(p.tell(args[1]))
		if matches(wanted, await(ts, p.out, args[2:3], true)) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: no such answer in %v: %s", args[0], patience, args[3])
		}
	}
}

func fill(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], strings.Repeat(unquote(ts, args[2]), number(ts, args[1])))
}

func unquote(ts *testscript.TestScript, word string) string {
	text, err := strconv.Unquote(`"` + word + `"`)
	ts.Check(err)
	return text
}

func replace(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], strings.ReplaceAll(ts.Getenv(args[0]), args[1], args[2]))
}

func same(ts *testscript.TestScript, args []string) {
	if args[0] != args[1] {
		ts.Fatalf("not the same:\n%s\n%s", args[0], args[1])
	}
}

func write(ts *testscript.TestScript, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(unquote(ts, args[1])), 0o600))
}

func damage(ts *testscript.TestScript, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%d files are like %s", len(found), args[0])
	}
	b, err := os.ReadFile(found[0])
	ts.Check(err)
	at := number(ts, args[1])
	if at < 0 {
		at += len(b)
	}
	if at < 0 || at >= len(b) {
		ts.Fatalf("%s has only %d bytes", args[0], len(b))
	}
	b[at] ^= 0x55
	ts.Check(os.WriteFile(found[0], b, 0o600))
}
