package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// long makes some tests longer.
var long = os.Getenv("P2PCHAT_LONG") != ""

// gathering is the crowds of a lab.
type gathering struct {
	*lab
	crowds []*process
	size   int
}

// come lets so many members come from a machine, in one process.
func (g *gathering) come(m *natlab.Machine, name, target string, count int, network string) *process {
	g.Helper()
	program, err := exec.LookPath("crowd")
	if err != nil {
		g.Fatal(err)
	}
	cmd := m.Command(context.Background(), program, target, name, fmt.Sprint(count), network)
	cmd.Env = append(os.Environ(), "GOLOG_LOG_LEVEL=fatal", "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING=true")
	p, err := begin(name, cmd, g.log)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(p.kill)
	g.crowds = append(g.crowds, p)
	g.size += count
	return p
}

// ask asks all crowds.
func (g *gathering) ask(what string) {
	g.Helper()
	for _, p := range g.crowds {
		if err := p.tell(what); err != nil {
			g.Fatal(err)
		}
	}
}

// notes are those behind a moment that are wanted.
func (g *gathering) notes(after time.Time, what ...string) []note {
	g.Helper()
	var all []note
	for _, p := range g.crowds {
		for _, line := range p.out.soFar() {
			var n note
			if err := json.Unmarshal([]byte(line), &n); err != nil {
				g.Fatalf("%s: %v", line, err)
			}
			if n.At.After(after) && slices.Contains(what, n.What) {
				all = append(all, n)
			}
		}
	}
	return all
}

// latest is the latest of these notes of each member.
func (g *gathering) latest(after time.Time, what ...string) map[string]note {
	g.Helper()
	of := map[string]note{}
	for _, n := range g.notes(after, what...) {
		if n.At.After(of[n.Who].At) {
			of[n.Who] = n
		}
	}
	return of
}

// everybody waits until each member has told this, and returns the latest of each.
func (g *gathering) everybody(limit time.Duration, after time.Time, what string) map[string]note {
	g.Helper()
	var of map[string]note
	for end := time.Now().Add(limit); ; time.Sleep(250 * time.Millisecond) {
		if of = g.latest(after, what); len(of) == g.size {
			return of
		}
		if time.Now().After(end) {
			g.Fatalf("%d of %d members %s in %v", len(of), g.size, what, limit)
		}
	}
}

// paths counts the members on each path.
func (g *gathering) paths() map[string]int {
	g.Helper()
	count := map[string]int{}
	for _, n := range g.latest(time.Time{}, "path") {
		count[n.Text]++
	}
	return count
}

// check holds that everybody has heard every line, once and in order; others said
// some, too.
func (g *gathering) check(others int) {
	g.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		asked := time.Now()
		g.ask("count")
		counts := g.everybody(patience, asked, "count")
		said, behind := others, 0
		for _, n := range counts {
			said += n.Said
		}
		for _, n := range counts {
			if n.Heard != said {
				behind++
			}
		}
		if behind == 0 {
			g.Logf("%d members have heard %d lines each", g.size, said)
			break
		}
		if time.Now().After(end) {
			g.Errorf("%d of %d members have not heard all %d lines", behind, g.size, said)
			break
		}
	}
	for i, n := range g.notes(time.Time{}, "wrong", "refused", "gone") {
		if i < 10 {
			g.Errorf("%s: %s %s", n.Who, n.What, n.Text)
		}
	}
}

// spread tells the middle, the end and the last of some times.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	of := func(part float64) string {
		ms := all[int(part*float64(len(all)-1)+0.5)].Seconds() * 1e3
		if ms < 10 {
			return fmt.Sprintf("%.1f", ms)
		}
		return fmt.Sprintf("%.0f", ms)
	}
	return fmt.Sprintf("%d times, p50 %s p95 %s p99 %s max %s ms", len(all), of(0.5), of(0.95), of(0.99), of(1))
}

// took are the times in notes.
func took(notes map[string]note) []time.Duration {
	var all []time.Duration
	for _, n := range notes {
		all = append(all, n.Took)
	}
	return all
}

// since are the times of notes after a moment.
func since(moment time.Time, notes map[string]note) []time.Duration {
	var all []time.Duration
	for _, n := range notes {
		all = append(all, n.At.Sub(moment))
	}
	return all
}

