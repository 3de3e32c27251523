package relay

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	tptu "github.com/libp2p/go-libp2p/p2p/net/upgrader"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// gatheringTLS is libp2p's TLS, for files: what is written at once is handed over to the
// system at once. By itself Go's TLS does that for each record of 16 KiB, and each time
// the other end is woken.
type gatheringTLS struct{ *tls.Transport }

func newTLS(id protocol.ID, key crypto.PrivKey, muxers []tptu.StreamMuxer) (*gatheringTLS, error) {
	t, err := tls.New(id, key, muxers)
	return &gatheringTLS{t}, err
}

func (t *gatheringTLS) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	g := &gatherer{Conn: insecure}
	return g.secured(t.Transport.SecureInbound(ctx, g, p))
}

func (t *gatheringTLS) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	g := &gatherer{Conn: insecure}
	return g.secured(t.Transport.SecureOutbound(ctx, g, p))
}

// gatherer is the connection below TLS.
type gatherer struct {
	net.Conn

	mu       sync.Mutex // guards the fields below, and the order of writes
	gathers  bool
	gathered *[]byte // nil: nothing
	failed   error   // TLS takes for written what was not

	writing, closing atomic.Bool
}

// tlsRecord is how much of what is written goes into one record, at most.
const tlsRecord = 16 << 10

// gatherings have room for a message of yamux, 64 KiB, in records.
var gatherings = sync.Pool{New: func() any { b := make([]byte, 0, 66<<10); return &b }}

func (g *gatherer) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return 0, g.failed
	}
	if !g.gathers {
		return g.Conn.Write(b)
	}
	if g.gathered == nil {
		g.gathered = gatherings.Get().(*[]byte)
	}
	*g.gathered = append(*g.gathered, b...)
	return len(b), nil
}

func (g *gatherer) gather() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gathers = true
}

// flush hands over what was gathered, and ends that.
func (g *gatherer) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gathers = false
	if g.gathered == nil {
		return nil
	}
	b := g.gathered
	g.gathered = nil
	g.writing.Store(true)
	if g.failed = net.ErrClosed; !g.closing.Load() {
		_, g.failed = g.Conn.Write(*b)
	}
	g.writing.Store(false)
	*b = (*b)[:0]
	gatherings.Put(b)
	return g.failed
}

// secured is the connection above TLS.
func (g *gatherer) secured(c sec.SecureConn, err error) (sec.SecureConn, error) {
	if err != nil {
		return nil, err
	}
	return &gatheredConn{c, g}, nil
}

type gatheredConn struct {
	sec.SecureConn
	below *gatherer
}

// Write is called by the muxer, by one goroutine at a time.
func (c *gatheredConn) Write(b []byte) (int, error) {
	if len(b) <= tlsRecord {
		return c.SecureConn.Write(b)
	}
	c.below.gather()
	n, err := c.SecureConn.Write(b)
	if ferr := c.below.flush(); err == nil && ferr != nil {
		return 0, ferr
	}
	return n, err
}

// Close does not wait for a write: TLS, which says goodbye first, would wait for 5 s.
func (c *gatheredConn) Close() error {
	c.below.closing.Store(true)
	if c.below.writing.Load() {
		_ = c.below.Conn.Close()
	}
	return c.SecureConn.Close()
}
