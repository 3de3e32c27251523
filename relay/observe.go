package relay

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/multiformats/go-multistream"
)

// observer finds out how this machine looks from outside: which public address and
// port its listening sockets have behind a NAT. It asks any public libp2p peer with
// the identify protocol, over a connection made for it from the listening port, so
// TCP and UDP are both known although a swarm keeps one connection to a peer, and
// an answer is always as fresh as the question.
type observer struct {
	net *Net

	// turn is held while asking, and while a place at a relay is renewed: the relay
	// takes the newest connection of a host for the one that it uses.
	turn sync.Mutex

	mu      sync.Mutex       // guards the fields below
	helpers map[peer.ID]bool // may be asked: relays and peers of the directory, never members
	seen    map[lane]sighting
	asking  chan struct{} // closed when the questions under way are answered; nil: none are
	first   chan struct{} // closed when the first of them is
	asked   time.Time
	silence map[lane]time.Time // when nobody answered
}

func newObserver(n *Net) *observer {
	return &observer{net: n, helpers: map[peer.ID]bool{}, seen: map[lane]sighting{}, silence: map[lane]time.Time{}}
}

// How old an observation may be to be used, and how long one may take.
const (
	observeFresh  = 5 * time.Second
	observeLast   = 200 * time.Millisecond
	observeTime   = 1500 * time.Millisecond
	lateLane      = 250 * time.Millisecond
	secondWitness = 100 * time.Millisecond // what a second witness may take longer than the first
	silenceTime   = 30 * time.Second       // a lane in which nobody answered is not waited for
)

// help notes that a peer may be asked.
func (o *observer) help(id peer.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.helpers[id] = true
}

// Helps tells whether a peer is one that this host makes use of: a relay, or one
// where the directory begins.
func (n *Net) Helps(id peer.ID) bool { return n.observer.helps(id) }

func (o *observer) helps(id peer.ID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.helpers[id]
}

// forget lets go of everything: the network is another one.
func (o *observer) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.seen)
	clear(o.silence)
	o.asked = time.Time{}
}

// refresh asks anew, unless that was done a moment ago, and returns what is known.
// It waits for the answers until ctx ends, but for a lane that is far behind
// another only a moment: most likely nothing comes through there.
func (o *observer) refresh(ctx context.Context) view {
	o.mu.Lock()
	if o.asking == nil && time.Since(o.asked) > o.freshness() {
		done := make(chan struct{})
		o.asking, o.first, o.asked = done, make(chan struct{}), time.Now()
		o.net.work.Go(func() {
			o.ask(o.net.ctx)
			o.mu.Lock()
			o.asking = nil
			o.mu.Unlock()
			close(done)
		})
	}
	asking, first := o.asking, o.first
	o.mu.Unlock()
	if asking != nil {
		select {
		case <-first:
			late, cancel := context.WithTimeout(ctx, lateLane)
			defer cancel()
			ctx = late
		case <-asking:
		case <-ctx.Done():
		}
		select {
		case <-asking:
		case <-ctx.Done():
		}
	}
	return o.view()
}

// freshness is how old an answer may be: where a NAT counts its ports, not at all.
func (o *observer) freshness() time.Duration {
	for _, s := range o.seen {
		if s.next() != nil {
			return observeLast
		}
	}
	return observeFresh
}

func (o *observer) view() view {
	o.mu.Lock()
	defer o.mu.Unlock()
	var v view
	for _, s := range o.seen {
		v.addrs = append(append(v.addrs, s.next()...), s.public)
	}
	tcp, overTCP := o.seen[lane{transport: "tcp"}]
	udp, overUDP := o.seen[lane{transport: "quic"}]
	v.hard = overUDP && udp.hard() || !overUDP && overTCP && tcp.hard()
	v.noUDP = overTCP && !overUDP
	return v
}

// ask asks the public peers that this machine is connected to, in all lanes at once.
func (o *observer) ask(ctx context.Context) {
	o.turn.Lock()
	defer o.turn.Unlock()
	ctx, cancel := context.WithTimeout(ctx, observeTime)
	defer cancel()
	all := o.witnesses()
	if len(all) == 0 { // nobody to ask yet
		o.mu.Lock()
		o.asked = time.Time{}
		o.mu.Unlock()
	}
	var work sync.WaitGroup
	for l, witnesses := range all {
		work.Go(func() {
			s, err := o.look(ctx, l, witnesses)
			log.Debugf("over %s %s is seen as %s: %v", l.transport, s.local, s.public, err)
			o.mu.Lock()
			defer o.mu.Unlock()
			if err != nil {
				delete(o.seen, l)
				o.silence[l] = time.Now()
				return
			}
			o.seen[l] = s
			delete(o.silence, l)
			select {
			case <-o.first:
			default:
				close(o.first)
			}
		})
	}
	work.Wait()
}

