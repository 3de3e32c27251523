package relay

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
)

// directory finds the present addresses of a peer by its ID, in a Kademlia DHT: the
// public one of libp2p, or with network private the one that p2pchat relays form.
//
// A host says that it provides a key made of its ID: the servers nearest to that key
// keep this together with its addresses, and take it from nobody but itself. (FindPeer
// would know only hosts that are connected to one of the servers asked, and dials
// them by itself.)
type directory struct {
	host   host.Host
	dht    *dht.IpfsDHT
	config Config
	ctx    context.Context

	lock sync.Mutex // held while entering
}

// directoryPrefix keeps the DHT of p2pchat relays apart from the public one.
const directoryPrefix = protocol.ID("/p2pchat")

// bootstrapPeers are where the public DHT begins, by name.
var bootstrapPeers = []string{
	"/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
	"/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
	"/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
	"/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
}

// Timing of the directory.
const (
	searchTime   = 15 * time.Second
	publishEvery = 20 * time.Minute // the addresses kept with a key are good for 24 h at least
	publishTime  = time.Minute
	enterEvery   = 30 * time.Second
	enterTime    = 10 * time.Second
)

func newDirectory(ctx context.Context, h host.Host, c Config, serve bool) (*directory, error) {
	mode := dht.ModeClient
	if serve {
		mode = dht.ModeServer
	}
	options := []dht.Option{dht.Mode(mode)}
	if serve {
		options = append(options, dht.ProviderStore(newRecords()))
	}
	if c.Network != Public || serve {
		options = append(options, dht.ProtocolPrefix(directoryPrefix), dht.DisableValues())
	}
	d := &directory{host: h, config: c, ctx: ctx}
	var err error
	if d.dht, err = dht.New(ctx, h, options...); err != nil {
		return nil, fmt.Errorf("the directory: %w", err)
	}
	return d, nil
}

func (d *directory) close() { _ = d.dht.Close() }

// entrances are the peers where a search begins.
func (d *directory) entrances() []peer.AddrInfo {
	all := slices.Concat(d.config.Bootstrap, d.config.Relays)
	if d.config.Network == Public && len(d.config.Bootstrap) == 0 {
		for _, s := range bootstrapPeers {
			if info, err := peer.AddrInfoFromString(s); err == nil {
				all = append(all, *info)
			}
		}
	}
	return slices.DeleteFunc(all, func(r peer.AddrInfo) bool { return r.ID == d.host.ID() })
}

// enter connects to peers of the DHT, if none are connected. It is true when one
// is.
func (d *directory) enter(ctx context.Context) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.dht.RoutingTable().Size() > 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, enterTime)
	defer cancel()
	var work sync.WaitGroup
	for _, e := range d.entrances() {
		work.Go(func() {
			e.Addrs = doors(e.Addrs)
			_ = d.host.Connect(network.WithAllowLimitedConn(ctx, "p2pchat"), e)
		})
	}
	work.Wait()
	for range 20 { // a peer is taken into the table a moment after it is identified
		if d.dht.RoutingTable().Size() > 0 || !pause(ctx, 50*time.Millisecond) {
			break
		}
	}
	return d.dht.RoutingTable().Size() > 0
}

// find looks for the addresses of a peer: in the LAN, in the DHT, and behind the
// peers where the DHT begins, which with network private are relays. The channel is
// closed when there are no more.
func (d *directory) find(ctx context.Context, id peer.ID) <-chan []ma.Multiaddr {
	found := make(chan []ma.Multiaddr)
	var work sync.WaitGroup
	tell := func(addrs []ma.Multiaddr) {
		if len(addrs) == 0 {
			return
		}
		select {
		case found <- addrs:
		case <-ctx.Done():
		}
	}
	work.Go(func() {
		for h := range BrowseLAN(ctx) {
			if h.ID == id {
				tell(h.Addrs)
			}
		}
	})
	work.Go(func() {
		if !d.enter(ctx) {
			return
		}
		for info := range d.dht.FindProvidersAsync(ctx, key(id), 1) {
			if info.ID == id {
				tell(info.Addrs)
			}
		}
	})
	work.Go(func() {
		if d.config.Network == Public {
			return
		}
		for _, r := range d.entrances() {
			for _, a := range r.Addrs {
				if c, err := circuit(a, r.ID); err == nil {
					tell([]ma.Multiaddr{c})
				}
			}
		}
	})
	go func() {
		work.Wait()
		close(found)
	}()
	return found
}

// key is what a host provides, to be found by its ID.
func key(id peer.ID) cid.Cid {
	sum, err := multihash.Sum([]byte("p2pchat-host-v1"+string(id)), multihash.SHA2_256, -1)
	if err != nil {
		panic("relay: no SHA-256: " + err.Error())
	}
	return cid.NewCidV1(cid.Raw, sum)
}

// publish makes this host findable until ctx ends: soon after its addresses have
// changed, and again from time to time.
func (n *Net) publish() {
	d := n.directory
	for _, e := range d.entrances() {
		n.observer.help(e.ID)
	}
	for n.ctx.Err() == nil {
		wait := enterEvery
		moved := n.Moved()
		changed := n.reach.changes()
		if d.enter(n.ctx) {
			ctx, cancel := context.WithTimeout(n.ctx, publishTime)
			if err := d.dht.Provide(ctx, key(n.ID()), true); err == nil {
				wait = publishEvery
			}
			cancel()
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-moved:
		case <-changed:
			pause(n.ctx, time.Second) // for what else changes
		case <-n.ctx.Done():
		}
		t.Stop()
	}
}
