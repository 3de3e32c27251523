package relay

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"p2pchat/relay/internal/pb"
)

// way is an address and how its owner comes by it.
type way struct {
	addr ma.Multiaddr
	kind pb.Kind
}

// offer collects this side's addresses. Looking how others see them takes a few
// round trips, unless that was done a moment ago.
func (p *puncher) offer(ctx context.Context) *pb.Offer {
	ctx, cancel := context.WithTimeout(ctx, punchLook)
	defer cancel()
	seen := p.net.observer.refresh(ctx)
	o := &pb.Offer{Hard: seen.hard, NoUdp: seen.noUDP}
	for _, w := range p.net.reach.ways(seen.addrs) {
		if len(o.Addrs) < 2*punchAddrs {
			o.Addrs = append(o.Addrs, &pb.Address{Addr: w.addr.Bytes(), Kind: w.kind})
		}
	}
	return o
}

// meeting picks the addresses at which a peer is to be dialled: its public ones,
// and those inside its network when both are seen at the same address.
func (p *puncher) meeting(id peer.ID, mine, theirs *pb.Offer) []ma.Multiaddr {
	here := map[string]bool{}
	for _, w := range ways(mine) {
		if w.kind == pb.Kind_KIND_SEEN {
			here[ip(w.addr)] = true
		}
	}
	all := ways(theirs)
	together := slices.ContainsFunc(all, func(w way) bool { return w.kind == pb.Kind_KIND_SEEN && here[ip(w.addr)] })
	var addrs []ma.Multiaddr
	places := map[string]bool{}
	for _, w := range all {
		public := manet.IsPublicAddr(w.addr)
		if public && !places[ip(w.addr)] && len(places) == punchPlaces {
			continue
		}
		if public {
			places[ip(w.addr)] = true
		}
		near := w.kind == pb.Kind_KIND_LAN && together && manet.IsPrivateAddr(w.addr) && p.near(w.addr)
		if len(addrs) < punchAddrs && (public || near) {
			addrs = append(addrs, w.addr)
		}
	}
	p.mu.Lock()
	if len(p.ways) > punchKnown {
		clear(p.ways)
	}
	p.ways[id] = all
	p.mu.Unlock()
	return addrs
}

// ways reads the addresses of an offer; those that can't be dialled are left out.
func ways(o *pb.Offer) []way {
	var all []way
	for _, a := range o.GetAddrs()[:min(len(o.GetAddrs()), 2*punchAddrs)] {
		addr, err := ma.NewMultiaddrBytes(a.GetAddr())
		if err != nil || len(a.GetAddr()) > 128 {
			continue
		}
		if _, ok := laneOf(addr); ok && ip(addr) != "" && !manet.IsIPLoopback(addr) {
			all = append(all, way{addr, a.GetKind()})
		}
	}
	return all
}

func ip(a ma.Multiaddr) string {
	addr, err := manet.ToIP(a)
	if err != nil {
		return ""
	}
	return addr.String()
}

// NoPunchError tells why no direct connection came about.
type NoPunchError struct {
	Why  string // what stands in the way
	Help string // what would help
}

func (e *NoPunchError) Error() string { return e.Why }

// explain tells why two sides that tried could not connect.
func explain(mine, theirs *pb.Offer) *NoPunchError {
	const forward = "a forwarded port on the host's router, or IPv6 on both sides, would help"
	switch {
	case !outside(mine):
		return &NoPunchError{"this side's network lets only the web out", "another network, or a host that listens on port 443"}
	case !outside(theirs):
		return &NoPunchError{"the host's network lets only the web out", "a forwarded port on the host's router"}
	case mine.GetHard() && theirs.GetHard():
		return &NoPunchError{"both routers give every connection a port of its own", forward}
	case mine.GetHard():
		return &NoPunchError{"this side's router gives every connection a port of its own, and the host's lets no stranger in", forward}
	case theirs.GetHard():
		return &NoPunchError{"the host's router gives every connection a port of its own, and this side's lets no stranger in", forward}
	case mine.GetNoUdp() || theirs.GetNoUdp():
		return &NoPunchError{fmt.Sprintf("%s network lets no UDP out, and TCP did not get through", side(mine.GetNoUdp())), forward}
	}
	return &NoPunchError{"a router or firewall between the two lets neither in", forward}
}

// outside tells whether an offer names an address outside of a private network.
func outside(o *pb.Offer) bool {
	return slices.ContainsFunc(ways(o), func(w way) bool { return w.kind != pb.Kind_KIND_LAN })
}

func side(mine bool) string {
	if mine {
		return "this side's"
	}
	return "the host's"
}
