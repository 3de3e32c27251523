package natlab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// TestMove holds that a home that moves is seen under another address, and cannot be reached
// under the old one, while its LAN goes on.
func TestMove(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	node := lab.Public("node")
	for _, kind := range []natlab.Kind{natlab.PortRestricted, natlab.CGNATCone, natlab.SymmetricSequential, natlab.Open} {
		t.Run(kind.String(), func(t *testing.T) {
			home := lab.Home(kind.String(), kind)
			host, second := home.Machine("host"), home.Machine("second")
			a, b, c := listenUDP(t, host, 5000), listenUDP(t, node, 5000), listenUDP(t, second, 5000)
			at := netip.AddrPortFrom(node.IP4, 5000)
			before, ok := deliver(t, a, b, at, patience(true))
			wan, ip := home.WAN(), host.IP4
			home.Move()
			if _, ok := deliver(t, b, a, before, patience(false)); ok {
				t.Errorf("%v is still reached", before)
			}
			after, okAfter := deliver(t, a, b, at, patience(true))
			if !ok || !okAfter || before.Addr() == after.Addr() || home.WAN() == wan {
				t.Errorf("seen as %v and %v, the home is at %v and %v", before, after, wan, home.WAN())
			}
			if _, ok := deliver(t, b, a, after, patience(true)); !ok {
				t.Errorf("%v is not reached", after)
			}
			if moved := host.IP4 != ip; moved != (kind == natlab.Open) {
				t.Errorf("the host was at %v and is at %v", ip, host.IP4)
			}
			if _, ok := deliver(t, a, c, netip.AddrPortFrom(second.IP4, 5000), patience(true)); !ok {
				t.Error("the LAN is broken")
			}
		})
	}
}

// TestReboot holds that a rebooted router knows no mappings, until a machine sends again.
func TestReboot(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	node := lab.Public("node")
	for _, kind := range []natlab.Kind{natlab.Firewall, natlab.FullCone, natlab.PortRestricted, natlab.CGNATCone} {
		t.Run(kind.String(), func(t *testing.T) {
			home := lab.Home(kind.String(), kind)
			a, b := listenUDP(t, home.Machine("host"), 5000), listenUDP(t, node, 5000)
			at := netip.AddrPortFrom(node.IP4, 5000)
			for range 2 {
				seen, _ := deliver(t, a, b, at, patience(true))
				if _, ok := deliver(t, b, a, seen, patience(true)); !ok {
					t.Fatalf("%v is not reached", seen)
				}
				home.Reboot()
				if _, ok := deliver(t, b, a, seen, patience(false)); ok {
					t.Fatalf("%v is still reached", seen)
				}
			}
		})
	}
}

// TestCut holds that a home that is cut off notices nothing, loses no mapping, and is back
// at once, with IPv6.
func TestCut(t *testing.T) {
	lab := natlab.New(t, natlab.Options{IPv6: true})
	home, node := lab.Home("home", natlab.IPv6Firewall), lab.Public("node")
	a, b := listenUDP(t, home.Machine("host"), 5000), listenUDP(t, node, 5000)
	for _, ip := range []netip.Addr{node.IP4, node.IP6} {
		at := netip.AddrPortFrom(ip, 5000)
		seen, _ := deliver(t, a, b, at, patience(true))
		home.Cut()
		_, out := deliver(t, a, b, at, patience(false))
		_, in := deliver(t, b, a, seen, patience(false))
		home.Restore()
		if out || in {
			t.Errorf("while cut off from %v: reaches out %v, is reached %v", ip, out, in)
		}
		if _, ok := deliver(t, b, a, seen, patience(true)); !ok {
			t.Errorf("%v is not reached any more", seen)
		}
	}
}

