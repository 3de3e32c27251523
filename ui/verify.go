package ui

import (
	"strings"

	"p2pchat/rooms"
)

// verifying is what /verify asks for.
type verifying struct {
	nick string // empty: who is verified
	set  bool   // verified is to be this
	to   bool
}

func readVerify(arg string) (verifying, *rooms.Refusal) {
	a := &arguments{entry: lookup("verify")}
	words := strings.Fields(arg)
	if len(words) == 0 {
		return verifying{}, nil
	}
	v := verifying{nick: strings.TrimPrefix(words[0], "@")}
	switch {
	case len(words) == 1:
		return v, nil
	case len(words) == 2 && strings.EqualFold(words[1], "yes"):
		v.set, v.to = true, true
		return v, nil
	case len(words) == 2 && strings.EqualFold(words[1], "no"):
		v.set = true
		return v, nil
	}
	return v, a.usage("takes a nick, and then yes or no")
}

// thatIsYou refuses what can be done to others only.
func thatIsYou() *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "/who shows the others", "that is you")
}

func noWords(nick string) *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "compare the peer ID that /whois shows", "the key of %q has no words", nick)
}

// notShown refuses to verify a key that nobody has compared.
func notShown(nick string) *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "/verify "+nick+" shows them", "the words of %q's key were not shown in this session, or the nick had another key since", nick)
}

// otherNick refuses a host's answer that is about somebody else than was asked for.
func otherNick(nick string) *rooms.Refusal {
	return rooms.Refuse(rooms.NoSuchMember, "/who shows who is here", "the host answers with somebody else than %q", nick)
}

// answersFor reports whether a member that the host named is the one that was asked for.
func answersFor(m rooms.Member, nick string) bool {
	return rooms.FoldNick(m.Nick) == rooms.FoldNick(strings.TrimPrefix(nick, "@"))
}

func notVerified(nick string) *rooms.Refusal {
	return rooms.Refuse(rooms.NoSuchMember, "/verify shows who is", "%q is not verified", nick)
}

// verifiedAs finds who /verify NICK no is about: a member here, or somebody of that nick
// whose key was verified.
func (c *circle) verifiedAs(nick string, s *scene) (rooms.PeerID, bool) {
	if m, ok := s.find(nick); ok && c.isVerified(m.Peer) {
		return m.Peer, true
	}
	return oneOf(c.verified, nick)
}

// verify shows the words of a member's key and of one's own, or notes that they are the
// same on both sides.
func (c *chat) verify(arg string) {
	v, no := readVerify(arg)
	switch {
	case no != nil:
		c.print(c.page.refusal(no)...)
	case v.nick == "":
		c.say("verified: %s", nicksOf(c.circle.verified))
	case v.set && !v.to:
		c.unverify(v.nick)
	default:
		c.someone(v.nick, func(m rooms.Member) { c.compare(m, v.set) })
	}
}

func (c *chat) unverify(nick string) {
	peer, ok := c.circle.verifiedAs(nick, &c.scene)
	if !ok {
		c.print(c.page.refusal(notVerified(nick))...)
		return
	}
	name := c.circle.verified[peer]
	c.lasts(c.circle.verify(peer, name, false))
	c.say("%s is not verified any more", SanitizeNick(name))
}

// compare shows the words to be compared. Only after that yes counts: it is about the
// key whose words were shown for this nick, whoever has it by now.
func (c *chat) compare(m rooms.Member, yes bool) {
	nick, theirs, own := SanitizeNick(m.Nick), c.circle.fingerprint(m.Peer), c.circle.fingerprint(c.scene.peer)
	switch {
	case m.Peer == c.scene.peer && yes:
		c.print(c.page.refusal(thatIsYou())...)
	case theirs == nil || own == nil:
		c.print(c.page.refusal(noWords(m.Nick))...)
	case m.Peer == c.scene.peer:
		c.wordRows("your words:", own)
	case yes && c.circle.wasShown(m.Nick, m.Peer):
		if c.lasts(c.circle.verify(m.Peer, m.Nick, true)) {
			c.say("%s is verified; /verify %[1]s no takes it back", nick)
		}
	default:
		if yes && !c.circle.isVerified(m.Peer) {
			c.say("this does not count yet: only now the words of %s's key are shown to you", nick)
		}
		c.circle.show(m.Nick, m.Peer)
		c.wordRows("the words of "+nick+":", theirs)
		c.wordRows("your own:", own)
		if c.circle.isVerified(m.Peer) {
			c.say("%s is verified; /verify %[1]s no takes it back", nick)
			return
		}
		c.say("read them to each other, by phone or face to face; if both of you see the same: /verify %s yes", nick)
	}
}

func (c *chat) wordRows(title string, words []string) {
	c.say("%s", title)
	for _, row := range WordRows(words) {
		c.print(c.page.item(row)...)
	}
}

// lasts tells the person where something does not outlive the chat.
func (c *chat) lasts(err error) bool {
	if err != nil {
		c.print(c.page.alarm("this holds only until you leave: %v", err)...)
	}
	return err == nil
}

// someone finds a member by its nick: in the room, or else on the host.
func (c *chat) someone(nick string, then func(rooms.Member)) {
	if m, ok := c.scene.find(nick); ok {
		then(m)
		return
	}
	ask := rooms.Whois{Nick: strings.TrimPrefix(nick, "@")}
	if no := c.reaching(ask); no != nil {
		c.print(c.page.refusal(no)...)
		return
	}
	c.desk.ask(ask, func(ev rooms.Event) {
		switch m, ok := ev.(rooms.Member); {
		case ok && answersFor(m, nick):
			c.meet(m)
			then(m)
		case ok:
			c.print(c.page.refusal(otherNick(nick))...)
		default:
			c.print(c.page.answer(ev)...)
		}
	})
}

// whois shows who somebody is, and whether its key is verified, or else its words.
func (c *chat) whois(m rooms.Member) {
	c.print(c.page.answer(m)...)
	words := c.circle.fingerprint(m.Peer)
	switch {
	case c.circle.isVerified(m.Peer):
		c.say("verified: you have compared the words of this key")
	case words != nil:
		c.say("its words: %s", strings.Join(words, " "))
	}
}
