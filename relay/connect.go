package relay

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

// searchDelay is how long the addresses that are known have to themselves before
// others are searched for.
const searchDelay = time.Second

// Connect opens a connection to a peer by whichever way answers first: its own
// addresses, its relays, the relays that were named, and where these fail, what the
// LAN and the directory say. Old connections to it and to its relays are closed:
// Connect is called when they are of no use any more, and a dead connection looks
// alive for a while.
func (n *Net) Connect(ctx context.Context, target peer.AddrInfo) (network.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.forget(target.ID)
	t := &trial{net: n, ctx: ctx, id: target.ID, results: make(chan result), found: make(chan []ma.Multiaddr)}
	direct, relays := split(target.Addrs)
	for _, r := range n.config.Relays {
		relays = AddPeer(relays, r)
	}
	t.try(direct, relays)
	return t.wait()
}

// trial is one try to connect to a peer, by all ways at once.
type trial struct {
	net     *Net
	ctx     context.Context
	id      peer.ID
	results chan result
	found   chan []ma.Multiaddr // by the search

	running int // ways being tried
	tried   []ma.Multiaddr
	relays  []peer.ID
}

type result struct {
	conn network.Conn
	err  error
}

// try begins with these ways, but for those that are being tried already.
func (t *trial) try(direct []ma.Multiaddr, relays []peer.AddrInfo) {
	direct = slices.DeleteFunc(direct, func(a ma.Multiaddr) bool { return ma.Contains(t.tried, a) })
	t.tried = append(t.tried, direct...)
	if len(direct) > 0 {
		t.begin(func() (network.Conn, error) { return t.net.dial(t.ctx, t.id, direct) })
	}
	for _, r := range relays {
		if r.ID == t.id || r.ID == t.net.ID() || slices.Contains(t.relays, r.ID) {
			continue
		}
		t.relays = append(t.relays, r.ID)
		delay := time.Duration(0)
		if len(direct) > 0 {
			delay = relayDelay
		}
		t.begin(func() (network.Conn, error) { return t.net.through(t.ctx, r, t.id, delay) })
	}
}

func (t *trial) begin(way func() (network.Conn, error)) {
	t.running++
	t.net.work.Go(func() {
		var r result
		r.conn, r.err = way()
		select {
		case t.results <- r:
		case <-t.ctx.Done():
		}
	})
}

// wait returns the first connection. The search begins when it takes long, or at
// once when nothing else is left.
func (t *trial) wait() (network.Conn, error) {
	var errs []error
	searching, searched := false, t.net.directory == nil
	search := time.NewTimer(searchDelay)
	defer search.Stop()
	for {
		if !searched && !searching && t.running == 0 {
			search.Reset(0)
		}
		if searched && t.running == 0 {
			return nil, errors.Join(append(errs, swarm.ErrNoAddresses)...)
		}
		select {
		case r := <-t.results:
			t.running--
			if r.err == nil {
				return r.conn, nil
			}
			errs = append(errs, r.err)
		case <-search.C:
			if !searching && !searched {
				searching = true
				t.net.work.Go(t.search)
			}
		case addrs, more := <-t.found:
			if !more {
				searching, searched, t.found = false, true, nil
				continue
			}
			t.try(split(addrs))
		case <-t.ctx.Done():
			return nil, errors.Join(append(errs, t.ctx.Err())...)
		}
	}
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

// through connects to a peer by a relay.
func (n *Net) through(ctx context.Context, relay peer.AddrInfo, id peer.ID, delay time.Duration) (network.Conn, error) {
	if !pause(ctx, delay) {
		return nil, ctx.Err()
	}
	n.forget(relay.ID)
	n.observer.help(relay.ID)
	if _, err := n.dial(ctx, relay.ID, doors(relay.Addrs)); err != nil {
		return nil, err
	}
	if n.config.Network != None {
		n.work.Go(func() { n.observer.refresh(n.ctx) }) // for the punch that follows
	}
	circuit, err := ma.NewMultiaddr("/p2p/" + relay.ID.String() + "/p2p-circuit")
	if err != nil {
		return nil, err
	}
	return n.dial(ctx, id, []ma.Multiaddr{circuit})
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
