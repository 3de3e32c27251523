package ui

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// speech is what the person has said and the host has not confirmed, in order.
//
// They go out one at a time, each when the one before is confirmed: no line can
// overtake one that the host refuses as too fast. From such a refusal on, each waits
// as long as the host says, too, until none is left. A refused line was not said, so
// saying it again doubles nothing. A command that leaves the room waits behind the lines
// said there, and whatever is asked after it behind that.
type speech struct {
	lines   []*spoken
	late    bool          // they have waited for a while
	slow    bool          // the host has asked for patience
	pausing bool          // until an alarm rings
	reading bool          // until it is known which lines of an earlier run the host has
	waited  int           // lines that were said after a wait, not told yet
	pace    time.Duration // the longest that the host asked to wait for one line
	full    bool          // the host can't store a line now
}

// spoken is one line, and whether it is on its way to the host.
type spoken struct {
	typed typed
	room  rooms.RoomID // where it was meant; empty while a room is being entered
	at    time.Time    // when it was typed
	sent  bool
	held  bool // the connection was lost meanwhile
	old   bool // an earlier run was told
}

// say returns the line, if it is one and no command that waits behind lines.
func (l *spoken) say() (rooms.Say, bool) { s, ok := l.typed.cmd.(rooms.Say); return s, ok }

// waits reports whether the wait for its answer was worth a word.
func (l *spoken) waits(now time.Time) bool { return l.old || l.held && now.Sub(l.at) >= longWait }

// text is what was said.
func (l *spoken) text() string {
	if say, ok := l.typed.cmd.(rooms.Say); ok {
		if say.Kind == rooms.FileUp {
			return strings.TrimSpace("(a file) " + say.Text)
		}
		return say.Text
	}
	if l.typed.entry == nil {
		return ""
	}
	return "/" + l.typed.entry.name
}

// queues reports whether a command has to wait its turn among the lines.
func (s *speech) queues(cmd rooms.Command) bool {
	_, speaks := cmd.(rooms.Say)
	return speaks || moves(cmd) && len(s.lines) > 0 || s.leaving()
}

// leaving reports whether a command that leaves the room waits.
func (s *speech) leaving() bool {
	return slices.ContainsFunc(s.lines, func(l *spoken) bool { return !l.sent && moves(l.typed.cmd) })
}

// first is the oldest line, or "".
func (s *speech) first() string {
	if len(s.lines) == 0 {
		return ""
	}
	return s.lines[0].text()
}

// held is how many lines are still here.
func (s *speech) held() int {
	n := 0
	for _, l := range s.lines {
		if !l.sent {
			n++
		}
	}
	return n
}

// next is the oldest line that is still here, when it may go out now; or nil.
func (s *speech) next() *spoken {
	if s.pausing || s.reading || len(s.lines) == 0 || s.held() < len(s.lines) {
		return nil
	}
	return s.lines[0]
}

// remove takes out a line that needs nothing more.
func (s *speech) remove(l *spoken) {
	if i := slices.Index(s.lines, l); i >= 0 {
		s.lines = slices.Delete(s.lines, i, i+1)
	}
	s.rest()
}

// rest forgets the haste once nothing waits.
func (s *speech) rest() {
	if len(s.lines) == 0 {
		s.late, s.slow, s.pausing, s.full = false, false, false, false
	}
}

// drop takes out the lines that are still here and fit, and returns them.
func (s *speech) drop(fits func(*spoken) bool) []*spoken {
	var dropped []*spoken
	s.lines = slices.DeleteFunc(s.lines, func(l *spoken) bool {
		gone := !l.sent && fits(l)
		if gone {
			dropped = append(dropped, l)
		}
		return gone
	})
	s.pausing = s.pausing && s.held() > 0
	s.rest()
	return dropped
}

// status says how many lines wait, and why; "" when that is nothing to speak of.
func (s *speech) status(away bool) string {
	if len(s.lines) == 0 || !s.late && !s.slow && !away {
		return ""
	}
	text := plural(len(s.lines), "line") + " waiting"
	if !s.slow {
		return text
	}
	switch {
	case s.full:
		text += " (the host can't store it now)"
	case s.pace > 0:
		text += " (the host takes " + perSecond(s.pace) + ")"
	}
	return text + ", Ctrl-C drops what waits"
}

// perSecond writes a rate of one a pace.
func perSecond(pace time.Duration) string {
	if pace > time.Second*3/2 {
		return "one in " + lasting(pace)
	}
	return fmt.Sprintf("%.0f a second", math.Round(1/pace.Seconds()))
}

// quote shortens what was said so that a sentence can hold it.
func quote(text string) string {
	const most = 40
	text = Sanitize(strings.TrimSpace(text))
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return `"` + text + `"`
}

// speak says a line, or asks what has to wait its turn, after those that wait.
func (c *chat) speak(t typed) {
	if say, ok := t.cmd.(rooms.Say); ok {
		t.cmd = c.account.number(say)
	}
	c.account.head(t.cmd)
	l := &spoken{typed: t, at: c.loop.o.Now(), held: c.loop.away}
	if !c.moving() && !c.speech.leaving() {
		l.room = c.scene.room.Room
	}
	c.note(l)
	// Nor may a line overtake those of an earlier run that may wait for the same room.
	wait := c.loop.away || c.speech.reading || c.moving() && c.account.waits() || len(c.speech.lines) > 0
	c.speech.lines = append(c.speech.lines, l)
	if len(c.speech.lines) == 1 {
		c.loop.set(&c.loop.alarm, overdue, func() { c.speech.late = len(c.speech.lines) > 0; c.showStatus() })
	}
	if !wait {
		c.utter(l)
	}
	c.showStatus()
}

