package rooms_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"p2pchat/rooms"
)

var noon = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

// conversation is a room in the hands of a test. Each speaker has its own session.
type conversation struct {
	testing.TB
	room *rooms.Room
	now  time.Time
}

// The sessions of a conversation.
const (
	aliceIn rooms.SessionID = iota + 1
	bobIn
	ownerIn
)

func newConversation(t testing.TB, adjust ...func(*rooms.Limits)) *conversation {
	limits := rooms.DefaultLimits()
	limits.Rate = 0
	for _, f := range adjust {
		f(&limits)
	}
	c := &conversation{t, rooms.NewRoom(limits, owner), noon}
	c.room.Enter(aliceIn, rooms.Member{Peer: "peer-alice", Nick: "alice"})
	c.room.Enter(bobIn, rooms.Member{Peer: "peer-bob", Nick: "bob"})
	c.room.Enter(ownerIn, rooms.Member{Peer: owner, Nick: "owner"})
	return c
}

func line(text string, count uint64) rooms.Say {
	return rooms.Say{Kind: rooms.Text, Text: text, Origin: rooms.Origin{Client: 7, Count: count}}
}

// say says a line that is accepted as a new one.
func (c *conversation) say(s rooms.SessionID, cmd rooms.Say) rooms.Message {
	c.Helper()
	m, again, refusal := c.room.Say(c.now, s, cmd)
	if again || refusal != nil {
		c.Fatalf("%q (%d): again %v, %v", cmd.Text, cmd.Origin.Count, again, refusal)
	}
	return m
}

// repeat says a line that was accepted before.
func (c *conversation) repeat(s rooms.SessionID, cmd rooms.Say, want rooms.Seq) {
	c.Helper()
	head := c.room.Head
	m, again, refusal := c.room.Say(c.now, s, cmd)
	if !again || refusal != nil || m.Seq != want {
		c.Fatalf("%q (%d): seq %d, again %v, %v; want %d again", cmd.Text, cmd.Origin.Count, m.Seq, again, refusal, want)
	}
	if c.room.Head != head {
		c.Fatalf("saying it again moved the head from %d to %d", head, c.room.Head)
	}
}

// silenced says a line that is refused; no number is used up.
func (c *conversation) silenced(s rooms.SessionID, cmd rooms.Say, code rooms.Code) *rooms.Refusal {
	c.Helper()
	head := c.room.Head
	m, again, refusal := c.room.Say(c.now, s, cmd)
	if refusal == nil || refusal.Code != code || again {
		c.Fatalf("%.20q (%d): %+v, again %v, %v; want %s", cmd.Text, cmd.Origin.Count, m, again, refusal, code)
	}
	if c.room.Head != head {
		c.Fatalf("a refusal moved the head from %d to %d", head, c.room.Head)
	}
	wellSaid(c, refusal)
	return refusal
}

// TestNumbers: without a gap, whatever is refused or said again in between.
func TestNumbers(t *testing.T) {
	c := newConversation(t)
	for i := uint64(1); i <= 200; i++ {
		m := c.say(aliceIn, line("x", i))
		if uint64(m.Seq) != i || c.room.Head != m.Seq {
			t.Fatalf("line %d has number %d, head %d", i, m.Seq, c.room.Head)
		}
		c.silenced(aliceIn, line(" ", i+1), rooms.BadRequest)
		c.repeat(aliceIn, line("x", i), m.Seq)
	}
}

