package ui

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"p2pchat/rooms"
)

const (
	alice rooms.PeerID = "12D3KooWAliceAliceAliceAliceAliceAliceAliceAlice0001"
	bob   rooms.PeerID = "12D3KooWBobBobBobBobBobBobBobBobBobBobBobBobBobB0002"
	host  rooms.PeerID = "12D3KooWHostHostHostHostHostHostHostHostHostHost0003"
)

// fakeHost is a Session in memory. It answers at once what answer answers; the
// rest stays open until the test answers it.
type fakeHost struct {
	answer func(rooms.Command) rooms.Event
	asked  []rooms.Command
	refs   uint64
	open   []uint64 // refs of commands without an answer
	events chan rooms.Event
	closed bool
}

func newFakeHost() *fakeHost {
	return &fakeHost{answer: func(rooms.Command) rooms.Event { return nil }, events: make(chan rooms.Event, 1000)}
}

func (h *fakeHost) Send(cmd rooms.Command) uint64 {
	h.asked = append(h.asked, cmd)
	h.refs++
	if ev := h.answer(cmd); ev != nil {
		h.events <- rooms.Answered{Ref: h.refs, Answer: ev}
	} else {
		h.open = append(h.open, h.refs)
	}
	return h.refs
}

func (h *fakeHost) Events() <-chan rooms.Event { return h.events }

func (h *fakeHost) Close() error {
	if !h.closed {
		h.closed = true
		close(h.events)
	}
	return nil
}

// settle answers the oldest open command.
func (h *fakeHost) settle(t *testing.T, ev rooms.Event) {
	t.Helper()
	if len(h.open) == 0 {
		t.Fatalf("nothing is open; asked: %v", h.asked)
	}
	ref := h.open[0]
	h.open = h.open[1:]
	h.events <- rooms.Answered{Ref: ref, Answer: ev}
	synctest.Wait()
}

// tell lets something happen.
func (h *fakeHost) tell(events ...rooms.Event) {
	for _, ev := range events {
		h.events <- ev
	}
	synctest.Wait()
}

// wantAsked checks what was asked since the last check.
func (h *fakeHost) wantAsked(t *testing.T, want ...rooms.Command) {
	t.Helper()
	if len(want) == 0 && len(h.asked) == 0 {
		return
	}
	if !reflect.DeepEqual(h.asked, want) {
		t.Errorf("asked %#v\nwant  %#v", h.asked, want)
	}
	h.asked = nil
}

// fakeTerm is a Terminal in memory. A line is typed by sending it.
type fakeTerm struct {
	lines    chan input
	printed  []string
	prompt   string
	status   string
	waiting  []string
	cleared  int
	width    int
	complete Completer
	edited   []string
	noEditor error
	returned []string
}

func (f *fakeTerm) Print(lines ...string)     { f.printed = append(f.printed, lines...) }
func (f *fakeTerm) SetPrompt(p string)        { f.prompt = p }
func (f *fakeTerm) SetStatus(s string)        { f.status = s }
func (f *fakeTerm) SetWaiting(rows ...string) { f.waiting = rows }
func (f *fakeTerm) SetCompleter(c Completer)  { f.complete = c }
func (f *fakeTerm) Edit(text string) error    { f.edited = append(f.edited, text); return f.noEditor }
func (f *fakeTerm) Return(text string)        { f.returned = append(f.returned, text) }
func (f *fakeTerm) Clear()                    { f.cleared++ }
func (f *fakeTerm) Width() int                { return f.width }
func (f *fakeTerm) Close() error              { close(f.lines); return nil }
func (f *fakeTerm) ReadLine() (string, error) {
	in, ok := <-f.lines
	if !ok {
		return "", io.EOF
	}
	return in.text, in.err
}

// fakeClock stands still until the test lets time pass.
type fakeClock struct {
	now    time.Time
	alarms []alarm
}

type alarm struct {
	at   time.Time
	ring chan time.Time
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	a := alarm{c.now.Add(d), make(chan time.Time, 1)}
	c.alarms = append(c.alarms, a)
	return a.ring
}

