package ui

import (
	"strings"

	"p2pchat/rooms"
)

// happened shows an event.
func (c *chat) happened(ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Welcome:
		c.welcome(ev)
	case rooms.Posted:
		c.posted(ev)
	case rooms.Entered:
		c.resumed(ev)
	case rooms.Whispered:
		c.whispered(ev)
	case rooms.MemberChanged:
		c.member(ev)
	case rooms.RoomChanged:
		c.room(ev)
	case rooms.Notice:
		c.print(c.page.fromHost(ev)...)
	case rooms.Connection:
		c.connection(ev)
	case rooms.Path:
		c.path(ev)
	case *rooms.Refusal:
		c.shown = ev
		c.print(c.page.refusal(ev)...)
	}
}

// fromHost is what the host says in words of its own: marked, for a hostile host may well
// say that somebody is verified.
func (p *page) fromHost(ev rooms.Notice) []string { return p.notice("the host says: %s", ev.Text) }

// welcome says who the host is, and enters a room or offers the choices.
func (c *chat) welcome(ev rooms.Welcome) {
	c.scene.welcome(ev)
	if c.started {
		return
	}
	c.started = true
	if !c.loop.o.Owner {
		c.say("connected to %s (%s) as %s", ev.Name, shortPeer(ev.Host), SanitizeNick(ev.Nick))
	}
	cmd := c.loop.o.entry()
	c.remind(cmd)
	if cmd == nil {
		c.menu()
		return
	}
	var way *errand
	way = c.send(typed{cmd: cmd}, func(answer rooms.Event, show func()) {
		if no, ok := answer.(*rooms.Refusal); ok && !way.dropped {
			c.noRoom(cmd, no)
			c.loop.fail(no)
			return
		}
		show()
	})
}

// menu shows the rooms and the three choices.
func (c *chat) menu() {
	c.send(typed{cmd: rooms.List{}}, func(answer rooms.Event, show func()) {
		show()
		if l, ok := answer.(rooms.Listing); ok && len(l.Rooms) == 0 {
			c.say("type create and an ID to make the first one, for example: create kitchen")
			return
		}
		c.say("you can")
		c.print(c.page.item("join    a room: type its number or its ID")...)
		c.print(c.page.item("create  a room: type create and an ID")...)
		c.print(c.page.item("list    the rooms again: type list")...)
	})
}

// whereTo shows the rooms to somebody who is in none any more.
func (c *chat) whereTo() {
	c.send(typed{cmd: rooms.List{}}, func(answer rooms.Event, show func()) {
		if c.scene.inRoom() {
			return
		}
		show()
		c.say("a number or an ID joins one, create ID makes one, /quit leaves")
	})
}

// posted shows a message. What was said before the person came is faded and
// stands between two marks; above what is new since the person was here is one, too.
func (c *chat) posted(ev rooms.Posted) {
	if ev.Room != c.scene.room.Room || !c.scene.isNew(ev) {
		return
	}
	c.noteMessage(ev.Message)
	c.noteOwn(ev.Message)
	if ev.Seq <= c.missed.skip {
		return
	}
	if !c.circle.isIgnored(ev.From.Peer) {
		c.shows(ev)
	}
	if c.replaying && ev.Seq == c.scene.head {
		c.replaying = false
		c.say("now --")
	}
}

// shows shows a message, and the mark that stands above it.
func (c *chat) shows(ev rooms.Posted) {
	earlier := ev.Replayed && ev.Seq <= c.scene.head && !c.missed.isNew(ev.Seq)
	mark, me := "", ""
	if ev.From.Peer != c.scene.peer {
		mark, me = c.missed.mark(ev.Seq, len(c.circle.ignored) > 0), c.scene.nick
	}
	switch {
	case mark != "":
		c.say("%s", mark)
	case earlier && !c.replaying:
		c.say("earlier --")
	case !earlier && c.replaying:
		c.say("now --")
	}
	c.replaying = earlier
	c.heard(ev.From, ev.Replayed)
	c.date(ev)
	rows, mention := c.page.message(ev.Message, me, earlier)
	if !earlier && me != "" {
		c.ring(rows, mention, ev.From, "in #"+Sanitize(string(ev.Room)))
	}
	c.print(rows...)
	if !earlier {
		c.print(c.page.preview(ev.Message)...)
	}
}

