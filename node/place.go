package node

import (
	"context"
	"sync"

	"p2pchat/rooms"
)

// place is where a client is, for its transfers: over which connection it talks, and in
// which room. They run beside the client's owner, who changes it.
type place struct {
	mu      sync.Mutex // guards the fields below
	conn    conn       // nil: none at present, or the client is on its way back into its room
	room    rooms.RoomID
	ended   bool
	changed chan struct{} // closed when something of this changes
}

// set is called by the client's owner.
func (p *place) set(c conn, room rooms.RoomID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == c && p.room == room {
		return
	}
	p.conn, p.room = c, room
	p.tell()
}

func (p *place) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.tell()
}

// tell wakes whoever waits. mu is held.
func (p *place) tell() {
	if p.changed != nil {
		close(p.changed)
	}
	p.changed = make(chan struct{})
}

// now returns where the client is, and what is closed when that changes.
func (p *place) now() (c conn, room rooms.RoomID, ended bool, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.conn, p.room, p.ended, p.changed
}

// await waits until the client is connected and in the room. It gives up when it is in
// another one, or has ended.
func (p *place) await(ctx context.Context, room rooms.RoomID) (conn, error) {
	for {
		c, in, ended, changed := p.now()
		switch {
		case ended:
			return nil, unreachable("the connection is closed")
		case in != room:
			return nil, rooms.Refuse(rooms.NotInRoom, "/join it first", "you are not in room %q", room)
		case c != nil:
			return c, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// during returns a context that ends when the client is no more there: it talks over
// another connection, or is in another room. That it has none at present does not count: the
// stream may live on.
func (p *place) during(ctx context.Context, c conn, room rooms.RoomID) (context.Context, context.CancelFunc, func()) {
	ctx, cancel := context.WithCancel(ctx)
	watch := func() {
		for {
			now, in, ended, changed := p.now()
			if ended || in != room || now != nil && now != c {
				cancel()
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
	return ctx, cancel, watch
}
