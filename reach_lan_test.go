package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// A member in the host's own network ends up there, whatever way it came.
func TestReachLAN(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	home := l.Home("a", natlab.PortRestricted)
	h, target := l.startHost(home.Machine("host"), "--name", "anna's host")
	peer := target[strings.LastIndex(target, "/")+1:]
	member := home.Machine("member")
	for name, way := range map[string]string{"by-relay": target, "by-id": peer} {
		p := l.run(member, name, "join", way, "--room", "lobby")
		line := l.await(p, `"type":"path"`, `"path":"lan"`)
		t.Logf("%s: %v, %s", name, time.Since(l.began[name]), line)
		p.kill()
	}
	p := l.run(member, "list", "join")
	line := l.await(p, `"type":"host"`, `"name":"anna's host"`, peer)
	joined := l.run(member, "listed", "join", strings.TrimPrefix(l.field(line, "join"), "p2pchat join "), "--room", "lobby")
	l.await(joined, `"type":"path"`, `"path":"lan"`)
	if err := h.tell("quit"); err != nil {
		t.Log(err)
	}
}

// A host is found by its peer ID, and by an old invite, after its address and its
// relay have changed.
func TestReachAfterAllHasChanged(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	first, second := l.Public("first"), l.Public("second")
	l.startRelay(second)
	other := l.relay
	old := l.startRelay(first, "--bootstrap", other)
	home := l.Home("a", natlab.PortRestricted)
	machine := home.Machine("host")
	h, target := l.startHost(machine)
	peer := target[strings.LastIndex(target, "/")+1:]
	away := l.Home("b", natlab.Symmetric).Machine("joiner")
	p := l.run(away, "saved", "join", target, "--room", "lobby", "--save", "home")
	l.await(p, `"event":"entered"`)
	p.closeInput()
	if code, err := p.wait(); code != 0 || err != nil {
		t.Fatal(code, err)
	}

	h.kill()
	old.kill()
	home.Move()
	l.relay = other
	l.startHost(machine, "--bootstrap", other)
	for name, args := range map[string][]string{
		"by-relay":     {peer, "--relay", other},
		"by-bootstrap": {peer, "--bootstrap", other},
		"old-target":   {target, "--bootstrap", other},
	} {
		p := l.run(away, name, append([]string{"join"}, append(args, "--room", "lobby")...)...)
		l.await(p, `"event":"entered"`)
		t.Logf("%s: in after %v", name, time.Since(l.began[name]))
		p.kill()
	}
}

// --require-direct goes by no relay.
func TestReachRequireDirect(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	_, target := l.startHost(l.Home("a", natlab.PortRestricted).Machine("host"))
	p := l.run(l.Home("b", natlab.FullCone).Machine("joiner"), "cone", "join", target, "--require-direct", "--room", "lobby")
	l.await(p, `"type":"path"`, `"path":"punched"`)
	p = l.run(l.Home("c", natlab.Symmetric).Machine("joiner"), "symmetric", "join", target, "--require-direct", "--room", "lobby")
	if code, err := p.wait(); code != 3 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	t.Log(strings.Join(p.err.soFar(), " "), strings.Join(p.out.soFar(), " "))
}

// The reachability of a host follows its relays.
func TestReachability(t *testing.T) {
	l := newLab(t, natlab.Options{})
	machine := l.Public("relay")
	r := l.startRelay(machine)
	h, target := l.startHost(l.Home("a", natlab.UPnP).Machine("host"))
	if !strings.Contains(target, "/p2p-circuit/") {
		t.Errorf("the target is %s", target)
	}
	l.await(h, `"type":"reachability"`, `"reach":"relayed"`)
	if l.Has(natlab.UPnP) {
		l.await(h, `"type":"reachability"`, `"reach":"mapped"`, regexp.QuoteMeta(l.Home("b", natlab.Open).WAN().String()[:2]))
	}
	r.kill()
	l.await(h, `"type":"reachability"`, `"join":"p2pchat join /ip4/[0-9.]+/tcp/\d+/p2p/`)
	l.startRelay(machine)
	l.await(h, `"type":"reachability"`, `"join":"p2pchat join [^"]*p2p-circuit`)
}

// A host with a public address learns from its relay that strangers get in there, and
// is reached without the relay then.
func TestReachOpen(t *testing.T) {
	l := newLab(t, natlab.Options{Delay: 15 * time.Millisecond})
	l.startRelay(l.Public("relay"))
	h, _ := l.startHost(l.Home("a", natlab.Open).Machine("host"))
	line := l.await(h, `"type":"reachability"`, `"reach":"public"`)
	target := strings.TrimPrefix(l.field(line, "join"), "p2pchat join ")
	p := l.run(l.Home("b", natlab.Symmetric).Machine("joiner"), "joe", "join", target, "--room", "lobby")
	line = l.await(p, `"type":"path"`, `"path":"direct"`, `"transport":"tcp"`)
	t.Logf("after %v: %s", time.Since(l.began["joe"]), line)
}
