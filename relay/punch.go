package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-msgio/pbio"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/relay/internal/pb"
)

// PunchProtocol is how two peers that are connected through a relay agree to dial
// each other at the same moment. libp2p's own (DCUtR) is tried once, by the side
// that was dialled, with addresses that may be old; this one is asked for whenever
// the asker wants, and both sides look first how they are seen right now. See
// internal/pb/punch.proto for the messages.
const PunchProtocol = protocol.ID("/p2pchat/punch/1.0.0")

// Bounds on a punch.
const (
	punchRounds   = 3
	punchMessage  = 4 << 10
	punchAddrs    = 8                // dialled at a time: what a swarm does at once
	punchLook     = 1 * time.Second  // to find out one's own addresses
	punchAnswer   = 5 * time.Second  // for a message of the other side
	punchAtOnce   = 64               // that others asked for
	punchPause    = time.Second      // between two that a peer asks for
	punchLongest  = 15 * time.Second // for all rounds of one that a peer asks for
	punchPlaces   = 3                // machines that an offer may name, by their public addresses
	punchKnown    = 8192             // peers whose addresses are remembered, to name the path
	shortestRound = 900 * time.Millisecond
	longestRound  = 3 * time.Second
)

// puncher answers and asks for punches.
type puncher struct {
	net   *Net
	near  func(ma.Multiaddr) bool
	slots chan struct{}

	work sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	members protocol.ID // see OfferConfig
	busy    map[peer.ID]bool
	last    map[peer.ID]time.Time // when a peer asked
	ways    map[peer.ID][]way     // the addresses of a peer, as it named them
}

func newPuncher(n *Net) *puncher {
	p := &puncher{net: n, near: Near, slots: make(chan struct{}, punchAtOnce), busy: map[peer.ID]bool{}, last: map[peer.ID]time.Time{}, ways: map[peer.ID][]way{}}
	if n.config.Network != None {
		n.Host.SetStreamHandler(PunchProtocol, p.answer)
	}
	return p
}

// only lets none but the peers with a stream of this protocol ask for punches.
func (p *puncher) only(members protocol.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = members
}

// serves tells whether a peer may ask for a punch now: it would be an amplifier in the
// hands of strangers.
func (p *puncher) serves(id peer.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.members != "" && !slices.ContainsFunc(p.net.Host.Network().ConnsToPeer(id), func(c network.Conn) bool {
		return slices.ContainsFunc(c.GetStreams(), func(s network.Stream) bool { return s.Protocol() == p.members })
	}) || time.Since(p.last[id]) < punchPause {
		return false
	}
	if len(p.last) > punchKnown {
		clear(p.last)
	}
	p.last[id] = time.Now()
	return true
}

func (p *puncher) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.work.Wait()
}

// begin counts a punch with a peer in: one at a time, none when closing.
func (p *puncher) begin(id peer.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.busy[id] {
		return false
	}
	p.busy[id] = true
	p.work.Add(1)
	return true
}

func (p *puncher) end(id peer.ID) {
	p.mu.Lock()
	delete(p.busy, id)
	p.mu.Unlock()
	p.work.Done()
}

