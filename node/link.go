package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// link is one connection of a client: a reader that turns bytes into frames and
// a writer that sends what waits.
type link struct {
	conn    conn
	path    rooms.Path
	welcome rooms.Welcome
	frames  chan frame // closed when the connection has ended
	work    sync.WaitGroup
	ctx     context.Context // ends with close
	cancel  context.CancelFunc

	news   chan rooms.Path // what was learned about the path
	better chan *link      // another link that is better, which has not said hello
	hello  chan greeting   // with a better link: the answer to its hello; owned by the client's owner
	worn   <-chan struct{} // closed when a relay is about to cut the connection; nil: none is, or it was told

	wears          chan struct{}
	wearOnce       sync.Once
	limit          int64 // bytes each way until it is worn; 0: no limit
	received, sent int64 // owned by the reader, and by the client's owner

	mu      sync.Mutex // guards the fields below
	waiting []byte
	last    bool
	err     error
	wake    chan struct{}
}

func newLink(c conn, path rooms.Path) *link {
	l := &link{
		conn: c, path: path, frames: make(chan frame, 64), news: make(chan rooms.Path), better: make(chan *link),
		wears: make(chan struct{}), limit: wearAt(c), wake: make(chan struct{}, 1),
	}
	l.worn = l.wears
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// wear tells that the connection will be cut soon.
func (l *link) wear() { l.wearOnce.Do(func() { close(l.wears) }) }

// begin starts the link with a hello.
func (l *link) begin(hello wire.Hello) {
	l.waiting = wire.AppendHello(nil, hello)
	signal(l.wake)
	l.work.Go(l.read)
	l.work.Go(l.write)
}

// hello is what the client says first on every link.
func (k *Client) hello() wire.Hello {
	return wire.Hello{
		Version: k.config.Version, Client: k.instance, Instance: k.instance,
		Nick: k.nick, NickFixed: k.config.NickFixed && k.welcome.Peer == "",
	}
}

// connect makes a link, says hello and waits for the welcome.
func (k *Client) connect(ctx context.Context, dial func(context.Context) (conn, rooms.Path, error)) (*link, error) {
	c, path, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	l := newLink(c, path)
	stop := context.AfterFunc(k.ctx, l.cancel)
	defer stop()
	began := time.Now()
	l.begin(k.hello())
	if l.welcome, err = k.greet(ctx, l); err != nil {
		l.close()
		if k.config.dialer != nil && !k.config.dialer.speaks(ctx, c) {
			err = k.silent()
		}
		return nil, err
	}
	l.path.RTT = time.Since(began)
	return l, nil
}

// silent tells what it means that the other side speaks no p2pchat: one that did
// before is about to start, or to stop.
func (k *Client) silent() *rooms.Refusal {
	if k.welcome.Peer != "" {
		return unreachable("the host is not ready yet")
	}
	return rooms.Refuse(rooms.UnsupportedVersion, "both sides need a p2pchat of the same major version",
		"%s answers, but speaks no %s", k.config.Target.ID, wire.Protocol)
}

// greet waits for the welcome. What a host says of who it is, and of who the client is,
// has to be what their keys have proved: places, unsent lines and verified words are kept
// by it.
func (k *Client) greet(ctx context.Context, l *link) (rooms.Welcome, error) {
	w, err := l.greet(ctx)
	if d := k.config.dialer; err == nil && d != nil &&
		(w.Host != rooms.PeerID(d.target.ID.String()) || w.Peer != rooms.PeerID(d.net.ID().String())) {
		return rooms.Welcome{}, rooms.Refuse(rooms.IdentityMismatch, "don't trust it: tell the person who runs it",
			"the host %s claims to be %q, and you to be %q", d.target.ID, w.Host, w.Peer)
	}
	return w, err
}

// greet waits for the welcome.
func (l *link) greet(ctx context.Context) (rooms.Welcome, error) {
	select {
	case f, ok := <-l.frames:
		if !ok {
			return rooms.Welcome{}, unreachable("the host closed the connection: %s", l.why())
		}
		switch e := f.event.(type) {
		case rooms.Welcome:
			return e, nil
		case *rooms.Refusal:
			return rooms.Welcome{}, e
		}
		return rooms.Welcome{}, rooms.Refuse(rooms.UnsupportedVersion, "update the older of the two", "the host speaks another p2pchat")
	case <-ctx.Done():
		return rooms.Welcome{}, unreachable("the host did not answer in time")
	case <-l.ctx.Done():
		return rooms.Welcome{}, unreachable("closed")
	}
}

func (l *link) read() {
	defer close(l.frames)
	r := wire.NewReader(counted{l.conn, l})
	for {
		ref, e, err := r.Event()
		if errors.Is(err, wire.ErrUnknown) {
			if ref == 0 {
				continue // from a newer host; not for us
			}
			e, err = rooms.Refuse(rooms.UnsupportedVersion, "update p2pchat", "the host's answer is of a kind that this p2pchat doesn't know"), nil
		}
		if err != nil {
			l.fail(err)
			return
		}
		select {
		case l.frames <- frame{ref, e}:
		case <-l.ctx.Done():
			return
		}
	}
}

// counted counts what is read over a relay that cuts after so many bytes.
type counted struct {
	conn
	link *link
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.conn.Read(b)
	if c.link.received += int64(n); c.link.limit > 0 && c.link.received > c.link.limit {
		c.link.wear()
	}
	return n, err
}

// send queues a command; everything queued goes out in one Write. It is false when
// the relay would cut the connection soon after.
func (l *link) send(ref uint64, cmd rooms.Command) bool {
	l.mu.Lock()
	before := len(l.waiting)
	l.waiting = wire.AppendCommand(l.waiting, ref, cmd)
	l.sent += int64(len(l.waiting) - before)
	l.mu.Unlock()
	signal(l.wake)
	return l.limit == 0 || l.sent < l.limit
}

// finish closes the sending side behind what is queued.
func (l *link) finish() {
	l.mu.Lock()
	l.last = true
	l.mu.Unlock()
	signal(l.wake)
}

func (l *link) write() {
	for {
		select {
		case <-l.wake:
		case <-l.ctx.Done():
			return
		}
		l.mu.Lock()
		out, last := l.waiting, l.last
		l.waiting = nil
		l.mu.Unlock()
		_ = l.conn.SetWriteDeadline(time.Now().Add(writeTime))
		if len(out) > 0 {
			if _, err := l.conn.Write(out); err != nil {
				l.fail(err)
				_ = l.conn.Close()
				return
			}
		}
		if last {
			_ = l.conn.CloseWrite()
			return
		}
	}
}

// fail keeps the first reason why the connection ended.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// why tells a person why the connection ended.
func (l *link) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var bad *wire.MalformedError
	switch {
	case errors.As(l.err, &bad), errors.Is(l.err, wire.ErrTooLarge):
		return "it sent something that can't be read"
	case errors.Is(l.err, io.EOF):
		return "the host closed it"
	}
	return "the network or the host went away"
}

// close ends the connection and waits for both goroutines.
func (l *link) close() {
	l.cancel()
	if r, ok := l.conn.(interface{ Reset() error }); ok {
		_ = r.Reset()
	}
	_ = l.conn.Close()
	l.work.Wait()
}
