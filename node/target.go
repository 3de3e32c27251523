package node

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/relay"
	"p2pchat/rooms"
)

// Target is where a client connects to. The host's key is always part of it, so
// that a wrong address can never lead to a wrong host.
type Target struct {
	peer.AddrInfo
	Invite rooms.Capability // zero: none
}

// ErrInvite is returned for text that was meant as an invite and can't be one.
var ErrInvite = errors.New("this is not a whole invite")

// ParseTarget reads what stands behind "p2pchat join": a multiaddr that ends in
// /p2p/ID, a peer ID, or an invite.
func ParseTarget(s string) (Target, error) {
	s = strings.TrimSpace(s)
	switch {
	case IsInvite(s):
		l, err := ParseInvite(s)
		if err != nil {
			return Target{}, err
		}
		return l.Target(), nil
	case strings.HasPrefix(s, "/"):
		return parseMultiaddr(s)
	}
	id, err := peer.Decode(s)
	if err != nil {
		return Target{}, fmt.Errorf("%q is no address: give a multiaddr with /p2p/ID, a peer ID or an invite, as p2pchat host prints it", s)
	}
	return Target{AddrInfo: peer.AddrInfo{ID: id}}, nil
}

func parseMultiaddr(s string) (Target, error) {
	a, err := ma.NewMultiaddr(s)
	if err != nil {
		return Target{}, fmt.Errorf("%q is no multiaddr: %w", s, err)
	}
	info, err := peer.AddrInfoFromP2pAddr(a)
	if err != nil {
		return Target{}, fmt.Errorf("%q does not say whose address it is: it has to end in /p2p/ID, as p2pchat host prints it", s)
	}
	return Target{AddrInfo: *info}, nil
}

// Addrs returns the addresses under which the host can be reached, the ones that
// reach furthest first, TCP before QUIC (half the cost for the host).
func (h *Host) Addrs() []ma.Multiaddr {
	addrs := ma.Unique(h.net.Addrs())
	announced := map[string]bool{}
	for _, a := range h.config.Announce {
		announced[string(a.Bytes())] = true
	}
	rank := func(a ma.Multiaddr) int {
		n := 4 * relay.Reach(a)
		if announced[string(a.Bytes())] {
			n += 16
		}
		if _, transport := relay.PathOf(a); transport == "tcp" {
			n += 2
		}
		if _, err := a.ValueForProtocol(ma.P_IP6); err != nil {
			n++
		}
		return n
	}
	slices.SortStableFunc(addrs, func(a, b ma.Multiaddr) int { return cmp.Compare(rank(b), rank(a)) })
	return addrs
}

// Reach tells how far the host can be reached, in the contract's words, and why
// that is so.
func (h *Host) Reach() (reach, why string) {
	best := -1
	for _, a := range h.Addrs() {
		best = max(best, relay.Reach(a))
	}
	switch {
	case len(h.config.Announce) > 0:
		return "mapped", "through the port that you forwarded and announced"
	case best == 2:
		return "public", "this machine has a public address"
	case best == 1:
		return "lan", "from the same network; from outside, forward a port and name it with --announce"
	}
	return "none", "from this machine only: no address of a network is listened on"
}

// Target returns what to paste behind "p2pchat join" elsewhere.
func (h *Host) Target() string {
	addrs := h.Addrs()
	if len(addrs) == 0 {
		return string(h.peer)
	}
	return fmt.Sprintf("%s/p2p/%s", addrs[0], h.peer)
}
