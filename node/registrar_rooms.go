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

// open starts the owner of a room.
func (g *registrar) open(o rooms.Opened) error {
	r, err := g.load(o)
	if err == nil {
		g.begin(r)
	}
	return err
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

// room finds the owner of a room. One that could not be started before is tried
// again.
func (g *registrar) room(key rooms.RoomKey) *room {
	if r := g.rooms[key]; r != nil {
		return r
	}
	for _, o := range g.registry.Rooms() {
		if o.Key == key {
			if err := g.open(o); err != nil {
				log.Errorf("opening: %v", err)
			}
		}
	}
	return g.rooms[key]
}

// end stops a room's owner and closes its log.
func (g *registrar) end(r *room) {
	r.ask(stop{})
	<-r.done
	if err := r.log.Close(); err != nil {
		log.Errorf("room %s: closing: %v", r.id, err)
	}
}
