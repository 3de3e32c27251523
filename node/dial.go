package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// dialer opens streams to a host over libp2p.
type dialer struct {
	net           *relay.Net
	target        Target
	requireDirect bool

	// When a way past the relay is looked for next, how often that was done, and how
	// often it did not come about; owned by improve, or by dial while it does not run.
	due          time.Time
	tries, fails int

	patience time.Duration // how long a try waits for any answer; 0: as long as it may; owned by the client, as is:
	late     bool          // the last try got no answer in time

	mu     sync.Mutex // guards the fields below
	known  []ma.Multiaddr
	mapped []ma.Multiaddr
	why    string        // there is no direct way, as the last punch found
	news   chan struct{} // closed when the host's addresses have changed
}

func newDialer(c *ClientConfig) (*dialer, error) {
	if c.Net == nil {
		return nil, errors.New("node: ClientConfig.Net is missing")
	}
	return &dialer{net: c.Net, target: c.Target, requireDirect: c.RequireDirect, known: c.Target.Addrs, news: make(chan struct{})}, nil
}

// learn takes over where the host says that it can be reached now. The addresses of
// the target stay, behind these.
func (d *dialer) learn(w rooms.Whereabouts) {
	var known, mapped []ma.Multiaddr
	for _, a := range w.Addrs {
		addr, err := ma.NewMultiaddr(a.Addr)
		if err != nil || !relay.Near(addr) || a.Path == relay.Local {
			continue
		}
		known = append(known, addr)
		if a.Path == relay.Mapped {
			mapped = append(mapped, addr)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known, d.mapped = relay.Distinct(append(known, d.target.Addrs...)), mapped
	close(d.news)
	d.news = make(chan struct{})
}

// changes returns a channel that is closed when the host's addresses change.
func (d *dialer) changes() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

// addrs are the addresses of the host that are known, the newest first.
func (d *dialer) addrs() []ma.Multiaddr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known
}

// dial opens a stream by whichever way answers first. Connections that are there
// are closed: a client dials only when the way it had is dead, and a dead connection
// looks alive for a while.
func (d *dialer) dial(ctx context.Context) (conn, rooms.Path, error) {
	d.due, d.tries, d.fails = time.Time{}, 0, 0
	c, err := d.net.Connect(ctx, peer.AddrInfo{ID: d.target.ID, Addrs: d.addrs()}, d.patience)
	d.late = errors.Is(err, context.DeadlineExceeded)
	if err != nil {
		return nil, rooms.Path{}, d.explain(ctx, err)
	}
	if path, _ := d.net.Path(c, nil); path == relay.Relayed && d.requireDirect {
		if c, err = d.insist(ctx, c); err != nil {
			return nil, rooms.Path{}, err
		}
	}
	return d.open(ctx, c)
}

// again opens a stream through the relay that is in use, over a connection of its own.
func (d *dialer) again(ctx context.Context) (conn, rooms.Path, error) {
	d.late = false
	c, err := d.net.Again(ctx, d.target.ID)
	if err != nil {
		return nil, rooms.Path{}, d.explain(ctx, err)
	}
	return d.open(ctx, c)
}

// open opens a stream over a connection and tells which way that goes.
func (d *dialer) open(ctx context.Context, c network.Conn) (conn, rooms.Path, error) {
	s, err := d.net.Stream(ctx, c, protocol.ID(wire.Protocol))
	if err != nil {
		return nil, rooms.Path{}, d.explain(ctx, err)
	}
	return s, d.path(c), nil
}

func (d *dialer) path(c network.Conn) rooms.Path {
	d.mu.Lock()
	defer d.mu.Unlock()
	path, transport := d.net.Path(c, d.mapped)
	p := rooms.Path{Path: path, Transport: transport, Addr: c.RemoteMultiaddr().String()}
	if path == relay.Relayed {
		p.Why = d.why
		if p.Why == "" {
			p.Why = "looking for a direct way"
		}
		if !d.net.Looks() {
			p.Why = "with --network none no direct way is looked for"
		}
	}
	return p
}

// directTries is how many punches --require-direct waits for.
const directTries = 4

// insist finds a direct way, or refuses.
func (d *dialer) insist(ctx context.Context, relayed network.Conn) (network.Conn, error) {
	why := error(errors.New("the host can only be reached through a relay"))
	for n := range directTries {
		c, err := d.knock(ctx, relayed)
		if err == nil {
			return c, nil
		}
		var none *relay.NoPunchError
		if errors.As(err, &none) {
			why = none
		}
		if !sleep(ctx, time.Duration(n)*time.Second) {
			break
		}
	}
	return nil, rooms.Refuse(rooms.Unreachable, "join without --require-direct to go through the relay",
		"no direct way to the host was found: %v", why)
}

// knock asks for a punch before there is a session. The host only serves those that
// have begun one.
func (d *dialer) knock(ctx context.Context, relayed network.Conn) (network.Conn, error) {
	s, err := d.net.Stream(ctx, relayed, protocol.ID(wire.Protocol))
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if _, err := s.Write(nil); err != nil { // which sends the name of the protocol
		return nil, err
	}
	return d.net.Punch(ctx, relayed)
}

// punchAgain is when a way past the relay is looked for again. A punch that did not
// come about, since the host had another one to do, is asked for again soon, a few
// times.
var punchAgain = [...]time.Duration{3 * time.Second, 7 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute}

const (
	punchSoon  = time.Second
	punchFails = 5
)

// improve looks for a way past a relay, again and again, until it finds one or ctx
// ends: at once when either side's addresses change. It tells when it has learned why
// there is none. Only one may run at a time.
func (d *dialer) improve(ctx context.Context, now conn, tell func(rooms.Path)) (conn, rooms.Path, bool) {
	s, ok := now.(network.Stream)
	if !ok || !d.net.Looks() {
		return nil, rooms.Path{}, false
	}
	moved, news := d.net.Moved(), d.changes()
	for {
		t := time.NewTimer(time.Until(d.due))
		select {
		case <-t.C:
		case <-moved:
			d.tries = 0
		case <-news:
		case <-ctx.Done():
			t.Stop()
			return nil, rooms.Path{}, false
		}
		t.Stop()
		moved, news = d.net.Moved(), d.changes()
		c, err := d.net.Punch(ctx, s.Conn())
		if err == nil {
			if next, path, err := d.open(ctx, c); err == nil {
				d.due = time.Now().Add(punchAgain[0]) // in case that the host does not answer there
				return next, path, true
			}
		}
		if d.postpone(err) {
			tell(d.path(s.Conn()))
		}
	}
}

// postpone plans the next punch. It is true when why this one failed is news.
func (d *dialer) postpone(err error) bool {
	var none *relay.NoPunchError
	if !errors.As(err, &none) {
		if d.fails++; d.fails <= punchFails {
			d.due = time.Now().Add(punchSoon)
			return false
		}
	}
	d.due = time.Now().Add(punchAgain[min(d.tries, len(punchAgain)-1)])
	d.tries++
	d.fails = 0
	return none != nil && d.learnWhy(none.Why+"; "+none.Help)
}

// learnWhy keeps why there is no direct way; it is false when that was known.
func (d *dialer) learnWhy(why string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why == why {
		return false
	}
	d.why = why
	return true
}

// speaks tells whether the other side speaks our protocol.
func (d *dialer) speaks(ctx context.Context, c conn) bool {
	s, ok := c.(network.Stream)
	return !ok || d.net.Speaks(ctx, s.Conn(), protocol.ID(wire.Protocol))
}

// explain makes a refusal of what went wrong on the way to a host.
func (d *dialer) explain(ctx context.Context, err error) *rooms.Refusal {
	var mismatch sec.ErrPeerIDMismatch
	switch {
	case errors.As(err, &mismatch) && mismatch.Expected == d.target.ID:
		return otherHost(mismatch.Expected, mismatch.Actual)
	case len(d.addrs()) == 0 && !d.net.Looks():
		return rooms.Refuse(rooms.Unreachable, "paste the whole address that the host prints",
			"no address of host %s is known", d.target.ID)
	case len(d.addrs()) == 0:
		return rooms.Refuse(rooms.Unreachable, "check that the host is running, or paste the whole address that it prints",
			"host %s was not found, neither in this network nor through the relays and the directory", d.target.ID)
	}
	hint := "check that the host is running and that the address is right"
	if strings.Contains(err.Error(), "NO_RESERVATION") {
		hint = "check that the host is running and uses this relay"
	}
	return rooms.Refuse(rooms.Unreachable, hint, "can't reach the host at %s: %s", d.where(), reason(ctx, err))
}

// reason tells a person in a few words why nobody could be reached.
func reason(ctx context.Context, err error) string {
	var timeout net.Error
	switch {
	case strings.Contains(err.Error(), "NO_RESERVATION"):
		return "the relay is there, the host is not"
	case strings.Contains(err.Error(), "CONNECTION_FAILED"):
		return "the relay is there, but does not get through to the host just now"
	case errors.Is(err, swarm.ErrNoGoodAddresses):
		return "this machine has no way to such an address"
	case ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout():
		return "no answer came in time"
	}
	return "nobody answers there"
}

func (d *dialer) where() string {
	known := d.addrs()
	if len(known) == 0 {
		return d.target.ID.String()
	}
	where := known[0].String()
	if n := len(known) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	return where
}

// DialOwner connects to the owner's socket of a host on this machine.
func DialOwner(ctx context.Context, path string, c ClientConfig) (*Client, error) {
	c.dial = func(ctx context.Context) (conn, rooms.Path, error) {
		var d net.Dialer
		s, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, rooms.Path{}, unreachable("no host is running on this data")
		}
		return socket(s), rooms.Path{Path: relay.Local, Transport: "unix", Addr: path}, nil
	}
	return start(ctx, c)
}

// sleep waits; it is false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
