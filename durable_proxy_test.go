package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// badWay is a proxy between members and a host that does to what passes what bad
// networks do, from a moment on. It counts what it did, so that a test can see that it did it.
type badWay struct {
	target string // the host's, with the proxy's port in place of the host's
	host   string // the host's IP address and port

	rough atomic.Bool // it is a good way until then, on which everybody can come

	connections, reads, cuts, stalls atomic.Int64
	lost, doubled, delayed           atomic.Int64 // packets

	mu     sync.Mutex // guards the fields below
	open   map[io.Closer]bool
	closed bool
	work   sync.WaitGroup
}

// newBadWay makes a proxy to a target of the host: TCP or QUIC.
func newBadWay(t *testing.T, target string) *badWay {
	parts := strings.Split(target, "/") // /ip4/ADDRESS/tcp/PORT/…
	w := &badWay{host: net.JoinHostPort(parts[2], parts[4]), open: map[io.Closer]bool{}}
	var here net.Addr
	var front io.Closer
	if parts[3] == "tcp" {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		front, here = l, l.Addr()
		w.work.Go(func() { w.accept(l) })
	} else {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		front, here = c, c.LocalAddr()
		w.work.Go(func() { w.packets(c) })
	}
	w.keep(front)
	_, parts[4], _ = net.SplitHostPort(here.String())
	w.target = strings.Join(parts, "/")
	t.Cleanup(w.close)
	return w
}

// keep closes c when the proxy is closed.
func (w *badWay) keep(c io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = c.Close()
		return
	}
	w.open[c] = true
}

func (w *badWay) close() {
	w.mu.Lock()
	w.closed = true
	for c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.work.Wait()
}

// What may happen to a TCP connection.
const (
	leastBytes = 500     // before it is cut; not even the handshake is through then
	mostBytes  = 200_000 // both ways together
	moreBytes  = 10_000  // the first ones live shorter: each one may so many longer than the one before
	slowReads  = 10      // one in so many is late
	stallReads = 100     // one in so many stops its direction for a while
)

func (w *badWay) accept(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		w.work.Go(func() { w.carry(near) })
	}
}

// carry carries one connection until it is cut, or one side ends it.
func (w *badWay) carry(near net.Conn) {
	w.keep(near)
	defer near.Close()
	far, err := net.Dial("tcp4", w.host)
	if err != nil {
		return
	}
	w.keep(far)
	var left atomic.Int64
	left.Store(leastBytes + rand.Int64N(min(mostBytes, moreBytes*w.connections.Add(1))))
	end := func() { _ = near.Close(); _ = far.Close() }
	var both sync.WaitGroup
	both.Go(func() { w.pass(near, far, &left); end() })
	both.Go(func() { w.pass(far, near, &left); end() })
	both.Wait()
}

// pass carries one direction of a connection. Where it is cut there may be half a
// frame; what is on the way is then gone, for the cut is a reset.
func (w *badWay) pass(from, to net.Conn, left *atomic.Int64) {
	b := make([]byte, 8<<10)
	for {
		n, err := from.Read(b[:1+rand.IntN(len(b))])
		if err != nil {
			return
		}
		rough := w.rough.Load()
		switch {
		case !rough:
		case w.reads.Add(1)%stallReads == 0:
			w.stalls.Add(1)
			time.Sleep(rand.N(time.Second))
		case rand.IntN(slowReads) == 0:
			time.Sleep(rand.N(5 * time.Millisecond))
		}
		cut := rough && left.Add(-int64(n)) < 0
		if cut {
			n = rand.IntN(n)
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
		if cut {
			w.cuts.Add(1)
			for _, c := range []net.Conn{from, to} {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			return
		}
	}
}

// packets carries packets between members and the host, as a NAT does: a port of its
// own for every member.
func (w *badWay) packets(front *net.UDPConn) {
	ports := map[string]net.Conn{}
	b := make([]byte, 64<<10)
	for {
		n, from, err := front.ReadFromUDP(b)
		if err != nil {
			return
		}
		out := ports[from.String()]
		if out == nil {
			if out, err = net.Dial("udp4", w.host); err != nil {
				continue
			}
			w.keep(out)
			ports[from.String()] = out
			w.work.Go(func() { w.answers(out, front, from) })
		}
		w.packet(b[:n], func(p []byte) { _, _ = out.Write(p) })
	}
}

// answers carries what the host sends to one member.
func (w *badWay) answers(out net.Conn, front *net.UDPConn, to *net.UDPAddr) {
	b := make([]byte, 64<<10)
	for {
		n, err := out.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // nobody listens there, while the host is down
			continue
		}
		w.packet(b[:n], func(p []byte) { _, _ = front.WriteToUDP(p, to) })
	}
}

// packet loses a packet, doubles it, or lets others overtake it.
func (w *badWay) packet(b []byte, send func([]byte)) {
	const lose, double, delay, most = 0.02, 0.02, 0.1, 20 * time.Millisecond
	late := func() {
		p := append([]byte(nil), b...)
		time.AfterFunc(rand.N(most), func() { send(p) })
	}
	switch r := rand.Float64(); {
	case !w.rough.Load():
		send(b)
	case r < lose:
		w.lost.Add(1)
	case r < lose+double:
		w.doubled.Add(1)
		send(b)
		late()
	case r < lose+double+delay:
		w.delayed.Add(1)
		late()
	default:
		send(b)
	}
}
