package ui

import (
	"strings"

	"p2pchat/rooms"
)

// What a person gets who comes back: to a room, after a lost connection, or in another
// run of the program.

// remind tells at the start which lines of earlier runs wait for rooms other than the one
// that is entered now, and which are not sent any more.
func (c *chat) remind(entry rooms.Command) {
	now := c.loop.o.Now()
	waiting, stale := c.account.begin(c.scene.peer, now)
	for _, l := range stale {
		c.say("%s", unsent(l, now, becauseOld))
	}
	here := ""
	switch cmd := entry.(type) {
	case rooms.Join:
		here = cmd.Room
	case rooms.Create:
		here = cmd.Room
	}
	var order []rooms.RoomID
	of := map[rooms.RoomID][]rooms.Message{}
	for _, l := range waiting {
		if of[l.Room] == nil && !strings.EqualFold(string(l.Room), here) {
			order = append(order, l.Room)
		}
		of[l.Room] = append(of[l.Room], l)
	}
	for _, room := range order {
		lines := of[room]
		first, it := "", "it"
		if len(lines) > 1 {
			first, it = "the first ", "them"
		}
		c.say("%s %s for #%s: %s%s; /join %s sends %s", plural(len(lines), "line"), waitForm(len(lines)), room, first, quote(lines[0].Text), room, it)
	}
}

// takeUp goes on in a room that was entered where the person left it: with a mark above
// what is new, and with the lines that wait for it.
func (c *chat) takeUp(ev rooms.Entered, made bool) {
	c.missed = missed{}
	if ev.From.Epoch == 0 {
		return // it did not say where it begins
	}
	at, known, other := c.account.enter(ev, made)
	if c.account.keeps() {
		c.missed = missedSince(ev, at.Seq, known, c.loop.o.Recent)
	}
	if other {
		c.say("%s", anotherCopy(at.Seq, ev.Head))
	}
	lines := c.account.left(func(room rooms.RoomID) bool { return names(room, ev.Room.Room) })
	switch {
	case !known && !ev.Room.NoHistory:
		why := becauseAnother
		if made {
			why = becauseGone
		}
		c.giveUp(lines, why)
		return
	case len(lines) > 0:
		c.waitFor(lines)
	}
	if !known {
		c.readOn(finding{})
		return
	}
	if len(lines) > 0 || ev.From.Seq > at.Seq {
		c.account.compare(at, ev.Head, len(lines) > 0, c.readOn)
	}
}

// waitFor puts lines of earlier runs before those of this one. They go out one at a time,
// once it is known which of them the host has not.
func (c *chat) waitFor(lines []rooms.Message) {
	waiting := make([]*spoken, 0, len(lines)+len(c.speech.lines))
	for _, l := range lines {
		waiting = append(waiting, &spoken{
			typed: typed{cmd: rooms.Say{Kind: l.Kind, Text: l.Text, Origin: l.Origin}}, room: c.scene.room.Room, at: l.Time, old: true,
		})
	}
	c.speech.lines = append(waiting, c.speech.lines...)
	c.speech.reading, c.speech.late = true, true
	c.showStatus()
}

// readOn goes on when the history was compared with what was seen of it before.
func (c *chat) readOn(found finding) {
	old := func(l *spoken) bool { return l.old }
	switch {
	case found.refused:
		if n := len(c.speech.drop(old)); n > 0 {
			c.say("%s from before still %s: the host's history can't be read now; entering the room again sends %s",
				plural(n, "line"), waitForm(n), map[bool]string{true: "it", false: "them"}[n == 1])
		}
	case found.another:
		c.anotherHistory()
	case found.removed > 0:
		c.say("%s", notKept(found.removed))
		c.giveUpOld()
	}
	c.speech.reading = false
	c.confirm()
	c.goOn()
	c.showStatus()
}

// anotherHistory tells that the room's history is not the one that the person has read.
func (c *chat) anotherHistory() {
	c.say("%s", anotherCopy(0, c.scene.head))
	c.missed.known = false
	c.giveUpOld()
}

