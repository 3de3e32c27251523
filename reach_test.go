package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// lab is an internet in network namespaces in which the built program runs.
type lab struct {
	*testing.T
	*natlab.Lab
	log   *transcript
	dir   string // of all data
	logs  string
	relay string // what a host is given as --relay
	began map[string]time.Time
}

func newLab(t *testing.T, o natlab.Options) *lab {
	if testing.Short() {
		t.Skip("takes minutes; not with -short")
	}
	if os.Getenv("P2PCHAT_SERIAL") == "" {
		t.Parallel() // they mostly wait
	}
	l := &lab{T: t, Lab: natlab.New(t, o), log: newTranscript(), dir: t.TempDir(), logs: cmp.Or(os.Getenv("P2PCHAT_LOGS"), t.TempDir()), began: map[string]time.Time{}}
	t.Cleanup(func() {
		for _, alarm := range []string{"DATA RACE", "panic: ", "fatal error: "} {
			if strings.Contains(l.log.String(), alarm) {
				t.Errorf("a process says %q", alarm)
			}
		}
		if t.Failed() {
			t.Logf("transcript:\n%s", l.log)
		}
	})
	return l
}

// run starts p2pchat on a machine; its data is in a directory of that name.
func (l *lab) run(m *natlab.Machine, name string, args ...string) *process {
	l.Helper()
	program, err := exec.LookPath("p2pchat")
	if err != nil {
		l.Fatal(err)
	}
	if args[0] != "doctor" {
		args = append(args, "--json", "--log-level", "debug", "--log-file", filepath.Join(l.logs, name+".log"))
	}
	args = append(args, "--data", l.data(name), "--network", "private")
	l.began[name] = time.Now()
	p, err := begin(name, m.Command(context.Background(), program, args...), l.log)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(p.kill)
	return p
}

// data is the directory of that name, the same each time.
func (l *lab) data(name string) string { return filepath.Join(l.dir, name) }

// await waits for an event of a process that matches all.
func (l *lab) await(p *process, wanted ...string) string {
	l.Helper()
	var all []*regexp.Regexp
	for _, w := range wanted {
		all = append(all, regexp.MustCompile(w))
	}
	line, err := p.out.await(func(line string) bool {
		for _, re := range all {
			if !re.MatchString(line) {
				return false
			}
		}
		return true
	}, true)
	if err != nil {
		l.Fatalf("%s: %v: %v", p.out.name, wanted, err)
	}
	return line
}

// field is a value in a line of JSON.
func (l *lab) field(line, name string) string {
	l.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(line), &all); err != nil {
		l.Fatal(err)
	}
	return fmt.Sprint(all[name])
}

// startRelay runs a relay, on the ports it takes by itself.
func (l *lab) startRelay(m *natlab.Machine, flags ...string) *process {
	p := l.run(m, m.Name, append([]string{"relay"}, flags...)...)
	line := l.await(p, `"type":"listening"`)
	l.relay = strings.TrimPrefix(l.field(line, "host"), "p2pchat host --relay ")
	return p
}

// startHost runs a host and returns what to paste elsewhere.
func (l *lab) startHost(m *natlab.Machine, flags ...string) (p *process, target string) {
	p = l.run(m, "home", append([]string{"host", "--relay", l.relay}, flags...)...)
	line := l.await(p, `"type":"listening"`)
	return p, strings.TrimPrefix(l.field(line, "join"), "p2pchat join ")
}

// cell is how one joiner fared.
type cell struct {
	first, direct time.Duration // from the start of the program
	path          string
	why           string // it stays relayed
}

func (c cell) String() string {
	if c.direct == 0 {
		return c.short() + " (" + c.why + ")"
	}
	return c.short()
}

// join lets a joiner come, say a line, and find its way. One that has to find a direct
// one is waited for.
func (l *lab) join(m *natlab.Machine, name, target string, direct bool) (c cell) {
	l.Helper()
	p := l.run(m, name, "join", target, "--room", "lobby")
	defer p.kill()
	if err := p.tell(`{"do":"say","text":"hello","ref":1}`); err != nil {
		l.Error(err)
		return c
	}
	if _, err := p.out.await(func(s string) bool { return strings.Contains(s, `"type":"message"`) }, false); err != nil {
		l.Errorf("%s: %v", name, err)
		c.path = "FAILED"
		return c
	}
	c.first = time.Since(l.began[name])
	for {
		line, err := p.out.await(func(s string) bool { return strings.Contains(s, `"type":"path"`) }, true)
		if err != nil {
			l.Errorf("%s: %v", name, err)
			return c
		}
		c.path = l.field(line, "path")
		if c.path != "relayed" {
			c.path += " " + l.field(line, "transport")
			c.direct = time.Since(l.began[name])
			return c
		}
		if c.why = l.field(line, "why"); !strings.HasPrefix(c.why, "looking") && !direct {
			return c
		}
	}
}
