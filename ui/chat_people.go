package ui

import (
	"strings"

	"p2pchat/rooms"
)

// meet looks at who is here: whether a nick has another key than it had before.
func (c *chat) meet(members ...rooms.Member) {
	for _, m := range members {
		if m.Peer == c.scene.peer {
			continue
		}
		ch, changed := c.circle.meet(m.Nick, m.Peer)
		switch {
		case changed && ch.verified:
			rows := c.page.alarm("%s", c.circle.warning(ch))
			c.ring(rows, true, rooms.Author{Nick: m.Nick}, "has another key")
			c.print(rows...)
		case changed:
			c.say("%s", c.circle.warning(ch))
		}
	}
}

// heard is meet for who said something.
func (c *chat) heard(from rooms.Author, replayed bool) {
	if !replayed && from.Peer != "" {
		c.meet(rooms.Member{Peer: from.Peer, Nick: from.Nick})
	}
}

// hides reports whether a change of a member is not shown, because it is ignored. What
// others do to it is shown.
func (c *chat) hides(ev rooms.MemberChanged) bool {
	if !c.circle.isIgnored(ev.Member.Peer) {
		return false
	}
	switch ev.What {
	case rooms.MemberRenamed, rooms.MemberJoined, rooms.MemberLeft, rooms.MemberAway, rooms.MemberBack:
		return true
	}
	return false
}

// hidesBy reports whether who did something in the room is ignored.
func (c *chat) hidesBy(nick string) bool {
	m, ok := c.scene.find(nick)
	return ok && c.circle.isIgnored(m.Peer)
}

// without leaves out what ignored people said, of messages that were asked for. It tells
// how many these are, and whether nothing else is there.
func (c *circle) without(ev rooms.Event) (left rooms.Event, hidden int, nothing bool) {
	heard := func(messages []rooms.Message) (others []rooms.Message) {
		for _, m := range messages {
			if !c.isIgnored(m.From.Peer) {
				others = append(others, m)
			}
		}
		hidden = len(messages) - len(others)
		return others
	}
	switch ev := ev.(type) {
	case rooms.Page:
		ev.Messages = heard(ev.Messages)
		return ev, hidden, len(ev.Messages) == 0
	case rooms.Found:
		ev.Messages = heard(ev.Messages)
		return ev, hidden, len(ev.Messages) == 0 && ev.Next == 0
	case rooms.Shared:
		ev.Messages = heard(ev.Messages)
		return ev, hidden, len(ev.Messages) == 0 && ev.Next == 0
	}
	return ev, 0, false
}

// recalled shows messages that were asked for, but not those of ignored people.
func (c *chat) recalled(ev rooms.Event) {
	left, hidden, nothing := c.circle.without(ev)
	if hidden == 0 || !nothing {
		c.print(c.page.answer(left)...)
	}
	if hidden > 0 {
		c.say("%d of people you ignore %s left out", hidden, isAre(hidden))
	}
}

func (c *chat) ignore(nick string) {
	if nick == "" {
		c.say("ignored: %s", nicksOf(c.circle.ignored))
		return
	}
	c.someone(nick, func(m rooms.Member) {
		if m.Peer == c.scene.peer {
			c.print(c.page.refusal(thatIsYou())...)
			return
		}
		c.lasts(c.circle.ignore(m.Peer, m.Nick, true))
		c.say("%s is ignored, also under another nick; /unignore %[1]s ends it", SanitizeNick(m.Nick))
	})
}

func (c *chat) unignore(name string) {
	name = strings.TrimPrefix(name, "@")
	if name == "" {
		c.print(c.page.refusal((&arguments{entry: lookup("unignore")}).usage("needs a nick"))...)
		return
	}
	peer, ok := oneOf(c.circle.ignored, name)
	if m, here := c.scene.find(name); here && c.circle.isIgnored(m.Peer) {
		peer, ok = m.Peer, true
	}
	if !ok {
		c.print(c.page.refusal(rooms.Refuse(rooms.NoSuchMember, "/ignore shows who is", "%q is not ignored", name))...)
		return
	}
	nick := c.circle.ignored[peer]
	c.lasts(c.circle.ignore(peer, nick, false))
	c.say("%s is heard again", SanitizeNick(nick))
}
