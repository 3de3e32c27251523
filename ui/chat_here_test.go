package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

func TestChatHere(t *testing.T) {
	sit(t, inDev, func(s *seat) {
		s.enter(dev(2), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		for _, c := range []struct {
			line string
			rows []string
		}{
			{"/topic", []string{"-- topic: what we build"}},
			{"/ignore", []string{"-- ignored: nobody"}},
			{"/ignore alice", []string{"!! that is you; /who shows the others"}},
			{"/ignore @Bob", []string{"-- bob is ignored, also under another nick; /unignore bob ends it"}},
			{"/ignore", []string{"-- ignored: bob"}},
			{"/unignore bob", []string{"-- bob is heard again"}},
			{"/unignore bob", []string{`!! "bob" is not ignored; /ignore shows who is`}},
			{"/status", []string{"-- you are alice (…lice0001), in #dev (2 of 10, member)", "-- host: Ada's box, 12D3KooWHostHostHostHostHostHostHostHostHostHost0003"}},
			{"/help leave", []string{"-- /leave", "   Leave the room.", "   Also: /part"}},
			{"/wo", []string{"!! there is no command /wo; did you mean /who? /help lists the commands; //wo says it"}},
			{"/limit many", []string{`!! /limit needs a number, not "many"; usage: /limit N, for example /limit 10`}},
		} {
			s.say(c.line)
			got := strings.Join(s.term.printed, "\n")
			got = strings.ReplaceAll(got, "\n    │ ", " ")
			if want := strings.Join(c.rows, "\n"); got != want {
				t.Errorf("%s: screen:\n%s\nwant:\n%s", c.line, got, want)
			}
			s.forget()
		}
		s.say("/ignore bob")
		s.forget()
		s.tell(posted(3, bob, "bob", "hello"), rooms.Whispered{From: rooms.Author{Peer: bob, Nick: "bob"}, Text: "psst"})
		s.want()
		s.say("/clear")
		if s.term.cleared != 1 {
			t.Errorf("cleared %d times", s.term.cleared)
		}
		s.say("/ping")
		s.pass(12 * time.Millisecond)
		s.settle(t, rooms.Done{})
		s.want("-- the host answered in 12 ms")
		s.asked = nil
		for line, row := range map[string]string{"/nick alice": "-- you are alice already", "/join DEV": "-- you are in #dev already"} {
			s.say(line)
			s.wantAsked(t)
			s.want(row)
		}
		s.say("/nick al")
		s.settle(t, rooms.Done{})
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberRenamed, Member: member(alice, "al"), Old: "alice"})
		s.want("-- you are al now")
		s.put(input{err: ErrInterrupt})
		s.want()
		s.put(input{err: ErrInterrupt})
		s.want("-- Ctrl-D or /quit leaves")
	})
}

