package cmd

import (
	"fmt"
	"slices"
	"testing"

	"p2pchat/rooms"
)

// TestIsNamed tells a room from another one by its name, with or without its suffix.
func TestIsNamed(t *testing.T) {
	for _, tt := range []struct {
		id   rooms.RoomID
		name string
		want bool
	}{
		{"club~abcdefgh", "club", true}, {"club~abcdefgh", "Club~ABCDEFGH", true},
		{"lobby", "lobby", true}, {"club~abcdefgh", "club~hgfedcba", false}, {"club~abcdefgh", "lobby", false},
		{"lobby", "", false}, {"lobby", "two words", false},
	} {
		if got := isNamed(tt.id, tt.name); got != tt.want {
			t.Errorf("%q is %q: %t", tt.id, tt.name, got)
		}
	}
}

// slowSession answers when it is told to.
type slowSession struct {
	sent   []rooms.Command
	events chan rooms.Event
}

func (s *slowSession) Send(cmd rooms.Command) uint64 {
	s.sent = append(s.sent, cmd)
	return uint64(100 + len(s.sent)) // not those of whoever is above
}
func (s *slowSession) Events() <-chan rooms.Event { return s.events }
func (s *slowSession) Close() error               { close(s.events); return nil }

// TestInvited never says anything in another room than the one that was named, also not
// when it is asked to before it is known whether there is that room.
func TestInvited(t *testing.T) {
	invite := rooms.Capability{Room: rooms.RoomKey{1}}
	none := rooms.Refuse(rooms.NoSuchRoom, "", "none")
	in := func(id rooms.RoomID) rooms.Entered { return rooms.Entered{Room: rooms.RoomInfo{Room: id}} }
	say, link, leave := rooms.Say{Text: "hi"}, rooms.Join{Invite: invite, Recent: 3}, rooms.Leave{}
	named := rooms.Join{Room: "club", Recent: 3}
	for _, tt := range []struct {
		name    string
		answers []rooms.Event   // to what is sent until the room is entered or refused
		sent    []rooms.Command // before what waits
		want    rooms.Code      // of the first answer; empty: entered
	}{
		{"there without", []rooms.Event{in("club")}, []rooms.Command{named}, ""},
		{"full", []rooms.Event{rooms.Refuse(rooms.RoomFull, "", "full")}, []rooms.Command{named}, rooms.RoomFull},
		{"let in", []rooms.Event{none, in("club~abcdefgh")}, []rooms.Command{named, link}, ""},
		{"not valid", []rooms.Event{none, rooms.Refuse(rooms.InviteInvalid, "", "used")}, []rooms.Command{named, link}, rooms.InviteInvalid},
		{"elsewhere", []rooms.Event{none, in("den~abcdefgh"), rooms.Done{}}, []rooms.Command{named, link, leave}, rooms.NoSuchRoom},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner := &slowSession{events: make(chan rooms.Event)}
			s := invited(t.Context(), inner, "club", invite)
			first, second := s.Send(named), s.Send(say)
			for i, answer := range tt.answers {
				inner.events <- rooms.Answered{Ref: uint64(101 + i), Answer: answer}
				if tt.want == rooms.NoSuchRoom && i == 1 {
					inner.events <- rooms.MemberChanged{Room: "den~abcdefgh"} // of a room that nobody asked for
				}
			}
			a := (<-s.Events()).(rooms.Answered)
			refusal, refused := a.Answer.(*rooms.Refusal)
			if a.Ref != first || refused != (tt.want != "") || refused && refusal.Code != tt.want {
				t.Errorf("the first answer is %+v", a)
			}
			if want := append(tt.sent, say); !slices.EqualFunc(inner.sent, want, func(x, y rooms.Command) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
				t.Errorf("sent %+v, want %+v", inner.sent, want)
			}
			inner.events <- rooms.Answered{Ref: uint64(100 + len(inner.sent)), Answer: rooms.Said{}}
			if a := (<-s.Events()).(rooms.Answered); a.Ref != second {
				t.Errorf("the second answer is %+v", a)
			}
			_ = s.Close()
			if e, ok := <-s.Events(); ok {
				t.Errorf("behind the end comes %+v", e)
			}
		})
	}
}
