package natlab_test

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"p2pchat/relay/natlab"
)

// behaviour is what a home looks like from outside.
type behaviour struct {
	mapping string // which port another destination sees, for UDP: same, next, random
	filter  string // who may answer: everybody, address, port
	tcp     string // mapping for TCP
	ports   string // to which TCP ports a machine can connect
	in      string // what comes in unasked to port 4001
	ipv6    string // of the machine: none, out (it can send), in (everybody can reach it)
}

var table = []struct {
	kind natlab.Kind
	want behaviour
}{
	{natlab.Open, behaviour{"same", "everybody", "same", "443 4001", "tcp udp", "none"}},
	{natlab.Firewall, behaviour{"same", "port", "same", "443 4001", "-", "none"}},
	{natlab.FullCone, behaviour{"same", "everybody", "same", "443 4001", "-", "none"}},
	{natlab.AddressRestricted, behaviour{"same", "address", "same", "443 4001", "-", "none"}},
	{natlab.PortRestricted, behaviour{"same", "port", "same", "443 4001", "-", "none"}},
	{natlab.Symmetric, behaviour{"random", "port", "random", "443 4001", "-", "none"}},
	{natlab.SymmetricSequential, behaviour{"next", "port", "next", "443 4001", "-", "none"}},
	{natlab.UDPBlocked, behaviour{"-", "-", "same", "443 4001", "-", "none"}},
	{natlab.WebOnly, behaviour{"-", "-", "same", "443", "-", "none"}},
	{natlab.Forwarded, behaviour{"same", "port", "same", "443 4001", "tcp udp", "none"}},
	{natlab.UPnP, behaviour{"same", "port", "same", "443 4001", "-", "none"}},
	{natlab.CGNAT, behaviour{"same", "port", "same", "443 4001", "-", "none"}},
	// The home's own router still filters.
	{natlab.CGNATCone, behaviour{"same", "port", "same", "443 4001", "-", "none"}},
	{natlab.IPv6Open, behaviour{"random", "port", "random", "443 4001", "-", "in"}},
	{natlab.IPv6Firewall, behaviour{"random", "port", "random", "443 4001", "-", "out"}},
}

