package ui

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"p2pchat/rooms"
)

const eve rooms.PeerID = "12D3KooWEveEveEveEveEveEveEveEveEveEveEveEveEveE0004"

// testWords are not the real ones; only keys of this test have any.
func testWords(peer rooms.PeerID) ([]string, error) {
	first, ok := map[rooms.PeerID]string{alice: "apple", bob: "basket", eve: "ember"}[peer]
	if !ok {
		return nil, errors.New("no key")
	}
	return append([]string{first}, strings.Fields("one two three four five six seven eight nine ten eleven")...), nil
}

// withWords is a chat in the room dev where keys have words, and people are known.
func withWords(people *strangers) func(*Options, *fakeHost) {
	return func(o *Options, h *fakeHost) {
		inDev(o, h)
		o.People, o.Words = people, testWords
	}
}

func TestVerify(t *testing.T) {
	people := newStrangers()
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		words := []string{
			"-- the words of bob:", "    1 basket   2 one      3 two      4 three", "    5 four     6 five     7 six      8 seven",
			"    9 eight   10 nine    11 ten     12 eleven",
			"-- your own:", "    1 apple    2 one      3 two      4 three", "    5 four     6 five     7 six      8 seven",
			"    9 eight   10 nine    11 ten     12 eleven",
		}
		ask := "-- read them to each other, by phone or face to face; if both of you see the\n    │ same: /verify bob yes"
		s.say("/verify @Bob yes") // nobody has read anything yet
		s.want(append([]string{"-- this does not count yet: only now the words of bob's key are shown to you"}, append(words, ask)...)...)
		s.say("/verify bob")
		s.want(append(words, ask)...)
		s.say("/verify bob yes")
		s.want("-- bob is verified; /verify bob no takes it back")
		s.say("/verify bob")
		s.want(append(words, "-- bob is verified; /verify bob no takes it back")...)
		s.say("/verify")
		s.want("-- verified: bob")

		// The nick is somebody else's by now: its words were not read.
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(bob, "rob"), Old: "bob"})
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(eve, "bob")})
		s.forget()
		s.say("/verify bob yes")
		if len(people.verified) != 1 || len(s.term.printed) == 0 || s.term.printed[2] != "    1 ember    2 one      3 two      4 three" {
			t.Errorf("verified %v: %q", people.verified, s.term.printed)
		}
		s.forget()
		s.say("/verify")
		s.want("-- verified: rob")
		s.say("/verify rob no")
		s.want("-- rob is not verified any more")
		for line, want := range map[string]string{
			"/verify bob no":    `!! "bob" is not verified; /verify shows who is`,
			"/verify alice yes": "!! that is you; /who shows the others",
			"/verify bob maybe": "!! /verify takes a nick, and then yes or no; usage: /verify [NICK [yes|no]], for\n    │ example /verify bob",
			"/verify a yes now": "!! /verify takes a nick, and then yes or no; usage: /verify [NICK [yes|no]], for\n    │ example /verify bob",
		} {
			s.say(line)
			s.want(want)
		}
		s.asked = nil
		s.say("/verify zoe")
		s.wantAsked(t, rooms.Whois{Nick: "zoe"})
		s.settle(t, member(host, "zoe"))
		s.want(`!! the key of "zoe" has no words; compare the peer ID that /whois shows`)
		s.say("/verify bobby")
		s.settle(t, member(eve, "eve")) // not who was asked for
		s.want(`!! the host answers with somebody else than "bobby"; /who shows who is here`)
	})
}

