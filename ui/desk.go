package ui

import (
	"sync"

	"p2pchat/rooms"
)

// desk carries commands to a session and knows what to do with their answers. It
// belongs to one loop.
type desk struct {
	session Session
	open    map[uint64]func(rooms.Event) // what to do with the answers that are to come
	moving  int                          // open commands that move the member between rooms
	last    uint64                       // the last of them
	behind  map[uint64][]func()          // what waits for the answer of one of them
	let     int                          // open commands that nobody waits for
}

func newDesk(s Session) *desk {
	return &desk{session: s, open: map[uint64]func(rooms.Event){}, behind: map[uint64][]func(){}}
}

// pending is how many commands are waited for.
func (d *desk) pending() int { return len(d.open) - d.let }

// ask sends cmd; then is called in the loop with its answer.
func (d *desk) ask(cmd rooms.Command, then func(rooms.Event)) (ref uint64) {
	ref = d.session.Send(cmd)
	if !moves(cmd) {
		d.open[ref] = then
		return ref
	}
	d.moving++
	d.last = ref
	d.open[ref] = func(e rooms.Event) {
		d.moving--
		then(e)
		for _, f := range d.behind[ref] {
			f()
		}
		delete(d.behind, ref)
	}
	return ref
}

// inTurn calls f once the member is where the commands so far have moved it.
func (d *desk) inTurn(f func()) {
	if d.open[d.last] == nil {
		f()
		return
	}
	d.behind[d.last] = append(d.behind[d.last], f)
}

// letGo waits for an answer no more; should it come, it is acted on as before.
func (d *desk) letGo(ref uint64) {
	then := d.open[ref]
	d.let++
	d.open[ref] = func(e rooms.Event) {
		d.let--
		then(e)
	}
}

// take acts on an answer.
func (d *desk) take(a rooms.Answered) {
	then, ok := d.open[a.Ref]
	if !ok {
		return
	}
	delete(d.open, a.Ref)
	then(a.Answer)
}

// close ends the session, and reads what it still has to say: whoever fills the
// channel must not be stopped by nobody reading it.
func (d *desk) close() error {
	var drain sync.WaitGroup
	drain.Go(func() {
		for range d.session.Events() {
		}
	})
	err := d.session.Close()
	drain.Wait()
	return err
}

// moves reports whether cmd moves the member from one room to another.
func moves(cmd rooms.Command) bool {
	switch cmd.(type) {
	case rooms.Create, rooms.Join, rooms.Leave:
		return true
	}
	return false
}
