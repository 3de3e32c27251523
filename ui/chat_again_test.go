package ui

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// fakeBook is a Notebook in memory.
type fakeBook struct {
	lines  []rooms.Message
	places map[rooms.RoomID]rooms.Cursor
	count  uint64
	full   error // of Save
}

func (b *fakeBook) Origin() rooms.Origin {
	b.count++
	return rooms.Origin{Client: 7, Count: b.count}
}

func (b *fakeBook) Keep(l rooms.Message) {
	b.Forget(l.Origin)
	b.lines = append(b.lines, l)
}

func (b *fakeBook) Forget(o rooms.Origin) {
	b.lines = slices.DeleteFunc(b.lines, func(l rooms.Message) bool { return l.Origin == o })
}

func (b *fakeBook) Kept() []rooms.Message                    { return slices.Clone(b.lines) }
func (b *fakeBook) Begin(room rooms.RoomID, at rooms.Cursor) { b.places[room] = at }
func (b *fakeBook) Save() error                              { return b.full }
func (b *fakeBook) Seen(epoch uint64, m rooms.Message, own bool) {
	if own {
		b.Forget(m.Origin)
	}
	if p := b.places[m.Room]; p.Epoch != epoch || p.Seq < m.Seq {
		b.places[m.Room] = rooms.Cursor{Epoch: epoch, Seq: m.Seq, Mark: m.Mark}
	}
}

func (b *fakeBook) Place(room rooms.RoomID) (at rooms.Cursor, when time.Time, ok bool) {
	at, ok = b.places[room]
	return at, when, ok
}

// left is a line that an earlier run left, so long before the tests' clock.
func left(room rooms.RoomID, count uint64, text string, before time.Duration) rooms.Message {
	return rooms.Message{
		Room: room, Time: newFakeClock().now.Add(-before), Kind: rooms.Text, Text: text, Origin: rooms.Origin{Client: 5, Count: count},
	}
}

func sent(l rooms.Message) rooms.Say { return rooms.Say{Kind: l.Kind, Text: l.Text, Origin: l.Origin} }

// devAt is the room dev, whose history of epoch 3 is replayed from there on.
func devAt(from, head rooms.Seq) rooms.Entered {
	e := dev(1)
	e.Room.Topic, e.From, e.Head = "", rooms.Cursor{Epoch: 3, Seq: from}, head
	return e
}

// back is a chat of somebody who comes back to the host with these notes.
func back(t *testing.T, book *fakeBook, room string, play func(*seat)) {
	t.Helper()
	if book.places == nil {
		book.places = map[rooms.RoomID]rooms.Cursor{}
	}
	sit(t, func(o *Options, _ *fakeHost) { o.Room, o.Notebook, o.Recent = room, book, 3 }, play)
}

var joinDev = rooms.Join{Room: "dev", Recent: missedShown}

func TestChatMarksWhatIsNew(t *testing.T) {
	book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 4}}}
	back(t, book, "dev", func(s *seat) {
		s.wantAsked(t, joinDev)
		s.enter(devAt(0, 7), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		for seq := range rooms.Seq(7) {
			s.tell(replayed(posted(seq+1, bob, "bob", fmt.Sprint("text ", seq+1))))
		}
		s.tell(posted(8, bob, "bob", "live"))
		s.want("-- 3 new while you were away --", "00:05 bob text 5", "00:06 bob text 6", "00:07 bob text 7", "00:08 bob live")
		s.wantAsked(t)
		if at := book.places["dev"]; at.Seq != 8 {
			t.Errorf("read up to %+v", at)
		}

		// After a lost connection, too, and none where nothing was missed.
		lost := rooms.Connection{What: rooms.ConnectionLost}
		restored := rooms.Connection{What: rooms.ConnectionRestored}
		s.tell(lost, restored, devAt(8, 8), posted(9, bob, "bob", "still live"))
		s.forget()
		s.tell(lost, restored, devAt(9, 11))
		s.tell(replayed(posted(10, alice, "alice", "own")), replayed(posted(11, bob, "bob", "missed")), posted(12, bob, "bob", "live again"))
		s.want("-- connection lost; trying again, what you type is sent then", "-- connected again",
			"00:10 alice own", "-- 1 new while you were away --", "00:11 bob missed", "00:12 bob live again")
	})
}