// TestKinds looks at every kind from outside, in the way of RFC 5780.
func TestKinds(t *testing.T) {
	if len(table) != len(natlab.Kinds) {
		t.Errorf("%d kinds are tested, there are %d", len(table), len(natlab.Kinds))
	}
	lab := natlab.New(t, natlab.Options{IPv6: true})
	out := newOutside(lab)
	for i, test := range table {
		t.Run(test.kind.String(), func(t *testing.T) {
			if !lab.Has(test.kind) {
				t.Skip("miniupnpd is missing")
			}
			home := lab.Home(fmt.Sprint("home", i), test.kind)
			if got := out.observe(t, home, home.Machine("host"), test.want); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// TestSetKind changes one home into every kind.
func TestSetKind(t *testing.T) {
	lab := natlab.New(t, natlab.Options{IPv6: true})
	out := newOutside(lab)
	home := lab.Home("home", natlab.PortRestricted)
	host := home.Machine("host")
	for i := len(table) - 1; i >= 0; i-- {
		test := table[i]
		if !lab.Has(test.kind) {
			continue
		}
		t.Run(test.kind.String(), func(t *testing.T) {
			home.SetKind(test.kind)
			if got := out.observe(t, home, host, test.want); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// outside is three public machines that look at a home.
type outside struct {
	a, b, stranger *natlab.Machine
}

func newOutside(lab *natlab.Lab) outside {
	return outside{lab.Public("a"), lab.Public("b"), lab.Public("stranger")}
}

// observe tells how a home behaves. What is wanted decides only how long to
// wait for it: what is not there is never seen.
func (o outside) observe(t *testing.T, home *natlab.Home, host *natlab.Machine, want behaviour) behaviour {
	t.Helper()
	got := behaviour{mapping: "-", filter: "-", tcp: "-", in: "-", ipv6: "none"}
	s, a, b := listenUDP(t, host, 5000), listenUDP(t, o.a, 5000), listenUDP(t, o.b, 5000)
	at, ok := deliver(t, s, a, netip.AddrPortFrom(o.a.IP4, 5000), patience(want.mapping != "-"))
	if ok {
		next, _ := deliver(t, s, b, netip.AddrPortFrom(o.b.IP4, 5000), patience(true))
		got.mapping = compare(at, next)
		got.filter = o.filter(t, s, a, at)
	}
	got.tcp, got.ports = o.connect(t, host, want.ports)
	public := home.WAN()
	if !host.IP4.IsPrivate() {
		public = host.IP4
	}
	got.in = reach(t, o.stranger, host, public, want.in)
	if host.IP6.IsValid() {
		got.ipv6 = o.observe6(t, host, want.ipv6)
	}
	return got
}

// filter sends to at from three senders, and tells the one furthest from a that gets
// through to s.
func (o outside) filter(t *testing.T, s, a *net.UDPConn, at netip.AddrPort) string {
	t.Helper()
	send(t, listenUDP(t, o.stranger, 5000), at, "everybody")
	send(t, listenUDP(t, o.a, 5001), at, "address")
	// What was sent before has arrived when a conversation that began later is over.
	seen := map[string]bool{}
	for range 3 {
		send(t, a, at, "port")
		for text := ""; text != "port"; {
			if text, _ = receive(t, s, patience(true)); text == "" {
				t.Fatal("a packet from where it was sent to got lost")
			}
			seen[text] = true
		}
		deliver(t, s, a, netip.AddrPortFrom(o.a.IP4, 5000), patience(true))
	}
	for _, who := range []string{"everybody", "address", "port"} {
		if seen[who] {
			return who
		}
	}
	return "nobody"
}

// connect connects from one port of the host to a and b, and tells the mapping and to which
// ports that works.
func (o outside) connect(t *testing.T, host *natlab.Machine, want string) (mapping, ports string) {
	t.Helper()
	var reached []string
	mapping = "-"
	for _, port := range []uint16{443, 4001} {
		wait := patience(strings.Contains(want, strconv.Itoa(int(port))))
		at, ok := connect(t, host, 5000, o.a, netip.AddrPortFrom(o.a.IP4, port), wait)
		if !ok {
			continue
		}
		reached = append(reached, strconv.Itoa(int(port)))
		if mapping == "-" {
			next, _ := connect(t, host, 5000, o.b, netip.AddrPortFrom(o.b.IP4, port), patience(true))
			mapping = compare(at, next)
		}
	}
	return mapping, strings.Join(reached, " ")
}

// observe6 tells how the host's IPv6 address behaves.
func (o outside) observe6(t *testing.T, host *natlab.Machine, want string) string {
	t.Helper()
	if _, ok := connect(t, host, 5000, o.a, netip.AddrPortFrom(o.a.IP6, 4001), patience(true)); !ok {
		return "none"
	}
	expected := "-"
	if want == "in" {
		expected = "tcp udp"
	}
	switch in := reach(t, o.stranger, host, host.IP6, expected); in {
	case "-":
		return "out"
	case "tcp udp":
		return "in"
	default:
		return in
	}
}

// reach tells by what one machine reaches port 4001 of another at a public address of it.
func reach(t *testing.T, from, to *natlab.Machine, public netip.Addr, want string) string {
	t.Helper()
	var got []string
	at := netip.AddrPortFrom(public, 4001)
	if _, ok := connect(t, from, 0, to, at, patience(strings.Contains(want, "tcp"))); ok {
		got = append(got, "tcp")
	}
	sender, receiver := listenUDP(t, from, 0), listenUDP(t, to, 4001)
	defer sender.Close()
	defer receiver.Close()
	if _, ok := deliver(t, sender, receiver, at, patience(strings.Contains(want, "udp"))); ok {
		got = append(got, "udp")
	}
	if len(got) == 0 {
		return "-"
	}
	return strings.Join(got, " ")
}

// compare names the mapping by which two destinations see one socket.
func compare(a, b netip.AddrPort) string {
	switch {
	case a == b:
		return "same"
	case a.Addr() != b.Addr():
		return fmt.Sprintf("%v and %v", a, b)
	case a.Port()+1 == b.Port():
		return "next"
	default:
		return "random"
	}
}

// patience is how long to wait for something.
func patience(expected bool) time.Duration {
	if expected {
		return 10 * time.Second
	}
	return 150 * time.Millisecond
}