// giveUpOld gives up the lines of earlier runs that nobody can tell whether they were said.
func (c *chat) giveUpOld() {
	c.speech.drop(func(l *spoken) bool { return l.old })
	c.giveUp(c.account.left(func(room rooms.RoomID) bool { return names(room, c.scene.room.Room) }), becauseAnother)
}

// giveUp tells of lines that are not sent any more.
func (c *chat) giveUp(lines []rooms.Message, why string) {
	for _, l := range lines {
		c.say("%s", unsent(l, c.loop.o.Now(), why))
		c.account.book.Forget(l.Origin)
	}
}

// noRoom gives up the lines for a room that there is not any more.
func (c *chat) noRoom(cmd rooms.Command, answer rooms.Event) {
	j, joins := cmd.(rooms.Join)
	no, refused := answer.(*rooms.Refusal)
	if joins && refused && no.Code == rooms.NoSuchRoom && j.Room != "" {
		c.giveUp(c.account.left(func(room rooms.RoomID) bool { return same(room, rooms.RoomID(j.Room)) }), becauseGone)
	}
}

// noteMessage notes that a message is shown. An own line of an earlier run among them
// was said, and needs nothing more.
func (c *chat) noteMessage(m rooms.Message) {
	at, _, known := c.account.book.Place(m.Room)
	if known && c.missed.known && at.Epoch == c.scene.epoch && at.Seq == m.Seq && differ(at.Mark, m.Mark) {
		c.account.begun(rooms.Cursor{Epoch: c.scene.epoch, Seq: m.Seq, Mark: m.Mark})
		c.anotherHistory()
	}
	if c.account.seen(m); m.From.Peer == c.scene.peer {
		c.confirm()
	}
}

// confirm takes out the lines of earlier runs that turned out to be said.
func (c *chat) confirm() {
	left := c.account.noted()
	c.speech.drop(func(l *spoken) bool { say, ok := l.say(); return ok && l.old && !left[say.Origin] })
}

// resumed takes in that the session is back in its room after a lost connection.
func (c *chat) resumed(ev rooms.Entered) {
	if ev.Room.Room != c.scene.room.Room {
		return
	}
	seen, through, was := c.scene.seen, c.scene.seen >= c.scene.head, c.scene.room
	another, notice := c.scene.resume(ev)
	if notice != "" {
		c.say("%s", notice)
	}
	c.print(c.page.updated(was, ev.Room, "")...)
	switch {
	case another:
		c.account.begun(ev.From)
		c.missed, c.replaying = missed{}, false
	case through:
		c.missed = missed{known: !ev.Room.NoHistory, read: max(seen, ev.From.Seq), head: ev.Head}
	default: // what was shown when the room was entered goes on
		c.missed.head = ev.Head
	}
	c.page.shelf.enter(ev.Room.Room, ev.From.Epoch)
}

// kept is how many lines the next run takes up.
func (c *chat) kept() (n int) {
	noted := c.account.noted()
	for _, l := range c.speech.lines {
		if say, ok := l.say(); ok && noted[say.Origin] {
			n++
		}
	}
	return n
}

// safety tells whether the lines that wait would outlive the program now.
func (c *chat) safety() string {
	if c.kept() == 0 {
		return ""
	}
	if err := c.account.book.Save(); err != nil {
		return ", and can't be kept: " + err.Error()
	}
	return ", and kept on disk"
}

// goodbye tells what becomes of lines that the host has not confirmed.
func (c *chat) goodbye() {
	n := c.kept()
	if n == 0 {
		return
	}
	if err := c.account.book.Save(); err != nil {
		c.print(c.page.refusal(rooms.Refuse(rooms.Storage, "say it again when you come back", "%s could not be kept: %s", plural(n, "line"), err))...)
		return
	}
	c.say("%s %s kept and will be sent when you come back", plural(n, "line"), isAre(n))
}
