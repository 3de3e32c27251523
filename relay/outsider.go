package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	relayclient "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	circuitpb "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// outsider is a peer that is asked how things look from where it is.
type outsider struct {
	info  peer.AddrInfo  // as it was named
	addrs []ma.Multiaddr // that it has: as it was named, and as it says
	conn  network.Conn   // nil: it does not answer
	lines map[bool]line  // by whether they are of IPv6
	tries bool           // it tries out what a stranger meets
	relay RelayFinding
}

func (o *outsider) outside() bool {
	return o.conn != nil && manet.IsPublicAddr(o.conn.RemoteMultiaddr())
}

// addrsOf bounds how many addresses are noted of a peer, placesOf at how many of them
// it is asked over one transport.
const (
	addrsOf  = 64
	placesOf = 2
)

// visit connects to one peer, and asks it for a place.
func (x *examination) visit(ctx context.Context, info peer.AddrInfo) *outsider {
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	o := &outsider{info: info, lines: map[bool]line{}}
	o.relay = RelayFinding{Addr: info.ID.String(), Peer: info.ID.String()}
	if len(info.Addrs) > 0 {
		o.relay.Addr = info.Addrs[0].String()
	}
	n := x.main.calls
	conn, err := n.dial(ctx, info.ID, doors(info.Addrs))
	if err != nil {
		o.relay.Why = whyNotMet(err)
		return o
	}
	o.conn, o.addrs = conn, append(slices.Clone(info.Addrs), conn.RemoteMultiaddr())
	o.lines[isIP6(conn.RemoteMultiaddr())] = o.line(ctx, n, conn)
	o.tries = n.Speaks(ctx, conn, autonat.AutoNATProto)
	o.relay.Far = Reach(conn.RemoteMultiaddr()) > 1
	var work sync.WaitGroup
	work.Go(func() {
		v6 := !isIP6(conn.RemoteMultiaddr())
		if conn, err := x.second.dial(ctx, info.ID, o.at(v6)); err == nil && isIP6(conn.RemoteMultiaddr()) == v6 {
			o.lines[v6] = o.line(ctx, x.second, conn)
		}
	})
	o.reserve(ctx, n)
	work.Wait()
	return o
}

// line notes a connection, and what the peer says over it.
func (o *outsider) line(ctx context.Context, n *Net, conn network.Conn) line {
	l := line{net: n, conn: conn}
	told, err := l.introduce(ctx)
	if err != nil {
		return l
	}
	for _, b := range told.GetListenAddrs() {
		if a, err := ma.NewMultiaddrBytes(b); err == nil && len(o.addrs) < addrsOf {
			o.addrs = append(o.addrs, a)
		}
	}
	if seen, err := ma.NewMultiaddrBytes(told.GetObservedAddr()); err == nil {
		l.seen = seen
	}
	return l
}

// at are the public addresses of a peer, of IPv6 or IPv4: those that it has, and those
// that a relay most likely has besides.
func (o *outsider) at(v6 bool) []ma.Multiaddr {
	return slices.DeleteFunc(ma.Unique(append(slices.Clone(o.addrs), doors(o.info.Addrs)...)), func(a ma.Multiaddr) bool {
		return isRelayed(a) || hasName(a) || !manet.IsPublicAddr(a) || isIP6(a) != v6
	})
}

// places are where a peer can be asked what it sees of a port that is listened on.
func (o *outsider) places() []ma.Multiaddr {
	var all []ma.Multiaddr
	n := map[lane]int{}
	for _, a := range append(o.at(false), o.at(true)...) {
		if l, ok := laneOf(a); ok && n[l] < placesOf {
			n[l]++
			all = append(all, a)
		}
	}
	return all
}

func isIP6(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_IP6)
	return err == nil
}

func addrPort(a ma.Multiaddr) netip.AddrPort {
	ip, err := manet.ToIP(a)
	if err != nil {
		return netip.AddrPort{}
	}
	addr, _ := netip.AddrFromSlice(ip)
	n, _ := strconv.ParseUint(port(a), 10, 16)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n))
}

const notRelay = "it is no relay"

// reserve asks for a place at a relay. It is given back when the connection ends.
func (o *outsider) reserve(ctx context.Context, n *Net) {
	if !n.Speaks(ctx, o.conn, proto.ProtoIDv2Hop) {
		o.relay.Why = notRelay
		return
	}
	began := time.Now()
	place, err := relayclient.Reserve(ctx, n.Host, peer.AddrInfo{ID: o.info.ID})
	if err != nil {
		o.relay.Why = whyRefused(err)
		return
	}
	o.relay.OK, o.relay.RTT = true, time.Since(began)
	o.relay.Why = "it would carry connections to this machine"
	if place.LimitDuration > 0 {
		o.relay.Why += fmt.Sprintf(", each for at most %s and %d KiB", place.LimitDuration, place.LimitData>>10)
	}
	heart, err := n.Stream(ctx, o.conn, ping.ID)
	if err != nil {
		return
	}
	defer heart.Reset()
	for range 2 { // the first opens the stream
		began = time.Now()
		if echoed(heart, pingTime) != nil {
			return
		}
	}
	o.relay.RTT = time.Since(began)
}

// searchPeers is how many relays a search tries that nobody named.
const searchPeers = 4

// search looks for relays as a host does to which none was named: among whom it meets
// in the directory.
func (x *examination) search(ctx context.Context) []RelayFinding {
	n := x.main.calls
	look, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	_, _ = n.directory.dht.GetClosestPeers(look, rand.Text())
	var found []*outsider
	for _, id := range n.Host.Network().Peers() {
		if slices.ContainsFunc(x.named, func(r peer.AddrInfo) bool { return r.ID == id }) {
			continue // it has been asked
		}
		offers, err := n.Host.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop)
		conns := n.Host.Network().ConnsToPeer(id)
		if err != nil || len(offers) == 0 || len(conns) == 0 || len(found) >= searchPeers {
			continue
		}
		addr := conns[0].RemoteMultiaddr()
		found = append(found, &outsider{info: peer.AddrInfo{ID: id}, conn: conns[0],
			relay: RelayFinding{Addr: addr.String(), Peer: id.String(), Far: Reach(addr) > 1}})
	}
	ask, stop := context.WithTimeout(ctx, meetTime)
	defer stop()
	var work sync.WaitGroup
	for _, o := range found {
		work.Go(func() { o.reserve(ask, n) })
	}
	work.Wait()
	var all []RelayFinding
	for _, o := range found {
		all = append(all, o.relay)
	}
	return all
}

func whyNotMet(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "peer id mismatch"):
		return "somebody else answers there, with another peer ID"
	case strings.Contains(text, "no such host"), strings.Contains(text, "lookup "):
		return "its name is not found"
	}
	return "it does not answer"
}

func whyRefused(err error) string {
	var refusal relayclient.ReservationError
	if errors.As(err, &refusal) {
		switch refusal.Status {
		case circuitpb.Status_PERMISSION_DENIED:
			return "it has places only for the hosts that were named to it (p2pchat relay --host)"
		case circuitpb.Status_RESERVATION_REFUSED, circuitpb.Status_RESOURCE_LIMIT_EXCEEDED:
			return "it is full"
		}
	}
	return "it gives no place here"
}
