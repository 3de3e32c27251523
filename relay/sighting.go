package relay

import (
	"strconv"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
)

// lane is a transport over a family of addresses.
type lane struct {
	transport string // tcp or quic
	v6        bool
}

// sighting is one address of this machine from outside.
type sighting struct {
	local, public ma.Multiaddr
	second        ma.Multiaddr // what another destination saw, if one was asked
}

// hard tells whether the NAT gives every connection a port of its own, as far as can
// be told: one destination alone can only see whether the port was changed.
func (s sighting) hard() bool {
	if s.second != nil {
		return !s.second.Equal(s.public)
	}
	return port(s.local) != port(s.public)
}

// guesses is how many of the next ports of a NAT are named that counts upwards.
const guesses = 6

// next are the addresses that the next connections will get from a NAT that counts
// its ports upwards; none if it does not seem to.
func (s sighting) next() []ma.Multiaddr {
	if s.second == nil || !s.hard() {
		return nil
	}
	a, errA := strconv.Atoi(port(s.public))
	b, errB := strconv.Atoi(port(s.second))
	if errA != nil || errB != nil || ip(s.public) != ip(s.second) || a-b > guesses || b-a > guesses {
		return nil
	}
	var all []ma.Multiaddr
	for p := max(a, b) + 1; p <= min(max(a, b)+guesses, 65535); p++ {
		if n := withPort(s.public, p); n != nil {
			all = append(all, n)
		}
	}
	return all
}

// withPort is an address with another port.
func withPort(a ma.Multiaddr, p int) ma.Multiaddr {
	for _, protocol := range []string{"tcp", "udp"} {
		if old := "/" + protocol + "/" + port(a); port(a) != "" && strings.Contains(a.String(), old) {
			n, err := ma.NewMultiaddr(strings.Replace(a.String(), old, "/"+protocol+"/"+strconv.Itoa(p), 1))
			if err == nil {
				return n
			}
		}
	}
	return nil
}

// view is what is known from outside.
type view struct {
	addrs []ma.Multiaddr // public addresses of the listening sockets
	hard  bool           // the NAT gives every connection a port of its own, as far as can be told
	noUDP bool           // UDP got no answer, TCP did
}

// laneOf is the lane that an address of a peer belongs to.
func laneOf(a ma.Multiaddr) (lane, bool) {
	if isRelayed(a) {
		return lane{}, false
	}
	_, err := a.ValueForProtocol(ma.P_IP6)
	l := lane{transport: transportOf(a), v6: err == nil}
	return l, l.transport == "tcp" || l.transport == "quic"
}

// port is the port in an address, empty if it has none.
func port(a ma.Multiaddr) string {
	for _, code := range []int{ma.P_TCP, ma.P_UDP} {
		if v, err := a.ValueForProtocol(code); err == nil {
			return v
		}
	}
	return ""
}
