package ui

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
	"p2pchat/ui/picture"
)

const (
	hastyLinger = 5 * time.Second        // at the end, a person waits no longer for a host that says nothing
	overdue     = 400 * time.Millisecond // after this an unconfirmed line is worth a word
	secondTime  = 2 * time.Second        // two interrupts within this are meant
	longWait    = 5 * time.Second        // after this it is worth a word that a line was said at last
)

// Chat serves a person at o.Terminal until the person leaves or the session is
// over, and closes the session. What ends it early has been shown to the person
// when it is returned; a refusal is a *rooms.Refusal.
func Chat(ctx context.Context, o Options) error {
	c := newChat(o)
	if t, ok := o.Terminal.(interface{ Pictures() picture.Options }); ok {
		c.page.draws = t.Pictures
	}
	c.prompt()
	c.term.SetCompleter(c.scene.completer())
	err := c.loop.run(ctx, c, c.term.ReadLine)
	c.term.SetStatus("")
	if err != nil && !errors.Is(err, c.shown) {
		c.print(c.page.refusal(asRefusal(err, rooms.Unreachable))...)
	}
	c.leftBehind()
	c.goodbye()
	return err
}

// chat is the mode of a person.
type chat struct {
	loop    *loop
	desk    *desk
	account *account
	term    Terminal
	page    *page
	scene   scene
	parser  parser
	circle  *circle
	started bool
	shown   error // a refusal that came as an event

	speech      speech
	missed      missed
	errands     []*errand // what the person has asked for and waits for, oldest first
	abandoned   int       // ways into rooms that the person has given up, and that are not answered
	status      string
	waiting     []string // rows that show what the host has not confirmed
	replaying   bool     // between the marks of earlier messages
	day         time.Time
	bell        ringer
	quitting    time.Time     // when /quit was typed on the host itself
	last        rooms.Message // the person's own last one that came
	interrupted time.Time
}

func newChat(o Options) *chat {
	if o.Linger == 0 {
		o.Linger = hastyLinger
	}
	l := newLoop(o)
	l.hasty = true
	people := newCircle(o)
	return &chat{
		loop: l, desk: l.desk, account: l.account, term: o.Terminal, parser: l.o.parser(), circle: people,
		page: &page{width: o.Terminal.Width, color: o.Color, links: o.Links && o.Terminal.Width() > 0, now: o.Now, verified: people.isVerified, shelf: newShelf()},
		bell: ringer{when: o.Bell, notify: o.Notify},
	}
}

func (c *chat) print(rows ...string) {
	if len(rows) > 0 {
		c.term.Print(rows...)
	}
}

func (c *chat) say(format string, args ...any) { c.print(c.page.notice(format, args...)...) }

// prompt shows where the person is.
func (c *chat) prompt() {
	c.showStatus()
	if c.scene.inRoom() {
		c.term.SetPrompt("#" + Sanitize(string(c.scene.room.Room)) + "> ")
	} else {
		c.term.SetPrompt("p2pchat> ")
	}
}

// ready stops reading only where no person waits at the prompt.
func (c *chat) ready() bool {
	return c.term.Width() > 0 || c.desk.pending()+c.speech.held() < openAnswers && (c.speech.held() == 0 || c.loop.away || c.speech.full)
}

func (c *chat) owed() (unsent int, first string) {
	if c.account.keeps() {
		return c.speech.held(), ""
	}
	return c.speech.held(), c.speech.first()
}

