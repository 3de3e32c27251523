package ui

import (
	"fmt"
	"strings"
	"time"

	"p2pchat/rooms"
)

// errand is something that the person has asked the host for, and waits for.
type errand struct {
	cmd     rooms.Command
	ref     uint64
	at      time.Time
	dropped bool // the person waits no more
}

// slow is the time after which the person is told what is waited for.
const slow = 500 * time.Millisecond

// errand notes that cmd is asked now. What is said is no errand: it waits by itself.
func (c *chat) errand(cmd rooms.Command) *errand {
	e := &errand{cmd: cmd, at: c.loop.o.Now()}
	if _, speaks := cmd.(rooms.Say); speaks {
		return e
	}
	c.errands = append(c.errands, e)
	if len(c.errands) == 1 {
		c.loop.set(&c.loop.reminder, slow, c.stillWaiting)
	}
	return e
}

// stillWaiting shows for how long the person has waited, second by second.
func (c *chat) stillWaiting() {
	c.showStatus()
	if len(c.errands) > 0 {
		c.loop.set(&c.loop.reminder, time.Second, c.stillWaiting)
	}
}

// done takes out an errand that has its answer. It reports whether the person had given
// it up.
func (c *chat) done(e *errand) (dropped bool) {
	c.removeErrand(e)
	c.showStatus()
	if e.dropped && moves(e.cmd) {
		c.abandoned--
	}
	return e.dropped
}

func (c *chat) removeErrand(e *errand) {
	for i, other := range c.errands {
		if other == e {
			c.errands = append(c.errands[:i:i], c.errands[i+1:]...)
			return
		}
	}
}

// waitsFor says what the person waits for, and for how long; "" when it is not worth a word.
func (c *chat) waitsFor() string {
	if len(c.errands) == 0 {
		return ""
	}
	e := c.errands[0]
	waited := c.loop.o.Now().Sub(e.at)
	if waited < slow {
		return ""
	}
	text := e.what()
	if waited >= time.Second {
		text += ", " + lasting(waited)
	}
	return text + ", Ctrl-C stops"
}

// what names the errand.
func (e *errand) what() string {
	switch cmd := e.cmd.(type) {
	case rooms.Search:
		return "searching"
	case rooms.History:
		return "reading the history"
	case rooms.List:
		return "asking for the rooms"
	case rooms.Create:
		return fmt.Sprintf("making #%s", Sanitize(cmd.Room))
	case rooms.Join:
		if cmd.Room == "" {
			return "entering the room"
		}
		return fmt.Sprintf("entering #%s", Sanitize(cmd.Room))
	}
	return "asking the host"
}

// stopWaiting gives up what the person has waited for so long that it is shown. It
// reports false when there is nothing.
func (c *chat) stopWaiting() bool {
	if c.waitsFor() == "" {
		return false
	}
	var names []string
	for _, e := range c.errands {
		e.dropped = true
		c.desk.letGo(e.ref)
		if moves(e.cmd) {
			c.abandoned++
		}
		names = append(names, e.what())
	}
	c.errands = nil
	c.say("stopped %s", strings.Join(names, " and "))
	if !c.scene.inRoom() {
		c.say("list shows the rooms, an ID joins one, /quit leaves")
	}
	c.showStatus()
	return true
}

// undo takes back what an errand did that was given up, as far as that goes: a room that
// was entered is left again, unless the way leads on into another. A refusal is no news.
func (c *chat) undo(answer rooms.Event) {
	if _, ok := answer.(rooms.Entered); ok && c.desk.moving == 0 {
		c.desk.ask(rooms.Leave{}, func(rooms.Event) {})
	}
}
