package relay

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/libp2p/go-libp2p/core/event"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"p2pchat/relay/internal/pb"
)

// Address is one at which this machine can be reached, and by which path.
type Address struct {
	Addr ma.Multiaddr
	Path string // Mapped, Relayed, Direct, LAN or Local
}

// reach knows the addresses of a Net.
type reach struct {
	net     *Net
	changed func() // nil: nobody wants to know

	mu       sync.Mutex                // guards the fields below
	mapped   []ma.Multiaddr            // by the router
	circuits map[string][]ma.Multiaddr // by relay
	order    []string                  // of the relays
	open     bool                      // a stranger got in: the public addresses are reachable
	news     chan struct{}             // closed when the addresses change
}

// changes returns a channel that is closed when the addresses change.
func (r *reach) changes() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news == nil {
		r.news = make(chan struct{})
	}
	return r.news
}

// Await waits until something holds of the addresses, or ctx ends.
func (n *Net) Await(ctx context.Context, holds func() bool) {
	for {
		changed := n.reach.changes()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Relayed tells whether at least so many relays lead here.
func (n *Net) Relayed(count int) bool { return n.reach.relayed(count) }

// relayed tells whether at least n relays lead here.
func (r *reach) relayed(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, addrs := range r.circuits {
		if len(addrs) > 0 {
			n--
		}
	}
	return n <= 0
}

// advertise is what libp2p tells other peers.
func (r *reach) advertise(listened []ma.Multiaddr) []ma.Multiaddr {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append(slices.Clone(r.net.config.Announce), listened...)
	all = append(all, r.mapped...)
	for _, id := range r.order {
		all = append(all, r.circuits[id]...)
	}
	return ma.Unique(all)
}

// Addresses returns where this machine can be reached, what is sure to work from
// most places first, TCP before others.
func (n *Net) Addresses() []Address {
	r := &n.reach
	listened := listening(n)
	r.mu.Lock()
	var all []Address
	add := func(path string, addrs ...ma.Multiaddr) {
		for _, a := range addrs {
			all = append(all, Address{a, path})
		}
	}
	for _, id := range r.order {
		add(Relayed, r.circuits[id]...)
	}
	add(Mapped, n.config.Announce...)
	add(Mapped, r.mapped...)
	open := r.open
	r.mu.Unlock()
	for _, a := range listened {
		path, _ := PathOf(a)
		add(path, a)
	}
	announced := map[string]bool{}
	for _, a := range n.config.Announce {
		announced[string(a.Bytes())] = true
	}
	rank := func(a Address) int {
		switch {
		case announced[string(a.Addr.Bytes())]:
			return 0
		case a.Path == Direct && open:
			return 1
		case a.Path == Relayed:
			return 2
		}
		return map[string]int{Mapped: 3, Direct: 4, LAN: 5, Local: 6}[a.Path]
	}
	fine := func(a Address) int {
		n := 0
		if _, transport := PathOf(a.Addr); transport != "tcp" {
			n += 2
		}
		if _, err := a.Addr.ValueForProtocol(ma.P_IP6); err == nil {
			n++
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b Address) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(fine(a), fine(b)))
	})
	return slices.CompactFunc(all, func(a, b Address) bool { return a.Addr.Equal(b.Addr) })
}

// listening are the addresses of this machine's interfaces that are listened on.
func listening(n *Net) []ma.Multiaddr {
	addrs, err := n.Host.Network().InterfaceListenAddresses()
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(addrs, func(a ma.Multiaddr) bool { return isRelayed(a) || manet.IsIP6LinkLocal(a) })
}

// ways are the addresses to name in a punch: those of the interfaces, of forwarded
// ports, and those that others see.
func (r *reach) ways(seen []ma.Multiaddr) []way {
	var all []way
	add := func(kind pb.Kind, addrs ...ma.Multiaddr) {
		for _, a := range addrs {
			if !slices.ContainsFunc(all, func(w way) bool { return w.addr.Equal(a) }) {
				all = append(all, way{a, kind})
			}
		}
	}
	listened := listening(r.net)
	for _, a := range listened {
		if manet.IsPublicAddr(a) {
			add(pb.Kind_KIND_OPEN, a)
		}
	}
	r.mu.Lock()
	add(pb.Kind_KIND_MAPPED, r.net.config.Announce...)
	add(pb.Kind_KIND_MAPPED, r.mapped...)
	r.mu.Unlock()
	add(pb.Kind_KIND_SEEN, seen...)
	for _, a := range listened {
		if !manet.IsPublicAddr(a) && !manet.IsIPLoopback(a) {
			add(pb.Kind_KIND_LAN, a)
		}
	}
	return all
}

// setMapped takes over what the router forwards.
func (r *reach) setMapped(addrs []ma.Multiaddr) {
	r.mu.Lock()
	same := slices.EqualFunc(r.mapped, addrs, ma.Multiaddr.Equal)
	r.mapped = addrs
	r.mu.Unlock()
	r.tell(same)
}

// setOpen notes whether a stranger got in at a public address.
func (r *reach) setOpen(open bool) {
	r.mu.Lock()
	same := r.open == open
	r.open = open
	r.mu.Unlock()
	r.tell(same)
}

// Open tells whether it was tried out that strangers get in at this machine's public
// addresses.
func (n *Net) Open() bool {
	n.reach.mu.Lock()
	defer n.reach.mu.Unlock()
	return n.reach.open
}

// setCircuits takes over the addresses by a relay; none when it does not lead here
// any more.
func (r *reach) setCircuits(relay string, addrs []ma.Multiaddr) {
	r.mu.Lock()
	if r.circuits == nil {
		r.circuits = map[string][]ma.Multiaddr{}
	}
	same := slices.EqualFunc(r.circuits[relay], addrs, ma.Multiaddr.Equal)
	if _, known := r.circuits[relay]; !known {
		r.order = append(r.order, relay)
	}
	r.circuits[relay] = addrs
	r.mu.Unlock()
	r.tell(same)
}

// tell lets others know that the addresses have changed.
func (r *reach) tell(same bool) {
	if same {
		return
	}
	r.mu.Lock()
	if r.news != nil {
		close(r.news)
		r.news = nil
	}
	r.mu.Unlock()
	// libp2p looks for changes every five seconds, or when AutoRelay says so.
	if e, err := r.net.Host.EventBus().Emitter(new(event.EvtAutoRelayAddrsUpdated)); err == nil {
		_ = e.Emit(event.EvtAutoRelayAddrsUpdated{})
		_ = e.Close()
	}
	if r.changed != nil {
		r.changed()
	}
}

// interfaceAddrs are the addresses of this machine, as one text to compare.
func interfaceAddrs() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	var all []string
	for _, a := range addrs {
		all = append(all, a.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