// neighbour is a member on the host's own machine.
func (l *lab) neighbour(m *natlab.Machine, host *process, target string) *process {
	l.Helper()
	local := regexp.MustCompile(`/ip4/127\.0\.0\.1/tcp/\d+`).FindString(strings.Join(host.out.soFar(), " "))
	pal := l.run(m, "pal", "join", local+target[strings.LastIndex(target, "/p2p/"):], "--room", "lobby")
	l.await(pal, `"event":"entered"`)
	return pal
}

// quiet ends what the member says, and returns how many lines that were.
func (c *chatter) quiet() int {
	close(c.stop)
	time.Sleep(100 * time.Millisecond) // for the last one
	return c.said
}

// TestReachCrowd lets 100 members, or 200, come through one relay, which then restarts.
func TestReachCrowd(t *testing.T) {
	homes, each := 10, 10
	if long {
		each = 20
	}
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	machine := l.Public("relay")
	relay := l.startRelay(machine)
	home := l.Home("a", natlab.Symmetric).Machine("host")
	host, target := l.startHost(home, "--rate", "0")
	g := &gathering{lab: l}
	began := time.Now()
	for i := range homes {
		kind := []natlab.Kind{natlab.PortRestricted, natlab.Symmetric}[i%2]
		name := string(rune('a'+i)) + "x"
		g.come(l.Home(name, kind).Machine("joiners"), name, target, each, "private")
	}
	in := g.everybody(2*time.Minute, began, "entered")
	t.Logf("in after %v: %s; paths %v", time.Since(began).Round(time.Millisecond), spread(took(in)), g.paths())
	pal := l.chat(l.neighbour(home, host, target), 200*time.Millisecond)
	g.ask("talk 5s")
	l.until(patience, "the chat", func() bool { return pal.count() > 100 })

	killed := time.Now()
	relay.kill()
	l.startRelay(machine)
	up := time.Now()
	g.everybody(time.Minute, killed, "lost")
	restored := since(up, g.everybody(time.Minute, up, "restored"))
	late := since(up, g.everybody(time.Minute, up, "silent"))
	t.Logf("relay away for %d ms; connected again after %s; hear again after %s", up.Sub(killed).Milliseconds(), spread(restored), spread(late))
	if last := slices.Max(late); last > 30*time.Second {
		t.Errorf("the last one came back after %v, want 30s", last)
	}
	l.until(patience, "the chat", func() bool { return pal.count() > 300 })
	g.ask("quiet")
	g.check(pal.quiet())
	t.Logf("paths %v; lost %d, restored %d; took %v", g.paths(), len(g.notes(killed, "lost")), len(g.notes(killed, "restored")), time.Since(began).Round(time.Second))
}

// TestReachClass lets 60 members come from behind one NAT, with one public address,
// and connect directly.
func TestReachClass(t *testing.T) {
	const machines, each = 3, 20
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	home := l.Home("a", natlab.PortRestricted).Machine("host")
	host, target := l.startHost(home, "--rate", "0")
	g := &gathering{lab: l}
	school := l.Home("school", natlab.PortRestricted)
	began := time.Now()
	for i := range machines {
		name := string(rune('a'+i)) + "x"
		g.come(school.Machine(name), name, target, each, "private")
	}
	in := g.everybody(time.Minute, began, "entered")
	t.Logf("in after %v: %s; paths %v", time.Since(began).Round(time.Millisecond), spread(took(in)), g.paths())
	pal := l.chat(l.neighbour(home, host, target), 200*time.Millisecond)
	g.ask("talk 5s")
	l.until(patience, "the chat", func() bool { return pal.count() > 100 })
	direct := func() int { return g.size - g.paths()["relayed"] }
	for end := time.Now().Add(patience); direct() < g.size && time.Now().Before(end); {
		time.Sleep(500 * time.Millisecond)
	}
	var late []time.Duration
	for _, n := range g.notes(began, "path") {
		if n.Text != "relayed" {
			late = append(late, n.At.Sub(began))
		}
	}
	t.Logf("%d of %d are connected directly, after %s", direct(), g.size, spread(late))
	if direct() < g.size*9/10 {
		t.Errorf("%d of %d are connected directly, want nine of ten", direct(), g.size)
	}
	if lost := g.notes(began, "lost"); len(lost) > 0 {
		t.Errorf("%d connections were lost, the first of %s: %s", len(lost), lost[0].Who, lost[0].Text)
	}
	g.ask("quiet")
	g.check(pal.quiet())
}