func TestChatShowsContextBeforeWhatIsNew(t *testing.T) {
	back(t, &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 6}}}, "dev", func(s *seat) {
		s.enter(devAt(0, 7), member(alice, "alice"), member(bob, "bob"))
		s.forget()
		for seq := range rooms.Seq(7) {
			s.tell(replayed(posted(seq+1, bob, "bob", fmt.Sprint("text ", seq+1))))
		}
		s.want("-- earlier --", "00:05 bob text 5", "00:06 bob text 6", "-- 1 new while you were away --", "00:07 bob text 7")
	})
}

func TestChatNoticesAnotherHistory(t *testing.T) {
	const older = "-- the host's copy of this room is an older one: the last 2 messages that you"
	for name, c := range map[string]struct {
		at   rooms.Cursor
		ev   rooms.Entered
		page []rooms.Message // answer of History, where it is asked
		rows []string
	}{
		"shorter":     {rooms.Cursor{Epoch: 3, Seq: 9}, devAt(0, 7), nil, []string{older, "    │ saw are not in it; its latest follow"}},
		"renewed":     {rooms.Cursor{Epoch: 2, Seq: 9}, devAt(0, 7), nil, []string{older, "    │ saw are not in it; its latest follow"}},
		"trimmed":     {rooms.Cursor{Epoch: 3, Seq: 2}, devAt(5, 7), []rooms.Message{posted(6, bob, "bob", "x").Message}, []string{"-- 3 messages said while you were away are no longer kept"}},
		"not trimmed": {rooms.Cursor{Epoch: 3, Seq: 2}, devAt(5, 7), []rooms.Message{posted(2, bob, "bob", "x").Message}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			back(t, &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": c.at}}, "dev", func(s *seat) {
				s.wantAsked(t, joinDev)
				s.enter(c.ev, member(alice, "alice"))
				if c.page != nil {
					s.wantAsked(t, rooms.History{After: 1, Limit: 1})
					s.settle(t, rooms.Page{Messages: c.page})
				}
				s.wantAsked(t)
				s.want(append([]string{"-- connected to Ada's box (…Host0003) as alice", "-- you are in #dev as alice · nobody else here yet · /help"}, c.rows...)...)
			})
		})
	}
}

// The history is another one although it has the same name and is long enough: the
// mark of the message that was read last tells.
func TestChatComparesMarks(t *testing.T) {
	book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 6, Mark: 66}}, lines: []rooms.Message{left("dev", 1, "was it said?", time.Minute)}}
	back(t, book, "dev", func(s *seat) {
		s.enter(devAt(4, 7), member(alice, "alice"))
		s.forget()
		for seq := rooms.Seq(5); seq <= 7; seq++ {
			m := replayed(posted(seq, bob, "bob", fmt.Sprint("text ", seq)))
			m.Mark = rooms.Mark(seq)
			s.tell(m)
		}
		s.want("-- earlier --", "00:05 bob text 5",
			"-- the host's copy of this room is not the one that you saw before: what was", "    │ said here may be missing from it; its latest messages follow",
			`-- not sent, it can't be told whether it was said already: what you typed for`, `    │ #dev, from Friday 23:59: "was it said?"`,
			"00:06 bob text 6", "00:07 bob text 7", "-- now --")
		if at := book.places["dev"]; at.Seq != 6 || at.Mark != 6 {
			t.Errorf("read up to %+v while own lines are looked for", at)
		}
		s.settle(t, rooms.Page{})
		if at := book.places["dev"]; at.Seq != 7 || len(book.lines) != 0 {
			t.Errorf("read up to %+v, kept %v", at, book.lines)
		}
	})
}