// TestVerifyIsAboutTheKeyThatWasCompared: to have looked at somebody's words once does not
// verify its key under the nick of another one.
func TestVerifyIsAboutTheKeyThatWasCompared(t *testing.T) {
	renamed := rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(eve, "bob"), Old: "mallory"}
	left := rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: member(bob, "bob")}
	here := []rooms.Member{member(alice, "alice"), member(bob, "bob"), member(eve, "mallory")}
	people := newStrangers()
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(3), here...)
		s.say("/verify mallory")
		s.say("/verify bob")
		s.tell(left, renamed)
		s.forget()
		s.say("/verify bob yes")
		if len(people.verified) > 0 || s.term.printed[0] != "-- this does not count yet: only now the words of bob's key are shown to you" {
			t.Errorf("verified %v: %q", people.verified, s.term.printed)
		}
		// Bob is back: what was shown for this nick was another key's meanwhile.
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: member(eve, "bob")},
			rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(bob, "bob")})
		s.say("/verify bob yes")
		if len(people.verified) > 0 {
			t.Errorf("verified %v", people.verified)
		}
		s.say("/verify bob yes")
		if len(people.verified) != 1 || people.verified[bob] != "bob" {
			t.Errorf("verified %v", people.verified)
		}
	})

	people = newStrangers()
	change := func(o *Options) { o.Room, o.People, o.Words = "dev", people, testWords }
	playJSON(t, change, func(p *program) {
		entered := dev(3)
		entered.Members = here
		p.settle(t, entered)
		line := func(text string) string {
			p.out.Reset()
			p.write(`{"do":"line","text":"` + text + `","ref":1}` + "\n")
			return p.out.String()
		}
		if got := line("/verify bob yes"); !strings.Contains(got, `"code":"bad_request"`) || !strings.Contains(got, "were not shown in this session") {
			t.Errorf("answer: %s", got)
		}
		line("/verify mallory")
		line("/verify bob")
		p.tell(left, renamed)
		if got := line("/verify bob yes"); !strings.Contains(got, `"code":"bad_request"`) || len(people.verified) > 0 {
			t.Errorf("verified %v, answer: %s", people.verified, got)
		}
		line("/verify bob")
		if got := line("/verify bob yes"); !strings.Contains(got, `"verified":true`) || people.verified[eve] != "bob" {
			t.Errorf("verified %v, answer: %s", people.verified, got)
		}
	})
}

func TestWhoisAndWhoShowWhoIsVerified(t *testing.T) {
	people := newStrangers()
	people.verified[bob] = "bob"
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(3), member(alice, "alice"), member(bob, "bob"), member(eve, "eve"))
		s.forget()
		for _, tt := range []struct {
			line   string
			answer rooms.Event
			rows   []string
		}{
			{"/whois bob", member(bob, "bob"), []string{"-- bob is " + string(bob), "-- verified: you have compared the words of this key"}},
			{"/whois eve", member(eve, "eve"), []string{
				"-- eve is " + string(eve), "-- its words: ember one two three four five six seven eight nine ten eleven",
			}},
			{"/who", rooms.Roster{Room: "dev", Members: []rooms.Member{member(bob, "bob"), member(eve, "eve")}}, []string{
				"-- 2 members in #dev", "   bob ✓  …BobB0002", "   eve    …EveE0004",
			}},
		} {
			s.say(tt.line)
			s.settle(t, tt.answer)
			s.want(tt.rows...)
		}
	})
}

func TestAnotherKey(t *testing.T) {
	people := newStrangers()
	people.Meet("bob", eve)
	people.Meet("alice", eve) // one's own nick is not looked at
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "Bob"))
		warning := `"Bob" has another key than the Bob you know (basket one two … was ember one` + "\n    │ two …): ask before you trust it, /verify Bob"
		if got := strings.Join(s.term.printed, "\n"); strings.Count(got, "another key") != 1 || !strings.Contains(got, "-- "+warning) {
			t.Errorf("screen:\n%s", got)
		}
		s.forget()
		s.tell(posted(3, bob, "Bob", "hello"))
		s.want("00:03 Bob hello")

		// The verified one is gone, and another one speaks, or whispers, or joins by this name.
		people.Meet("bob", bob)
		s.say("/verify bob")
		s.say("/verify bob yes")
		s.forget()
		s.tell(rooms.Whispered{From: rooms.Author{Peer: eve, Nick: "bob"}, To: rooms.Author{Peer: alice, Nick: "alice"}, Text: "psst"})
		alarm := `"bob" has another key than the bob you verified (ember one two … was basket` + "\n    │ one two …): ask before you trust it, /verify bob"
		s.want("\a!! "+alarm, "00:00 bob → you: psst")
		s.tell(replayed(posted(4, bob, "bob", "of yesterday")))
		s.forget()
		s.tell(posted(5, bob, "bob", "me again"))
		s.want("00:05 bob me again") // the nick is still the verified key's
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: member(eve, "bob")})
		s.want("-- bob left")
	})
}

