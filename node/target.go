package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node/wire"
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
		return Target{}, fmt.Errorf("%q is not a whole address: copy all that p2pchat host printed, to its last character", s)
	}
	info, err := peer.AddrInfoFromP2pAddr(a)
	if err != nil {
		return Target{}, fmt.Errorf("%q does not say whose address it is: it has to end in /p2p/ID, as p2pchat host prints it", s)
	}
	return Target{AddrInfo: *info}, nil
}

// Addrs returns the addresses under which the host can be reached, what works from
// most places first, TCP before QUIC (half the cost for the host).
func (h *Host) Addrs() []ma.Multiaddr {
	var addrs []ma.Multiaddr
	for _, a := range h.net.Addresses() {
		addrs = append(addrs, a.Addr)
	}
	return addrs
}

// whereabouts are the addresses to tell the members; loopback is of no use to them,
// unless there is nothing else.
func (h *Host) whereabouts() rooms.Whereabouts {
	var w rooms.Whereabouts
	for _, a := range h.net.Addresses() {
		if len(w.Addrs) < wire.HostAddrs && (a.Path != relay.Local || len(w.Addrs) == 0) {
			w.Addrs = append(w.Addrs, rooms.HostAddr{Addr: a.Addr.String(), Path: a.Path})
		}
	}
	return w
}

// shared are the addresses to put into an invite. Those that are only good inside
// one network are left out where there are better ones.
func (h *Host) shared() []ma.Multiaddr {
	var addrs []ma.Multiaddr
	for _, a := range h.Addrs() {
		if len(addrs) == 0 || relay.Reach(a) == relay.Reach(addrs[0]) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// orient tells a new session where the host can be reached. Where nothing is looked
// for and no relay is named there is nothing to tell.
func (h *Host) orient(s *session) {
	if h.net.Looks() || len(h.config.Relays) > 0 {
		s.out.push(0, h.whereabouts())
	}
}

// moved tells everybody that the host's addresses have changed.
func (h *Host) moved() {
	if !h.begin() {
		return
	}
	go func() {
		defer h.sessions.Done()
		h.registrar.asks <- ask{tell: func() rooms.Event { return h.whereabouts() }}
		if h.config.Moved != nil {
			h.config.Moved()
		}
	}()
}

// Reach tells how far the host can be reached, in the contract's words, and why
// that is so.
func (h *Host) Reach() (reach, why string) {
	has := map[string]bool{}
	for _, a := range h.net.Addresses() {
		has[a.Path] = true
	}
	switch {
	case len(h.config.Announce) > 0:
		return "mapped", "through the port that you forwarded and announced"
	case has[relay.Mapped]:
		return "mapped", "through a port that the router opened for it"
	case has[relay.Direct] && h.net.Open():
		return "public", "at a public address of this machine, as a relay has tried out"
	case has[relay.Relayed]:
		return "relayed", "through a relay; members connect directly from there where their networks allow it"
	case has[relay.Direct]:
		return "public", "this machine has a public address"
	case has[relay.LAN]:
		return "lan", "from the same network; from outside, forward a port and name it with --announce, or use a relay (--relay)"
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

// FromOutside tells whether the host can be reached from everywhere, as far as it
// knows.
func (h *Host) FromOutside() bool {
	addrs := h.net.Addresses()
	return len(addrs) > 0 && relay.Reach(addrs[0].Addr) == 2
}

// AwaitOutside waits until the host can be reached from everywhere, or ctx ends.
func (h *Host) AwaitOutside(ctx context.Context) { h.net.Await(ctx, h.FromOutside) }

// AwaitRelay waits until a relay leads to the host, or ctx ends.
func (h *Host) AwaitRelay(ctx context.Context) {
	h.net.Await(ctx, func() bool { return h.net.Relayed(1) })
}
