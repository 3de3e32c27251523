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
	conn   conn
	path   rooms.Path
	frames chan frame // closed when the connection has ended
	work   sync.WaitGroup
	gone   chan struct{} // closed by close

	mu      sync.Mutex // guards the fields below
	waiting []byte
	last    bool
	err     error
	wake    chan struct{}
}

// connect makes a link, says hello and waits for the welcome.
func (k *Client) connect(ctx context.Context) error {
	c, path, err := k.config.dial(ctx)
	if err != nil {
		return err
	}
	l := &link{conn: c, path: path, frames: make(chan frame, 64), gone: make(chan struct{}), wake: make(chan struct{}, 1)}
	l.waiting = wire.AppendHello(nil, wire.Hello{
		Version: k.config.Version, Client: k.instance, Instance: k.instance,
		Nick: k.nick, NickFixed: k.config.NickFixed && k.welcome.Peer == "",
	})
	signal(l.wake)
	began := time.Now()
	l.work.Go(l.read)
	l.work.Go(l.write)
	if err := k.greet(ctx, l); err != nil {
		l.close()
		return err
	}
	l.path.RTT = time.Since(began)
	k.link = l
	return nil
}

// greet waits for the welcome.
func (k *Client) greet(ctx context.Context, l *link) error {
	select {
	case f, ok := <-l.frames:
		if !ok {
			return unreachable("the host closed the connection: %s", l.why())
		}
		switch e := f.event.(type) {
		case rooms.Welcome:
			k.welcome, k.nick = e, e.Nick
			return nil
		case *rooms.Refusal:
			return e
		}
		return rooms.Refuse(rooms.UnsupportedVersion, "update the older of the two", "the host speaks another p2pchat")
	case <-ctx.Done():
		return unreachable("the host did not answer in time")
	case <-k.ctx.Done():
		return unreachable("closed")
	}
}

func (l *link) read() {
	defer close(l.frames)
	r := wire.NewReader(l.conn)
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
		case <-l.gone:
			return
		}
	}
}

// send queues a command; everything queued goes out in one Write.
func (l *link) send(ref uint64, cmd rooms.Command) {
	l.mu.Lock()
	l.waiting = wire.AppendCommand(l.waiting, ref, cmd)
	l.mu.Unlock()
	signal(l.wake)
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
		case <-l.gone:
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
	close(l.gone)
	if r, ok := l.conn.(interface{ Reset() error }); ok {
		_ = r.Reset()
	}
	_ = l.conn.Close()
	l.work.Wait()
}
