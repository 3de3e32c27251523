package ui

import (
	"cmp"
	"strings"
	"time"

	"p2pchat/rooms"
)

// Bell says which messages ring.
type Bell string

// The bells.
const (
	BellOff     Bell = "off"
	BellMention Bell = "mention" // those that name the person, and whispers; also for ""
	BellAll     Bell = "all"     // every message of others
)

// Notify is how a terminal is asked to show a desktop notification. No terminal tells
// whether it can; one that cannot swallows the sequence, or shows it as garbage.
type Notify string

// The ways to notify.
const (
	NotifyNone   Notify = "none"   // also for ""
	NotifyOSC9   Notify = "osc9"   // iTerm2, WezTerm, ghostty, kitty, Windows Terminal
	NotifyOSC777 Notify = "osc777" // urxvt, foot, and terminals built on VTE
)

// bellPause is the least time between two rings.
const bellPause = 5 * time.Second

// ringer rings the terminal's bell, not more often than a person can bear.
type ringer struct {
	when   Bell
	notify Notify
	last   time.Time
}

// ring returns what makes the terminal ring for a message, or "". Meant says that it is
// meant for the person; text is what a notification says, all of it sanitised.
func (r *ringer) ring(meant bool, now time.Time, text string) string {
	if r.when == BellOff || !meant && r.when != BellAll || now.Sub(r.last) < bellPause {
		return ""
	}
	r.last = now
	// A semicolon would begin another field; so would, for ConEmu, a number at the beginning.
	text = "p2pchat: " + strings.ReplaceAll(text, ";", ",")
	switch r.notify {
	case NotifyOSC9:
		return "\a\x1b]9;" + text + "\x1b\\"
	case NotifyOSC777:
		return "\a\x1b]777;notify;p2pchat;" + strings.TrimPrefix(text, "p2pchat: ") + "\x1b\\"
	}
	return "\a"
}

// bells explains the bells, in /bell.
var bells = map[Bell]string{
	BellOff: "the bell is off", BellMention: "the bell rings when you are named, and at whispers", BellAll: "the bell rings at everything that others say",
}

// setBell changes when the bell rings, or says when it does.
func (c *chat) setBell(when string) {
	bell := Bell(strings.ToLower(when))
	if bell == "" {
		bell = cmp.Or(c.bell.when, BellMention)
	}
	text, ok := bells[bell]
	if !ok {
		c.print(c.page.refusal(rooms.Refuse(rooms.BadRequest, "usage: /bell off, /bell mention or /bell all", "the bell has no setting %q", when))...)
		return
	}
	c.bell.when = bell
	c.say("%s", text)
}
