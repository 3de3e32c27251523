package ui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

// notices returns the notices written since the last call.
func (p *program) notices() (texts []string) {
	for line := range strings.Lines(p.out.String()) {
		var n struct{ Type, Text string }
		if json.Unmarshal([]byte(line), &n) == nil && n.Type == "notice" {
			texts = append(texts, n.Text)
		}
	}
	p.out.Reset()
	return texts
}

func (p *program) wantNotes(want ...string) {
	p.t.Helper()
	if got := p.notices(); !slices.Equal(got, want) {
		p.t.Errorf("notices %q, want %q", got, want)
	}
}

// A program that keeps what is not confirmed gets what an earlier run left said, one
// line at a time, when the room is entered.
func TestJSONSendsWhatWasLeft(t *testing.T) {
	one, two, three := left("dev", 1, "got through", time.Hour), left("dev", 2, "did not", time.Hour), left("dev", 3, "nor this", time.Hour)
	book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 2}}, lines: []rooms.Message{one, two, three}}
	playJSON(t, func(o *Options) { o.Notebook, o.Room = book, "dev" }, func(p *program) {
		p.wantAsked(t, rooms.Join{Room: "dev", Recent: 10})
		p.settle(t, devAt(0, 3))
		p.wantAsked(t, rooms.History{After: 1})
		own := posted(3, alice, "alice", "got through")
		own.Origin = one.Origin
		p.settle(t, rooms.Page{Messages: []rooms.Message{own.Message}})
		p.wantAsked(t, sent(two))
		p.settle(t, rooms.Refuse(rooms.RateLimited, "", "too fast"))
		p.pass(time.Minute)
		p.wantAsked(t, sent(two))
		p.settle(t, rooms.Said{Seq: 4})
		p.wantAsked(t, sent(three))
		p.settle(t, rooms.Refuse(rooms.Denied, "ask", "you are muted"))
		p.wantNotes(`not said: "nor this", for you are muted; ask`, "1 line that waited is said now")

		p.write(`{"do":"say","text":"answered","ref":1}` + "\n")
		p.settle(t, rooms.Said{Seq: 5})
		p.write(`{"do":"say","text":"in vain","ref":2}` + "\n")
		p.tell(rooms.Connection{What: rooms.ConnectionLost})
		if len(book.lines) != 1 || book.lines[0].Text != "in vain" || book.lines[0].Room != "dev" {
			t.Errorf("kept: %v", book.lines)
		}
		p.out.Reset()
		_ = p.in.Close()
		p.tell()
		p.pass(DefaultLinger)
		if err := p.ended(); err != nil {
			t.Errorf("ended with %v", err)
		}
		p.wantNotes("1 line is kept and will be sent when you come back")
	})
}

// The lines of an earlier run are not sent into another history, nor where a part of it
// is gone; and they wait where it can't be read.
func TestJSONGivesUpWhatMayHaveBeenSaid(t *testing.T) {
	const mayBe = `not sent, it can't be told whether it was said already: what you typed for #dev, from Friday 23:00: "hello?"`
	for name, c := range map[string]struct {
		entered rooms.Entered
		page    rooms.Event
		notices []string
	}{
		"another history": {devAt(0, 1), nil, []string{anotherCopy(2, 1), mayBe}},
		"a part is gone":  {devAt(6, 9), rooms.Page{Messages: []rooms.Message{posted(6, bob, "bob", "x").Message, posted(9, bob, "bob", "y").Message}}, []string{mayBe}},
		"refused":         {devAt(6, 9), rooms.Refuse(rooms.Storage, "", "the disk fails"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			book := &fakeBook{places: map[rooms.RoomID]rooms.Cursor{"dev": {Epoch: 3, Seq: 2}}, lines: []rooms.Message{left("dev", 1, "hello?", time.Hour)}}
			playJSON(t, func(o *Options) { o.Notebook, o.Room = book, "dev" }, func(p *program) {
				p.settle(t, c.entered)
				if c.page != nil {
					p.settle(t, c.page)
				}
				p.wantNotes(c.notices...)
				if want := map[bool]int{true: 0, false: 1}[len(c.notices) > 0]; len(book.lines) != want {
					t.Errorf("kept: %v", book.lines)
				}
			})
		})
	}
}

// After a lost connection a program is told of what became of the history.
func TestModesAreToldOfAnotherHistory(t *testing.T) {
	older := devAt(0, 2)
	older.Diverged = true
	trimmed := devAt(6, 8)
	for want, ev := range map[string]rooms.Entered{anotherCopy(4, 2): older, notKept(2): trimmed} {
		playJSON(t, func(o *Options) { o.Room = "dev" }, func(p *program) {
			p.settle(t, devAt(4, 4))
			p.out.Reset()
			p.tell(ev, posted(ev.Head, bob, "bob", "there"))
			p.wantNotes(want)
		})
		playPipe(t, nil, func(p *program) {
			p.tell(posted(4, bob, "bob", "seen"))
			p.errw.Reset()
			ev.From.Epoch = 0
			p.tell(ev)
			if got := p.errw.String(); got != fmt.Sprintf("-- %s\n", want) {
				t.Errorf("told %q", got)
			}
		})
	}
}
