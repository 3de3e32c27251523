package relay

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// nobodyOutside is why most of what is not known is not.
const nobodyOutside = "no peer outside was there to ask; name one with --relay"

// try finds out who gets in, and how this machine looks from outside.
func (x *examination) try(ctx context.Context) {
	f := &x.findings
	f.TCPMapping, f.UDPMapping = unknown(nobodyOutside), unknown(nobodyOutside)
	itself := filters{unknown(nobodyOutside), unknown(nobodyOutside)}
	others := itself
	var work sync.WaitGroup
	work.Go(func() { f.SecondRouter = x.secondRouter(ctx) })
	work.Go(func() { x.enter(ctx) })
	// One after the other: a peer that serves strangers takes few connections from one
	// address, and its own dials back count.
	listened := x.admit(ctx)
	var seen, fresh []sight
	work.Go(func() {
		seen = x.sights(ctx, x.main.listens, x.outside)
		if len(x.outside) > 0 {
			fresh = x.sights(ctx, x.known.listens, x.outside[:1])
			itself = x.filters(ctx, x.known.calls, x.outside[0], fresh)
		}
	})
	if last := x.lastToTry(); last > 0 {
		work.Go(func() {
			rest := slices.Delete(slices.Clone(x.outside), last, last+1)
			others = x.filters(ctx, x.other.calls, x.outside[last], x.sights(ctx, x.other.listens, rest))
		})
	}
	if f.StrangerV6 = unknown(nobodyOutside); f.IPv6 != Nothing {
		f.StrangerV6 = x.strangers(ctx, true, listened).any(listened)
	}
	work.Wait()
	if f.StrangerV4 == Yes && f.Announced != Yes && (itself.tcp == Yes || itself.udp == Yes) && !x.owned(f.PublicIP) {
		// The port may have been opened by a host that ran here until a moment ago.
		f.StrangerV4 = unknown("the router lets everybody in where this machine has sent something before; name a forwarded port with --announce to try it")
	}
	f.TCPFiltering = filtering(f.StrangerV4, others.tcp, itself.tcp)
	f.UDPFiltering = filtering(f.StrangerV4, others.udp, itself.udp)
	if len(x.outside) > 0 {
		f.TCPMapping, f.UDPMapping = x.mapping("tcp", seen, fresh), x.mapping("quic", seen, fresh)
	}
	x.gettingOut(slices.Concat(seen, fresh))
	x.appearance(seen)
}

// lastToTry is the last peer outside who tries things out, -1 if nobody does.
func (x *examination) lastToTry() int {
	last := -1
	for i, o := range x.outside {
		if o.tries {
			last = i
		}
	}
	return last
}

// mapping tells what the NAT does, from what is seen of the ports of main, or if it
// listens on none, of others.
func (x *examination) mapping(transport string, seen, others []sight) Answer {
	if m := mapping(seen, transport, x.owns); m.Known() {
		return m
	}
	return mapping(others, transport, x.owns)
}

// enter looks for the directory, and for relays where a host would.
func (x *examination) enter(ctx context.Context) {
	f, d := &x.findings, x.main.calls.directory
	switch {
	case d == nil:
		f.Directory = NotAsked
	case len(x.named) == 0:
		f.Directory = Nothing + ": neither a relay nor a bootstrap peer was named"
	case !d.enter(ctx):
		f.Directory = Nothing + ": no peer of it answers"
	default:
		f.Directory = Found
		if f.Network == Public && len(d.config.Relays) == 0 {
			f.Relays = append(f.Relays, x.search(ctx)...)
		}
	}
}

// admit has strangers sent over IPv4 to the ports that a chat host would listen on,
// and to those that were announced. It returns the former.
func (x *examination) admit(ctx context.Context) []ma.Multiaddr {
	f, n := &x.findings, x.main.listens
	announced, listened := portsOf(n.config.Announce), portsOf(n.Host.Network().ListenAddresses())
	in := x.strangers(ctx, false, append(announced, listened...))
	f.StrangerV4, f.Announced = in.any(listened), in.any(announced)
	if len(announced) == 0 {
		f.Announced = NotAsked
	}
	return listened
}

// strangers has peers outside dial ports of this machine, as strangers would.
func (x *examination) strangers(ctx context.Context, v6 bool, ports []ma.Multiaddr) admission {
	x.asking.Lock()
	defer x.asking.Unlock()
	var mu sync.Mutex
	all := admission{rest: unknown(nobodyOutside)}
	var work sync.WaitGroup
	for _, o := range x.outside[:min(len(x.outside), askedOf)] {
		work.Go(func() {
			one := o.lines[v6].admit(ctx, ports)
			mu.Lock()
			defer mu.Unlock()
			all.in = append(all.in, one.in...)
			if all.rest != No {
				all.rest = one.rest
			}
		})
	}
	work.Wait()
	return all
}

// portsOf are the ports in addresses without the IP addresses: who is sent to this
// machine knows them.
func portsOf(addrs []ma.Multiaddr) []ma.Multiaddr {
	var all []ma.Multiaddr
	for _, a := range addrs {
		if l, ok := laneOf(a); ok {
			all = append(all, anywhere(l.transport, port(a)))
		}
	}
	return ma.Unique(all)
}

func anywhere(transport, port string) ma.Multiaddr {
	if transport == "quic" {
		return ma.StringCast("/ip4/0.0.0.0/udp/" + port + "/quic-v1")
	}
	return ma.StringCast("/ip4/0.0.0.0/tcp/" + port)
}

// protocols are the names that people know.
var protocols = map[string]string{"tcp": "TCP", "quic": "UDP"}