// Punch tries to connect directly to a peer that a relayed connection leads to. The
// error is an *NoPunchError when both sides tried.
func (n *Net) Punch(ctx context.Context, relayed network.Conn) (network.Conn, error) {
	id := relayed.RemotePeer()
	if c := n.directTo(id); c != nil {
		return c, nil
	}
	if !n.Looks() {
		return nil, errors.New("no direct ways are looked for")
	}
	if !n.puncher.begin(id) {
		return nil, errors.New("a punch is under way")
	}
	defer n.puncher.end(id)
	s, err := n.Stream(ctx, relayed, PunchProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	return n.puncher.ask(ctx, s)
}

// ask leads a punch.
func (p *puncher) ask(ctx context.Context, s network.Stream) (network.Conn, error) {
	r, w := pbio.NewDelimitedReader(s, punchMessage), pbio.NewDelimitedWriter(s)
	mine := p.offer(ctx)
	_ = s.SetDeadline(time.Now().Add(punchAnswer))
	began := time.Now()
	if err := w.WriteMsg(mine); err != nil {
		return nil, err
	}
	var theirs pb.Offer
	if err := r.ReadMsg(&theirs); err != nil {
		return nil, err
	}
	rtt := max(0, time.Since(began)-time.Duration(theirs.GetTookMs())*time.Millisecond)
	id := s.Conn().RemotePeer()
	addrs := p.meeting(id, mine, &theirs)
	log.Debugf("punch with %s: round trip %v, at %s", id, rtt, addrs)
	client := mine.GetHard() || !theirs.GetHard() // a port that only its own packets open: from there is dialled
	for range punchRounds {
		_ = s.SetDeadline(time.Now().Add(punchAnswer))
		limit := roundTime(rtt)
		if err := w.WriteMsg(&pb.Go{Client: !client, LimitMs: uint32(limit.Milliseconds())}); err != nil {
			return nil, err
		}
		if c := p.meet(ctx, id, addrs, client, rtt/2, limit); c != nil {
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		client = !client
	}
	return nil, explain(mine, &theirs)
}

// roundTime is how long both sides try in one round: a few round trips, but long
// enough for a lost packet to be sent again.
func roundTime(rtt time.Duration) time.Duration {
	return min(longestRound, max(shortestRound, 6*rtt))
}

// answer takes part in a punch that the other side leads. It only works through a
// relay: who is connected directly has nothing to punch.
func (p *puncher) answer(s network.Stream) {
	defer s.Reset()
	id := s.Conn().RemotePeer()
	if !isRelayed(s.Conn().RemoteMultiaddr()) || !p.serves(id) || !p.begin(id) {
		return
	}
	defer p.end(id)
	ctx, cancel := context.WithTimeout(p.net.ctx, punchLongest)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	r, w := pbio.NewDelimitedReader(s, punchMessage), pbio.NewDelimitedWriter(s)
	_ = s.SetDeadline(time.Now().Add(punchAnswer))
	var theirs pb.Offer
	if err := r.ReadMsg(&theirs); err != nil {
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return
	}
	began := time.Now()
	p.closeUnused(id)
	mine := p.offer(ctx)
	mine.TookMs = uint32(time.Since(began).Milliseconds())
	if err := w.WriteMsg(mine); err != nil {
		return
	}
	addrs := p.meeting(id, mine, &theirs)
	for range punchRounds {
		_ = s.SetDeadline(time.Now().Add(punchAnswer))
		var g pb.Go
		if err := r.ReadMsg(&g); err != nil {
			return
		}
		limit := min(longestRound, time.Duration(g.GetLimitMs())*time.Millisecond)
		if p.meet(ctx, id, addrs, g.GetClient(), 0, limit) != nil {
			return
		}
	}
}

// closeUnused closes direct connections to a peer that nothing uses: a peer that
// comes through a relay has lost them, and one that looks alive keeps libp2p from
// dialling.
func (p *puncher) closeUnused(id peer.ID) {
	for _, c := range p.net.Host.Network().ConnsToPeer(id) {
		if !isRelayed(c.RemoteMultiaddr()) && len(c.GetStreams()) == 0 {
			_ = c.Close()
		}
	}
}

// meet dials a peer at the moment when it dials back. It returns a direct
// connection, whichever side made it.
func (p *puncher) meet(ctx context.Context, id peer.ID, addrs []ma.Multiaddr, client bool, delay, limit time.Duration) network.Conn {
	ctx, cancel := context.WithTimeout(ctx, delay+limit)
	defer cancel()
	come := make(chan struct{}, 1)
	arrivals := &network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) {
		if c.RemotePeer() == id && !isRelayed(c.RemoteMultiaddr()) {
			select {
			case come <- struct{}{}:
			default:
			}
		}
	}}
	p.net.Host.Network().Notify(arrivals)
	defer p.net.Host.Network().StopNotify(arrivals)
	if p.net.directTo(id) == nil && pause(ctx, delay) && len(addrs) > 0 {
		p.net.fresh(id)
		p.net.Host.Peerstore().AddAddrs(id, addrs, dialTTL)
		dialing := network.WithForceDirectDial(network.WithSimultaneousConnect(ctx, client, "punch"), "punch")
		p.work.Go(func() {
			_, err := p.net.Host.Network().DialPeer(dialing, id)
			log.Debugf("punch with %s as client %v: %v", id, client, err)
		})
	}
	for {
		if c := p.net.directTo(id); c != nil {
			return c
		}
		select {
		case <-come:
		case <-ctx.Done():
			return p.net.directTo(id)
		}
	}
}

// directTo finds a live direct connection to a peer, TCP before QUIC.
func (n *Net) directTo(id peer.ID) network.Conn {
	var best network.Conn
	for _, c := range n.Host.Network().ConnsToPeer(id) {
		if c.IsClosed() || isRelayed(c.RemoteMultiaddr()) {
			continue
		}
		if best == nil || transportOf(c.RemoteMultiaddr()) == "tcp" {
			best = c
		}
	}
	return best
}

// Path tells by which path and transport a connection goes. mapped are the
// addresses of forwarded ports, as far as they are known.
func (n *Net) Path(c network.Conn, mapped []ma.Multiaddr) (path, transport string) {
	remote := c.RemoteMultiaddr()
	path, transport = PathOf(remote)
	if path != Direct {
		return path, transport
	}
	if ma.Contains(mapped, remote) {
		return Mapped, transport
	}
	n.puncher.mu.Lock()
	ways, met := n.puncher.ways[c.RemotePeer()]
	n.puncher.mu.Unlock()
	for _, w := range ways {
		switch {
		case !w.addr.Equal(remote):
		case w.kind == pb.Kind_KIND_MAPPED:
			return Mapped, transport
		case w.kind == pb.Kind_KIND_OPEN:
			return Direct, transport
		}
	}
	if met {
		return Punched, transport
	}
	return Direct, transport
}
