package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// searchDelay is how long the addresses that are known have to themselves before
// others are searched for.
const searchDelay = time.Second

// tryAgain is how often, at most, ways that failed are tried again meanwhile.
const tryAgain = 700 * time.Millisecond

// relayLater is how long the addresses of a peer have to themselves when the relays
// have failed once.
const relayLater = time.Second

// Connect opens a connection to a peer by whichever way answers first: its own
// addresses, its relays, the relays that were named, and where these fail, what the
// LAN and the directory say. Old connections to it and to its relays are closed:
// Connect is called when they are of no use any more, and a dead connection looks
// alive for a while. With patience, it gives up when nobody has answered for so long;
// a relay that has answered is given more. The error is context.DeadlineExceeded then.
func (n *Net) Connect(ctx context.Context, target peer.AddrInfo, patience time.Duration) (network.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.forget(target.ID)
	n.observer.forget()
	t := &trial{net: n, ctx: ctx, id: target.ID, results: make(chan result), ready: make(chan peer.ID), found: make(chan []ma.Multiaddr)}
	t.direct, t.relays = split(target.Addrs)
	for _, r := range n.config.Relays {
		t.relays = AddPeer(t.relays, r)
	}
	return t.run(patience)
}

// morePatience is how much longer a try waits when a relay has answered.
const morePatience = 4

// trial is one try to connect to a peer. libp2p joins all that dials one peer into
// one, which fails when the last address has; so the peer's own addresses are dialled
// first, and no more once a relay is connected.
type trial struct {
	net     *Net
	ctx     context.Context
	id      peer.ID
	results chan result
	ready   chan peer.ID        // a relay that is connected
	found   chan []ma.Multiaddr // by the search

	// Owned by run.
	direct   []ma.Multiaddr
	relays   []peer.AddrInfo
	retried  bool
	searches bool
	running  int                // ways being tried
	dialing  context.Context    // of direct
	giveUp   context.CancelFunc // ends it
	dials    *sync.WaitGroup    // of direct
	searched bool
	errs     []error
}

// result is how a way ended; with neither it led to a relay that is ready.
type result struct {
	conn network.Conn
	err  error
}

// run returns the first connection. The search begins when it takes long, or at
// once when nothing else is left; while it goes on, the ways that failed are tried
// again.
func (t *trial) run(patience time.Duration) (network.Conn, error) {
	began, limit := time.Now(), time.NewTimer(patience)
	defer limit.Stop()
	if patience == 0 {
		limit.Stop()
	}
	t.searched = t.net.directory == nil
	t.begin()
	search := time.NewTimer(searchDelay)
	defer search.Stop()
	again := time.NewTicker(tryAgain)
	defer again.Stop()
	if t.running == 0 {
		search.Reset(0)
	}
	for !t.searched || t.running > 0 {
		select {
		case r := <-t.results:
			if t.running--; r.conn != nil {
				return r.conn, nil
			}
			if t.errs = append(t.errs, r.err); t.running == 0 {
				search.Reset(0)
			}
		case <-limit.C:
			return nil, errors.Join(append(t.errs, context.DeadlineExceeded)...)
		case id := <-t.ready:
			if patience > 0 {
				limit.Reset(max(0, morePatience*patience-time.Since(began)))
			}
			t.giveUp()
			dials := t.dials
			t.way(func(ctx context.Context) (network.Conn, error) {
				dials.Wait()
				return t.net.circuit(ctx, id, t.id)
			})
		case <-again.C:
			if t.running == 0 {
				t.errs = nil
				t.begin()
			}
		case <-search.C:
			if !t.searched && !t.searches {
				t.searches = true
				t.net.work.Go(t.search)
			}
		case addrs, more := <-t.found:
			if !more {
				t.searched, t.found = true, nil
				continue
			}
			t.learn(addrs)
		case <-t.ctx.Done():
			return nil, errors.Join(append(t.errs, t.ctx.Err())...)
		}
	}
	return nil, errors.Join(append(t.errs, swarm.ErrNoAddresses)...)
}