// witness is a peer that can be asked, at an address.
type witness struct {
	id   peer.ID
	addr ma.Multiaddr
}

// witnesses are the peers to ask in each lane, at most two, of different peers if
// possible, at different ports of one if not. A lane where nobody answered a moment
// ago has none.
func (o *observer) witnesses() map[lane][]witness {
	all := map[lane][]witness{}
	h := o.net.Host
	for _, id := range h.Network().Peers() {
		if !o.helps(id) || !slices.ContainsFunc(h.Network().ConnsToPeer(id), func(c network.Conn) bool {
			return !isRelayed(c.RemoteMultiaddr()) && manet.IsPublicAddr(c.RemoteMultiaddr())
		}) {
			continue
		}
		first := map[lane]bool{}
		for _, a := range h.Peerstore().Addrs(id) {
			l, ok := laneOf(a)
			switch {
			case !ok || !manet.IsPublicAddr(a) || o.silent(l):
			case !first[l]:
				first[l] = true
				all[l] = append([]witness{{id, a}}, all[l]...)
			default:
				all[l] = append(all[l], witness{id, a})
			}
		}
	}
	for l, w := range all {
		all[l] = w[:min(2, len(w))]
	}
	return all
}

func (o *observer) silent(l lane) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.silence[l]) < silenceTime
}

// look asks witnesses in one lane. Two that see different ports tell of a NAT that
// maps by destination.
func (o *observer) look(ctx context.Context, l lane, witnesses []witness) (sighting, error) {
	type answer struct {
		sighting
		err error
	}
	answers := make(chan answer, len(witnesses))
	for _, w := range witnesses {
		o.net.work.Go(func() {
			s, err := o.net.observe(ctx, w)
			answers <- answer{s, err}
		})
	}
	var s sighting
	var errs []error
	enough := make(<-chan time.Time)
	for range witnesses {
		select {
		case a := <-answers:
			switch {
			case a.err != nil:
				errs = append(errs, a.err)
			case s.public == nil:
				s = a.sighting
				enough = time.After(secondWitness)
			default:
				s.second = a.public
			}
		case <-enough:
			return s, nil
		}
	}
	if s.public == nil {
		return s, errors.Join(errs...)
	}
	return s, nil
}

var errOtherPort = errors.New("the connection does not come from the port that is listened on")

// observe asks one peer, at one address, how this machine looks from there.
func (n *Net) observe(ctx context.Context, w witness) (sighting, error) {
	l, _ := laneOf(w.addr)
	for _, c := range n.Host.Network().ConnsToPeer(w.id) {
		if has, ok := laneOf(c.RemoteMultiaddr()); ok && has == l && l.transport == "tcp" {
			return n.askOver(ctx, c, func(ctx context.Context) (stream, error) { return c.NewStream(ctx) })
		}
	}
	s, ok := n.Host.Network().(*swarm.Swarm)
	if !ok {
		return sighting{}, errors.New("no transports")
	}
	t := s.TransportForDialing(w.addr)
	if t == nil {
		return sighting{}, errors.New("no transport for " + w.addr.String())
	}
	c, err := t.Dial(ctx, w.addr, w.id)
	if err != nil {
		return sighting{}, err
	}
	defer c.Close()
	return n.askOver(ctx, c, func(ctx context.Context) (stream, error) { return c.OpenStream(ctx) })
}

// stream is what a libp2p stream and one of a bare connection have in common.
type stream interface {
	io.ReadWriteCloser
	Reset() error
	SetDeadline(time.Time) error
}

// askOver asks the identify protocol over a connection for the address at which
// the other side sees it.
func (n *Net) askOver(ctx context.Context, c network.ConnMultiaddrs, open func(context.Context) (stream, error)) (sighting, error) {
	local := c.LocalMultiaddr()
	if !n.listensOn(local) {
		return sighting{}, errOtherPort
	}
	s, err := open(ctx)
	if err != nil {
		return sighting{}, err
	}
	defer s.Reset()
	answer, err := readIdentity(ctx, s, multistream.NewMSSelect(s, identify.ID))
	if err != nil {
		return sighting{}, err
	}
	public, err := ma.NewMultiaddrBytes(answer.GetObservedAddr())
	if err != nil {
		return sighting{}, err
	}
	return sighting{local: local, public: public}, nil
}

// listensOn tells whether a port is one that is listened on: only then is what
// others see of it of use for being reached.
func (n *Net) listensOn(local ma.Multiaddr) bool {
	l, ok := laneOf(local)
	return ok && slices.ContainsFunc(n.Host.Network().ListenAddresses(), func(a ma.Multiaddr) bool {
		has, ok := laneOf(a)
		return ok && has.transport == l.transport && port(a) == port(local)
	})
}
