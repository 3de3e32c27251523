package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// flood lets a member say so many more lines of a size, as fast as they are taken.
func (l *lab) flood(c *chatter, lines, size int) {
	rest := strings.Repeat("x", size)
	c.done.Go(func() {
		for range lines {
			c.said++
			line := fmt.Sprintf("%s-%d %s", c.name, c.said, rest)
			if _, err := io.WriteString(c.in, `{"do":"say","text":"`+line[:size]+`"}`+"\n"); err != nil {
				return
			}
		}
	})
}

// moves are the gaps in what a member heard, from a moment on, at the times when the
// joiner changed to another way.
func (c *chatter) moves(began time.Time, times []time.Time) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var gaps []time.Duration
	for _, moved := range times {
		i, _ := slices.BinarySearchFunc(c.at, moved, time.Time.Compare)
		if i > 0 && i < len(c.at) && c.at[i-1].After(began) {
			gaps = append(gaps, c.at[i].Sub(c.at[i-1]))
		}
	}
	return gaps
}

// changes are when the member was told of its way, behind a moment.
func (c *chatter) changes(after time.Time) []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.when), func(t time.Time) bool { return !t.After(after) })
}

// lost counts the connections lost.
func (c *chatter) lost() int {
	count := 0
	for _, line := range c.out.soFar() {
		if strings.Contains(line, `"type":"connection","event":"lost"`) {
			count++
		}
	}
	return count
}

// tellMoves tells of the moves behind a moment as one who listened saw them, and holds
// that they were short.
func (p *pair) tellMoves(what string, c *chatter, began time.Time) {
	p.Helper()
	times := p.joe.changes(began)
	gaps := c.moves(began, times)
	p.Logf("%s: %d moves in %v, gaps for %s: %s", what, len(times), time.Since(began).Round(time.Second), c.name, spread(gaps))
	if n := len(gaps); n == 0 {
		p.Errorf("%s: no move was seen by %s", what, c.name)
	} else if late := gaps[(n-1)*95/100]; late > 3*time.Second { // spread has sorted them
		p.Errorf("%s: %s heard nothing for %v at a move, want 3s", what, c.name, late)
	}
}

// TestReachLimitedRelay chats through a relay that cuts every connection, as public ones
// do, and sends 5 MB through it.
func TestReachLimitedRelay(t *testing.T) {
	duration, length, lines := "20s", 40*time.Second, 640
	if long {
		duration, length, lines = "2m", 5*time.Minute, 1250
	}
	const size = 4000
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"), "--circuit-duration", duration, "--circuit-data", "128KiB")
	p := l.pair(natlab.Symmetric, natlab.PortRestricted)
	p.until(patience, "what the first punch says", func() bool { return len(p.joe.changes(time.Time{})) > 1 })
	began := time.Now()
	p.until(length+patience, "the chat", func() bool { return time.Since(began) > length })
	p.tellMoves("chat", p.joe, began)
	p.tellMoves("chat", p.pal, began)
	lost := p.joe.lost()
	if lost > 0 {
		t.Errorf("the joiner was told of %d lost connections, want none: all moves were planned", lost)
	}
	said, heard := p.joe.quiet(), p.pal.quiet()
	p.check(p.pal, said)
	p.check(p.joe, heard)
	for _, way := range []struct {
		what     string
		from, to *chatter
	}{{"from the host", p.pal, p.joe}, {"to the host", p.joe, p.pal}} {
		began, before := time.Now(), way.to.count()
		l.flood(way.from, lines, size)
		p.until(3*time.Minute, way.what, func() bool { return way.to.count() >= before+lines })
		took := time.Since(began)
		p.Logf("%d lines %s in %v, %.0f KB/s, told of %d lost connections", lines, way.what, took.Round(time.Millisecond),
			float64(lines*size)/took.Seconds()/1000, p.joe.lost()-lost)
		p.tellMoves(way.what, way.to, began)
		lost = p.joe.lost()
		p.check(way.to, before+lines)
	}
}

