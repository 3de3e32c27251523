package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	relayclient "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// OfferConfig says how a host makes itself reachable.
type OfferConfig struct {
	Name    string      // told in the LAN
	Changed func()      // called when Addresses has changed; must not block
	Members protocol.ID // only peers with a stream of this protocol are punched; empty: all
}

// Offer makes this host reachable from outside until Close: it asks the router for
// a port, keeps a place at relays, and tells the directory and the LAN.
func (n *Net) Offer(c OfferConfig) {
	n.reach.changed = c.Changed
	n.puncher.only(c.Members)
	k := &keeper{net: n, kept: map[peer.ID]bool{}}
	for _, r := range n.config.Relays {
		k.begin(r)
	}
	if n.config.Network == None {
		return
	}
	n.work.Go(n.mapPorts)
	n.work.Go(func() { n.announceLAN(c.Name) })
	n.work.Go(n.publish)
	if len(n.config.Relays) == 0 {
		n.work.Go(k.search)
	}
}

// keeper keeps places at relays.
type keeper struct {
	net    *Net
	asking sync.Mutex // held while a relay tries to get in: it must not be asked twice at a time

	mu   sync.Mutex // guards kept
	kept map[peer.ID]bool
}

// begin keeps a place at a relay, in a goroutine of its own.
func (k *keeper) begin(r peer.AddrInfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept[r.ID] || len(k.kept) == relaysTried || r.ID == k.net.ID() {
		return
	}
	k.kept[r.ID] = true
	k.net.work.Go(func() { k.keep(r) })
}

// Timing of a place at a relay. The relay is asked whether it is still there often,
// since every relayed member hangs on it; a stranger's relay less often.
const (
	reserveTime  = 10 * time.Second
	reserveShort = 1500 * time.Millisecond
	reserveLong  = 8 // of so many tries one is long
	reserveFirst = 100 * time.Millisecond
	reserveLast  = 5 * time.Second
	reserveAgain = 300 * time.Millisecond // after a try that got no answer
	heldLong     = 10 * time.Second       // a place held so long was a good one
	pingOwn      = time.Second
	pingOther    = 2 * time.Second // each stream is used every 8 s: libp2p ends one that rests for 10 s
	hearts       = 4               // streams to ping by, in turn: a relay opens circuits over the connection that has most
	pingTime     = 1500 * time.Millisecond
)

// reserveLimit is how long a try to reserve a place may take. Most are short: one that
// began while the network was away is slow to notice that it is back.
func (k *keeper) reserveLimit(id peer.ID, try int) time.Duration {
	if try%reserveLong == 0 {
		return reserveTime
	}
	return reserveShort + 12*k.net.Host.Peerstore().LatencyEWMA(id)
}

// keep reserves, and reserves again when the relay or the way to it fails.
func (k *keeper) keep(r peer.AddrInfo) {
	wait := reserveFirst
	for try := 0; k.net.ctx.Err() == nil; try++ {
		moved := k.net.Moved()
		began, limit := time.Now(), k.reserveLimit(r.ID, try)
		err := k.hold(r, limit, moved)
		log.Debugf("relay %s: %v", r.ID, err)
		k.net.reach.setCircuits(r.ID.String(), nil)
		k.net.observer.forget()
		took := time.Since(began)
		if took > heldLong {
			wait, try = reserveFirst, 0 // a short one next
		}
		pause := wait
		if errors.Is(err, context.DeadlineExceeded) {
			pause = reserveAgain
		} else {
			wait = min(2*wait, reserveLast)
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-moved: // the network is another one: at once
			wait, try = reserveFirst, 0
		case <-k.net.ctx.Done():
		}
		t.Stop()
	}
}

// hold keeps one reservation until the relay is lost.
func (k *keeper) hold(r peer.AddrInfo, limit time.Duration, moved <-chan struct{}) error {
	n := k.net
	ctx, cancel := context.WithTimeout(n.ctx, limit)
	defer cancel()
	n.forget(r.ID)
	n.observer.help(r.ID)
	conn, err := n.dial(ctx, r.ID, doors(r.Addrs))
	if err != nil {
		return err
	}
	k.allow(r.ID)
	place, err := relayclient.Reserve(ctx, n.Host, peer.AddrInfo{ID: r.ID})
	if err != nil {
		_ = conn.Close()
		return errors.Join(err, ctx.Err())
	}
	n.reach.setCircuits(r.ID.String(), circuits(r, conn, place))
	every := pingOwn
	if place.LimitData != 0 {
		every = pingOther
	}
	n.work.Go(func() {
		n.observer.refresh(n.ctx)
		k.confirm(conn)
	})
	err = k.guard(conn, place, every, moved)
	_ = conn.Close()
	return err
}

// confirm asks a relay to come in by the public addresses of this machine, if it has
// any: a firewall may be in front of them.
func (k *keeper) confirm(conn network.Conn) {
	n := k.net
	public := slices.DeleteFunc(listening(n), func(a ma.Multiaddr) bool { return !manet.IsPublicAddr(a) })
	if len(public) == 0 || !n.Looks() {
		return
	}
	k.asking.Lock()
	defer k.asking.Unlock()
	ctx, cancel := context.WithTimeout(n.ctx, reserveTime)
	defer cancel()
	n.reach.setOpen(line{net: n, conn: conn}.admit(ctx, public).any(public) == Yes)
}

