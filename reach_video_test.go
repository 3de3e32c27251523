package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// TestReachVideo sends a large file through a relay, up and down, between homes with 160
// Mbit/s, while both talk: first undisturbed, to see what the lines suffer; then with
// everything breaking, ten times in each direction. It takes all processors; with
// P2PCHAT_LONG it has 1 GiB.
func TestReachVideo(t *testing.T) {
	if !long && os.Getenv("P2PCHAT_DURABLE") == "" {
		t.Skip("takes all processors; set P2PCHAT_DURABLE, or P2PCHAT_LONG")
	}
	size, breaks := 64<<20, 4
	if long {
		size, breaks = 1<<30, 10
	}
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	machine := l.Public("relay")
	relay := l.startRelay(machine)
	p := l.pair(natlab.Symmetric, natlab.PortRestricted, "--file-limit", "0", "--member-quota", "0", "--room-quota", "0", "--disk-quota", "0")
	for _, h := range []*natlab.Home{p.home, p.hostHome} {
		if !h.SetRate(20e6) { // less than this machine can carry
			t.Log("no rate can be set here: it is the machine that is measured")
		}
	}
	p.until(time.Minute, "the chat", func() bool { return p.joe.count() > 50 })
	_, none := l.usage(p.host)
	t.Logf("without a file, lines to joe: %s", spread(p.joe.delays(p.pal, time.Time{})))
	t.Logf("without a file, lines to pal: %s", spread(p.pal.delays(p.joe, time.Time{})))

	nothing := func(func() bool) {}
	up := time.Now()
	id, sum := p.sends(p.joe, "up.mp4", size, nothing)
	t.Logf("beside it, lines to pal: %s", spread(p.pal.delays(p.joe, up)))
	p.saves(p.pal, id, "up.mp4", sum, nothing)
	id, sum = p.sends(p.pal, "down.mp4", size+1, nothing)
	down := time.Now()
	p.saves(p.joe, id, "down.mp4", sum, nothing)
	t.Logf("beside it, lines to joe: %s", spread(p.joe.delays(p.pal, down)))
	if lost := p.joe.lost(); lost > 0 {
		t.Errorf("the chat was lost %d times", lost)
	}

	ways := []func(){
		func() { p.home.Cut(); time.Sleep(time.Second); p.home.Restore() },
		func() { relay.kill(); relay = l.startRelay(machine) },
		p.home.Move,
		p.hostHome.Move,
		p.home.Reboot,
	}
	disturb := func(ended func() bool) {
		for i := range breaks {
			for wait := time.Now().Add(time.Duration(rand.IntN(2000)) * time.Millisecond); time.Now().Before(wait); {
				if time.Sleep(10 * time.Millisecond); ended() {
					t.Logf("it was broken %d times", i)
					return
				}
			}
			ways[i%len(ways)]()
		}
		t.Logf("it was broken %d times", breaks)
	}
	id, sum = p.sends(p.joe, "broken.mp4", size+2, disturb)
	p.saves(p.pal, id, "broken.mp4", sum, nothing)
	id, sum = p.sends(p.pal, "broken-down.mp4", size+3, nothing)
	p.saves(p.joe, id, "broken-down.mp4", sum, disturb)
	for _, c := range []*process{p.host, p.joe.process, p.pal.process, relay} {
		_, memory := l.usage(c)
		t.Logf("%s holds %d MiB", c.out.name, memory>>20)
		if memory > none+64<<20 {
			t.Errorf("%s holds %d MiB, the host had %d before", c.out.name, memory>>20, none>>20)
		}
	}
	p.finish()
}

