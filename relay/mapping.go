package relay

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p/p2p/net/nat"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Timing of port mapping.
const (
	mapSearch = 15 * time.Second
	mapLook   = 2 * time.Second // for the router to answer, and for changes
	mapAgain  = 5 * time.Minute // where no router answered
)

// mapPorts asks the router (UPnP, NAT-PMP, PCP) to forward the ports that are
// listened on, and asks anew whenever the machine is in another network. libp2p
// renews what was granted.
func (n *Net) mapPorts() {
	for n.ctx.Err() == nil {
		moved := n.Moved()
		ctx, cancel := context.WithTimeout(n.ctx, mapSearch)
		router, err := nat.DiscoverNAT(ctx)
		cancel()
		if err == nil {
			n.keepMapped(router, moved)
			n.reach.setMapped(nil)
			_ = router.Close()
			continue
		}
		log.Debugf("port mapping: %v", err)
		t := time.NewTimer(mapAgain)
		select {
		case <-t.C:
		case <-moved:
		case <-n.ctx.Done():
		}
		t.Stop()
	}
}

// keepMapped holds the mappings of one router until the machine moves.
func (n *Net) keepMapped(router *nat.NAT, moved <-chan struct{}) {
	ports := map[string]int{} // by protocol
	for _, a := range listening(n) {
		if _, err := a.ValueForProtocol(ma.P_IP4); err != nil || manet.IsIPLoopback(a) || manet.IsPublicAddr(a) {
			continue
		}
		if p, err := strconv.Atoi(port(a)); err == nil {
			ports[map[string]string{"tcp": "tcp", "quic": "udp"}[transportOf(a)]] = p
		}
	}
	delete(ports, "")
	for protocol, p := range ports {
		if err := router.AddMapping(n.ctx, protocol, p); err != nil {
			log.Debugf("port mapping: %v", err)
		}
	}
	tick := time.NewTicker(mapLook)
	defer tick.Stop()
	for {
		n.reach.setMapped(mappings(router, ports))
		select {
		case <-tick.C:
		case <-moved:
			return
		case <-n.ctx.Done():
			return
		}
	}
}

// mappings are the public addresses that a router forwards. One behind another NAT
// has no public address to offer.
func mappings(router *nat.NAT, ports map[string]int) []ma.Multiaddr {
	var all []ma.Multiaddr
	for _, protocol := range []string{"tcp", "udp"} {
		p, ok := ports[protocol]
		if !ok {
			continue
		}
		at, found := router.GetMapping(protocol, p)
		if !found {
			continue
		}
		if a := addrOf(at, protocol); a != nil && manet.IsPublicAddr(a) {
			all = append(all, a)
		}
	}
	return all
}

// addrOf is the multiaddr of TCP, or QUIC over UDP, at an address.
func addrOf(at netip.AddrPort, protocol string) ma.Multiaddr {
	family, rest := "/ip4/", ""
	if at.Addr().Is6() && !at.Addr().Is4In6() {
		family = "/ip6/"
	}
	if protocol == "udp" {
		rest = "/quic-v1"
	}
	a, err := ma.NewMultiaddr(family + at.Addr().Unmap().String() + "/" + protocol + "/" + strconv.Itoa(int(at.Port())) + rest)
	if err != nil {
		return nil
	}
	return a
}
