package natlab

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// Home is a LAN behind a router, which is behind a carrier.
type Home struct {
	lab             *Lab
	name            string
	site            int
	kind            Kind
	moves           int
	mapping         time.Duration // how long a cone keeps a port open
	plan            plan
	carrier, router *namespace
	machines        []*Machine
	forwards        []forward
	upnp            *upnpServer
}

// plan has the addresses of a home. They follow from its kind and from how often it
// moved.
type plan struct {
	public  netip.Addr   // what the internet sees of the home
	wan     netip.Prefix // the router's own address towards the carrier
	gateway netip.Addr   // the carrier's towards the router
	lan     netip.Prefix // the router's address on the LAN
	ipv6    bool         // whether the LAN has IPv6
}

// forward is a port that the router hands to a machine.
type forward struct {
	port int
	to   *Machine
}

// forwardedPort is forwarded to the first machine of a Forwarded home.
const forwardedPort = 4001

// Home adds a home without machines.
func (l *Lab) Home(name string, kind Kind) *Home {
	l.t.Helper()
	h := &Home{lab: l, name: name, site: l.site(), kind: kind, mapping: 2 * time.Minute}
	var err error
	h.carrier, err = l.open(name+"-carrier", true)
	l.must(err)
	h.router, err = l.open(name+"-router", true)
	l.must(err)
	l.cable(l.internet, port(h.site), h.carrier, "wan")
	l.cable(h.carrier, "lan", h.router, "wan")
	l.must(l.internet.ip(
		fmt.Sprintf("addr add 172.31.%d.1/30 dev %s", h.site, port(h.site)),
		fmt.Sprintf("addr add fd00:%d::1/64 dev %s nodad", h.site, port(h.site)),
	))
	// What a moved home left behind vanishes at the carrier; it must not go round.
	l.must(h.carrier.ip(
		linkLocal(2, "wan"),
		linkLocal(1, "lan"),
		fmt.Sprintf("addr add fd00:%d::2/64 dev wan nodad", h.site),
		fmt.Sprintf("addr add 2a02:%d::1/64 dev lan nodad", h.site),
		fmt.Sprintf("route add default via fd00:%d::1", h.site),
		fmt.Sprintf("route add blackhole 2a02:%d::/32", h.site),
		fmt.Sprintf("route add blackhole 5.%d.0.0/16", h.site),
		fmt.Sprintf("route add 2a02:%d:1::/64 via 2a02:%d::2", h.site, h.site),
	))
	l.must(h.router.ip(
		"link add lan type bridge mcast_snooping 0",
		"link set lan up",
		linkLocal(2, "wan"),
		linkLocal(1, "lan"),
		fmt.Sprintf("addr add 2a02:%d::2/64 dev wan nodad", h.site),
		fmt.Sprintf("route add default via 2a02:%d::1", h.site),
	))
	h.connect()
	h.number()
	h.load()
	return h
}

// Machine adds a machine to the home's LAN.
func (h *Home) Machine(name string) *Machine {
	h.lab.t.Helper()
	ns, err := h.lab.open(h.name+"-"+name, false)
	h.lab.must(err)
	m := &Machine{Name: name, lab: h.lab, ns: ns, site: h.site}
	cable := fmt.Sprintf("port%d", len(h.machines))
	h.lab.cable(h.router, cable, ns, "eth0")
	h.lab.must(h.router.ip("link set " + cable + " master lan"))
	h.machines = append(h.machines, m)
	h.place(len(h.machines) - 1)
	if h.kind == Forwarded {
		h.loadRules() // they name the first machine
	}
	return m
}

// WAN returns the address that the internet sees of the home: of a NAT the one that all
// its machines share, otherwise the router's.
func (h *Home) WAN() netip.Addr { return h.plan.public }

// SetKind makes the home one of another kind, while everything runs. The router
// forgets all connections. Machines are renumbered if they get public
// addresses by it, or lose them.
func (h *Home) SetKind(kind Kind) {
	h.lab.t.Helper()
	h.kind = kind
	h.number()
	h.load()
}

// Move gives the home another public address. The LAN stays as it is, unless its
// own addresses are public; IPv6 stays too.
func (h *Home) Move() {
	h.lab.t.Helper()
	h.moves++
	h.number()
	h.loadRules()
	h.forget()
}

// Reboot makes the home's router and its carrier forget what they know about connections
// and mappings. Forwarded ports stay.
func (h *Home) Reboot() {
	h.lab.t.Helper()
	h.load()
}

// SetRate gives the home a line of so many bytes a second, each way, with a buffer in front
// of it that is full after a tenth of a second. It is false, and the line as before, on a
// machine that can't do that.
func (h *Home) SetRate(bytes int) bool {
	h.lab.t.Helper()
	limit := func(ns *namespace, dev string) error {
		return ns.run("", "tc", "qdisc", "replace", "dev", dev, "root", "tbf",
			"rate", strconv.Itoa(8*bytes)+"bit", "burst", strconv.Itoa(max(bytes/200, 16<<10)), "latency", "100ms")
	}
	if err := limit(h.router, "wan"); err != nil {
		h.lab.t.Logf("natlab: %v", err)
		return false
	}
	h.lab.must(limit(h.lab.internet, port(h.site)))
	return true
}

// Cut makes everything vanish between the carrier and the internet, both ways. Nobody is
// told, and no mapping is lost.
func (h *Home) Cut() {
	h.lab.t.Helper()
	h.lab.must(h.lab.internet.ip("link set " + port(h.site) + " down"))
}