// read acts on a line.
func (c *chat) read(in input) {
	switch {
	case errors.Is(in.err, ErrInterrupt):
		c.interrupt(in.text)
		return
	case in.err != nil:
		c.print(c.page.refusal(rooms.Refuse(rooms.TooLong, "say it in parts, or send it as a file", "%s", in.err))...)
		return
	case strings.Trim(in.text, blanks) == "":
		return
	}
	line := in.text
	if no := c.scene.noNumber(line); no != nil && !c.moving() {
		c.print(c.page.refusal(no)...)
		return
	}
	if !c.scene.inRoom() && !c.moving() && !strings.HasPrefix(line, "/") {
		choice, ok := c.scene.choice(line)
		if !ok {
			c.print(c.page.refusal(nowhere())...)
			c.term.Return(line)
			return
		}
		line = choice
	}
	t, no := c.parser.parse(line)
	if no == nil && c.desk.pending()+c.speech.held() >= openAnswers {
		no = rooms.Refuse(rooms.Busy, "wait until the host has answered", "too much is waiting for the host")
	}
	if j, ok := t.cmd.(rooms.Join); ok && j.Room != "" && !strings.Contains(line, "#") {
		j.Room = c.scene.pick(j.Room)
		t.cmd = j
	}
	if no == nil {
		no = c.staying(t.cmd)
	}
	if no == nil {
		no = c.reaching(t.cmd)
	}
	switch {
	case no != nil:
		c.print(c.page.refusal(no)...)
	case c.already(t.cmd), c.surely(t.cmd):
	case t.cmd != nil:
		c.ask(t)
	default:
		t.entry.local(c, t.arg)
	}
}

// reaching refuses what would be done unseen when the host is back.
func (c *chat) reaching(cmd rooms.Command) *rooms.Refusal {
	if _, speaks := cmd.(rooms.Say); speaks || cmd == nil || !c.loop.away || moves(cmd) {
		return nil
	}
	if _, whispers := cmd.(rooms.Whisper); whispers {
		return rooms.Refuse(rooms.Unreachable, "whispers are not kept: the Up key brings it back", "not whispered: the host can't be reached now")
	}
	return rooms.Refuse(rooms.Unreachable, "ask again when it can; what you say in the room is kept", "the host can't be reached now")
}

// nowhere explains that nobody would hear what is said.
func nowhere() *rooms.Refusal {
	return rooms.Refuse(rooms.NotInRoom, "type a room's number or ID to join it, create ID for a new one, or list", "you are in no room")
}

// interrupt is Ctrl-C: the terminal has already emptied the line. On an empty
// one it gives up what the person waits for, or else drops the lines that wait.
func (c *chat) interrupt(text string) {
	if text == "" && (c.stopWaiting() || c.drop(func(*spoken) bool { return true })) {
		return
	}
	now := c.loop.o.Now()
	if moving := c.onTheirWay(); text == "" && len(moving) > 0 {
		c.say("on its way: %s; /cancel N stops it", strings.Join(moving, ", "))
		return
	}
	if text == "" && !c.interrupted.IsZero() && now.Sub(c.interrupted) < secondTime {
		c.say("Ctrl-D or /quit leaves")
	}
	c.interrupted = now
}

// ask sends a command and shows its answer.
func (c *chat) ask(t typed) {
	if c.speech.queues(t.cmd) {
		c.speak(t)
		return
	}
	c.send(t, func(_ rooms.Event, show func()) { show() })
}

// send sends a command; then gets its answer, and what shows it.
func (c *chat) send(t typed, then func(ev rooms.Event, show func())) *errand {
	e := c.errand(t.cmd)
	e.ref = c.desk.ask(c.wider(t.cmd), func(ev rooms.Event) {
		if c.done(e) {
			return
		}
		then(ev, func() {
			if _, ok := t.cmd.(rooms.Ping); ok && ev == (rooms.Done{}) {
				c.say("the host answered in %s", roundTrip(c.loop.o.Now().Sub(e.at)))
				return
			}
			c.answered(t, ev)
		})
		if moves(t.cmd) {
			c.goOn()
		}
	})
	return e
}

// moving reports whether a room is being entered or left, and the person still wants it.
func (c *chat) moving() bool { return c.desk.moving > c.abandoned }

