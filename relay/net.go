package relay

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

// Network says how much of the world outside is made use of.
type Network string

// The networks, as --network names them.
const (
	Public  Network = "public"  // the public DHT, its relays, port mapping, the LAN
	Private Network = "private" // relays and bootstrap peers that were named, port mapping, the LAN
	None    Network = "none"    // what is named; nothing is looked for
)

// Net is a libp2p host together with what it takes to reach others from it, and to
// be reached. Its methods may be called from any goroutine.
type Net struct {
	Host host.Host

	config    Config
	observer  *observer
	puncher   *puncher
	directory *directory // nil: the network is none
	reach     reach
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	work      sync.WaitGroup

	mu    sync.Mutex // guards moved
	moved chan struct{}
}

// New makes a Net. A host that is to be reached calls Offer on it.
func New(c Config) (*Net, error) {
	if c.Network == "" {
		c.Network = None
	}
	n := &Net{config: c, moved: make(chan struct{})}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.reach.net = n
	var err error
	if n.Host, err = newHost(c, n.reach.advertise); err != nil {
		return nil, err
	}
	n.observer = newObserver(n)
	n.puncher = newPuncher(n)
	if c.Network != None {
		if n.directory, err = newDirectory(n.ctx, n.Host, c, false); err != nil {
			_ = n.Host.Close()
			return nil, err
		}
		n.work.Go(n.watch)
	}
	return n, nil
}

// Close ends all connections and returns when no goroutine is left.
func (n *Net) Close() error {
	n.cancel()
	n.puncher.close()
	n.work.Wait()
	if n.directory != nil {
		n.directory.close()
	}
	return n.Host.Close()
}

// Looks tells whether ways are looked for that were not named.
func (n *Net) Looks() bool { return n.config.Network != None }

// ID is the peer ID.
func (n *Net) ID() peer.ID { return n.Host.ID() }

// Moved returns a channel that is closed when this machine has changed networks,
// got or lost an address, or woken from sleep.
func (n *Net) Moved() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.moved
}

// Changes of the machine's own network are looked for so often. A clock that is
// ahead of the timer by more than asleep has been asleep.
const (
	lookEvery = 2 * time.Second
	asleep    = 10 * time.Second
)

// watch notices that the machine has changed networks.
func (n *Net) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	had, at := interfaceAddrs(), time.Now().Round(0) // the wall clock, which runs while the machine sleeps
	for {
		select {
		case <-tick.C:
		case <-n.ctx.Done():
			return
		}
		has, now := interfaceAddrs(), time.Now().Round(0)
		if has != had || now.Sub(at) > asleep {
			n.move()
		}
		had, at = has, now
	}
}

func (n *Net) move() {
	n.mu.Lock()
	close(n.moved)
	n.moved = make(chan struct{})
	n.mu.Unlock()
	n.observer.forget()
	n.reach.setOpen(false)
}

// Stream opens a stream over one connection. It does not wait for the peer to name
// its protocols, which would cost a round trip, two behind a relay: a peer that
// does not speak this one ends the stream.
func (n *Net) Stream(ctx context.Context, c network.Conn, id protocol.ID) (network.Stream, error) {
	s, err := c.NewStream(network.WithAllowLimitedConn(ctx, "p2pchat"))
	if err != nil {
		return nil, err
	}
	if err := s.SetProtocol(id); err != nil {
		_ = s.Reset()
		return nil, err
	}
	return &eager{s, multistream.NewMSSelect(s, id)}, nil
}

// eager is a stream whose protocol is agreed on with the first bytes.
type eager struct {
	network.Stream
	rw io.ReadWriteCloser
}

func (s *eager) Read(b []byte) (int, error)  { return s.rw.Read(b) }
func (s *eager) Write(b []byte) (int, error) { return s.rw.Write(b) }

// closeTime is how long Close waits for the other side to agree on the protocol.
const closeTime = 2 * time.Second

func (s *eager) Close() error {
	_ = s.Stream.SetReadDeadline(time.Now().Add(closeTime))
	return s.rw.Close()
}

func (s *eager) CloseWrite() error {
	if f, ok := s.rw.(interface{ Flush() error }); ok {
		_ = f.Flush()
	}
	return s.Stream.CloseWrite()
}

// Speaks tells whether the peer at the other end of a connection speaks a protocol.
// It is asked when a stream came to nothing.
func (n *Net) Speaks(ctx context.Context, c network.Conn, id protocol.ID) bool {
	n.identified(ctx, c)
	all, err := n.Host.Peerstore().GetProtocols(c.RemotePeer())
	return err != nil || len(all) == 0 || slices.Contains(all, id)
}

// identified waits until a peer has told its protocols and addresses.
func (n *Net) identified(ctx context.Context, c network.Conn) {
	h, ok := n.Host.(interface{ IDService() identify.IDService })
	if !ok {
		return
	}
	select {
	case <-h.IDService().IdentifyWait(c):
	case <-ctx.Done():
	}
}

// ParsePeer reads the address of a relay or bootstrap peer: a multiaddr that ends
// in /p2p/ID.
func ParsePeer(s string) (peer.AddrInfo, error) {
	info, err := peer.AddrInfoFromString(s)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("%q is no multiaddr that ends in /p2p/ID, as p2pchat relay prints it", s)
	}
	return *info, nil
}

// forget closes the connections to a peer and lets go of what was learned about
// its addresses.
func (n *Net) forget(id peer.ID) {
	_ = n.Host.Network().ClosePeer(id)
	n.fresh(id)
}

// fresh makes libp2p dial a peer as if for the first time.
func (n *Net) fresh(id peer.ID) {
	if s, ok := n.Host.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(id)
	}
	n.Host.Peerstore().ClearAddrs(id)
}

// dial connects to a peer at these addresses, besides those it is being dialled at.
func (n *Net) dial(ctx context.Context, id peer.ID, addrs []ma.Multiaddr) (network.Conn, error) {
	n.Host.Peerstore().AddAddrs(id, addrs, dialTTL)
	return n.Host.Network().DialPeer(network.WithAllowLimitedConn(ctx, "p2pchat"), id)
}

// dialTTL is how long an address is kept that was only for dialling.
const dialTTL = 30 * time.Second
