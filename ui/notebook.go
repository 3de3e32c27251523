package ui

import (
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// Notebook is what a chat notes so that the next one on the same host goes on where
// it ended: how far each room was read, and the lines that the host has not confirmed.
// Only Save waits for a disk.
type Notebook interface {
	// Origin numbers a new line.
	Origin() rooms.Origin
	// Keep notes a line; of the same origin again, what is different about it.
	Keep(line rooms.Message)
	// Forget takes a line out.
	Forget(o rooms.Origin)
	// Kept returns the lines, oldest first.
	Kept() []rooms.Message
	// Place returns how far a room was read, and when.
	Place(room rooms.RoomID) (at rooms.Cursor, when time.Time, ok bool)
	// Begin sets how far a room was read, wherever that was before.
	Begin(room rooms.RoomID, at rooms.Cursor)
	// Seen notes, in one step, that a message was read in the history of this epoch,
	// and that a line of one's own has become one.
	Seen(epoch uint64, m rooms.Message, own bool)
	// Save returns when all of it is on disk.
	Save() error
}

// noNotes is the notebook of a chat that has none.
type noNotes struct{}

func (noNotes) Origin() rooms.Origin             { return rooms.Origin{} }
func (noNotes) Keep(rooms.Message)               {}
func (noNotes) Forget(rooms.Origin)              {}
func (noNotes) Kept() []rooms.Message            { return nil }
func (noNotes) Begin(rooms.RoomID, rooms.Cursor) {}
func (noNotes) Save() error                      { return nil }

func (noNotes) Seen(uint64, rooms.Message, bool) {}

func (noNotes) Place(rooms.RoomID) (at rooms.Cursor, when time.Time, ok bool) { return }

// staleLine is the age beyond which a line of an earlier run is not sent by itself:
// it would surprise those who read it.
const staleLine = 24 * time.Hour

// account keeps the notebook of the room that the session is in.
type account struct {
	book    Notebook
	desk    *desk
	me      rooms.PeerID
	earlier map[rooms.Origin]bool // lines of earlier runs

	heading rooms.RoomID // the room that is being entered, as far as it is named

	visit  int // counts the rooms that were entered
	room   rooms.RoomID
	epoch  uint64
	frozen bool          // the place in the notebook stays, for own lines behind it are still looked for
	latest rooms.Message // read meanwhile
}

// keeps reports whether lines outlive the chat.
func (a *account) keeps() bool { _, none := a.book.(noNotes); return !none }

// begin takes over what earlier runs left: the lines that wait, and those that are not
// to be sent any more.
func (a *account) begin(me rooms.PeerID, now time.Time) (waiting, stale []rooms.Message) {
	a.me, a.earlier = me, map[rooms.Origin]bool{}
	for _, l := range a.book.Kept() {
		if l.Room == "" || now.Sub(l.Time) > staleLine {
			a.book.Forget(l.Origin)
			stale = append(stale, l)
			continue
		}
		a.earlier[l.Origin] = true
		waiting = append(waiting, l)
	}
	return waiting, stale
}

// left returns the lines of earlier runs that still wait for a room.
func (a *account) left(fits func(rooms.RoomID) bool) []rooms.Message {
	return slices.DeleteFunc(a.book.Kept(), func(l rooms.Message) bool { return !a.earlier[l.Origin] || !fits(l.Room) })
}

// same reports whether two names are of one room.
func same(a, b rooms.RoomID) bool { return strings.EqualFold(string(a), string(b)) }

// names reports whether a person may mean room by this name: a private room's may leave
// out its suffix.
func names(name, room rooms.RoomID) bool {
	base, _, _ := strings.Cut(string(room), "~")
	return same(name, room) || same(name, rooms.RoomID(base))
}

// waits reports whether any does.
func (a *account) waits() bool {
	return len(a.earlier) > 0 && len(a.left(func(rooms.RoomID) bool { return true })) > 0
}

// noted is which lines are in the notebook.
func (a *account) noted() map[rooms.Origin]bool {
	noted := map[rooms.Origin]bool{}
	for _, l := range a.book.Kept() {
		noted[l.Origin] = true
	}
	return noted
}

// number gives a line its origin.
func (a *account) number(say rooms.Say) rooms.Say {
	if say.Origin.Count == 0 {
		say.Origin = a.book.Origin()
	}
	return say
}

// head notes which room a command is to enter.
func (a *account) head(cmd rooms.Command) {
	switch cmd := cmd.(type) {
	case rooms.Join:
		a.heading = rooms.RoomID(cmd.Room)
	case rooms.Create:
		a.heading = rooms.RoomID(cmd.Room)
	case rooms.Leave:
		a.heading = ""
	}
}

// keep notes a line of this run, meant for a room; empty: for the one that is being
// entered.
func (a *account) keep(say rooms.Say, room rooms.RoomID, at time.Time) {
	if room == "" {
		room = a.heading
	}
	a.book.Keep(rooms.Message{Room: room, Time: at, Kind: say.Kind, Text: say.Text, Origin: say.Origin})
}

// enter begins a visit to a room. known tells that its history is the one that was read
// before, up to at; other that it is another one, though not a new room's.
func (a *account) enter(ev rooms.Entered, made bool) (at rooms.Cursor, known, other bool) {
	a.visit++
	a.room, a.epoch, a.frozen, a.latest = ev.Room.Room, ev.From.Epoch, false, rooms.Message{}
	for _, l := range a.book.Kept() {
		if !a.earlier[l.Origin] && (l.Room == "" || same(l.Room, a.heading) && names(l.Room, a.room)) {
			l.Room = a.room
			a.book.Keep(l)
		}
	}
	at, _, noted := a.book.Place(a.room)
	compared := noted && !made && !ev.Room.NoHistory
	known = compared && at.Epoch == ev.From.Epoch && at.Seq <= ev.Head && (at.Seq != ev.From.Seq || !differ(at.Mark, ev.From.Mark))
	if !known {
		a.book.Begin(a.room, ev.From)
	}
	return at, known, compared && !known
}

// leave ends a visit.
func (a *account) leave() { a.visit++; a.room = "" }

// begun sets the place anew: the history is another one.
func (a *account) begun(at rooms.Cursor) {
	a.epoch = at.Epoch
	a.book.Begin(a.room, at)
}

// seen notes that a message was read.
func (a *account) seen(m rooms.Message) {
	own := m.From.Peer == a.me
	switch {
	case m.Room != a.room:
	case !a.frozen:
		a.book.Seen(a.epoch, m, own)
	default:
		if a.latest = m; own {
			a.book.Forget(m.Origin)
		}
	}
}

// differ reports whether two marks of the same place, both known, are of two histories.
func differ(a, b rooms.Mark) bool { return a != 0 && b != 0 && a != b }

// finding is what comparing the notebook with a room's history has shown.
type finding struct {
	refused bool      // the host did not let it be read
	another bool      // the history is another one
	removed rooms.Seq // messages that are no longer kept
}

// compare reads what was said behind at, all of it up to head where own lines are looked
// for: those that are there are forgotten. The place in the notebook stays until then, so
// that whatever ends the process, the next one looks for them again.
func (a *account) compare(at rooms.Cursor, head rooms.Seq, whole bool, then func(finding)) {
	a.frozen = true
	visit, found, first := a.visit, finding{}, true
	ask := rooms.History{After: at.Seq - min(at.Seq, 1), Limit: 1}
	if whole {
		ask.Limit = 0
	}
	var take func(rooms.Event)
	take = func(ev rooms.Event) {
		if a.visit != visit {
			return
		}
		page, ok := ev.(rooms.Page)
		if !ok {
			then(finding{refused: true})
			return
		}
		before := ask.After
		for _, m := range page.Messages {
			if first {
				found.another = m.Seq == at.Seq && differ(m.Mark, at.Mark)
				found.removed = m.Seq - min(m.Seq, at.Seq+1)
				first = false
			}
			if ask.After = m.Seq; m.From.Peer == a.me {
				a.book.Forget(m.Origin)
			}
		}
		if whole && ask.After > before && ask.After < head && !found.another {
			a.desk.ask(ask, take)
			return
		}
		if first {
			found.removed = head - at.Seq
		}
		a.thaw(found.another)
		then(found)
	}
	a.desk.ask(ask, take)
}

// thaw notes what was read meanwhile.
func (a *account) thaw(another bool) {
	a.frozen = false
	switch m := a.latest; {
	case m.Seq == 0:
	case another:
		a.book.Begin(a.room, rooms.Cursor{Epoch: a.epoch, Seq: m.Seq, Mark: m.Mark})
	default:
		a.book.Seen(a.epoch, m, m.From.Peer == a.me)
	}
}