// pass lets time pass, and rings what is due.
func (c *fakeClock) pass(d time.Duration) {
	c.now = c.now.Add(d)
	var due []alarm
	c.alarms = slices.DeleteFunc(c.alarms, func(a alarm) bool {
		rings := !a.at.After(c.now)
		if rings {
			due = append(due, a)
		}
		return rings
	})
	for _, a := range due { // from here on the program may set new ones
		a.ring <- c.now
	}
	synctest.Wait()
}

// seat is a chat with a person at a fake terminal and a fake host.
type seat struct {
	*fakeHost
	*fakeClock
	t    *testing.T
	term *fakeTerm
	done chan error
}

// sit starts a chat in a synctest bubble and lets the host welcome the person.
func sit(t *testing.T, change func(*Options, *fakeHost), play func(*seat)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &seat{fakeHost: newFakeHost(), fakeClock: newFakeClock(), t: t, term: &fakeTerm{lines: make(chan input), width: 80}, done: make(chan error, 1)}
		o := Options{Session: s.fakeHost, Terminal: s.term, Now: s.Now, After: s.After, ParseInvite: parseTestInvite, Recent: 10}
		if change != nil {
			change(&o, s.fakeHost)
		}
		go func() { s.done <- Chat(context.Background(), o) }()
		s.tell(welcome())
		play(s)
		if !s.fakeHost.closed {
			_ = s.leave()
		}
		s.term.Close()
	})
}

func welcome() rooms.Welcome {
	return rooms.Welcome{Peer: alice, Host: host, Name: "Ada's box", Nick: "alice", Version: "1.0"}
}

// parseTestInvite knows one link.
func parseTestInvite(link string) (rooms.Capability, error) {
	if link == "p2pchat:good" {
		return rooms.Capability{Secret: [16]byte{1}}, nil
	}
	return rooms.Capability{}, errors.New("this is no invite")
}

// enter answers the open Join.
func (s *seat) enter(ev rooms.Entered, members ...rooms.Member) {
	s.t.Helper()
	ev.Members = members
	s.settle(s.t, ev)
}

func (s *seat) say(line string) { s.put(input{text: line}) }

func (s *seat) put(in input) {
	s.t.Helper()
	select {
	case s.term.lines <- in:
	case <-time.After(time.Hour):
		s.t.Fatalf("nobody reads %q", in.text)
	}
	synctest.Wait()
}

// special is the status without what it always says.
func (s *seat) special() string {
	parts := strings.Split(s.term.status, " · ")
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool {
		return part == "alice" || strings.HasSuffix(part, " member") || strings.HasSuffix(part, " members")
	}), " · ")
}

// interrupt is Ctrl-C on an empty line.
func (s *seat) interrupt() { s.put(input{err: ErrInterrupt}) }

// leave types /quit and waits for the end.
func (s *seat) leave() error {
	s.t.Helper()
	s.say("/quit")
	return s.ended()
}

func (s *seat) ended() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(time.Hour):
		s.t.Fatal("the chat goes on")
	}
	return nil
}

// want compares the rows printed since the last call.
func (s *seat) want(rows ...string) {
	s.t.Helper()
	got := strings.Join(s.term.printed, "\n")
	if want := strings.Join(rows, "\n"); got != want {
		s.t.Errorf("screen:\n%s\nwant:\n%s", got, want)
	}
	s.term.printed = nil
}

// forget drops the rows printed so far.
func (s *seat) forget() { s.term.printed, s.asked = nil, nil }

// dev is the room that tests enter.
func dev(members int) rooms.Entered {
	return rooms.Entered{Room: rooms.RoomInfo{Room: "dev", Members: members, Limit: 10, Topic: "what we build"}, Head: 2, Role: rooms.Plain}
}

// inDev is a chat that starts in the room dev, with bob.
func inDev(o *Options, _ *fakeHost) { o.Room = "dev" }

func member(peer rooms.PeerID, nick string) rooms.Member { return rooms.Member{Peer: peer, Nick: nick} }

func posted(seq rooms.Seq, from rooms.PeerID, nick, text string) rooms.Posted {
	return rooms.Posted{Message: rooms.Message{
		Room: "dev", Seq: seq, Time: time.Date(2000, 1, 1, 0, int(seq), 0, 0, time.UTC), Kind: rooms.Text,
		From: rooms.Author{Peer: from, Nick: nick}, Text: text,
	}}
}

func replayed(p rooms.Posted) rooms.Posted { p.Replayed = true; return p }
