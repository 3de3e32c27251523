package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// chatter is a member that says numbered lines and notes those of others.
type chatter struct {
	*process
	name string
	stop chan struct{}
	done sync.WaitGroup
	said int // owned by the goroutine that says until done

	looked map[string]*look // see has; owned by the test

	mu     sync.Mutex // guards the fields below
	saidAt []time.Time
	heard  []int // the numbers of the other's lines, in order
	at     []time.Time
	paths  []string
	when   []time.Time
}

var saidBy = regexp.MustCompile(`"type":"message".*"text":"(\w+)-(\d+)`)
var pathIs = regexp.MustCompile(`"type":"path","path":"(\w+)"`)

// chat lets a member say a line every interval until quiet.
func (l *lab) chat(p *process, interval time.Duration) *chatter {
	c := &chatter{process: p, name: p.out.name, stop: make(chan struct{})}
	c.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.said++
				c.mu.Lock()
				c.saidAt = append(c.saidAt, time.Now())
				c.mu.Unlock()
				if err := p.tell(fmt.Sprintf(`{"do":"say","text":"%s-%d"}`, c.name, c.said)); err != nil {
					return
				}
			case <-c.stop:
				return
			}
		}
	})
	c.done.Go(func() { c.listen(p) })
	return c
}

// listen notes what the member hears, as it comes.
func (c *chatter) listen(p *process) {
	for at := 0; ; {
		lines, more := p.out.after(at)
		now := time.Now()
		c.mu.Lock()
		for _, line := range lines {
			if m := saidBy.FindStringSubmatch(line); m != nil && m[1] != c.name {
				n, _ := strconv.Atoi(m[2])
				c.heard, c.at = append(c.heard, n), append(c.at, now)
			}
			if m := pathIs.FindStringSubmatch(line); m != nil {
				c.paths, c.when = append(c.paths, m[1]), append(c.when, now)
			}
		}
		c.mu.Unlock()
		at += len(lines)
		select {
		case <-more:
		case <-p.ended:
			return
		}
	}
}

// count is how many lines of the other it has heard.
func (c *chatter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.heard)
}

// direct is when the member was connected directly after a time; zero if it is not.
func (c *chatter) direct(after time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.paths); n > 0 && c.paths[n-1] != "relayed" && c.when[n-1].After(after) {
		return c.when[n-1]
	}
	return time.Time{}
}

// gap is the longest silence after a moment.
func (c *chatter) gap(after time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	longest, last := time.Duration(0), after
	for _, at := range c.at {
		if at.After(after) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return longest
}

// check holds that every line of the other was heard once, in order.
func (l *lab) check(c *chatter, said int) {
	l.Helper()
	limit := time.Now().Add(patience)
	for c.count() < said && time.Now().Before(limit) {
		_, more := c.out.after(len(c.out.soFar()))
		select {
		case <-more:
		case <-time.After(time.Second):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.heard) != said {
		l.Errorf("%s heard %d lines of %d", c.name, len(c.heard), said)
	}
	for i, n := range c.heard {
		if n != i+1 {
			l.Errorf("%s heard line %d as number %d", c.name, n, i+1)
			break
		}
	}
}

// pair is a host with a member beside it, and a member elsewhere, who talk.
type pair struct {
	*lab
	hostHome, home *natlab.Home
	host           *process
	member         *natlab.Machine // joe's
	pal, joe       *chatter
	relayedOnly    bool // no direct way is possible
}

func (l *lab) pair(host, joiner natlab.Kind, flags ...string) *pair {
	l.Helper()
	p := &pair{lab: l, hostHome: l.Home("a", host), home: l.Home("b", joiner)}
	machine := p.hostHome.Machine("host")
	h, target := l.startHost(machine, append(flags, "--rate", "0")...)
	local := regexp.MustCompile(`/ip4/127\.0\.0\.1/tcp/\d+`).FindString(strings.Join(h.out.soFar(), " "))
	pal := l.run(machine, "pal", "join", local+target[strings.LastIndex(target, "/p2p/"):], "--room", "lobby")
	l.await(pal, `"event":"entered"`)
	p.host, p.member = h, p.home.Machine("joiner")
	joe := l.run(p.member, "joe", "join", target, "--room", "lobby")
	l.await(joe, `"event":"entered"`)
	p.pal, p.joe = l.chat(pal, 200*time.Millisecond), l.chat(joe, 200*time.Millisecond)
	return p
}

// until waits for something that has to happen; it is asked again and again.
func (l *lab) until(limit time.Duration, what string, is func() bool) {
	l.Helper()
	for end := time.Now().Add(limit); !is(); {
		if time.Now().After(end) {
			l.Fatalf("%s did not happen in %v", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// change does something to the network while both talk, and tells how long it took
// until they heard each other again, and were connected directly.
func (p *pair) change(what string, do func()) {
	p.Helper()
	p.until(patience, "the chat", func() bool { return p.pal.count() > 3 && p.joe.count() > 3 })
	before := time.Now()
	do()
	after := time.Now()
	saidA, saidB := p.joe.count(), p.pal.count()
	p.until(30*time.Second, what+": hearing each other again", func() bool {
		return p.pal.count() > saidB+5 && p.joe.count() > saidA+5
	})
	p.until(30*time.Second, what+": a direct connection", func() bool {
		return p.relayedOnly || !p.joe.direct(time.Time{}).IsZero()
	})
	direct := time.Duration(0)
	if at := p.joe.direct(before); !at.IsZero() {
		direct = at.Sub(after)
	}
	p.Logf("%-28s silence %4d ms at the host, %4d ms at the joiner; direct after %d ms", what,
		(p.pal.gap(before) - after.Sub(before)).Milliseconds(), (p.joe.gap(before) - after.Sub(before)).Milliseconds(), direct.Milliseconds())
}

func (p *pair) finish() {
	p.Helper()
	close(p.pal.stop)
	close(p.joe.stop)
	time.Sleep(100 * time.Millisecond)
	p.check(p.pal, p.joe.said)
	p.check(p.joe, p.pal.said)
}

// TestReachChanges changes the network under a chat that is direct.
func TestReachChanges(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	p := l.pair(natlab.PortRestricted, natlab.PortRestricted)
	p.until(patience, "a direct connection", func() bool { return !p.joe.direct(time.Time{}).IsZero() })
	p.changes()
}

// TestReachChangesRelayed changes the network under a chat that stays relayed, and
// the relay.
func TestReachChangesRelayed(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	second := l.startRelay(l.Public("second"))
	name := l.relay
	machine := l.Public("relay")
	first := l.startRelay(machine)
	p := l.pair(natlab.Symmetric, natlab.PortRestricted, "--relay", name)
	p.relayedOnly = true
	p.changes()
	p.change("relay killed, restarted", func() {
		first.kill()
		first = l.startRelay(machine)
	})
	p.change("relay killed, another there", first.kill)
	_ = second
	p.finish()
}

// changes are those that each home goes through.
func (p *pair) changes() {
	p.Helper()
	p.change("joiner: new address", p.home.Move)
	p.change("host: new address", p.hostHome.Move)
	p.change("joiner: router restarts", p.home.Reboot)
	p.change("host: router restarts", p.hostHome.Reboot)
	for _, h := range []*natlab.Home{p.home, p.hostHome} {
		p.change("cut for 10 s", func() {
			h.Cut()
			time.Sleep(10 * time.Second)
			h.Restore()
		})
	}
	if !p.relayedOnly {
		p.finish()
	}
}