// TestCutMachine holds that the programs of a machine that is cut off are told.
func TestCutMachine(t *testing.T) {
	lab := natlab.New(t, natlab.Options{IPv6: true})
	node, host := lab.Public("node"), lab.Home("home", natlab.IPv6Open).Machine("host")
	for _, cut := range []*natlab.Machine{node, host} {
		for _, ip := range []netip.Addr{node.IP4, node.IP6} {
			at := netip.AddrPortFrom(ip, 4001)
			cut.Cut()
			_, err := dial(host, 0, at, patience(false))
			if err == nil || errors.Is(err, syscall.ENETUNREACH) != (cut == host) {
				t.Errorf("with %s cut off: %v", cut.Name, err)
			}
			cut.Restore()
			if _, ok := connect(t, host, 0, node, at, patience(true)); !ok {
				t.Errorf("%v is not reached any more", at)
			}
		}
	}
}

// TestForward holds that a forwarded port leads to its machine, from outside and from the LAN.
func TestForward(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	node := lab.Public("node")
	home := lab.Home("home", natlab.Symmetric)
	other, host := home.Machine("other"), home.Machine("host")
	home.Forward(4001, host)
	for range 2 {
		for _, from := range []*natlab.Machine{node, other} {
			if got := reach(t, from, host, home.WAN(), "tcp udp"); got != "tcp udp" {
				t.Errorf("%s reaches the forwarded port by %q", from.Name, got)
			}
		}
		home.Move()
	}
}

// TestUPnP makes a mapping as a machine does, by NAT-PMP, and uses it.
func TestUPnP(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	if !lab.Has(natlab.UPnP) {
		t.Skip("miniupnpd is missing")
	}
	home, node := lab.Home("home", natlab.UPnP), lab.Public("node")
	host := home.Machine("host")
	c := listenUDP(t, host, 0)
	gateway := netip.AddrPortFrom(host.IP4.Prev(), 5351)
	for gateway.Addr().As4()[3] != 1 {
		gateway = netip.AddrPortFrom(gateway.Addr().Prev(), 5351)
	}
	for protocol := range byte(2) {
		// Version 0, map UDP (1) or TCP (2), inside 4001, outside 4001, for an hour.
		send(t, c, gateway, string([]byte{0, protocol + 1, 0, 0, 0x0f, 0xa1, 0x0f, 0xa1, 0, 0, 0x0e, 0x10}))
		answer, _ := receive(t, c, patience(true))
		if len(answer) != 16 || answer[2:4] != "\x00\x00" || answer[10:12] != "\x0f\xa1" {
			t.Fatalf("miniupnpd answered %x", answer)
		}
	}
	if got := reach(t, node, host, home.WAN(), "tcp udp"); got != "tcp udp" {
		t.Errorf("the mapped port is reached by %q", got)
	}
	home.Reboot()
	if got := reach(t, node, host, home.WAN(), "-"); got != "-" {
		t.Errorf("after a reboot the mapped port is reached by %q", got)
	}
}

