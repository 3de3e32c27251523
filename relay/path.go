package relay

import (
	"net"
	"slices"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// The paths, as the contract names them.
const (
	Direct  = "direct"  // straight to a public address
	Mapped  = "mapped"  // to a port that a router forwards
	Punched = "punched" // through NATs or firewalls, by dialling from both sides at once
	Relayed = "relayed" // through a relay, which sees no content
	LAN     = "lan"     // inside one network
	Local   = "local"   // on this machine
)

// PathOf tells by which path and transport a connection with this remote address
// goes.
func PathOf(remote ma.Multiaddr) (path, transport string) {
	transport = transportOf(remote)
	switch {
	case isRelayed(remote):
		return Relayed, transport
	case manet.IsIPLoopback(remote):
		return Local, transport
	case manet.IsPrivateAddr(remote):
		return LAN, transport
	}
	return Direct, transport
}

// isRelayed looks at the address, not at the connection's Limited flag: an
// unlimited relay's connections do not carry it.
func isRelayed(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}

func transportOf(a ma.Multiaddr) string {
	for _, t := range []struct {
		code int
		name string
	}{{ma.P_QUIC_V1, "quic"}, {ma.P_WSS, "wss"}, {ma.P_WS, "ws"}, {ma.P_TCP, "tcp"}} {
		if _, err := a.ValueForProtocol(t.code); err == nil {
			return t.name
		}
	}
	return strings.TrimPrefix(a.String(), "/")
}

// Reach says how far away an address can be dialled from: 2 from everywhere, 1
// from the same network, 0 only from this machine.
func Reach(a ma.Multiaddr) int {
	switch {
	case isRelayed(a) || manet.IsPublicAddr(a) || hasName(a):
		return 2
	case manet.IsIPLoopback(a):
		return 0
	}
	return 1
}

func hasName(a ma.Multiaddr) bool {
	if len(a) == 0 {
		return false
	}
	switch a[0].Protocol().Code {
	case ma.P_DNS, ma.P_DNS4, ma.P_DNS6, ma.P_DNSADDR:
		return true
	}
	return false
}

// Group names where a connection comes from, for counting: its IPv4 address or
// IPv6 /56. All that come through one relay are one group; this machine itself
// is none.
func Group(a ma.Multiaddr) string {
	ip, err := manet.ToIP(a)
	if err != nil {
		return a.String()
	}
	if ip.IsLoopback() {
		return ""
	}
	if v4 := ip.To4(); v4 != nil {
		return v4.String()
	}
	return ip.Mask(net.CIDRMask(56, 128)).String()
}

// Near tells whether an address may be reached from here: one inside a private
// network only from a machine that has an address in the same network.
func Near(a ma.Multiaddr) bool {
	addr, err := manet.ToIP(a)
	if err != nil || isRelayed(a) || !manet.IsPrivateAddr(a) || addr.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(own, func(o net.Addr) bool {
		n, ok := o.(*net.IPNet)
		return ok && n.Contains(addr)
	})
}
