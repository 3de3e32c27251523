package node

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"p2pchat/rooms"
)

// openAll starts the owners of rooms. Several are opened at a time, for each has its
// last segment read. One that can't be opened keeps the others from nothing, and is
// tried again when somebody enters it.
func (g *registrar) openAll(all []rooms.Opened) {
	opened, failed := make([]*room, len(all)), make([]error, len(all))
	var next atomic.Int64
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				opened[i], failed[i] = g.load(all[i])
			}
		})
	}
	work.Wait()
	for i, r := range opened {
		if failed[i] != nil {
			log.Errorf("%v", failed[i])
			g.host.notice(fmt.Sprintf("%v; the other rooms go on", failed[i]))
			continue
		}
		g.begin(r)
	}
}

// load opens a room's log.
func (g *registrar) load(o rooms.Opened) (*room, error) {
	l, err := newPassing(randomNumber()), error(nil)
	if !o.NoHistory {
		l, err = g.store.Log(o.Key)
	}
	var r *room
	if err == nil {
		r, err = openRoom(g.host, o, l)
	}
	if err != nil {
		return nil, fmt.Errorf("room %q can't be opened: %w", o.Room, err)
	}
	return r, nil
}

// begin starts the owner of a room that was loaded, and tells what was found.
func (g *registrar) begin(r *room) {
	g.rooms[r.key] = r
	g.host.work.Go(r.run)
	if what := r.log.Repaired(); what != "" {
		g.host.notice(fmt.Sprintf("room %q was repaired: %s", r.id, what))
	}
	if err := r.log.Damage(); err != nil {
		g.host.notice(fmt.Sprintf("room %q can only be read: %v; stop the host and run p2pchat history repair", r.id, err))
	}
}

// prepare opens what a decision needs open, before it comes true: a room that is made, or
// one to be entered that could not be opened before.
func (g *registrar) prepare(d rooms.Decision) (made *room, refusal *rooms.Refusal) {
	var id rooms.RoomID
	var err error
	for _, e := range d.Effects {
		switch e := e.(type) {
		case rooms.Opened:
			id = e.Room
			made, err = g.load(e)
		case rooms.Attach:
			if g.rooms[e.Key] == nil && made == nil && err == nil {
				id = e.Answer.Room.Room
				err = g.reopen(e.Key)
			}
		}
	}
	if err != nil {
		log.Errorf("opening: %v", err)
		return nil, rooms.Refuse(rooms.Storage, "tell the owner of this host", "the host can't open room %q on its disk", id)
	}
	return made, nil
}

// reopen opens a room that could not be opened before.
func (g *registrar) reopen(key rooms.RoomKey) error {
	for _, o := range g.registry.Rooms() {
		if o.Key == key {
			r, err := g.load(o)
			if err == nil {
				g.begin(r)
			}
			return err
		}
	}
	return nil
}

// end stops a room's owner and closes its log.
func (g *registrar) end(r *room) {
	r.ask(stop{})
	<-r.done
	if err := r.log.Close(); err != nil {
		log.Errorf("room %s: closing: %v", r.id, err)
	}
}
