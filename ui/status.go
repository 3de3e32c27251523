package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// showStatus shows the quiet row below the prompt: first what is out of the ordinary,
// then by which way the host is reached, and how many are in the room.
func (c *chat) showStatus() {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	switch {
	case c.loop.away:
		add("connection lost, trying again")
	case c.loop.leaving:
		add("leaving, the host has not answered yet, Ctrl-C leaves at once")
	}
	add(c.speech.status(c.loop.away))
	add(c.waitsFor())
	add(c.transferring())
	add(SanitizeNick(c.scene.nick))
	if !c.loop.away {
		add(wayBrief(c.scene.way))
	}
	if c.scene.isAway() {
		add("you are away")
	}
	if c.scene.inRoom() {
		add(plural(c.scene.room.Members, "member"))
	}
	c.showWaiting()
	if status := strings.Join(parts, " · "); status != c.status {
		c.status = status
		c.term.SetStatus(status)
	}
}

// wayBrief names a path in a word or two.
func wayBrief(way rooms.Path) string {
	if way.Path == "" || way.Transport == "memory" {
		return ""
	}
	text := Sanitize(way.Path)
	if way.RTT > 0 {
		text += " " + steady(way.RTT)
	}
	return text
}

// steady writes a round trip so roughly that it rarely changes.
func steady(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d >= 100*time.Millisecond:
		d = d.Round(10 * time.Millisecond)
	case d >= 20*time.Millisecond:
		d = d.Round(5 * time.Millisecond)
	}
	return roundTrip(d)
}

// showWaiting shows the person's own lines above the prompt until the host has them, once
// that takes a while; then they are messages like all others.
func (c *chat) showWaiting() {
	var rows []string
	if c.speech.late || c.speech.slow || c.loop.away {
		for _, l := range c.speech.lines {
			who := SanitizeNick(c.scene.nick)
			if say, ok := l.say(); ok && say.Kind == rooms.Action {
				who = "* " + who
			}
			rows = append(rows, fmt.Sprintf("… %s %s %s", c.page.local(l.at).Format("15:04"), who, Sanitize(l.text())))
		}
	}
	if !slices.Equal(rows, c.waiting) {
		c.waiting = rows
		c.term.SetWaiting(rows...)
	}
}