// note keeps a line beyond the process. A file has to be sent again by the next one.
func (c *chat) note(l *spoken) {
	if say, ok := l.say(); ok && say.Kind != rooms.FileUp {
		c.account.keep(say, l.room, l.at)
	}
}

// forget takes a line out of the notebook.
func (c *chat) forget(l *spoken) {
	if say, ok := l.say(); ok {
		c.account.book.Forget(say.Origin)
	}
}

// utter sends a line to the host.
func (c *chat) utter(l *spoken) {
	l.sent = true
	c.send(l.typed, func(ev rooms.Event, show func()) {
		no, refused := ev.(*rooms.Refusal)
		here := refused && l.room == c.scene.room.Room
		_, isLine := l.say()
		switch {
		case here && no.Code == rooms.RateLimited:
			c.speech.full, c.speech.pace = false, max(c.speech.pace, no.Retry)
			c.patient(l, no.Retry)
		case here && no.Code == rooms.Storage && no.Retry > 0 && isLine && !c.speech.leaving():
			if !c.speech.full {
				show()
				c.say("it is tried again by itself; Ctrl-C drops it")
			}
			c.speech.full = true
			for _, waiting := range c.speech.lines {
				waiting.held = true
			}
			c.patient(l, storagePause)
		default:
			c.speech.full = false
			c.answeredLine(l, ev, show)
			if say, ok := l.say(); ok && refused && say.Kind == rooms.Text && no.Code != rooms.Unreachable {
				c.term.Return(asTyped(say.Text)) // it may only need to be shortened
			}
			c.goOn()
		}
		c.showStatus()
	})
}

// asTyped is how a text has to be typed to be said.
func asTyped(text string) string {
	if strings.HasPrefix(text, "/") {
		return "/" + text
	}
	return text
}

// answeredLine takes out a line that has its answer. One that had to wait is told of.
func (c *chat) answeredLine(l *spoken, ev rooms.Event, show func()) {
	waited := l.waits(c.loop.o.Now())
	c.forget(l)
	c.speech.remove(l)
	show()
	if say, ok := l.say(); ok && waited {
		no, refused := ev.(*rooms.Refusal)
		switch {
		case refused && no.Code == rooms.Unreachable: // which has told it
		case refused:
			c.say("not said: %s", whole(say.Text))
		default:
			c.speech.waited++
		}
	}
	if n := c.speech.waited; n > 0 && len(c.speech.lines) == 0 {
		c.speech.waited = 0
		c.say("%s that waited %s said now", plural(n, "line"), isAre(n))
	}
}

// storagePause is how long a line waits that the host could not store.
const storagePause = 10 * time.Second

// patient keeps a line until the host takes it.
func (c *chat) patient(l *spoken, retry time.Duration) {
	s := &c.speech
	l.sent, s.slow, s.pausing = false, true, true
	c.loop.set(&c.loop.alarm, max(retry, 0)+leastWait(retry), func() {
		s.pausing = false
		c.goOn()
	})
}

// goOn sends the next line that waits, if it is its turn.
func (c *chat) goOn() {
	if l := c.speech.next(); l != nil && !c.loop.away {
		c.utter(l)
	}
}

// moved sorts the lines after a change of room: those meant for another room are
// given up, those said while this one was being entered belong here. What stands behind a
// way into yet another room is meant for that one.
func (c *chat) moved() {
	here := c.scene.room.Room
	c.speech.reading = false
	c.drop(func(l *spoken) bool { return l.room != "" && l.room != here && !moves(l.typed.cmd) })
	for _, l := range c.speech.lines {
		if !l.sent && moves(l.typed.cmd) {
			break
		}
		if l.room == "" {
			l.room = here
			c.note(l)
		}
	}
}

// drop gives up the lines that are still here and fit. It reports whether there
// were any.
func (c *chat) drop(fits func(*spoken) bool) bool {
	dropped := c.speech.drop(fits)
	if len(dropped) == 0 {
		return false
	}
	for _, l := range dropped {
		c.forget(l)
	}
	first := ""
	if len(dropped) > 1 {
		first = "the first "
	}
	was := map[bool]string{true: "was", false: "were"}[len(dropped) == 1]
	c.say("%s %s not said, %s%s", plural(len(dropped), "line"), was, first, quote(dropped[0].text()))
	c.showStatus()
	return true
}

// staying refuses to leave a room in which lines are still to be said.
func (c *chat) staying(cmd rooms.Command) *rooms.Refusal {
	held := c.speech.held()
	if held == 0 || !c.speech.slow || !moves(cmd) {
		return nil
	}
	return rooms.Refuse(rooms.Busy, "wait, or drop them with Ctrl-C", "%s still to be said in #%s", plural(held, "line"), c.scene.room.Room)
}