// TestLoopbackVideo measures what lines suffer beside a large file when the host, both
// members and their disk are one machine.
func TestLoopbackVideo(t *testing.T) {
	if !long {
		t.Skip("it measures; set P2PCHAT_LONG")
	}
	l := &lab{T: t, log: newTranscript(), dir: t.TempDir()}
	run := func(name string, args ...string) *process {
		p, err := begin(name, exec.Command("p2pchat", append(args, "--json", "--network", "none", "--data", l.data(name))...), l.log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		return p
	}
	host := run("home", "host", "--rate", "0", "--file-limit", "0", "--member-quota", "0", "--room-quota", "0", "--disk-quota", "0")
	line := l.await(host, `"type":"listening"`)
	target := regexp.MustCompile(`/ip4/127\.0\.0\.1/tcp/\d+`).FindString(line) + "/p2p/" + l.field(line, "peer")
	join := func(name string) *chatter {
		p := run(name, "join", target, "--room", "lobby")
		l.await(p, `"event":"entered"`)
		return l.chat(p, 20*time.Millisecond)
	}
	p := &pair{lab: l, host: host, pal: join("pal"), joe: join("joe")}
	p.until(time.Minute, "the chat", func() bool { return p.joe.count() > 50 && p.pal.count() > 50 })
	waits := map[string][]time.Duration{} // by who hears and what goes on beside it
	during := func(what string, do func()) {
		began := time.Now()
		do()
		waits["pal "+what] = append(waits["pal "+what], p.pal.delays(p.joe, began)...)
		waits["joe "+what] = append(waits["joe "+what], p.joe.delays(p.pal, began)...)
	}
	quiet := func() { during("nothing", func() { time.Sleep(15 * time.Second) }) }
	sum := randomFile(t, p.data("up.mp4"), 1<<30)
	if err := exec.Command("sync").Run(); err != nil { // or the kernel does it in the middle
		t.Fatal(err)
	}
	quiet()
	during("joe sends", func() {
		p.asks(p.joe, map[string]any{"do": "send", "path": p.data("up.mp4"), "ref": "up"})
		p.until(5*time.Minute, "sending", func() bool { return p.pal.has(`"kind":"file"`) != "" })
	})
	quiet()
	id := regexp.MustCompile(`"file":\{"id":"([^"]+)"`).FindStringSubmatch(p.pal.has(`"kind":"file"`))[1]
	during("pal saves", func() {
		p.asks(p.pal, map[string]any{"do": "save", "file": id, "dir": p.data("saved"), "ref": "saved"})
		p.until(5*time.Minute, "saving", func() bool { return p.pal.has(`"ref":"saved","file"`) != "" })
	})
	quiet()
	for _, who := range []string{"pal", "joe"} {
		for _, what := range []string{"nothing", "joe sends", "pal saves"} {
			t.Logf("to %s, beside %s: %s", who, what, spread(waits[who+" "+what]))
		}
	}
	if hashOf(t, filepath.Join(p.data("saved"), "up.mp4")) != sum {
		t.Error("pal saved something else")
	}
	p.finish()
}

// sends lets a member send a new file, and calls meanwhile while it is under way. It
// returns the identifier and the hash.
func (p *pair) sends(c *chatter, name string, size int, meanwhile func(ended func() bool)) (id, sum string) {
	p.Helper()
	sum = randomFile(p.T, p.data(name), size)
	began := time.Now()
	p.asks(c, map[string]any{"do": "send", "path": p.data(name), "ref": name})
	posted := func() bool { return strings.Contains(p.pal.has(`"name":"`+name), `"kind":"file"`) }
	meanwhile(posted)
	p.until(10*time.Minute, name+" is sent", posted)
	p.Logf("%s: %d MiB from %s in %v", name, size>>20, c.name, time.Since(began).Round(time.Millisecond))
	return regexp.MustCompile(`"file":\{"id":"([^"]+)"`).FindStringSubmatch(p.pal.has(`"name":"` + name))[1], sum
}

// saves lets a member save a file, and compares it.
func (p *pair) saves(c *chatter, id, name, sum string, meanwhile func(ended func() bool)) {
	p.Helper()
	began := time.Now()
	dir := p.data("saved-" + c.name)
	p.asks(c, map[string]any{"do": "save", "file": id, "dir": dir, "ref": "saved-" + name})
	saved := func() bool { return c.has(`"ref":"saved-`+name+`","file"`) != "" }
	meanwhile(saved)
	p.until(10*time.Minute, name+" is saved", saved)
	p.Logf("%s: to %s in %v", name, c.name, time.Since(began).Round(time.Millisecond))
	if hashOf(p.T, filepath.Join(dir, name)) != sum {
		p.Errorf("%s saved another %s", c.name, name)
	}
}

// delays are how long the lines took that another one has said since a moment, as far as
// they were heard.
func (c *chatter) delays(other *chatter, since time.Time) (all []time.Duration) {
	other.mu.Lock()
	said := slices.Clone(other.saidAt)
	other.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, n := range c.heard {
		if at := said[n-1]; at.After(since) {
			all = append(all, c.at[i].Sub(at))
		}
	}
	return all
}