// begin tries all ways that are known.
func (t *trial) begin() {
	delay := time.Duration(0)
	t.dialing, t.giveUp = context.WithCancel(t.ctx)
	t.dials = &sync.WaitGroup{}
	t.net.fresh(t.id)
	if len(t.direct) > 0 {
		delay = relayDelay
		if t.retried {
			delay = relayLater
		}
		t.dial(slices.Clone(t.direct))
	}
	t.retried = true
	for _, r := range t.relays {
		t.approach(r, delay)
	}
}

// dial tries addresses of the peer itself.
func (t *trial) dial(addrs []ma.Multiaddr) {
	ctx, dials := t.dialing, t.dials
	dials.Add(1)
	t.way(func(context.Context) (network.Conn, error) {
		defer dials.Done()
		return t.net.dial(ctx, t.id, addrs)
	})
}

// learn tries the ways that a search has found besides.
func (t *trial) learn(addrs []ma.Multiaddr) {
	direct, relays := split(addrs)
	direct = slices.DeleteFunc(direct, func(a ma.Multiaddr) bool {
		return !Near(a) || manet.IsIPLoopback(a) || ma.Contains(t.direct, a)
	})
	if t.direct = append(t.direct, direct...); len(direct) > 0 {
		t.dial(direct)
	}
	for _, r := range relays {
		known := slices.ContainsFunc(t.relays, func(o peer.AddrInfo) bool { return o.ID == r.ID })
		if t.relays = AddPeer(t.relays, r); !known {
			t.approach(r, 0)
		}
	}
}

// way tries one way in a goroutine of its own.
func (t *trial) way(try func(context.Context) (network.Conn, error)) {
	t.running++
	t.net.work.Go(func() {
		var r result
		r.conn, r.err = try(t.ctx)
		log.Debugf("connecting to %s: %v", t.id, r.err)
		select {
		case t.results <- r:
		case <-t.ctx.Done():
		}
	})
}

// approach connects to a relay.
func (t *trial) approach(r peer.AddrInfo, delay time.Duration) {
	if r.ID == t.id || r.ID == t.net.ID() {
		return
	}
	t.way(func(ctx context.Context) (network.Conn, error) {
		if !pause(ctx, delay) {
			return nil, ctx.Err()
		}
		if err := t.net.connectRelay(ctx, r); err != nil {
			return nil, err
		}
		select {
		case t.ready <- r.ID:
		case <-ctx.Done():
		}
		return nil, nil
	})
}

// search asks the LAN and the directory for more addresses.
func (t *trial) search() {
	defer close(t.found)
	ctx, cancel := context.WithTimeout(t.ctx, searchTime)
	defer cancel()
	for addrs := range t.net.directory.find(ctx, t.id) {
		select {
		case t.found <- addrs:
		case <-t.ctx.Done():
			return
		}
	}
}

// connectRelay connects to a relay anew.
func (n *Net) connectRelay(ctx context.Context, relay peer.AddrInfo) error {
	n.forget(relay.ID)
	n.observer.help(relay.ID)
	c, err := n.dial(ctx, relay.ID, doors(relay.Addrs))
	if err != nil {
		return err
	}
	if n.Looks() {
		n.work.Go(func() { // for the punch that follows
			n.identified(n.ctx, c)
			n.observer.refresh(n.ctx)
		})
	}
	return nil
}

// circuit connects to a peer by a relay that is connected.
func (n *Net) circuit(ctx context.Context, relay, id peer.ID) (network.Conn, error) {
	way, err := ma.NewMultiaddr("/p2p/" + relay.String() + "/p2p-circuit")
	if err != nil {
		return nil, err
	}
	n.fresh(id)
	return n.dial(ctx, id, []ma.Multiaddr{way})
}

// pause waits; it is false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Again connects anew to a peer that a relay leads to, by the same relay, which is
// still connected.
func (n *Net) Again(ctx context.Context, id peer.ID) (network.Conn, error) {
	for _, c := range n.Host.Network().ConnsToPeer(id) {
		if r, ok := relayOf(c.RemoteMultiaddr()); ok {
			_ = n.Host.Network().ClosePeer(id)
			return n.circuit(ctx, r.ID, id)
		}
	}
	return nil, errors.New("no relay is in use")
}