// TestReachLasts chats through a relay without limits for longer than anything in
// between takes for idle, and nothing interrupts it.
func TestReachLasts(t *testing.T) {
	length := 70 * time.Second
	if long {
		length = 10 * time.Minute
	}
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	p := l.pair(natlab.Symmetric, natlab.PortRestricted)
	began := time.Now()
	p.until(length+patience, "the chat", func() bool { return time.Since(began) > length })
	gaps := max(p.joe.gap(began), p.pal.gap(began))
	t.Logf("%v, longest silence %v, %d connections lost", length, gaps.Round(time.Millisecond), p.joe.lost())
	if lost := p.joe.lost(); lost > 0 || gaps > 2*time.Second {
		t.Errorf("%d connections were lost, and the longest silence was %v; want none, and 2s", lost, gaps)
	}
	p.finish()
}

// usage is what a process has used: processor time, and the memory it holds now.
func (l *lab) usage(p *process) (cpu time.Duration, memory int) {
	l.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		l.Fatal(err)
	}
	// The name, in brackets, may hold anything. Behind it: state is field 3, utime 14,
	// stime 15, in hundredths of a second, rss 24, in pages.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	number := func(field int) int {
		n, err := strconv.Atoi(fields[field-3])
		if err != nil {
			l.Fatal(err)
		}
		return n
	}
	return time.Duration(number(14)+number(15)) * 10 * time.Millisecond, number(24) * os.Getpagesize()
}

// idle waits until all that is under way has come to rest, and tells what processes use
// in a minute then, and for each member since they used none.
func (g *gathering) idle(began map[*process]int, most time.Duration) {
	g.Helper()
	before := map[*process]time.Duration{}
	time.Sleep(time.Minute)
	for p := range began {
		before[p], _ = g.usage(p)
	}
	time.Sleep(time.Minute)
	for p, none := range began {
		cpu, memory := g.usage(p)
		cpu -= before[p]
		g.Logf("%d idle members: %s uses %.2f s of processor time a minute, and %d KB of memory each", g.size, p.out.name,
			cpu.Seconds(), (memory-none)/g.size>>10)
		if cpu > most {
			g.Errorf("%s uses %v a minute for %d idle members, want at most %v", p.out.name, cpu, g.size, most)
		}
	}
	if lost := g.notes(time.Time{}, "lost", "gone", "refused"); len(lost) > 0 {
		g.Errorf("%d times a member was lost, first %s: %s %s", len(lost), lost[0].Who, lost[0].What, lost[0].Text)
	}
}

// TestReachIdle lets 1000 members be silent on one host.
func TestReachIdle(t *testing.T) {
	if !long {
		t.Skip("takes minutes; set P2PCHAT_LONG")
	}
	const machines, each = 4, 250
	l := newLab(t, natlab.Options{})
	host := l.run(l.Public("home"), "home", "host")
	target := strings.TrimPrefix(l.field(l.await(host, `"type":"listening"`), "join"), "p2pchat join ")
	_, none := l.usage(host)
	g := &gathering{lab: l}
	began := time.Now()
	for i := range machines {
		name := string(rune('a'+i)) + "x"
		g.come(l.Public(name), name, target, each, "none")
	}
	in := g.everybody(3*time.Minute, began, "entered")
	t.Logf("in after %v: %s; paths %v", time.Since(began).Round(time.Millisecond), spread(took(in)), g.paths())
	g.idle(map[*process]int{host: none}, 6*time.Second)
}

// TestReachIdleRelayed lets 100 members be silent behind a relay.
func TestReachIdleRelayed(t *testing.T) {
	if !long {
		t.Skip("takes minutes; set P2PCHAT_LONG")
	}
	const homes, each = 4, 25
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	relay := l.startRelay(l.Public("relay"))
	host, target := l.startHost(l.Home("a", natlab.Symmetric).Machine("host"))
	_, none := l.usage(host)
	_, relayNone := l.usage(relay)
	g := &gathering{lab: l}
	began := time.Now()
	for i := range homes {
		name := string(rune('a'+i)) + "x"
		g.come(l.Home(name, natlab.PortRestricted).Machine("joiners"), name, target, each, "private")
	}
	g.everybody(time.Minute, began, "entered")
	g.idle(map[*process]int{host: none, relay: relayNone}, 6*time.Second)
}
