package ui

import (
	"fmt"
	"slices"
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

// done takes out an errand that has its answer. It reports whether the answer is not
// wanted any more. A room that was entered meanwhile is told of all the same: the member
// is in it.
func (c *chat) done(e *errand) (unwanted bool) {
	c.removeErrand(e)
	c.showStatus()
	if e.dropped && moves(e.cmd) {
		c.abandoned--
	}
	return e.dropped && !moves(e.cmd)
}

func (c *chat) removeErrand(e *errand) {
	c.errands = slices.DeleteFunc(c.errands, func(other *errand) bool { return other == e })
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
	if slices.ContainsFunc(c.errands, (*errand).canStop) {
		text += ", Ctrl-C stops"
	}
	return text
}

// canStop reports whether waiting can be given up: what changes something is done by the
// host all the same, and its answer is news.
func (e *errand) canStop() bool {
	switch e.cmd.(type) {
	case rooms.Join, rooms.Create, rooms.List, rooms.Who, rooms.Whois, rooms.History, rooms.Search, rooms.Files, rooms.Bans, rooms.Invites, rooms.Status, rooms.Ping:
		return true
	}
	return false
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
	if c.waitsFor() == "" || !slices.ContainsFunc(c.errands, (*errand).canStop) {
		return false
	}
	var names []string
	c.errands = slices.DeleteFunc(c.errands, func(e *errand) bool {
		if !e.canStop() {
			return false
		}
		e.dropped = true
		c.desk.letGo(e.ref)
		if moves(e.cmd) {
			c.abandoned++
		}
		names = append(names, e.what())
		return true
	})
	c.say("stopped %s", strings.Join(names, " and "))
	if !c.scene.inRoom() {
		c.say("list shows the rooms, an ID joins one, /quit leaves")
	}
	c.showStatus()
	return true
}