// Restore ends a Cut.
func (h *Home) Restore() {
	h.lab.t.Helper()
	h.connect()
}

// Forward forwards a port, TCP and UDP, from the router to a machine on the LAN. The
// public address leads there from other machines on the LAN too. The ports that a cone has
// open close.
func (h *Home) Forward(port int, to *Machine) {
	h.lab.t.Helper()
	h.forwards = append(h.forwards, forward{port, to})
	h.loadRules()
}

// SetMappingTime changes how long an unused mapping of a UDP port lives, in whole
// seconds; it is 120 s, or 30 s until an answer came. It holds for what is sent from now
// on; the ports that a cone has open close.
func (h *Home) SetMappingTime(d time.Duration) {
	h.lab.t.Helper()
	h.mapping = d
	for _, ns := range []*namespace{h.router, h.carrier} {
		for _, key := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
			h.lab.must(ns.set("netfilter/"+key, strconv.Itoa(int(d.Seconds()))))
		}
	}
	h.loadRules()
}

// connect brings the cable to the internet up, with the routes that lead through it.
func (h *Home) connect() {
	h.lab.t.Helper()
	h.lab.must(h.lab.internet.ip(
		"link set "+port(h.site)+" up",
		linkLocal(1, port(h.site)),
		fmt.Sprintf("route replace 5.%d.0.0/16 via 172.31.%d.2", h.site, h.site),
		fmt.Sprintf("route replace 2a02:%d::/32 via fd00:%d::2", h.site, h.site),
	))
}

// load gives router and carrier the rules of the home's kind. They start with
// nothing in their memory.
func (h *Home) load() {
	h.lab.t.Helper()
	h.stopUPnP()
	h.loadRules()
	h.forget()
	if h.kind == UPnP {
		h.startUPnP()
	}
}

func (h *Home) loadRules() {
	h.lab.t.Helper()
	h.lab.must(h.router.run(h.rules(), "nft", "-f", "-"))
	h.lab.must(h.carrier.run(h.carrierRules(), "nft", "-f", "-"))
}

func (h *Home) forget() {
	h.lab.t.Helper()
	h.lab.must(h.router.forget())
	h.lab.must(h.carrier.forget())
}

// number gives the home the addresses of its plan, and touches none that stays.
func (h *Home) number() {
	h.lab.t.Helper()
	before := h.plan
	h.plan = h.makePlan()
	if h.plan.wan != before.wan || h.plan.public != before.public || h.plan.lan != before.lan {
		h.numberWAN() // the carrier has the route to a public LAN
	}
	if h.plan.lan == before.lan && h.plan.ipv6 == before.ipv6 {
		return
	}
	commands := []string{"addr flush dev lan scope global", fmt.Sprintf("addr add %s dev lan", h.plan.lan)}
	if h.plan.ipv6 {
		commands = append(commands, fmt.Sprintf("addr add 2a02:%d:1::1/64 dev lan nodad", h.site))
	}
	h.lab.must(h.router.ip(commands...))
	for i := range h.machines {
		h.place(i)
	}
}

// numberWAN numbers the cable between router and carrier, and the carrier's outside.
func (h *Home) numberWAN() {
	h.lab.t.Helper()
	p := h.plan
	commands := []string{
		"addr flush dev wan scope global",
		"addr flush dev lan scope global",
		fmt.Sprintf("addr add 172.31.%d.2/30 dev wan", h.site),
		fmt.Sprintf("route add default via 172.31.%d.1", h.site),
		fmt.Sprintf("addr add %s/24 dev lan", p.gateway),
	}
	if h.kind.carried() {
		commands = append(commands, fmt.Sprintf("addr add %s/32 dev wan", p.public))
	}
	if h.kind.routed() {
		commands = append(commands, fmt.Sprintf("route add %s via %s", p.lan.Masked(), p.wan.Addr()))
	}
	h.lab.must(h.carrier.ip4(append(commands, "neigh flush all")...))
	h.lab.must(h.router.ip4(
		"addr flush dev wan scope global",
		fmt.Sprintf("addr add %s dev wan", p.wan),
		fmt.Sprintf("route add default via %s", p.gateway),
		"neigh flush dev wan",
	))
}

func (h *Home) makePlan() plan {
	net := 2 * h.moves
	p := plan{
		public:  address("5.%d.%d.2", h.site, net),
		gateway: address("5.%d.%d.1", h.site, net),
		lan:     netip.PrefixFrom(address("192.168.%d.1", h.site), 24),
		ipv6:    h.kind.ipv6(),
	}
	p.wan = netip.PrefixFrom(p.public, 24)
	if h.kind.carried() {
		p.gateway = address("100.64.%d.1", h.site)
		p.wan = netip.PrefixFrom(address("100.64.%d.%d", h.site, 2+h.moves), 24)
	}
	if h.kind.routed() {
		p.lan = netip.PrefixFrom(address("5.%d.%d.1", h.site, net+1), 24)
	}
	return p
}

// place gives the machine with this number its addresses on the LAN.
func (h *Home) place(number int) {
	h.lab.t.Helper()
	m := h.machines[number]
	lan := h.plan.lan.Addr().As4()
	lan[3] = byte(10 + number)
	m.IP4, m.gateway4 = netip.AddrFrom4(lan), h.plan.lan.Addr()
	m.IP6, m.gateway6 = netip.Addr{}, netip.Addr{}
	if h.plan.ipv6 {
		m.IP6, m.gateway6 = address("2a02:%d:1::%d", h.site, 10+number), address("2a02:%d:1::1", h.site)
	}
	m.number()
}