func TestChatSendsWhatWasLeft(t *testing.T) {
	lines := []rooms.Message{
		left("dev", 1, "got through", 3*time.Hour), left("dev", 2, "did not", 2*time.Hour),
		left("dev", 3, "nor this", time.Hour), left("else", 4, "for another room", time.Hour), left("dev", 5, "last week", 25*time.Hour),
	}
	book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 2}}, lines: slices.Clone(lines)}
	back(t, book, "dev", func(s *seat) {
		s.want("-- connected to Ada's box (…Host0003) as alice",
			`-- not sent, it is too old by now: what you typed for #dev, from Thursday 23:00:`, `    │ "last week"`,
			`-- 1 line waits for #else: "for another room"; /join else sends it`)
		s.wantAsked(t, joinDev)
		s.say("typed early")
		s.wantAsked(t)
		s.enter(devAt(0, 3), member(alice, "alice"))
		s.wantAsked(t, rooms.History{After: 1})
		if want := "4 lines waiting"; s.special() != want {
			t.Errorf("status %q, want %q", s.special(), want)
		}
		own := posted(3, alice, "alice", "got through")
		own.Origin = lines[0].Origin
		s.settle(t, rooms.Page{Messages: []rooms.Message{posted(2, bob, "bob", "x").Message, own.Message}})
		s.wantAsked(t, sent(lines[1])) // one at a time
		s.settle(t, rooms.Refuse(rooms.RateLimited, "", "too fast"))
		s.pass(time.Minute)
		s.wantAsked(t, sent(lines[1]))
		s.forget()
		s.settle(t, rooms.Said{Seq: 4})
		s.wantAsked(t, sent(lines[2]))
		s.settle(t, rooms.Refuse(rooms.Denied, "ask", "you are muted"))
		s.wantAsked(t, rooms.Say{Kind: rooms.Text, Text: "typed early", Origin: rooms.Origin{Client: 7, Count: 1}})
		s.settle(t, rooms.Said{Seq: 5})
		s.want("!! you are muted; ask", `-- not said: "nor this"`, "-- 1 line that waited is said now")
		if len(book.lines) != 1 || book.lines[0].Text != "for another room" || s.special() != "" {
			t.Errorf("kept %v, status %q", book.lines, s.special())
		}
	})
}

func TestChatKeepsWhatWaits(t *testing.T) {
	book := &fakeBook{}
	back(t, book, "dev", func(s *seat) {
		s.enter(devAt(0, 0), member(alice, "alice"))
		s.say("on its way")
		s.forget()
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		s.say("dropped")
		s.put(input{err: ErrInterrupt})
		s.want("-- connection lost; trying again, what you type is sent then", `-- 1 line was not said, "dropped"`)
		s.say("/redact 3") // it would be done unseen
		s.wantAsked(t)
		s.forget()
		s.say("kept")
		if want := "connection lost, trying again · 2 lines waiting"; s.special() != want {
			t.Errorf("status %q, want %q", s.special(), want)
		}
		s.say("/status")
		if got := s.term.printed[len(s.term.printed)-1]; got != "-- 2 lines waiting for the host, and kept on disk" {
			t.Errorf("/status ends with %q", got)
		}
		s.forget()
		s.put(input{err: io.EOF})
		if err := s.ended(); err != nil {
			t.Errorf("ended with %v", err)
		}
		s.want("-- 2 lines are kept and will be sent when you come back")
		if len(book.lines) != 2 || book.lines[0].Text != "on its way" || book.lines[1].Room != "dev" {
			t.Errorf("kept: %v", book.lines)
		}
	})
}

func TestChatSaysWhatCannotBeKept(t *testing.T) {
	back(t, &fakeBook{full: errors.New("the disk is full")}, "dev", func(s *seat) {
		s.enter(devAt(0, 0), member(alice, "alice"))
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		s.say("hello?")
		s.forget()
		if err := s.leave(); err != nil {
			t.Errorf("ended with %v", err)
		}
		s.want("!! 1 line could not be kept: the disk is full; say it again when you come back")
	})
}

func TestChatSaysThatALineWaited(t *testing.T) {
	back(t, &fakeBook{}, "dev", func(s *seat) {
		s.enter(devAt(0, 0), member(alice, "alice"))
		s.say("on its way")
		s.tell(rooms.Connection{What: rooms.ConnectionLost})
		s.say("typed later")
		s.pass(longWait)
		s.forget()
		s.tell(rooms.Connection{What: rooms.ConnectionRestored}, devAt(0, 0))
		s.wantAsked(t)
		s.settle(t, rooms.Said{Seq: 1})
		s.wantAsked(t, rooms.Say{Kind: rooms.Text, Text: "typed later", Origin: rooms.Origin{Client: 7, Count: 2}})
		s.settle(t, rooms.Said{Seq: 2})
		s.want("-- connected again", "-- 2 lines that waited are said now")
	})
}

