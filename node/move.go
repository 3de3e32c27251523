package node

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	relayclient "github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"

	"p2pchat/relay"
	"p2pchat/rooms"
)

// A client moves to a better link without losing a word. It holds back what is to
// be sent until everything sent is answered, says hello on the new link, reads the
// old one to its end, which the host sets when the new session takes over, and then
// resumes on the new one as after a lost connection.

// use begins to talk over a link.
func (k *Client) use(l *link) {
	k.link, k.wearing, k.overdue = l, false, nil
	k.welcome, k.nick = l.welcome, l.welcome.Nick
	k.pulse.begin(l.path.Path != relay.Local && l.path.Path != relay.LAN, l.path.RTT)
	if after := wearAfter(l.conn); after > 0 {
		l.work.Go(func() {
			if sleep(l.ctx, after) {
				l.wear()
			}
		})
	}
	if k.config.improve != nil && l.path.Path == relay.Relayed {
		l.work.Go(func() { l.seek(k.config.improve) })
	}
}

// seek looks for a better link, and hands it to the client's owner.
func (l *link) seek(improve func(context.Context, conn, func(rooms.Path)) (conn, rooms.Path, bool)) {
	c, path, ok := improve(l.ctx, l.conn, func(p rooms.Path) {
		select {
		case l.news <- p:
		case <-l.ctx.Done():
		}
	})
	if !ok {
		return
	}
	next := newLink(c, path)
	select {
	case l.better <- next:
	case <-l.ctx.Done():
		next.close()
	}
}

// leave says hello on the better link as soon as nothing is under way on the
// present one.
func (k *Client) leave() {
	if k.next == nil || k.next.hello != nil || !k.idle() {
		return
	}
	l := k.next
	l.hello = make(chan greeting, 1)
	began := time.Now()
	l.begin(k.hello())
	ctx, cancel := context.WithTimeout(k.ctx, moveTime+8*k.pulse.rtt)
	l.work.Go(func() {
		defer cancel()
		var g greeting
		g.welcome, g.err = k.greet(ctx, l)
		l.path.RTT = time.Since(began)
		l.hello <- g
	})
}

// Timing of a move.
const (
	moveTime  = 2 * time.Second // for the welcome on the new link, besides round trips
	drainTime = time.Second     // for the end of the old one

	overdueTime = 200 * time.Millisecond // for the last answers on a link that is worn, besides round trips
)

// greeting is how a hello on a better link was answered.
type greeting struct {
	welcome rooms.Welcome
	err     error
}

// greeted is where the answer on the better link comes.
func (k *Client) greeted() <-chan greeting {
	if k.next == nil {
		return nil
	}
	return k.next.hello
}

// moved tells when the machine has changed networks.
func (k *Client) moved() <-chan struct{} {
	if k.config.dialer == nil {
		return nil
	}
	return k.config.dialer.net.Moved()
}

// welcomed takes over the better link, or goes on without it.
func (k *Client) welcomed(g greeting) bool {
	if g.err != nil {
		k.drop()
		k.link.work.Go(func() { k.link.seek(k.config.improve) })
		k.pump()
		return false
	}
	k.next.welcome = g.welcome
	return true
}

// ended tells why the present link has come to its end. One that the host closed
// because the better one has taken over is no loss, though its end may be seen before
// the welcome there.
func (k *Client) ended() (why string) {
	if k.next != nil && k.next.hello != nil {
		select {
		case g := <-k.next.hello:
			if k.welcomed(g) {
				return leaving
			}
		case <-k.ctx.Done():
		}
	}
	return k.link.why()
}

// drop lets go of a better link that came to nothing.
func (k *Client) drop() {
	if k.next != nil {
		k.next.close()
		k.next = nil
	}
}

// wear begins to leave a link that its relay is about to cut. Answers may be held up
// by the host, which waits for the member to leave.
func (k *Client) wear() {
	if !k.wearing {
		k.wearing, k.overdue = true, time.After(overdueTime+4*k.pulse.rtt)
	}
}

// repeatable tells whether everything that was sent may be sent again.
func (k *Client) repeatable() bool {
	return !slices.ContainsFunc(k.pending, func(r *request) bool { return r.ref != 0 && !repeatable(r.cmd) })
}

// idle tells whether everything that was sent is answered.
func (k *Client) idle() bool {
	for _, r := range k.pending {
		if r.ref != 0 {
			return false
		}
	}
	return true
}

// finish reads the present link to its end.
func (k *Client) finish() (why string) {
	t := time.NewTimer(drainTime)
	defer t.Stop()
	for {
		select {
		case f, ok := <-k.link.frames:
			if !ok {
				return leaving
			}
			if why := k.take(f); why != "" { // the rest is read again on the new link
				if k.final != nil {
					return why
				}
				return leaving
			}
		case <-t.C:
			return leaving
		case <-k.ctx.Done():
			return ""
		}
	}
}

// change goes on over the better link.
func (k *Client) change() {
	l := k.next
	k.next = nil
	k.use(l)
	k.emit(l.path)
	k.resume()
}

// A relay that cuts circuits says when. The link is left before: at these parts of
// its time and of its bytes, less what the encryption and the handshakes take.
const (
	wearTime  = 0.8
	wearBytes = 0.65
	holdBytes = 0.8
)

// wearAfter is how long a link over a relay that cuts circuits is used; 0: as long
// as it lasts.
func wearAfter(c conn) time.Duration {
	limit, _ := cut(c)[relayclient.StatLimitDuration].(time.Duration)
	return time.Duration(wearTime * float64(limit))
}

// wearAt is after how many bytes in one direction such a link is left; 0: never.
func wearAt(c conn) int64 {
	limit, _ := cut(c)[relayclient.StatLimitData].(uint64)
	if limit > 1<<40 {
		return 0
	}
	return int64(wearBytes * float64(limit))
}

// holdAt is after how many bytes a host waits for the member to leave such a link.
func holdAt(c conn) int64 {
	limit, _ := cut(c)[relayclient.StatLimitData].(uint64)
	if limit > 1<<40 {
		return 0
	}
	return int64(holdBytes * float64(limit))
}

// cut is what a relay said about cutting a connection.
func cut(c conn) map[any]any {
	s, ok := c.(network.Stream)
	if !ok {
		return nil
	}
	return s.Conn().Stat().Extra
}
