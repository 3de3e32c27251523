package natlab_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// TestDelay holds that packets take what they should, IPv4 and IPv6, before and after
// a change.
func TestDelay(t *testing.T) {
	t.Parallel()
	lab := natlab.New(t, natlab.Options{Delay: 15 * time.Millisecond, IPv6: true})
	home := lab.Home("home", natlab.IPv6Firewall)
	host, node := home.Machine("host"), lab.Public("node")
	a, b := listenUDP(t, host, 0), listenUDP(t, node, 5000)
	for _, delay := range []time.Duration{15 * time.Millisecond, 5 * time.Millisecond, 0} {
		lab.SetDelay(delay)
		for _, ip := range []netip.Addr{node.IP4, node.IP6} {
			got := roundTrip(t, a, b, netip.AddrPortFrom(ip, 5000))
			if got < 2*delay || got > 2*delay+20*time.Millisecond {
				t.Errorf("to %v and back took %v, want about %v", ip, got, 2*delay)
			}
		}
	}
}

// roundTrip returns the shortest time of some in which a packet goes from a to b and back.
func roundTrip(t *testing.T, a, b *net.UDPConn, at netip.AddrPort) time.Duration {
	t.Helper()
	best := time.Hour
	for range 10 {
		start := time.Now()
		from, ok := deliver(t, a, b, at, patience(true))
		if !ok {
			t.Fatalf("nothing reached %v", at)
		}
		if _, ok := deliver(t, b, a, from, patience(true)); !ok {
			t.Fatalf("nothing came back to %v", from)
		}
		best = min(best, time.Since(start))
	}
	return best
}

// TestOrder holds that the delay keeps packets in order, also when it gets shorter.
func TestOrder(t *testing.T) {
	t.Parallel()
	lab := natlab.New(t, natlab.Options{Delay: 50 * time.Millisecond})
	one, two := lab.Public("one"), lab.Public("two")
	a, b := listenUDP(t, one, 0), listenUDP(t, two, 5000)
	for i := range 100 {
		if i == 50 {
			lab.SetDelay(time.Millisecond)
		}
		send(t, a, netip.AddrPortFrom(two.IP4, 5000), fmt.Sprint(i))
	}
	for i := range 100 {
		if got, _ := receive(t, b, patience(true)); got != fmt.Sprint(i) {
			t.Fatalf("got %q as packet %d", got, i)
		}
	}
}

// TestLoss holds that about as many packets get lost as were said.
func TestLoss(t *testing.T) {
	t.Parallel()
	lab := natlab.New(t, natlab.Options{})
	one, two := lab.Public("one"), lab.Public("two")
	a, b := listenUDP(t, one, 0), listenUDP(t, two, 5000)
	at := netip.AddrPortFrom(two.IP4, 5000)
	for _, test := range []struct {
		percent   float64
		low, high int
	}{
		{30, 30, 90}, // 60 are expected, four standard deviations are 26
		{100, 200, 200},
		{0, 0, 0},
	} {
		lab.SetLoss(test.percent)
		for range 200 {
			send(t, a, at, "many")
		}
		lab.SetLoss(0)
		send(t, a, at, "last")
		lost := 200
		for {
			text, _ := receive(t, b, patience(true))
			if text == "" {
				t.Fatal("the last packet was lost too")
			}
			if text == "last" {
				break
			}
			lost--
		}
		if lost < test.low || lost > test.high {
			t.Errorf("%d of 200 packets were lost at %v %%", lost, test.percent)
		}
	}
}

// TestRate holds that no more gets through a line than its rate allows, both ways.
func TestRate(t *testing.T) {
	t.Parallel()
	lab := natlab.New(t, natlab.Options{})
	home := lab.Home("home", natlab.FullCone)
	host, node := home.Machine("host"), lab.Public("node")
	a, b := listenUDP(t, host, 0), listenUDP(t, node, 5000)
	there := netip.AddrPortFrom(node.IP4, 5000)
	back, ok := deliver(t, a, b, there, patience(true))
	if !ok {
		t.Fatal("nothing gets through")
	}
	const rate, size = 200e3, 1000
	if !home.SetRate(rate) {
		t.Skip("natlab can't limit a rate here")
	}
	for name, way := range map[string]struct {
		from, to *net.UDPConn
		at       netip.AddrPort
	}{"up": {a, b, there}, "down": {b, a, back}} {
		if err := way.to.SetReadBuffer(1 << 20); err != nil {
			t.Fatal(err)
		}
		began, took, came := time.Now(), time.Duration(0), 0
		for range 200 {
			send(t, way.from, way.at, strings.Repeat("x", size))
		}
		for text, _ := receive(t, way.to, patience(false)); text != ""; text, _ = receive(t, way.to, patience(false)) {
			took, came = time.Since(began), came+size
		}
		// The bucket, the buffer, and what went meanwhile.
		if most := 16<<10 + rate/10 + int(rate*took.Seconds()); came == 0 || came > most {
			t.Errorf("%s: %d bytes came within %v", name, came, took)
		}
	}
}