// TestWANInput holds that a router refuses what nobody asked for as it was told to.
func TestWANInput(t *testing.T) {
	for input, want := range map[string]error{
		"drop":   context.DeadlineExceeded,
		"reject": syscall.ECONNREFUSED,
		"accept": syscall.ECONNREFUSED, // the router itself has no such port
	} {
		t.Run(input, func(t *testing.T) {
			lab := natlab.New(t, natlab.Options{WANInput: input})
			at := netip.AddrPortFrom(lab.Home("home", natlab.PortRestricted).WAN(), 4001)
			c, err := dial(lab.Public("node"), 0, at, patience(want != context.DeadlineExceeded))
			var timeout net.Error
			timedOut := errors.As(err, &timeout) && timeout.Timeout()
			if err == nil {
				c.Close()
			}
			if !errors.Is(err, want) && !(timedOut && want == context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

// TestMappingTime holds that a mapping ends when its time is over.
func TestMappingTime(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	node, stranger := lab.Public("node"), listenUDP(t, lab.Public("stranger"), 5000)
	for _, kind := range []natlab.Kind{natlab.CGNAT, natlab.FullCone} {
		t.Run(kind.String(), func(t *testing.T) {
			home := lab.Home(kind.String(), kind)
			home.SetMappingTime(0)
			a, b := listenUDP(t, home.Machine("host"), 5000), listenUDP(t, node, 5000)
			seen, _ := deliver(t, a, b, netip.AddrPortFrom(node.IP4, 5000), patience(true))
			end := time.Now().Add(patience(true))
			for ok := true; ok; _, ok = deliver(t, stranger, a, seen, patience(false)) {
				if time.Now().After(end) {
					t.Fatal("a mapping outlives its time")
				}
			}
			if _, ok := deliver(t, b, a, seen, patience(false)); ok {
				t.Error("a mapping outlives its time")
			}
		})
	}
}

// TestMulticast holds that the machines of a LAN hear each other's multicast, and
// nobody else does.
func TestMulticast(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	home := lab.Home("home", natlab.PortRestricted)
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	listen := func(m *natlab.Machine) (c *net.UDPConn) {
		if err := m.Do(func() error {
			eth0, err := net.InterfaceByName("eth0")
			if err == nil {
				c, err = net.ListenMulticastUDP("udp4", eth0, group)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	near, far := listen(home.Machine("near")), listen(lab.Home("other", natlab.Open).Machine("far"))
	speaker := listenUDP(t, home.Machine("speaker"), 0)
	if _, ok := deliver(t, speaker, near, group.AddrPort(), patience(true)); !ok {
		t.Error("the LAN hears no multicast")
	}
	if text, _ := receive(t, far, patience(false)); text != "" {
		t.Errorf("another LAN hears %q", text)
	}
}

// TestCapture holds that a capture has all frames up to its end, of both directions.
func TestCapture(t *testing.T) {
	lab := natlab.New(t, natlab.Options{})
	node, host := lab.Public("node"), lab.Home("home", natlab.PortRestricted).Machine("host")
	a, b := listenUDP(t, host, 0), listenUDP(t, node, 5000)
	var frames bytes.Buffer
	stop := node.Capture(&frames)
	send(t, a, netip.AddrPortFrom(node.IP4, 5000), "to the node")
	_, from := receive(t, b, patience(true))
	send(t, b, from, "from the node")
	receive(t, a, patience(true))
	stop()
	send(t, b, from, "too late")
	receive(t, a, patience(true))
	got := frames.String()
	for text, want := range map[string]bool{"to the node": true, "from the node": true, "too late": false} {
		if strings.Contains(got, text) != want {
			t.Errorf("%q in the frames: got %v", text, !want)
		}
	}
}

// TestEnd holds that nothing of a lab is left: no process, no namespace, no file.
func TestEnd(t *testing.T) {
	var sleeper *exec.Cmd
	before := traces(t)
	if !t.Run("lab", func(t *testing.T) {
		lab := natlab.New(t, natlab.Options{Delay: time.Millisecond})
		node, host := lab.Public("node"), lab.Home("home", natlab.UPnP).Machine("host")
		out, err := host.Command(t.Context(), "cat", "/etc/hosts", "/proc/net/fib_trie").CombinedOutput()
		for _, want := range []string{host.IP4.String(), node.IP4.String() + " node"} {
			if err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%q is missing on the host: %v\n%s", want, err, out)
			}
		}
		sleeper = host.Command(context.Background(), "sleep", "1000")
		if err := sleeper.Start(); err != nil {
			t.Fatal(err)
		}
	}) || sleeper == nil {
		return
	}
	if err := sleeper.Wait(); err == nil {
		t.Error("the program ended by itself")
	}
	if after := traces(t); len(after) > len(before) {
		t.Errorf("there were %q, there are %q", before, after)
	}
}

// traces lists what the labs of this process have.
func traces(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"/run/netns", "/etc/netns"} {
		found, err := filepath.Glob(fmt.Sprintf("%s/natlab-%d-*", dir, os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestLeftover holds that a lab removes what a killed process left behind.
func TestLeftover(t *testing.T) {
	natlab.New(t, natlab.Options{}) // skips where there can be none
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("natlab-%d-1-node", dead.Process.Pid)
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	natlab.New(t, natlab.Options{})
	if _, err := os.Stat("/run/netns/" + name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", name, err)
	}
}