// answered shows the answer to a command.
func (c *chat) answered(t typed, ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Entered:
		_, made := t.cmd.(rooms.Create)
		if c.entered(ev, made); made && ev.Room.Private {
			c.say("this room is private: its ID is %s and it is in no list; /invite lets others in", ev.Room.Room)
		}
	case rooms.Done:
		c.carriedOut(t)
	case rooms.Invited:
		c.print(c.page.answer(ev)...)
		if t.qr {
			c.print(qrCode(Sanitize(ev.Link), c.term.Width())...)
		}
	case rooms.Listing:
		c.listed(ev)
		c.print(c.page.answer(ev)...)
	case rooms.Roster:
		c.roster(ev)
		c.print(c.page.answer(ev)...)
	case rooms.Member:
		c.whois(ev)
	case rooms.Page, rooms.Found, rooms.Shared:
		c.recalled(ev)
	default:
		c.print(c.page.answer(c.nearRoom(t.cmd, ev))...)
		c.noRoom(t.cmd, ev)
	}
}

// nearRoom adds to the refusal of a room that there is not which one may be meant.
func (c *chat) nearRoom(cmd rooms.Command, answer rooms.Event) rooms.Event {
	j, joins := cmd.(rooms.Join)
	no, refused := answer.(*rooms.Refusal)
	if !joins || !refused || no.Code != rooms.NoSuchRoom {
		return answer
	}
	if near := c.scene.meant(j.Room); near != "" {
		return rooms.Refuse(no.Code, "did you mean "+near+"? "+no.Hint, "%s", no.Message)
	}
	return answer
}

// carriedOut acts on a Done; most are told by an event as well, to everybody.
func (c *chat) carriedOut(t typed) {
	switch cmd := t.cmd.(type) {
	case rooms.Leave:
		c.out("you left #%s", c.scene.room.Room)
	case rooms.Rename:
		if c.scene.nick != cmd.Nick {
			c.scene.nick = cmd.Nick
			c.say("you are %s now", SanitizeNick(cmd.Nick))
		}
	}
	if t.entry == nil || t.entry.done == nil {
		return
	}
	if text := t.entry.done(t.cmd); text != "" {
		c.say("%s", text)
	}
}

// entered moves to a room. Where the host named only some of its members, the
// others are asked for, so that they can be completed.
func (c *chat) entered(ev rooms.Entered, made bool) {
	if c.scene.enter(ev) {
		c.print(c.page.already(ev.Room)...)
		return
	}
	c.page.shelf.enter(ev.Room.Room, ev.From.Epoch)
	c.moved()
	c.replaying = false
	c.prompt()
	c.term.SetCompleter(c.scene.completer())
	c.print(c.page.entered(c.scene.room, c.scene.peer, c.scene.nick, c.scene.members)...)
	c.meet(c.scene.members...)
	c.takeUp(ev, made)
	if ev.Room.Members > len(ev.Members) {
		c.desk.ask(rooms.Who{}, func(answer rooms.Event) {
			if r, ok := answer.(rooms.Roster); ok {
				c.roster(r)
			}
		})
	}
}

// out leaves the room, if the person is in one still, and says so.
func (c *chat) out(format string, args ...any) {
	if !c.scene.inRoom() {
		return
	}
	c.scene.exit()
	c.account.leave()
	c.replaying = false
	c.prompt()
	c.term.SetCompleter(c.scene.completer())
	c.say(format, args...)
	c.moved()
	if !c.moving() {
		c.whereTo()
	}
}

func (c *chat) roster(r rooms.Roster) {
	if r.Room == c.scene.room.Room {
		c.scene.members, c.scene.room.Members = slices.Clone(r.Members), len(r.Members)
		c.term.SetCompleter(c.scene.completer())
		c.meet(r.Members...)
	}
}

// listed puts the rooms in the order in which a person wants them: where most people are,
// and of empty ones the lobby first.
func (c *chat) listed(l rooms.Listing) {
	slices.SortStableFunc(l.Rooms, func(a, b rooms.RoomInfo) int {
		first := func(r rooms.RoomInfo) int { return map[bool]int{true: 0, false: 1}[r.Room == "lobby"] }
		return cmp.Or(b.Members-a.Members, first(a)-first(b))
	})
	c.scene.listed = l.Rooms
	c.term.SetCompleter(c.scene.completer())
}
