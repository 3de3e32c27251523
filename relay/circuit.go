package relay

import (
	"slices"
	"strconv"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// split parts the addresses of a peer into its own and the relays that lead to it.
func split(addrs []ma.Multiaddr) (direct []ma.Multiaddr, relays []peer.AddrInfo) {
	for _, a := range addrs {
		if !isRelayed(a) {
			direct = append(direct, a)
			continue
		}
		if r, ok := relayOf(a); ok {
			relays = AddPeer(relays, r)
		}
	}
	return direct, relays
}

// relayOf is the relay in an address like /ip4/…/p2p/RELAY/p2p-circuit.
func relayOf(a ma.Multiaddr) (peer.AddrInfo, bool) {
	before, _ := ma.SplitFunc(a, func(c ma.Component) bool { return c.Protocol().Code == ma.P_CIRCUIT })
	info, err := peer.AddrInfoFromP2pAddr(before)
	if err != nil {
		return peer.AddrInfo{}, false
	}
	return *info, true
}

// AddPeer adds a peer, or its addresses to those it has already.
func AddPeer(relays []peer.AddrInfo, r peer.AddrInfo) []peer.AddrInfo {
	i := slices.IndexFunc(relays, func(o peer.AddrInfo) bool { return o.ID == r.ID })
	if i < 0 {
		return append(relays, peer.AddrInfo{ID: r.ID, Addrs: slices.Clone(r.Addrs)})
	}
	relays[i].Addrs = Distinct(append(relays[i].Addrs, r.Addrs...))
	return relays
}

// circuit is the address of a peer behind a relay that is reached at an address.
func circuit(at ma.Multiaddr, relay peer.ID) (ma.Multiaddr, error) {
	rest, err := ma.NewMultiaddr("/p2p/" + relay.String() + "/p2p-circuit")
	if err != nil {
		return nil, err
	}
	return at.Encapsulate(rest), nil
}

// doors are the addresses of a relay, and those that it most likely has besides: a
// target names one, but where only the web is let out, or no UDP, another one is
// needed. See p2pchat relay for what it listens on.
func doors(addrs []ma.Multiaddr) []ma.Multiaddr {
	all := slices.Clone(addrs)
	for _, a := range addrs {
		if len(a) < 2 || Reach(a) == 0 { // on this machine everything answers
			continue
		}
		place, port := a[:1], a[1].Value()
		if n, err := strconv.Atoi(port); err != nil || n == 443 {
			port = strconv.Itoa(DefaultPort)
		}
		for _, rest := range []string{"/tcp/" + port, "/tcp/443/tls/ws", "/udp/" + port + "/quic-v1"} {
			if door, err := ma.NewMultiaddr(place.String() + rest); err == nil {
				all = append(all, door)
			}
		}
	}
	return Distinct(all)
}

// DefaultPort is where hosts and relays listen unless told otherwise.
const DefaultPort = 4001

// Distinct returns addresses in their order, each once.
func Distinct(addrs []ma.Multiaddr) []ma.Multiaddr {
	var all []ma.Multiaddr
	for _, a := range addrs {
		if !ma.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}
