package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"p2pchat/rooms"
)

// Pipe serves a shell pipeline in the room that o names: each line of in is said
// there, each message is a line on out, as text with the fields time, #room,
// nick and text between tabs; everything else goes to errw. Lines are said one
// after another and, where the host asks for patience, again. At the end of in
// everything has been answered; then the session is closed. The first refusal
// has been written to errw when it is returned.
func Pipe(ctx context.Context, o Options, in io.Reader, out, errw io.Writer) error {
	return runPipe(ctx, newPipe(o, out, errw), lineReader(in))
}

// Follow writes the messages of the room that o names to out until ctx ends: as
// Pipe writes them, or as JSON events.
func Follow(ctx context.Context, o Options, out, errw io.Writer, asJSON bool) error {
	if asJSON {
		return runJSON(ctx, newJSONMode(o, out), nil)
	}
	return runPipe(ctx, newPipe(o, out, errw), nil)
}

func runPipe(ctx context.Context, p *pipe, next func() (string, error)) error {
	err := p.loop.run(ctx, p, next)
	if p.failed != nil {
		return p.failed
	}
	if err != nil && !errors.Is(err, p.shown) {
		p.tell(p.page.refusal(asRefusal(err, rooms.Unreachable)))
	}
	if err == nil && p.shown != nil {
		return p.shown
	}
	return err
}

// patience is how long a refused line waits where the host does not say.
const patience = time.Second

// pipe is the mode of a shell pipeline.
type pipe struct {
	loop    *loop
	desk    *desk
	scene   scene
	parser  parser
	page    *page
	out     io.Writer
	errw    io.Writer
	failed  error  // of out
	shown   error  // the first refusal of a line
	waiting bool   // a line waits to be said again
	line    string // said last
}

func newPipe(o Options, out, errw io.Writer) *pipe {
	l := newLoop(o)
	return &pipe{
		loop: l, desk: l.desk, parser: l.o.parser(), out: out, errw: errw,
		page: &page{width: func() int { return 0 }, now: o.Now, mute: !o.Commands},
	}
}

// ready reads the next line only when nothing is open: a line that has to wait
// must not be overtaken by the one behind it.
func (p *pipe) ready() bool { return p.desk.pending() == 0 && !p.waiting }

func (p *pipe) owed() (unsent int, first string) {
	if p.waiting {
		unsent = 1
	}
	return unsent, p.line
}

func (p *pipe) kept() int { return 0 }

// tell writes rows for a person.
func (p *pipe) tell(rows []string) {
	for _, row := range rows {
		// Who reads the notices may be gone; the pipeline goes on without.
		_, _ = fmt.Fprintln(p.errw, row)
	}
}

// read says a line, or does what it asks where commands are allowed.
func (p *pipe) read(in input) {
	if in.err != nil {
		p.refused(rooms.Refuse(rooms.TooLong, "say it in parts", "%s", in.err))
		return
	}
	if isBlank(in.text) {
		return
	}
	t := typed{cmd: rooms.Say{Kind: rooms.Text, Text: in.text}}
	if p.loop.o.Commands {
		var no *rooms.Refusal
		if t, no = p.parser.parse(in.text); no != nil {
			p.refused(no)
			return
		}
	}
	if t.cmd == nil {
		t.entry.local(p, t.arg)
		return
	}
	p.ask(t.cmd)
}

// ask sends a command until the host has time for it.
func (p *pipe) ask(cmd rooms.Command) {
	if say, ok := cmd.(rooms.Say); ok {
		p.line = say.Text
	} else {
		p.line = ""
	}
	p.desk.ask(cmd, func(ev rooms.Event) {
		no, refused := ev.(*rooms.Refusal)
		switch {
		case refused && no.Code == rooms.RateLimited:
			p.waiting = true
			p.loop.set(&p.loop.alarm, max(no.Retry, 0)+leastWait(no.Retry), func() {
				p.waiting = false
				p.ask(cmd)
			})
		case refused:
			p.refused(no)
		default:
			p.answered(cmd, ev)
		}
	})
}

// leastWait keeps a refusal without a time from being answered at once.
func leastWait(retry time.Duration) time.Duration {
	if retry <= 0 {
		return patience
	}
	return 0
}

// refused shows a refusal and remembers the first one for the end.
func (p *pipe) refused(no *rooms.Refusal) {
	p.tell(p.page.refusal(no))
	if p.shown == nil {
		p.shown = no
	}
}

func (p *pipe) answered(cmd rooms.Command, ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Entered:
		p.entered(ev)
	case rooms.Done:
		if _, ok := cmd.(rooms.Leave); ok {
			p.scene.exit()
		}
	default:
		p.tell(p.page.answer(ev))
	}
}

