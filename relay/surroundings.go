package relay

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/p2p/net/nat"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// look notes what this machine knows by itself.
func (x *examination) look() {
	f := &x.findings
	addrs := listening(x.main.listens)
	far := slices.DeleteFunc(slices.Clone(addrs), func(a ma.Multiaddr) bool { return Reach(a) == 0 })
	if len(far) == 0 {
		far = addrs
	}
	f.IPv6 = Nothing
	for _, a := range far {
		f.Addresses = append(f.Addresses, a.String())
		f.Near = max(f.Near, Reach(a))
		if isIP6(a) && manet.IsPublicAddr(a) {
			f.IPv6 = unknown("this machine has it, but nobody outside was there to ask whether strangers get in")
		}
		if f.Port == "" {
			f.Port = port(a)
		}
	}
	if len(f.Addresses) == 0 {
		f.Addresses = []string{"none: this machine is in no network"}
	}
	x.carried = carrierNet.Contains(source())
}

// carrierNet is where providers keep customers that share an address (RFC 6598).
var carrierNet = netip.MustParsePrefix("100.64.0.0/10")

// source is the IPv4 address that this machine speaks to the internet from. Nothing is
// sent.
func source() netip.Addr {
	c, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	at, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return at.AddrPort().Addr().Unmap()
}

// router asks the router for the ports that are listened on, and when the peers
// outside are known, has one of them try these.
func (x *examination) router(ctx context.Context, met <-chan struct{}) {
	f := &x.findings
	f.PortMapping, f.Mapped = NotAsked, unknown("no port was asked for")
	if f.Network == None {
		return
	}
	ports := map[string]int{}
	for _, a := range listening(x.main.listens) {
		if l, ok := laneOf(a); ok && !l.v6 && Reach(a) == 1 {
			ports[strings.ToLower(protocols[l.transport])], _ = strconv.Atoi(port(a))
		}
	}
	if len(ports) == 0 {
		f.PortMapping = Nothing + ": this machine is not behind a router that translates addresses"
		return
	}
	f.PortMapping = Nothing + ": no router answered"
	search, cancel := context.WithTimeout(ctx, routerTime)
	defer cancel()
	router, err := nat.DiscoverNAT(search)
	if err != nil {
		return
	}
	defer router.Close()
	f.PortMapping = Nothing + ": a router answered, but opened no port"
	var opened []string
	var open []ma.Multiaddr
	for _, protocol := range []string{"tcp", "udp"} {
		p, ok := ports[protocol]
		if !ok || router.AddMapping(ctx, protocol, p) != nil {
			continue
		}
		if at, ok := router.GetMapping(protocol, p); ok {
			at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
			x.routerIP = at.Addr()
			opened = append(opened, strings.ToUpper(protocol)+" "+at.String())
			open = append(open, addrOf(at, protocol))
		}
	}
	if len(opened) == 0 {
		return
	}
	f.PortMapping = grantedBegin + Answer(strings.Join(opened, ", "))
	<-met
	if !manet.IsPublicAddr(open[0]) || f.PublicIP.Known() && string(f.PublicIP) != x.routerIP.String() {
		f.Mapped = No // it is behind another one
		return
	}
	at := portsOf(open)
	f.Mapped = x.strangers(ctx, false, at).any(at)
}

// appearance notes how the ports look from outside that a chat host would listen on.
func (x *examination) appearance(sights []sight) {
	f := &x.findings
	none := unknown(nobodyOutside)
	if len(x.outside) > 0 {
		none = unknown("no peer outside was reached from it")
	}
	alone := none
	if f.PublicIP.Known() {
		alone = unknown("no peer outside was reached from it; the address is " + string(f.PublicIP))
	}
	for l, answer := range map[lane]*Answer{{"tcp", false}: &f.TCP, {"quic", false}: &f.UDP, {"tcp", true}: &f.TCP6, {"quic", true}: &f.UDP6} {
		switch {
		case !l.v6:
			*answer = alone
		case f.IPv6 == Nothing:
			*answer = Nothing + ": this machine has no IPv6"
		default:
			*answer = none
		}
		for _, s := range sights {
			if s.lane == l {
				*answer = Answer(s.public.String())
			}
		}
	}
}

// conclude draws the conclusions from all that was found.
func (x *examination) conclude() {
	f := &x.findings
	f.NAT = unknown(nobodyOutside)
	if f.PublicIP.Known() {
		f.NAT = Yes
		if x.owned(f.PublicIP) {
			f.NAT = No
		}
	}
	for _, mapping := range []*Answer{&f.TCPMapping, &f.UDPMapping} {
		if f.NAT == No && !mapping.Known() {
			*mapping = Nothing
		}
	}
	switch f.StrangerV6 {
	case Yes:
		f.IPv6 = Open
	case No:
		f.IPv6 = Closed
	}
	f.CGNAT = x.cgnat()
	if x.routerIP.IsValid() && x.routerIP.IsPrivate() && !f.SecondRouter.Known() {
		f.SecondRouter = Answer("the one that has given this machine's router the address " + x.routerIP.String())
	}
}

// cgnat tells whether the provider lets many customers share an address.
func (x *examination) cgnat() Answer {
	f := &x.findings
	second, _ := netip.ParseAddr(string(f.SecondRouter))
	switch {
	case f.NAT == No:
		return No
	case x.carried, carrierNet.Contains(x.routerIP):
		return Yes
	case x.routerIP.IsValid() && !x.routerIP.IsPrivate() && f.PublicIP.Known():
		if string(f.PublicIP) == x.routerIP.String() {
			return No
		}
		return Yes
	case carrierNet.Contains(second):
		return Probably + ": the next router is " + f.SecondRouter
	case f.PublicIP.Known():
		return unknown("the router does not tell its own address; its status page does: is it " + string(f.PublicIP) + "?")
	}
	return unknown(nobodyOutside)
}

// secondRouter looks for a router behind the one that this machine is connected to,
// with an address that says that the first one has no public address either.
func (x *examination) secondRouter(ctx context.Context) Answer {
	if x.findings.Network == None {
		return NotAsked
	}
	for _, o := range x.outside {
		to := addrPort(o.conn.RemoteMultiaddr()).Addr()
		if !to.Is4() {
			continue
		}
		at, err := secondHop(ctx, to)
		switch {
		case err != nil:
			return unknown(err.Error())
		case carrierNet.Contains(at), homeNet.Contains(at):
			return Answer(at.String())
		}
		return Nothing
	}
	return unknown(nobodyOutside)
}

// homeNet is where home routers give out addresses. Providers use the other private
// ranges for machines of their own, without translating.
var homeNet = netip.MustParsePrefix("192.168.0.0/16")