// TestAVerifiedNickKeepsItsAlarm: in every session, once, until the other key is verified
// or the first one is not any more; and however many nicks the host made up in between.
func TestAVerifiedNickKeepsItsAlarm(t *testing.T) {
	people := newStrangers()
	alarms := func(want int, lines ...string) {
		t.Helper()
		sit(t, withWords(people), func(s *seat) {
			s.enter(dev(2), member(alice, "alice"), member(eve, "bob"))
			s.tell(posted(3, eve, "bob", "it is me"))
			s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: member(eve, "bob")},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(eve, "bob")})
			if got := strings.Count(strings.Join(s.term.printed, "\n"), `!! "bob" has another key than the bob you verified`); got != want {
				t.Errorf("%d alarms, want %d:\n%s", got, want, strings.Join(s.term.printed, "\n"))
			}
			for _, line := range lines {
				s.say(line)
			}
		})
	}
	sit(t, withWords(people), func(s *seat) {
		crowd := make([]rooms.Member, 5000)
		for i := range crowd {
			crowd[i] = member(host, fmt.Sprint("n", i))
		}
		s.enter(dev(2), append(crowd, member(alice, "alice"), member(bob, "bob"))...)
		s.say("/verify bob")
		s.say("/verify bob yes")
	})
	alarms(1)
	alarms(1, "/verify bob", "/verify bob yes")
	alarms(0)
	people.verified = map[rooms.PeerID]string{bob: "bob"}
	people.known["bob"] = bob
	alarms(1, "/verify bob no")
	alarms(0)
}

func TestIgnoreLasts(t *testing.T) {
	people := newStrangers()
	for range 2 {
		sit(t, withWords(people), func(s *seat) {
			s.enter(dev(3), member(alice, "alice"), member(bob, "bob"), member(eve, "eve"))
			s.say("/ignore bob")
			s.forget()
			s.tell(
				posted(3, bob, "bob", "hello"),
				rooms.Whispered{From: rooms.Author{Peer: bob, Nick: "bob"}, Text: "psst"},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberAway, Member: rooms.Member{Peer: bob, Nick: "bob", Away: "lunch"}},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberBack, Member: member(bob, "bob")},
				rooms.RoomChanged{What: rooms.RoomUpdated, Room: rooms.RoomInfo{Room: "dev", Topic: "boots"}, By: "bob"},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(bob, "rob"), Old: "bob"},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: member(bob, "rob")},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberJoined, Member: member(bob, "rob")},
			)
			s.want()
			s.tell(
				rooms.MemberChanged{Room: "dev", What: rooms.MemberRole, Member: rooms.Member{Peer: bob, Nick: "rob", Role: rooms.Operator}},
				rooms.RoomChanged{What: rooms.RoomUpdated, Room: rooms.RoomInfo{Room: "dev", Topic: "tea"}, By: "eve"},
				rooms.MemberChanged{Room: "dev", What: rooms.MemberKicked, Member: member(bob, "rob"), By: "eve"},
			)
			s.want("-- rob was made operator", "-- topic: tea (eve)", "-- rob was put out by eve")
			s.say("/ignore")
			s.want("-- ignored: rob")
		})
	}
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(eve, "eve"))
		s.forget()
		s.say("/unignore " + string(bob)) // who is not here
		s.want("-- bob is heard again")
		s.say("/ignore zoe")
		s.settle(t, rooms.Refuse(rooms.NoSuchMember, "/who shows who is here", `there is no "zoe" connected to this host`))
		s.want(`!! there is no "zoe" connected to this host; /who shows who is here`)
		s.say("/ignore alice")
		s.want("!! that is you; /who shows the others")
	})
	if len(people.ignored) != 0 {
		t.Errorf("still ignored: %v", people.ignored)
	}
}