func notReached(transport string) Answer {
	return unknown("nobody outside was reached over " + protocols[transport] + " from a port that is listened on")
}

// sight is how a peer outside sees a port of this machine.
type sight struct {
	lane
	from          netip.AddrPort // where the peer was asked
	local, public netip.AddrPort
}

// sights lets a host speak to some peers, each at several places, and returns what
// they see of it.
func (x *examination) sights(ctx context.Context, n *Net, to []*outsider) []sight {
	ctx, cancel := context.WithTimeout(ctx, observeTime)
	defer cancel()
	var mu sync.Mutex
	var all []sight
	var work sync.WaitGroup
	for _, o := range to[:min(len(to), askedOf)] {
		for _, a := range o.places() {
			work.Go(func() {
				seen, err := n.observe(ctx, witness{o.info.ID, a})
				if err != nil {
					return
				}
				l, _ := laneOf(a)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, sight{l, addrPort(a), addrPort(seen.local), addrPort(seen.public)})
			})
		}
	}
	work.Wait()
	return all
}

// filters tells, by transport, whether a peer gets in at ports from which this machine
// has spoken to somebody.
type filters struct{ tcp, udp Answer }

// filters has a peer outside dial the ports that it saw, or others did.
func (x *examination) filters(ctx context.Context, calls *Net, o *outsider, sights []sight) filters {
	f := filters{notReached("tcp"), notReached("quic")}
	met := o.lines[false].conn
	if met == nil {
		return f
	}
	at := addrPort(met.RemoteMultiaddr()).Addr()
	ports := map[string]ma.Multiaddr{}
	for _, s := range sights {
		if _, ok := ports[s.transport]; !s.v6 && (!ok || s.from.Addr() == at) {
			ports[s.transport] = anywhere(s.transport, strconv.Itoa(int(s.public.Port())))
		}
	}
	dial, cancel := context.WithTimeout(ctx, observeTime)
	defer cancel()
	conn, err := calls.dial(dial, o.info.ID, []ma.Multiaddr{met.RemoteMultiaddr()})
	if err != nil {
		return f
	}
	defer conn.Close()
	in := line{net: calls, conn: conn}.admit(ctx, slices.Collect(maps.Values(ports)))
	for transport, answer := range map[string]*Answer{"tcp": &f.tcp, "quic": &f.udp} {
		if p, ok := ports[transport]; ok {
			*answer = in.at(p)
		}
	}
	return f
}

func (x *examination) owned(ip Answer) bool {
	addr, err := netip.ParseAddr(string(ip))
	return err == nil && x.owns(addr)
}

// owns tells whether an address is one of this machine's.
func (x *examination) owns(addr netip.Addr) bool {
	return slices.ContainsFunc(listening(x.main.listens), func(a ma.Multiaddr) bool { return addrPort(a).Addr() == addr })
}

// mapping tells how the NAT picks the port that others see.
func mapping(sights []sight, transport string, owns func(netip.Addr) bool) Answer {
	sights = slices.DeleteFunc(slices.Clone(sights), func(s sight) bool { return s.transport != transport || s.v6 })
	if len(sights) == 0 {
		return notReached(transport)
	}
	first := sights[0]
	moves, byPort, asked := false, false, map[netip.Addr]bool{}
	for _, s := range sights {
		asked[s.from.Addr()] = true
		moves = moves || s.public != first.public
		byPort = byPort || slices.ContainsFunc(sights, func(o sight) bool { return o.from.Addr() == s.from.Addr() && o.public != s.public })
	}
	switch {
	case byPort, moves && len(sights) == len(asked): // nobody was asked at two ports: the worse is more common
		return ByPort
	case moves:
		return ByAddress
	case owns(first.public.Addr()):
		return Nothing
	case len(sights) > 1:
		return Independent
	case first.local.Port() == first.public.Port():
		return OneObserver
	}
	return unknown("the only one who was asked sees another port than the one used; a second relay would tell whether all see that one")
}

// filtering tells whom a NAT or firewall lets in, from whether somebody got in: at a
// port from which nobody had been spoken to, only others, and that peer itself, but at
// another port of it.
func filtering(nobody, others, itself Answer) Answer {
	switch {
	case nobody == Yes, others == Yes:
		return Independent
	case itself == No:
		return ByPort
	case itself == Yes && others == No:
		return ByAddress
	case itself == Yes:
		return NotByPort
	}
	return itself
}

// gettingOut tells what this network lets out.
func (x *examination) gettingOut(sights []sight) {
	f := &x.findings
	if len(x.outside) == 0 {
		f.OutUDP, f.WebOnly = unknown(nobodyOutside), unknown(nobodyOutside)
		return
	}
	f.OutUDP = unknown("no peer that answers says that it listens on UDP")
	f.WebOnly = unknown("no peer that answers says that it listens on other ports than the web's")
	for _, o := range x.outside {
		for _, a := range o.addrs {
			if transportOf(a) == "quic" && manet.IsPublicAddr(a) {
				f.OutUDP = Blocked
			}
			if notWeb(port(a)) && manet.IsPublicAddr(a) {
				f.WebOnly = Yes
			}
		}
	}
	for _, o := range x.outside {
		if notWeb(port(o.conn.RemoteMultiaddr())) {
			f.WebOnly = No
		}
	}
	for _, s := range sights {
		if s.transport == "quic" {
			f.OutUDP = Open
		}
		if notWeb(strconv.Itoa(int(s.from.Port()))) {
			f.WebOnly = No
		}
	}
}

func notWeb(port string) bool { return port != "80" && port != "443" }