// guard watches a relay, and renews the reservation in time.
func (k *keeper) guard(conn network.Conn, place *relayclient.Reservation, every time.Duration, moved <-chan struct{}) error {
	n := k.net
	var all [hearts]heart
	defer func() {
		for i := range all {
			all[i].stop()
		}
	}()
	for i := range all {
		if err := all[i].start(n, conn); err != nil {
			return err
		}
	}
	var err error
	renew := time.NewTimer(time.Until(place.Expiration) / 2)
	defer renew.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for beats := 0; ; {
		select {
		case <-tick.C:
		case <-moved:
			moved = nil // look at once, but once
		case <-renew.C:
			ctx, cancel := context.WithTimeout(n.ctx, reserveTime)
			n.observer.turn.Lock()
			place, err = relayclient.Reserve(ctx, n.Host, peer.AddrInfo{ID: conn.RemotePeer()})
			n.observer.turn.Unlock()
			cancel()
			if err != nil {
				return err
			}
			renew.Reset(time.Until(place.Expiration) / 2)
			continue
		case <-n.ctx.Done():
			return n.ctx.Err()
		}
		if conn.IsClosed() {
			return errors.New("the connection was lost")
		}
		began := time.Now()
		beats++
		if err := all[beats%hearts].beat(n, conn); err != nil {
			return err
		}
		n.Host.Peerstore().RecordLatency(conn.RemotePeer(), time.Since(began))
	}
}

// search looks for relays among the peers of the directory until enough of them
// lead here: the bootstrap peers, and on the public network whoever it meets there.
func (k *keeper) search() {
	n := k.net
	for tries := 0; n.ctx.Err() == nil; tries++ {
		if !n.reach.relayed(relaysWanted) && n.directory.enter(n.ctx) {
			for _, id := range n.Host.Network().Peers() {
				if offers, err := n.Host.Peerstore().SupportsProtocols(id, proto.ProtoIDv2Hop); err == nil && len(offers) > 0 {
					k.begin(n.Host.Peerstore().PeerInfo(id))
				}
			}
			if n.config.Network == Public {
				ctx, cancel := context.WithTimeout(n.ctx, searchTime)
				_, _ = n.directory.dht.GetClosestPeers(ctx, rand.Text())
				cancel()
			}
		}
		pause(n.ctx, min(searchLast, searchEvery*time.Duration(1+tries/4)))
	}
}

// A search for relays goes on until relaysWanted lead here; no more than relaysTried
// are asked.
const (
	relaysWanted = 2
	relaysTried  = 8
	searchEvery  = 3 * time.Second // at first, then ever less often
	searchLast   = 2 * time.Minute
)

// heart is a stream to ping by. libp2p ends such a stream 30 s after it began.
type heart struct {
	stream network.Stream
	since  time.Time
}

const heartTime = 20 * time.Second

func (h *heart) stop() {
	if h.stream != nil {
		_ = h.stream.Reset()
	}
}

func (h *heart) start(n *Net, conn network.Conn) (err error) {
	h.stop()
	h.since = time.Now()
	if h.stream, err = n.Stream(n.ctx, conn, ping.ID); err == nil {
		_, err = h.stream.Write(nil) // names the protocol now: a stream that does not is ended after 10 s
	}
	return err
}

// beat sends a ping and waits for its echo.
func (h *heart) beat(n *Net, conn network.Conn) error {
	if time.Since(h.since) > heartTime {
		if err := h.start(n, conn); err != nil {
			return err
		}
	}
	return echoed(h.stream, pingTime)
}

func echoed(s network.Stream, limit time.Duration) error {
	var out, in [ping.PingSize]byte
	if _, err := rand.Read(out[:]); err != nil {
		return err
	}
	_ = s.SetDeadline(time.Now().Add(limit))
	if _, err := s.Write(out[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(s, in[:]); err != nil {
		return err
	}
	if in != out {
		return errors.New("the echo is another one")
	}
	return nil
}

// allow lets a relay open as many streams as there may be members behind it.
func (k *keeper) allow(id peer.ID) {
	limit := &rcmgr.BaseLimit{
		Streams: unlimited, StreamsInbound: unlimited, StreamsOutbound: unlimited,
		Conns: unlimited, ConnsInbound: unlimited, ConnsOutbound: unlimited, FD: unlimited, Memory: int64(unlimited),
	}
	_ = k.net.Host.Network().ResourceManager().ViewPeer(id, func(s network.PeerScope) error {
		if l, ok := s.(rcmgr.ResourceScopeLimiter); ok {
			l.SetLimit(limit)
		}
		return nil
	})
}

// circuitAddrs is how many addresses are told of one relay.
const circuitAddrs = 4

// circuits are the addresses by a relay: first those that it was named by.
func circuits(r peer.AddrInfo, conn network.Conn, place *relayclient.Reservation) []ma.Multiaddr {
	at := slices.Clone(r.Addrs)
	at = append(at, conn.RemoteMultiaddr())
	for _, a := range place.Addrs {
		if before, ok := relayOf(a); ok {
			at = append(at, before.Addrs...)
		} else if info, err := peer.AddrInfoFromP2pAddr(a); err == nil {
			at = append(at, info.Addrs...)
		}
	}
	var all []ma.Multiaddr
	for _, a := range Distinct(at) {
		if c, err := circuit(a, r.ID); err == nil && len(all) < circuitAddrs {
			all = append(all, c)
		}
	}
	return all
}