// TestIgnoredInThePast: what ignored people said before is neither shown nor counted.
func TestIgnoredInThePast(t *testing.T) {
	people := newStrangers()
	people.ignored[eve] = "eve"
	said := func(seq rooms.Seq, from rooms.PeerID, nick string) rooms.Message {
		m := posted(seq, from, nick, fmt.Sprint("text ", seq)).Message
		m.File = &rooms.File{ID: fmt.Sprint(seq), Name: "cat.png", Size: 2048, MIME: "image/png"}
		return m
	}
	both := []rooms.Message{said(1, eve, "eve"), said(2, bob, "bob"), said(3, eve, "eve")}
	only := both[2:]
	sit(t, withWords(people), func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		for _, tt := range []struct {
			line   string
			answer rooms.Event
			rows   []string
		}{
			{"/history 3", rooms.Page{Messages: both}, []string{"-- earlier --", "-- Saturday, 1 January 2000 --", "00:02 bob text 2", "-- now --", "-- 2 of people you ignore are left out"}},
			{"/history 3", rooms.Page{Messages: only}, []string{"-- 1 of people you ignore is left out"}},
			{"/history 3", rooms.Page{}, []string{"-- no such messages"}},
			{"/search text", rooms.Found{Messages: both}, []string{"-- 1 message found --", "-- Saturday, 1 January 2000 --", "2  00:02 bob text 2", "-- now --", "-- 2 of people you ignore are left out"}},
			{"/search text", rooms.Found{Messages: only}, []string{"-- 1 of people you ignore is left out"}},
			{"/search text", rooms.Found{Messages: only, Next: 3}, []string{
				"-- 0 messages found --", "-- older ones: the same with --before 3 in front of the text", "-- now --", "-- 1 of people you ignore is left out",
			}},
			{"/files", rooms.Shared{Messages: both}, []string{"-- 1 file", "    2  cat.png · png · 2 KiB · by bob, 1 Jan 00:02", "-- 2 of people you ignore are left out"}},
			{"/files", rooms.Shared{Messages: only}, []string{"-- 1 of people you ignore is left out"}},
			{"/files", rooms.Shared{Messages: only, Next: 3}, []string{"-- 0 files", "-- older ones: /files --before 3", "-- 1 of people you ignore is left out"}},
		} {
			s.say(tt.line)
			s.settle(t, tt.answer)
			s.want(tt.rows...)
		}
	})
}

// TestIgnoredInTheReplay: no frame is left around nothing, and none stays open.
func TestIgnoredInTheReplay(t *testing.T) {
	for _, tt := range []struct {
		read rooms.Seq // zero: the room is new to the person
		from string    // who said the messages 1 to 4: bob or eve, by their first letters
		rows []string
	}{
		{0, "eeee", nil},
		{0, "ebee", []string{"-- earlier --", "00:02 bob text", "-- now --"}},
		{2, "beee", []string{"-- earlier --", "00:01 bob text", "-- now --"}},
		{2, "eeeb", []string{"-- 1 new while you were away --", "00:04 bob text"}},
		{1, "bebe", []string{"-- earlier --", "00:01 bob text", "-- up to 2 new while you were away --", "00:03 bob text"}},
	} {
		people := newStrangers()
		people.ignored[eve] = "eve"
		book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{}}
		if tt.read > 0 {
			book.places["dev"] = rooms.Cursor{Epoch: 3, Seq: tt.read}
		}
		sit(t, func(o *Options, _ *fakeHost) { o.Room, o.Notebook, o.People, o.Recent = "dev", book, people, 10 }, func(s *seat) {
			s.enter(devAt(0, 4), member(alice, "alice"))
			s.forget()
			for i, who := range tt.from {
				from, nick := bob, "bob"
				if who == 'e' {
					from, nick = eve, "eve"
				}
				s.tell(replayed(posted(rooms.Seq(i+1), from, nick, "text")))
			}
			s.want(tt.rows...)
		})
	}
}

// fullDisk takes nothing.
type fullDisk struct{ *strangers }

func (fullDisk) Verify(rooms.PeerID, string, bool) error { return errors.New("the disk is full") }
func (fullDisk) Ignore(rooms.PeerID, string, bool) error { return errors.New("the disk is full") }

func TestWhatIsNotKeptIsTold(t *testing.T) {
	sit(t, func(o *Options, h *fakeHost) { inDev(o, h); o.People = fullDisk{newStrangers()} }, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		s.say("/ignore bob")
		s.want("!! this holds only until you leave: the disk is full", "-- bob is ignored, also under another nick; /unignore bob ends it")
		s.tell(posted(3, bob, "bob", "hello"))
		s.want()
	})
}

func TestWordRows(t *testing.T) {
	got := WordRows([]string{"a", "bb", "ccc", "d", "e"})
	if want := []string{" 1 a     2 bb    3 ccc   4 d", " 5 e"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}
