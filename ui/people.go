package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"p2pchat/rooms"
)

// People is what is remembered of other members over the runs of the program. Only
// Verify and Ignore wait for a disk; their error says that it does not outlive the chat.
type People interface {
	// Known returns the key that a nick had on this host when it was noted last.
	Known(nick string) (rooms.PeerID, bool)
	// Meet notes the key of a nick on this host. However many follow, those of verified
	// keys are not forgotten.
	Meet(nick string, peer rooms.PeerID)
	// Verified returns the keys that the person has compared with their owners, and
	// Ignored those of whom nothing is shown, each with its nick at that time.
	Verified() map[rooms.PeerID]string
	Ignored() map[rooms.PeerID]string
	Verify(peer rooms.PeerID, nick string, verified bool) error
	Ignore(peer rooms.PeerID, nick string, ignored bool) error
}

// strangers is what is remembered during one chat only.
type strangers struct {
	known             map[string]rooms.PeerID
	verified, ignored map[rooms.PeerID]string
}

func newStrangers() *strangers {
	return &strangers{map[string]rooms.PeerID{}, map[rooms.PeerID]string{}, map[rooms.PeerID]string{}}
}

func (s *strangers) Known(nick string) (rooms.PeerID, bool) {
	peer, ok := s.known[rooms.FoldNick(nick)]
	return peer, ok
}

func (s *strangers) Meet(nick string, peer rooms.PeerID) {
	nick = rooms.FoldNick(nick)
	limit := strangersKnown
	if _, verified := s.verified[peer]; verified {
		limit *= 2
	}
	if _, ok := s.known[nick]; ok || len(s.known) < limit {
		s.known[nick] = peer
	}
}

// strangersKnown bounds the nicks that are remembered during one chat; as many more of
// verified keys.
const strangersKnown = 4096

func (s *strangers) Verified() map[rooms.PeerID]string { return s.verified }
func (s *strangers) Ignored() map[rooms.PeerID]string  { return s.ignored }

func (s *strangers) Verify(peer rooms.PeerID, nick string, verified bool) error {
	note(s.verified, peer, nick, verified)
	return nil
}

func (s *strangers) Ignore(peer rooms.PeerID, nick string, ignored bool) error {
	note(s.ignored, peer, nick, ignored)
	return nil
}

func note(m map[rooms.PeerID]string, peer rooms.PeerID, nick string, on bool) {
	if on {
		m[peer] = nick
	} else {
		delete(m, peer)
	}
}

// circle is whom the person knows. It belongs to one loop.
type circle struct {
	people   People
	words    func(rooms.PeerID) ([]string, error)
	verified map[rooms.PeerID]string
	ignored  map[rooms.PeerID]string
	shown    map[string]rooms.PeerID // by folded nick: the key whose words were shown, to be compared
	warned   map[change]bool         // of verified nicks, in this session
}

func newCircle(o Options) *circle {
	if o.People == nil {
		o.People = newStrangers()
	}
	return &circle{
		people: o.People, words: o.Words, shown: map[string]rooms.PeerID{}, warned: map[change]bool{},
		verified: maps.Clone(o.People.Verified()), ignored: maps.Clone(o.People.Ignored()),
	}
}

func (c *circle) isVerified(peer rooms.PeerID) bool { _, ok := c.verified[peer]; return ok }
func (c *circle) isIgnored(peer rooms.PeerID) bool  { _, ok := c.ignored[peer]; return ok }

// verify notes that a key is verified, and then that the nick is its own, whose ever it
// was; or that the key is not.
func (c *circle) verify(peer rooms.PeerID, nick string, verified bool) error {
	note(c.verified, peer, nick, verified)
	err := c.people.Verify(peer, nick, verified)
	if verified {
		c.people.Meet(nick, peer)
	}
	return err
}

// show notes that the words of a key were shown for a nick.
func (c *circle) show(nick string, peer rooms.PeerID) { c.shown[rooms.FoldNick(nick)] = peer }