func (p *pipe) entered(ev rooms.Entered) {
	if p.scene.enter(ev) {
		p.tell(p.page.already(ev.Room))
		return
	}
	p.tell(p.page.entered(ev.Room, p.scene.peer, p.scene.nick, ev.Members))
}

// happened writes a message to out, and anything else that matters to errw.
func (p *pipe) happened(ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Welcome:
		first := p.scene.peer == ""
		p.scene.welcome(ev)
		if first {
			p.begin()
		}
	case rooms.Posted:
		if p.scene.isNew(ev) {
			p.message(ev)
		}
	case rooms.Entered:
		if _, notice := p.scene.resume(ev); notice != "" {
			p.tell(p.page.notice("%s", notice))
		}
	case rooms.Whispered:
		p.tell(p.page.whisper(ev))
	case rooms.RoomChanged:
		p.room(ev)
	case rooms.Notice:
		p.tell(p.page.fromHost(ev))
	case rooms.Connection:
		p.scene.replayed = 0
		if ev.What != rooms.ConnectionGone { // told at the end
			p.tell(p.page.notice("connection %s", ev.What))
		}
	case *rooms.Refusal:
		p.refused(ev)
	}
}

// begin enters the room. Without one there is nobody to talk to.
func (p *pipe) begin() {
	cmd := p.loop.o.entry()
	if cmd == nil {
		if !p.loop.o.Commands {
			p.loop.fail(rooms.Refuse(rooms.NotInRoom, "name one with --room", "there is no room to speak in"))
		}
		return
	}
	p.desk.ask(cmd, func(ev rooms.Event) {
		switch ev := ev.(type) {
		case rooms.Entered:
			p.entered(ev)
		case *rooms.Refusal:
			p.loop.fail(ev)
		}
	})
}

// room notices when the room is gone: what follows would reach nobody.
func (p *pipe) room(ev rooms.RoomChanged) {
	out := ev.What == rooms.RoomClosed || ev.What == rooms.RoomLeft && ev.Reason != ""
	if !out || ev.Room.Room != p.scene.room.Room {
		return
	}
	p.scene.exit()
	no := closedToYou(ev)
	if p.loop.o.Commands {
		p.refused(no)
		return
	}
	p.loop.fail(no)
}

func closedToYou(ev rooms.RoomChanged) *rooms.Refusal {
	return rooms.Refuse(rooms.NotInRoom, "join again, or another room", "room %q is closed to you: %s", ev.Room.Room, ev.Reason)
}

// message writes one message as one line.
func (p *pipe) message(ev rooms.Posted) {
	if p.failed != nil {
		return
	}
	_, p.failed = fmt.Fprintln(p.out, MessageLine(ev.Message))
	if p.failed != nil {
		p.loop.over = true
	}
}

// field writes text so that it holds neither a tab nor a line end; what could
// steer a terminal is shown and not sent.
func field(text string) string {
	return Sanitize(strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(text))
}

// What a pipeline with commands asks for that needs no host.
var _ hands = (*pipe)(nil)

func (p *pipe) showTopic(string) { p.tell(p.page.notice("topic: %s", p.scene.room.Topic)) }
func (p *pipe) state(string)     { p.ask(rooms.Status{}) }
func (p *pipe) help(name string) { p.tell(p.page.helpFor(name)) }
func (p *pipe) quit(why string)  { p.loop.quit(why) }
func (p *pipe) clear(string)     {}
func (p *pipe) edit(string)      { p.refused(noScreen()) }
func (p *pipe) ignore(string)    { p.refused(notInPipe()) }
func (p *pipe) unignore(string)  { p.refused(notInPipe()) }
func (p *pipe) setBell(string)   {}

func (p *pipe) verify(string) {
	p.refused(rooms.Refuse(rooms.BadRequest, "join on a terminal, or with --json", "in a pipe nobody compares keys"))
}

func noScreen() *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "say it as it is", "a pipe has no screen for an editor")
}

func notInPipe() *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "filter the output by its third field", "a pipe ignores nobody")
}

func (p *pipe) sendFiles(string)  { p.refused(noFilesInPipe()) }
func (p *pipe) saveFile(string)   { p.refused(noFilesInPipe()) }
func (p *pipe) openFile(string)   { p.refused(noFilesInPipe()) }
func (p *pipe) cancelFile(string) { p.refused(noFilesInPipe()) }

func noFilesInPipe() *rooms.Refusal {
	return rooms.Refuse(rooms.BadRequest, "p2pchat send --file shares one, join --json moves them", "a pipe carries text only")
}