func TestChatShowsAnswers(t *testing.T) {
	sit(t, func(o *Options, h *fakeHost) { o.Room, o.Owner = "dev", true }, func(s *seat) {
		s.enter(dev(1), member(alice, "alice"))
		now := s.Now()
		for _, c := range []struct {
			line   string
			answer rooms.Event
			rows   []string
		}{
			{
				"/who",
				rooms.Roster{Room: "dev", Members: []rooms.Member{{Peer: alice, Nick: "alice", Role: rooms.Operator}, {Peer: bob, Nick: "b\x1bb", Muted: true}}},
				[]string{"-- 2 members in #dev", "   alice  …lice0001  op", "   b^[b   …BobB0002  muted"},
			},
			{"/list", rooms.Listing{}, []string{"-- no public room is open"}},
			{
				"/invites",
				rooms.InviteList{Invites: []rooms.InviteInfo{{ID: "k7f2", Room: "dev", By: "alice", Uses: 1, MaxUses: 5, Expires: now.Add(26 * time.Hour)}}},
				[]string{"-- 1 invite", "   k7f2  #dev  by alice, 1 of 5 used, ends in 26h"},
			},
			{
				"/invite",
				rooms.Invited{Invite: rooms.InviteInfo{ID: "k7f2", Room: "dev", MaxUses: 1}, Link: "p2pchat:abc"},
				[]string{"-- an invite to #dev, for 1 use, ends never; /revoke k7f2 ends it", "p2pchat:abc", "-- whoever has it can enter: p2pchat join LINK, or /join LINK here"},
			},
			{"/revoke k7f2", rooms.Done{}, []string{"-- invite k7f2 works no more"}},
			{
				"/bans",
				rooms.BanList{Bans: []rooms.BanInfo{{Peer: bob, Nick: "bob", By: "alice", Reason: "loud"}}},
				[]string{"-- 1 ban", "   bob  12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobB0002  by alice, for", "    │ good, from the whole host: loud"},
			},
			{"/ban bob 24h loud", rooms.Done{}, []string{"-- bob is banned for 24h; /unban bob ends it"}},
			{
				"/whois bob",
				rooms.Member{Peer: bob, Nick: "bob", Room: "dev", Since: now.Add(-90 * time.Second), Path: "direct"},
				[]string{"-- bob is 12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobB0002 · in #dev · here", "    │ for 1m30s · direct"},
			},
			{
				"/history",
				rooms.Page{Messages: []rooms.Message{posted(1, bob, "bob", "old").Message}},
				[]string{"-- earlier --", "-- Saturday, 1 January 2000 --", "00:01 bob old", "-- now --"},
			},
		} {
			s.forget()
			s.say(c.line)
			s.settle(t, c.answer)
			s.want(c.rows...)
		}
		s.tell(rooms.MemberChanged{Room: "dev", What: rooms.MemberLeft, Member: rooms.Member{Peer: bob}}) // or /quit asks
	})
}

// offered is what the completer offers at the end of before.
func offered(term *fakeTerm, before string) (texts []string) {
	for _, c := range term.complete(before).Candidates {
		texts = append(texts, c.Text)
	}
	return texts
}

func TestChatCompletes(t *testing.T) {
	sit(t, nil, func(s *seat) {
		s.settle(t, rooms.Listing{Rooms: []rooms.RoomInfo{{Room: "dev"}, {Room: "devops"}, {Room: "x\x1b"}}})
		if got := offered(s.term, "/join d"); !slices.Equal(got, []string{"dev", "devops"}) {
			t.Errorf("rooms: %q", got)
		}
		s.say("/join den")
		s.enter(rooms.Entered{Room: rooms.RoomInfo{Room: "den"}}) // it is not listed
		s.say("/join dev")
		s.enter(dev(3), member(alice, "alice"), member(bob, "bob"), member(host, "Bert"))
		for before, want := range map[string][]string{
			"/he": {"/help"}, "/k": {"/kick"}, "b": {"Bert:", "bob:"}, "so @B": {"@Bert", "@bob"}, "/msg bo": {"bob"},
			"/help who": {"who", "whois"}, "hello b": nil, "/create x --p": {"--private"}, "/create --topic t --limit=3 --": {"--private", "--no-history"},
			"/invite -": {"--uses", "--expires", "--qr"}, "/who -": nil, "": nil, "/msg bob b": nil, "/": nil, "x /k": nil,
			"/help /wh": {"/who", "/whois"}, "/bell ": {"off", "mention", "all"}, "/bell m": {"mention"}, "/bell off m": nil, "/quit ": nil,
			"hello bO": {"bob"}, "#de": {"#den", "#dev", "#devops"}, "look at #DEN": {"#den"}, "/join #devo": {"#devops"}, "/me is in #den": {"#den"}, "/join de": {"den", "dev", "devops"},
		} {
			got := offered(s.term, before)
			if before == "/" {
				if len(got) != len(commands()) {
					t.Errorf("%d commands offered", len(got))
				}
				continue
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: %q, want %q", before, got, want)
			}
		}
	})
}
