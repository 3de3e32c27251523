package ui

import (
	"strings"
	"time"

	"p2pchat/rooms"
)

// What a person at a terminal asks for that needs no host.
var _ hands = (*chat)(nil)

func (c *chat) showTopic(string) {
	switch {
	case !c.scene.inRoom():
		c.print(c.page.refusal(nowhere())...)
	case c.scene.room.Topic == "":
		c.say("#%s has no topic", c.scene.room.Room)
	default:
		c.say("topic: %s", c.scene.room.Topic)
	}
}

// edit begins a message in the person's editor; it comes back into the line.
func (c *chat) edit(text string) {
	if err := c.term.Edit(text); err != nil {
		c.print(c.page.refusal(rooms.Refuse(rooms.BadRequest, "type here; Alt-Enter begins a new line", "%s", err))...)
	}
}

func (c *chat) clear(string) { c.term.Clear() }

// statusLines is what is known here without asking.
func (c *chat) statusLines() []string {
	v := &c.scene
	place := "in no room"
	if v.inRoom() {
		place = "in #" + string(v.room.Room) + " (" + occupancy(v.room) + ", " + v.role.String() + ")"
	}
	rows := c.page.notice("you are %s (%s), %s", SanitizeNick(v.nick), shortPeer(v.peer), place)
	rows = append(rows, c.page.notice("host: %s, %s", v.hostName, v.host)...)
	switch {
	case c.loop.away:
		rows = append(rows, c.page.notice("connection lost, trying again")...)
	case v.way.Path != "":
		rows = append(rows, c.page.notice("%s", wayText(v.way))...)
		if v.way.Addr != "" {
			rows = append(rows, c.page.notice("at %s", v.way.Addr)...)
		}
	}
	if n := len(c.speech.lines); n > 0 {
		rows = append(rows, c.page.notice("%s waiting for the host%s", plural(n, "line"), c.safety())...)
	}
	return rows
}

func (c *chat) help(name string) { c.print(c.page.helpFor(name)...) }

// quit leaves. The host's owner takes everybody along, and is asked first.
func (c *chat) quit(why string) {
	now := c.loop.o.Now()
	if others := c.scene.room.Members - 1; c.loop.o.Owner && others > 0 && now.Sub(c.quitting) > quitTime {
		c.quitting = now
		c.say("that stops the host, and puts out who is on it, %s in this room among them; /quit again does it", plural(others, "other"))
		return
	}
	c.loop.quit(why)
	c.loop.set(&c.loop.reminder, slow, c.showStatus)
}

// quitTime is how long a first /quit on the host itself counts.
const quitTime = 15 * time.Second

// surely asks before the person's last message is removed, which "/redact" alone does:
// it may not be the one that is meant. It reports whether it asked.
func (c *chat) surely(cmd rooms.Command) bool {
	r, ok := cmd.(rooms.Redact)
	if !ok || r.Seq != 0 || c.last.Seq == 0 || c.last.Room != c.scene.room.Room {
		return false
	}
	text := c.last.Text
	if c.last.File != nil {
		text = strings.TrimSpace(c.last.File.Name + " " + text)
	}
	c.say("your last message is %s; /redact %d removes it, for good", quote(text), c.last.Seq)
	return true
}

// state answers /status: what is known here, and for its owner the host's own answer.
func (c *chat) state(string) {
	c.print(c.statusLines()...)
	if c.loop.o.Owner {
		c.ask(typed{cmd: rooms.Status{}})
	}
}

// already tells a person who asks for what is so. It reports whether it is.
func (c *chat) already(cmd rooms.Command) bool {
	switch cmd := cmd.(type) {
	case rooms.Rename:
		if cmd.Nick == c.scene.nick {
			c.say("you are %s already", SanitizeNick(cmd.Nick))
			return true
		}
	case rooms.Join:
		if c.scene.inRoom() && !c.moving() && strings.EqualFold(cmd.Room, string(c.scene.room.Room)) {
			c.print(c.page.already(c.scene.room)...)
			return true
		}
	}
	return false
}