// noteOwn remembers the person's own last message.
func (c *chat) noteOwn(m rooms.Message) {
	switch {
	case m.Kind == rooms.Redaction && m.Target == c.last.Seq:
		c.last = rooms.Message{}
	case m.From.Peer == c.scene.peer && m.Kind != rooms.Redaction && m.Kind != rooms.Lost && !m.Redacted:
		c.last = m
	}
}

// date puts a line between the messages of two days.
func (c *chat) date(ev rooms.Posted) {
	if c.day.IsZero() {
		c.day = c.loop.o.Now()
	}
	if !sameDay(c.page.local(ev.Time), c.page.local(c.day)) {
		c.print(c.page.day(ev.Time)...)
	}
	c.day = ev.Time
}

// ring makes the first of rows ring for what somebody said; meant: for the person.
func (c *chat) ring(rows []string, meant bool, from rooms.Author, what string) {
	if c.term.Width() > 0 && len(rows) > 0 {
		rows[0] = c.bell.ring(meant, c.loop.o.Now(), SanitizeNick(from.Nick)+" "+what) + rows[0]
	}
}

func (c *chat) whispered(ev rooms.Whispered) {
	if c.circle.isIgnored(ev.From.Peer) {
		return
	}
	c.heard(ev.From, false)
	rows := c.page.whisper(ev)
	if !ev.Own {
		c.ring(rows, true, ev.From, "whispers")
	}
	c.print(rows...)
}

func (c *chat) member(ev rooms.MemberChanged) {
	mine := ev.Member.Peer == c.scene.peer
	if mine && ev.Room == c.scene.room.Room && ev.What == rooms.MemberKicked {
		c.print(c.page.member(ev, true)...)
		c.out("you are out of #%s", ev.Room)
		return
	}
	if c.scene.member(ev) {
		c.showStatus()
		c.term.SetCompleter(c.scene.completer())
		if !c.hides(ev) && !toldOtherwise(ev, mine) {
			c.print(c.page.member(ev, mine)...)
		}
		if ev.What != rooms.MemberLeft && ev.What != rooms.MemberKicked {
			c.meet(ev.Member)
		}
	}
}

// room follows what the host does with the person's room.
func (c *chat) room(ev rooms.RoomChanged) {
	here := ev.Room.Room == c.scene.room.Room
	why := ""
	if ev.Reason != "" {
		why = ": " + ev.Reason
	}
	switch {
	case ev.What == rooms.RoomEntered && !here:
		c.entered(rooms.Entered{Room: ev.Room}, false)
	case ev.What == rooms.RoomLeft && here && ev.Reason != "": // without a reason: the person's own wish, shown at its answer
		c.out("you are out of #%s%s", ev.Room.Room, why)
	case ev.What == rooms.RoomClosed && here:
		if strings.HasPrefix(ev.Reason, "closed") {
			c.out("#%s was %s", ev.Room.Room, ev.Reason)
			return
		}
		c.out("#%s was closed%s", ev.Room.Room, why)
	case ev.What == rooms.RoomUpdated && here:
		if !c.hidesBy(ev.By) {
			c.print(c.page.updated(c.scene.room, ev.Room, ev.By)...)
		}
		c.scene.room = ev.Room
		c.showStatus()
	}
}

func (c *chat) connection(ev rooms.Connection) {
	c.scene.replayed = 0
	switch ev.What {
	case rooms.ConnectionLost:
		why := ""
		if ev.Why != "" {
			why = " (" + ev.Why + ")"
		}
		c.say("connection lost%s; trying again, what you type is sent then", why)
		for _, l := range c.speech.lines {
			l.held = true
		}
	case rooms.ConnectionRestored:
		c.say("connected again")
		c.goOn()
	}
	c.showStatus()
}

// path says how the host is reached, the first time and when the way changes, or why
// it does not; a different round trip is no change.
func (c *chat) path(ev rooms.Path) {
	was := c.scene.way
	c.scene.way = ev
	c.showStatus()
	same := was.Path == ev.Path && was.Transport == ev.Transport
	if same && (was.Why == ev.Why || ev.Why == "") || ev.Transport == "memory" {
		return
	}
	when := "now "
	switch {
	case was.Path == "":
		when = ""
	case same:
		when = "still "
	}
	c.print(c.page.notice("%s%s", when, wayText(ev))...)
}
