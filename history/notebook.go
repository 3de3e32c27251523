package history

import (
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"p2pchat/rooms"
)

// Notebook is what a client notes about one host, so that its next run goes on where
// this one ended: how far each room was read, and the lines that the host has not
// confirmed. Both are always written together, so that no line is noted as unconfirmed
// behind a place where it was read already.
//
// Its methods may be called from any goroutine. Only Save and Close wait for the disk:
// a goroutine writes what was noted, a line at once, a place within a second.
type Notebook struct {
	fs     fs
	dir    string
	lock   io.Closer
	client uint64 // of the lines of this run
	aside  error  // why what an earlier run had noted was set aside

	urgent, touched chan struct{}   // of capacity one: something was noted
	saves           chan chan error // who waits for the disk
	stop, ended     chan struct{}

	mu     sync.Mutex // guards the fields below
	count  uint64
	places map[rooms.RoomID]place
	lines  []rooms.Message // oldest first
	dirty  bool
}

// place is how far a room was read, and when.
type place struct {
	at   rooms.Cursor
	time time.Time
}

// Bounds of a notebook.
const (
	noteLines  = 1000
	notePlaces = 256
	noteDelay  = time.Second // at most, until a place is on disk
)

// OpenNotebook opens the notes in a directory, or begins new ones. One process at a time
// has them; the error for another one is an *InUseError.
func OpenNotebook(dir string) (*Notebook, error) { return openNotebook(disk{}, dir) }

func openNotebook(fsys fs, dir string) (*Notebook, error) {
	if err := mkdirs(fsys, dir); err != nil {
		return nil, err
	}
	lock, err := fsys.Lock(filepath.Join(dir, "LOCK"))
	if err != nil {
		return nil, err
	}
	n := &Notebook{
		fs: fsys, dir: dir, lock: lock, client: rand.Uint64() | 1, places: map[rooms.RoomID]place{},
		urgent: make(chan struct{}, 1), touched: make(chan struct{}, 1), saves: make(chan chan error),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := n.load(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	go n.run()
	return n, nil
}

// Aside returns why the notes of earlier runs could not be read, if they could not;
// they are kept beside the new ones.
func (n *Notebook) Aside() error { return n.aside }

// Origin numbers a new line. No other run ever gives the same.
func (n *Notebook) Origin() rooms.Origin {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	return rooms.Origin{Client: n.client, Count: n.count}
}

// Keep notes a line that the host has not confirmed; of the same origin again, what
// is different about it. A line beyond the bound is not noted.
func (n *Notebook) Keep(line rooms.Message) {
	n.note(n.urgent, func() bool {
		if i := n.find(line.Origin); i >= 0 {
			n.lines[i] = line
			return true
		}
		if len(n.lines) >= noteLines {
			return false
		}
		n.lines = append(n.lines, line)
		return true
	})
}

// Forget takes a line out: it is confirmed, refused or given up.
func (n *Notebook) Forget(o rooms.Origin) { n.note(n.urgent, func() bool { return n.forget(o) }) }

// Kept returns the lines, oldest first.
func (n *Notebook) Kept() []rooms.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

// Place returns how far a room was read, and when.
func (n *Notebook) Place(room rooms.RoomID) (at rooms.Cursor, when time.Time, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.places[room]
	return p.at, p.time, ok
}

// Begin sets how far a room was read, wherever that was before.
func (n *Notebook) Begin(room rooms.RoomID, at rooms.Cursor) {
	n.note(n.touched, func() bool { n.put(room, at); return true })
}

// Seen notes that a message was read, in the history of this epoch, where it lies behind
// the place. If it is one of one's own lines, that is confirmed.
func (n *Notebook) Seen(epoch uint64, m rooms.Message, own bool) {
	n.note(n.touched, func() bool {
		forgot := own && n.forget(m.Origin)
		if p := n.places[m.Room]; p.at.Epoch == epoch && p.at.Seq >= m.Seq {
			return forgot
		}
		n.put(m.Room, rooms.Cursor{Epoch: epoch, Seq: m.Seq, Mark: m.Mark})
		return true
	})
}

// note makes a change, and has it written.
func (n *Notebook) note(wake chan struct{}, change func() bool) {
	n.mu.Lock()
	changed := change()
	n.dirty = n.dirty || changed
	n.mu.Unlock()
	if !changed {
		return
	}
	select {
	case wake <- struct{}{}:
	default:
	}
}

func (n *Notebook) find(o rooms.Origin) int {
	return slices.IndexFunc(n.lines, func(l rooms.Message) bool { return l.Origin == o })
}

func (n *Notebook) forget(o rooms.Origin) bool {
	i := n.find(o)
	if i >= 0 {
		n.lines = slices.Delete(n.lines, i, i+1)
	}
	return i >= 0
}

// put sets a place. Beyond the bound the room that was read longest ago is forgotten,
// but for those that lines are for.
func (n *Notebook) put(room rooms.RoomID, at rooms.Cursor) {
	n.places[room] = place{at, time.Now()}
	if len(n.places) <= notePlaces {
		return
	}
	oldest, found := place{}, rooms.RoomID("")
	for id, p := range n.places {
		waits := slices.ContainsFunc(n.lines, func(l rooms.Message) bool { return l.Room == id })
		if id != room && !waits && (found == "" || p.time.Before(oldest.time)) {
			oldest, found = p, id
		}
	}
	delete(n.places, found)
}

// run writes what is noted until the notebook is closed.
func (n *Notebook) run() {
	defer close(n.ended)
	var later <-chan time.Time
	for {
		select {
		case <-n.urgent:
			later = nil
			_ = n.write() // told by Save
		case <-n.touched:
			if later == nil {
				later = time.After(noteDelay)
			}
		case <-later:
			later = nil
			_ = n.write()
		case answer := <-n.saves:
			answer <- n.write()
		case <-n.stop:
			return
		}
	}
}

// Save waits until everything noted is on disk.
func (n *Notebook) Save() error {
	answer := make(chan error, 1)
	select {
	case n.saves <- answer:
		return <-answer
	case <-n.ended:
		return ErrClosed
	}
}

// Close writes what is noted, and lets others have the notebook.
func (n *Notebook) Close() error {
	err := n.Save()
	if err == ErrClosed {
		return nil
	}
	close(n.stop)
	<-n.ended
	if e := n.lock.Close(); err == nil {
		err = e
	}
	return err
}

// write puts the notes on disk, if they are not: under another name, which then becomes
// theirs. What fails is tried again as a whole at the next change.
func (n *Notebook) write() error {
	n.mu.Lock()
	if !n.dirty {
		n.mu.Unlock()
		return nil
	}
	n.dirty = false
	b := encodeNotes(n.places, n.lines)
	n.mu.Unlock()
	err := n.replace(b)
	if err != nil {
		n.mu.Lock()
		n.dirty = true
		n.mu.Unlock()
	}
	return err
}

func (n *Notebook) replace(b []byte) error {
	return replaceFile(n.fs, filepath.Join(n.dir, "notes.tmp"), filepath.Join(n.dir, notesFile), b)
}
