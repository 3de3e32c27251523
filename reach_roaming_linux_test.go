package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// TestReachRoaming changes the joiner's own machine: another address on its interface,
// its cable, and a sleep.
func TestReachRoaming(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	p := l.pair(natlab.PortRestricted, natlab.PortRestricted)
	p.until(patience, "a direct connection", func() bool { return !p.joe.direct(time.Time{}).IsZero() })
	ip := func(args string) {
		if out, err := p.member.Command(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	p.change("joiner: another Wi-Fi", func() {
		was := p.member.IP4.As4()
		router := fmt.Sprintf("%d.%d.%d.1", was[0], was[1], was[2])
		ip("addr flush dev eth0")
		ip(fmt.Sprintf("addr add %d.%d.%d.99/24 dev eth0", was[0], was[1], was[2]))
		ip("route add default via " + router)
	})
	p.change("joiner: cable out for 5 s", func() {
		p.member.Cut()
		time.Sleep(5 * time.Second)
		p.member.Restore()
		was := p.member.IP4.As4()
		_ = p.member.Command(t.Context(), "ip", "route", "replace", "default", "via", fmt.Sprintf("%d.%d.%d.1", was[0], was[1], was[2])).Run()
	})
	p.change("joiner: asleep for 20 s", func() {
		stop(t, p.joe.process, syscall.SIGSTOP)
		time.Sleep(20 * time.Second)
		stop(t, p.joe.process, syscall.SIGCONT)
	})
	p.change("host: asleep for 20 s", func() {
		stop(t, p.host, syscall.SIGSTOP)
		time.Sleep(20 * time.Second)
		stop(t, p.host, syscall.SIGCONT)
	})
	p.finish()
}

// stop sends a signal to a process in a lab; ip netns exec becomes what it starts.
func stop(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