// wasShown reports whether these words were shown for this nick, and nobody else has had
// it since.
func (c *circle) wasShown(nick string, peer rooms.PeerID) bool {
	return c.shown[rooms.FoldNick(nick)] == peer
}

func (c *circle) ignore(peer rooms.PeerID, nick string, ignored bool) error {
	note(c.ignored, peer, nick, ignored)
	return c.people.Ignore(peer, nick, ignored)
}

// fingerprint returns the words of a key; nil where it has none.
func (c *circle) fingerprint(peer rooms.PeerID) []string {
	if c.words == nil {
		return nil
	}
	words, err := c.words(peer)
	if err != nil {
		return nil
	}
	return words
}

// glance is the beginning of a fingerprint: enough to see that two keys differ.
func (c *circle) glance(peer rooms.PeerID) string {
	if words := c.fingerprint(peer); len(words) >= glanceWords {
		return strings.Join(words[:glanceWords], " ") + " …"
	}
	return shortPeer(peer)
}

const glanceWords = 3

// change is that a nick has another key than the one it was known by.
type change struct {
	nick     string
	is, was  rooms.PeerID
	verified bool // the key that it was known by
}

// meet notes the key of a member, and reports whether its nick had another one before. A
// verified key keeps its nick: whoever else has it is told of in every session, once.
func (c *circle) meet(nick string, peer rooms.PeerID) (ch change, changed bool) {
	if shown, ok := c.shown[rooms.FoldNick(nick)]; ok && shown != peer {
		delete(c.shown, rooms.FoldNick(nick))
	}
	for _, chosen := range []map[rooms.PeerID]string{c.verified, c.ignored} {
		if _, ok := chosen[peer]; ok {
			chosen[peer] = nick
		}
	}
	was, known := c.people.Known(nick)
	ch = change{rooms.FoldNick(nick), peer, was, c.isVerified(was)}
	if !known || was == peer || !ch.verified {
		c.people.Meet(nick, peer)
		ch.nick = nick
		return ch, known && was != peer
	}
	if c.warned[ch] {
		return ch, false
	}
	if len(c.warned) >= strangersKnown {
		clear(c.warned)
	}
	c.warned[ch] = true
	ch.nick = nick
	return ch, true
}

// warning says what a change means.
func (c *circle) warning(ch change) string {
	know := "know"
	if ch.verified {
		know = "verified"
	}
	nick := SanitizeNick(ch.nick)
	return fmt.Sprintf("%q has another key than the %s you %s (%s was %s): ask before you trust it, /verify %[2]s",
		nick, nick, know, c.glance(ch.is), c.glance(ch.was))
}

// nicksOf writes down people, by nick.
func nicksOf(people map[rooms.PeerID]string) string {
	names := make([]string, 0, len(people))
	for _, nick := range people {
		names = append(names, SanitizeNick(nick))
	}
	if len(names) == 0 {
		return "nobody"
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func sortedPeers(people map[rooms.PeerID]string) []rooms.PeerID {
	return slices.Sorted(maps.Keys(people))
}

// oneOf finds one of these people by nick or peer ID.
func oneOf(people map[rooms.PeerID]string, name string) (rooms.PeerID, bool) {
	if _, ok := people[rooms.PeerID(name)]; ok {
		return rooms.PeerID(name), true
	}
	for _, peer := range sortedPeers(people) {
		if rooms.FoldNick(people[peer]) == rooms.FoldNick(name) {
			return peer, true
		}
	}
	return "", false
}

// wordsInRow is how many words stand in a row.
const wordsInRow = 4

// WordRows sets the words of a fingerprint in rows, each word with its number.
func WordRows(words []string) []string {
	wide := 0
	for _, word := range words {
		wide = max(wide, len(word))
	}
	var rows []string
	for i := 0; i < len(words); i += wordsInRow {
		row := ""
		for n := i; n < min(i+wordsInRow, len(words)); n++ {
			row += fmt.Sprintf("%2d %-*s  ", n+1, wide, words[n])
		}
		rows = append(rows, strings.TrimRight(row, " "))
	}
	return rows
}