func TestChatGivesUpLinesForNoRoom(t *testing.T) {
	made := devAt(0, 0)
	made.Members = []rooms.Member{member(alice, "alice")}
	for name, c := range map[string]struct {
		change func(*Options)
		answer rooms.Event
	}{
		"gone":      {func(o *Options) { o.Room = "dev" }, rooms.Refuse(rooms.NoSuchRoom, "", "there is no room %q", "dev")},
		"made anew": {func(o *Options) { o.Create = &rooms.Create{Room: "dev"} }, made},
	} {
		t.Run(name, func(t *testing.T) {
			book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 2, Seq: 2}}, lines: []rooms.Message{left("dev", 1, "hello?", time.Hour)}}
			sit(t, func(o *Options, _ *fakeHost) { o.Notebook = book; c.change(o) }, func(s *seat) {
				s.settle(t, c.answer)
				row := `-- not sent, there is no such room any more: what you typed for #dev, from`
				if got := strings.Join(s.term.printed, "\n"); !strings.Contains(got, row+"\n    │ Friday 23:00: \"hello?\"") || len(book.lines) != 0 {
					t.Errorf("kept %v, screen:\n%s", book.lines, got)
				}
				if slices.ContainsFunc(s.asked, func(c rooms.Command) bool { _, ok := c.(rooms.Say); return ok }) {
					t.Errorf("asked: %v", s.asked)
				}
				if _, refused := c.answer.(*rooms.Refusal); refused {
					_ = s.ended()
					_ = s.Close()
				}
			})
		})
	}
}

// A line that is typed while a room is being entered is noted for that room, also when
// that waits its turn.
func TestChatNotesTheRoomThatIsMeant(t *testing.T) {
	book := &fakeBook{}
	noted := func(t *testing.T, want ...string) {
		t.Helper()
		var got []string
		for _, l := range book.lines {
			got = append(got, string(l.Room)+" "+l.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("noted %q, want %q", got, want)
		}
	}
	back(t, book, "DEV", func(s *seat) {
		s.say("early")
		noted(t, "DEV early")
		s.enter(devAt(0, 0), member(alice, "alice"))
		noted(t, "dev early")
		s.say("/join else")
		s.say("there")
		noted(t, "dev early", "else there")
		s.settle(t, rooms.Said{Seq: 1})
		s.enter(rooms.Entered{Room: rooms.RoomInfo{Room: "else~abc", Members: 1}, From: rooms.Cursor{Epoch: 9}}, member(alice, "alice"))
		noted(t, "else~abc there")
		s.settle(t, rooms.Said{Seq: 1})
		noted(t)
	})
}

// A line typed while a private room was entered by its short name is sent once the room
// is entered, by whatever name.
func TestKeptLineOfAPrivateRoom(t *testing.T) {
	line := left("secret", 1, "hi", time.Minute)
	book := &fakeBook{lines: []rooms.Message{line}, places: map[rooms.RoomID]rooms.Cursor{"secret~abcdefgh": {Epoch: 3, Seq: 4}}}
	back(t, book, "secret", func(s *seat) {
		ev := devAt(4, 4)
		ev.Room.Room, ev.Room.Private = "secret~abcdefgh", true
		s.enter(ev, member(alice, "alice"))
		for range 3 {
			if len(s.open) > 0 {
				s.settle(t, rooms.Page{})
			}
		}
		for _, c := range s.asked {
			if say, ok := c.(rooms.Say); ok && say.Text == "hi" {
				return
			}
		}
		t.Errorf("it is not sent: %#v", s.asked)
	})
}

// A host that answers with the same page again and again does not keep a client asking.
func TestTheSamePageAgain(t *testing.T) {
	line := left("dev", 1, "hi", time.Minute)
	book := &fakeBook{lines: []rooms.Message{line}, places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 4}}}
	back(t, book, "dev", func(s *seat) {
		s.enter(devAt(4, 10), member(alice, "alice"))
		for n := 0; len(s.open) > 0; n++ {
			if n == 10 {
				t.Fatal("there is no end to it")
			}
			s.settle(t, rooms.Page{Messages: []rooms.Message{posted(5, bob, "bob", "x").Message}})
		}
	})
}
