package natlab

import "fmt"

// Kind is what stands between a home and the internet.
type Kind int

// The kinds of homes. Mapping and filtering are meant as in RFC 4787: which
// public port a socket gets, and who may answer to it.
const (
	Open                Kind = iota // public addresses on the LAN, no NAT, no firewall
	Firewall                        // public addresses on the LAN, only answers come in
	FullCone                        // one port for all destinations, everybody may answer
	AddressRestricted               // one port for all destinations, whom it was sent to may answer from any port
	PortRestricted                  // one port for all destinations, only they may answer
	Symmetric                       // a random port for each destination
	SymmetricSequential             // the next port for each destination
	UDPBlocked                      // port-restricted, and no UDP at all
	WebOnly                         // only TCP to ports 80 and 443 goes out
	Forwarded                       // port-restricted, and port 4001 goes to the first machine
	UPnP                            // port-restricted, and miniupnpd serves the LAN
	CGNAT                           // port-restricted behind a port-restricted carrier
	CGNATCone                       // port-restricted behind a full-cone carrier, as RFC 6888 asks for
	IPv6Open                        // symmetric for IPv4, IPv6 routed
	IPv6Firewall                    // symmetric for IPv4, IPv6 routed, only answers come in
)

// Kinds lists every kind.
var Kinds = []Kind{
	Open, Firewall, FullCone, AddressRestricted, PortRestricted, Symmetric, SymmetricSequential,
	UDPBlocked, WebOnly, Forwarded, UPnP, CGNAT, CGNATCone, IPv6Open, IPv6Firewall,
}

// String returns the name of the kind, fit for the name of a subtest.
func (k Kind) String() string {
	names := [...]string{
		"open", "firewall", "full-cone", "address-restricted", "port-restricted", "symmetric", "symmetric-sequential",
		"udp-blocked", "web-only", "forwarded", "upnp", "cgnat", "cgnat-cone", "ipv6-open", "ipv6-firewall",
	}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return names[k]
}

// routed tells whether the LAN has public IPv4 addresses.
func (k Kind) routed() bool { return k == Open || k == Firewall }

// carried tells whether the carrier translates too.
func (k Kind) carried() bool { return k == CGNAT || k == CGNATCone }

// ipv6 tells whether the LAN has public IPv6 addresses.
func (k Kind) ipv6() bool { return k == IPv6Open || k == IPv6Firewall }

// carrier returns what the carrier of such a home does.
func (k Kind) carrier() Kind {
	switch k {
	case CGNAT:
		return PortRestricted
	case CGNATCone:
		return FullCone
	default:
		return Open
	}
}