func TestMessage(t *testing.T) {
	c := newConversation(t)
	c.now = noon.In(time.FixedZone("", 3600)).Add(1234567 * time.Nanosecond)
	cmd := rooms.Say{Kind: rooms.Action, Text: " waves\n", Origin: rooms.Origin{Client: 7, Count: 1}}
	want := rooms.Message{
		Seq: 1, Time: noon.Add(time.Millisecond), Kind: rooms.Action, From: rooms.Author{Peer: "peer-alice", Nick: "alice"},
		Text: " waves\n", Origin: cmd.Origin,
	}
	if got := c.say(aliceIn, cmd); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestTime: it never goes backwards, not even behind what was recalled.
func TestTime(t *testing.T) {
	c := newConversation(t)
	c.room.Recall(rooms.Message{Seq: 3, Time: noon.Add(time.Minute)})
	c.room.Recall(rooms.Message{Seq: 4, Time: noon})
	for _, tt := range []struct{ clock, want time.Duration }{
		{0, time.Minute}, {-time.Hour, time.Minute}, {2 * time.Minute, 2 * time.Minute}, {time.Minute, 2 * time.Minute},
	} {
		c.now = noon.Add(tt.clock)
		if m := c.say(aliceIn, line("x", 0)); !m.Time.Equal(noon.Add(tt.want)) {
			t.Errorf("at %v a line of %v", tt.clock, m.Time)
		}
	}
	if c.room.Head != 8 {
		t.Errorf("head %d", c.room.Head)
	}
}

// TestOrigins: a line counts once; whose it is, from which client and which one
// all belong to it.
func TestOrigins(t *testing.T) {
	c := newConversation(t)
	c.say(aliceIn, line("one", 1))
	c.repeat(aliceIn, line("one", 1), 1)
	c.repeat(aliceIn, line("not even the same text", 1), 1)
	c.say(bobIn, line("one", 1))
	other := line("one", 1)
	other.Origin.Client = 8
	c.say(aliceIn, other)
	c.say(aliceIn, line("none", 0))
	c.say(aliceIn, line("none", 0))
	c.repeat(bobIn, line("one", 1), 2)
	c.repeat(aliceIn, other, 3)

	// The same client on a new connection.
	c.room.Exit(aliceIn)
	c.silenced(aliceIn, line("one", 1), rooms.NotInRoom)
	c.room.Enter(9, rooms.Member{Peer: "peer-alice", Nick: "al", Muted: true})
	c.repeat(9, line("one", 1), 1)
}

// TestWindow walks along the edges of what the room remembers of a client.
func TestWindow(t *testing.T) {
	c := newConversation(t)
	for i := uint64(1); i <= rooms.MaxWaiting; i++ {
		c.say(aliceIn, line("x", i))
	}
	c.repeat(aliceIn, line("x", 1), 1)
	c.say(aliceIn, line("x", rooms.MaxWaiting+1))
	says(t, c.silenced(aliceIn, line("x", 1), rooms.BadRequest), "this line is older than the host remembers; say it again")
	c.repeat(aliceIn, line("x", 2), 2)
	c.repeat(aliceIn, line("x", rooms.MaxWaiting+1), rooms.MaxWaiting+1)

	// Lines that were left out can still come, as long as they are in the window.
	c.say(aliceIn, line("jump", 1000))
	c.say(aliceIn, line("late", 1000-rooms.MaxWaiting+1))
	c.silenced(aliceIn, line("too late", 1000-rooms.MaxWaiting), rooms.BadRequest)
	c.repeat(aliceIn, line("late", 1000-rooms.MaxWaiting+1), rooms.MaxWaiting+3)
	c.say(aliceIn, line("between", 999))
	c.repeat(aliceIn, line("jump", 1000), rooms.MaxWaiting+2)
	c.say(aliceIn, line("small jump", 1010))
	c.say(aliceIn, line("late", 1005))
	c.repeat(aliceIn, line("between", 999), rooms.MaxWaiting+4)
	c.say(aliceIn, line("end", 1<<64-1))
	c.repeat(aliceIn, line("end", 1<<64-1), c.room.Head)
	c.silenced(aliceIn, line("x", 1010), rooms.BadRequest)
}

// TestRecall: a room that is opened again knows the lines of its history.
func TestRecall(t *testing.T) {
	c := newConversation(t)
	var history []rooms.Message
	for i := uint64(1); i <= 100; i++ {
		history = append(history, c.say(aliceIn, line("x", i)), c.say(bobIn, line("y", i)))
	}
	again := newConversation(t)
	for _, m := range history {
		again.room.Recall(m)
	}
	if again.room.Head != 200 {
		t.Errorf("head %d", again.room.Head)
	}
	for i := uint64(101 - rooms.MaxWaiting); i <= 100; i++ {
		again.repeat(aliceIn, line("x", i), rooms.Seq(2*i-1))
		again.repeat(bobIn, line("y", i), rooms.Seq(2*i))
	}
	again.silenced(aliceIn, line("x", 100-rooms.MaxWaiting), rooms.BadRequest)
	if m := again.say(bobIn, line("new", 101)); m.Seq != 201 {
		t.Errorf("the next number is %d", m.Seq)
	}
}

// TestRecallOutOfWindow: an old count must not stand for a newer one.
func TestRecallOutOfWindow(t *testing.T) {
	c := newConversation(t)
	author := rooms.Author{Peer: "peer-alice"}
	c.room.Recall(rooms.Message{Seq: 1, From: author, Origin: rooms.Origin{Client: 7, Count: rooms.MaxWaiting + 5}})
	c.room.Recall(rooms.Message{Seq: 2, From: author, Origin: rooms.Origin{Client: 7, Count: 4}})
	if m := c.say(aliceIn, line("x", rooms.MaxWaiting+4)); m.Seq != 3 {
		t.Errorf("got %d", m.Seq)
	}
}

// TestManyClients: the clients that were quiet for longest are forgotten first.
func TestManyClients(t *testing.T) {
	c := newConversation(t)
	const clients = 5000
	from := func(client int) rooms.Say {
		return rooms.Say{Kind: rooms.Text, Text: "x", Origin: rooms.Origin{Client: uint64(client), Count: 1}}
	}
	for i := 1; i <= clients; i++ {
		c.say(aliceIn, from(i))
	}
	for i := clients - 500; i <= clients; i++ {
		c.repeat(aliceIn, from(i), rooms.Seq(i))
	}
	if m := c.say(aliceIn, from(1)); m.Seq != clients+1 {
		t.Errorf("the oldest client got %d", m.Seq)
	}
	// Windows that are all equally old do not keep a new one out.
	c = newConversation(t)
	for i := 1; i <= clients; i++ {
		c.room.Recall(rooms.Message{Seq: 9, From: rooms.Author{Peer: "peer-alice"}, Origin: rooms.Origin{Client: uint64(i), Count: 1}})
	}
	c.repeat(aliceIn, from(clients), 9)
}

func TestNotInside(t *testing.T) {
	c := newConversation(t)
	says(t, c.silenced(99, line("x", 1), rooms.NotInRoom), "you are in no room; /list shows the rooms, /join ID enters one")
	c.room.Exit(bobIn)
	c.silenced(bobIn, line("x", 1), rooms.NotInRoom)
}

func TestMuted(t *testing.T) {
	c := newConversation(t)
	c.room.Enter(9, rooms.Member{Peer: "peer-bob", Nick: "bob", Muted: true})
	says(t, c.silenced(9, line("x", 1), rooms.Denied), "you are muted in this room; ask an operator to /unmute you")
	c.say(bobIn, line("x", 1))

	// What happens to a member happens to all its sessions, and to nobody else's.
	c.room.Observe(rooms.MemberChanged{What: rooms.MemberMuted, Member: rooms.Member{Peer: "peer-bob", Nick: "bob", Muted: true}})
	c.silenced(bobIn, line("y", 2), rooms.Denied)
	c.repeat(bobIn, line("x", 1), 1)
	c.say(aliceIn, line("x", 1))
	c.room.Observe(rooms.MemberChanged{What: rooms.MemberRenamed, Member: rooms.Member{Peer: "peer-bob", Nick: "rob"}, Old: "bob"})
	for _, s := range []rooms.SessionID{bobIn, 9} {
		if m := c.say(s, line("z", 0)); m.From.Nick != "rob" {
			t.Errorf("session %d speaks as %q", s, m.From.Nick)
		}
	}
	if m := c.say(aliceIn, line("z", 0)); m.From.Nick != "alice" {
		t.Errorf("alice speaks as %q", m.From.Nick)
	}
}

func TestText(t *testing.T) {
	limits := rooms.DefaultLimits()
	c := newConversation(t)
	for _, tt := range []struct {
		what string
		cmd  rooms.Say
		want string
	}{
		{"one rune less", line(strings.Repeat("x", limits.TextRunes-1), 0), ""},
		{"all runes", line(strings.Repeat("x", limits.TextRunes), 0), ""},
		{"a rune more", line(strings.Repeat("x", limits.TextRunes+1), 0), "this message has 4001 characters, 4000 are allowed; send it in parts"},
		{"one byte less", line(strings.Repeat("😀", 2047)+"xyz", 0), ""},
		{"all bytes", line(strings.Repeat("😀", 2048), 0), ""},
		{"a byte more", line(strings.Repeat("😀", 2048)+"x", 0), "this message has 8193 bytes, 8192 are allowed; send it in parts"},
		{"far too many", line(strings.Repeat("x", 2*limits.TextBytes+1), 0), "this message has more than 16384 bytes, 8192 are allowed; send it in parts"},
		{"nothing", line("", 0), "there is nothing in this message; type something first"},
		{"blanks", line(" \t\n\u00a0\u2003", 0), "there is nothing in this message; type something first"},
		{"no text", line("a\xff", 0), "this message is not text; send it as UTF-8"},
		{"a file", rooms.Say{Kind: rooms.FileUp, Text: "x"}, "this is not something to say"},
		{"no kind", rooms.Say{Text: "x"}, "this is not something to say"},
		{"a kind to come", rooms.Say{Kind: 99, Text: "x"}, "this is not something to say"},
	} {
		_, _, refusal := c.room.Say(c.now, ownerIn, tt.cmd)
		switch {
		case tt.want == "" && refusal != nil:
			t.Errorf("%s: %v", tt.what, refusal)
		case tt.want != "" && refusal == nil:
			t.Errorf("%s was accepted", tt.what)
		case tt.want != "":
			says(t, refusal, tt.want)
			wellSaid(t, refusal)
		}
	}
}

// TestFail: a room whose disk fails takes no more lines, and confirms none that
// is lost.
func TestFail(t *testing.T) {
	c := newConversation(t)
	for i := uint64(1); i <= 5; i++ {
		c.say(aliceIn, line(strconv.FormatUint(i, 10), i))
	}
	c.room.Fail(3)
	if c.room.Head != 3 {
		t.Errorf("head %d", c.room.Head)
	}
	c.repeat(aliceIn, line("3", 3), 3)
	for i := uint64(4); i <= 6; i++ {
		says(t, c.silenced(aliceIn, line("x", i), rooms.Storage),
			"the host can't write this room to its disk; tell the owner of this host")
	}
	c.silenced(ownerIn, line("x", 1), rooms.Storage)
	c.silenced(aliceIn, line("", 9), rooms.BadRequest)
}

// A line that was not stored is not remembered: another one gets its number.
func TestFailedLineIsForgotten(t *testing.T) {
	c := newConversation(t)
	lost := rooms.Say{Kind: rooms.Text, Text: "lost", Origin: rooms.Origin{Client: 7, Count: 1}}
	if m, _, no := c.room.Say(c.now, bobIn, lost); no != nil || m.Seq != 1 {
		t.Fatal(m, no)
	}
	c.room.Fail(0)
	if _, _, no := c.room.Say(c.now, bobIn, lost); no == nil || no.Code != rooms.Storage {
		t.Fatalf("while the disk fails: %v", no)
	}
	c.room.Recover()
	other := rooms.Say{Kind: rooms.Text, Text: "another", Origin: rooms.Origin{Client: 8, Count: 1}}
	if m, again, no := c.room.Say(c.now, aliceIn, other); no != nil || again || m.Seq != 1 {
		t.Fatal(m, again, no)
	}
	if m, again, no := c.room.Say(c.now, bobIn, lost); no != nil || again || m.Seq != 2 {
		t.Fatalf("the line is taken for number %d, said before: %v, %v", m.Seq, again, no)
	}
}

func TestRedact(t *testing.T) {
	c := newConversation(t)
	said := func(s rooms.SessionID, text string) rooms.Message {
		m, _, no := c.room.Say(c.now, s, rooms.Say{Kind: rooms.Text, Text: text})
		if no != nil {
			t.Fatal(no)
		}
		return m
	}
	alices, bobs := said(aliceIn, "alice's"), said(bobIn, "bob's")
	redact := func(s rooms.SessionID, target rooms.Message) (rooms.Message, rooms.Code) {
		m, no := c.room.Redact(c.now, s, target)
		if no != nil {
			return m, no.Code
		}
		return m, ""
	}
	if _, code := redact(bobIn, alices); code != rooms.Denied {
		t.Errorf("somebody else's: %q", code)
	}
	if _, code := redact(99, alices); code != rooms.NotInRoom {
		t.Errorf("from outside: %q", code)
	}
	m, code := redact(bobIn, bobs)
	if code != "" || m.Kind != rooms.Redaction || m.Target != 2 || m.Seq != 3 || m.From.Nick != "bob" {
		t.Errorf("one's own: %+v, %q", m, code)
	}
	if _, code := redact(bobIn, m); code != rooms.BadRequest {
		t.Errorf("a redaction: %q", code)
	}
	bobs.Redacted = true
	if _, code := redact(bobIn, bobs); code != rooms.BadRequest {
		t.Errorf("again: %q", code)
	}
	c.room.Observe(rooms.MemberChanged{Member: rooms.Member{Peer: "peer-bob", Nick: "bob", Role: rooms.Operator}})
	if m, code := redact(bobIn, alices); code != "" || m.Target != 1 {
		t.Errorf("by an operator: %+v, %q", m, code)
	}
	c = newConversation(t, func(l *rooms.Limits) { l.Rate = 2 })
	for range 2 {
		if no := c.room.MayRedact(c.now, aliceIn); no != nil {
			t.Fatal(no)
		}
	}
	if no := c.room.MayRedact(c.now, aliceIn); no == nil || no.Code != rooms.RateLimited {
		t.Errorf("a third one at once: %v", no)
	}
}
