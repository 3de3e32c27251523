package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"p2pchat/rooms"
)

// JSON serves a program: requests on in, answers and events on out, one object
// a line. It sends requests on without waiting for answers, writes each answer
// when it arrives, and closes the session when in is at its end, or asked to
// quit, and everything has been answered. A refusal that ends it early is the
// last object, and is returned.
func JSON(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	return runJSON(ctx, newJSONMode(o, out), lineReader(in))
}

func runJSON(ctx context.Context, j *jsonMode, next func() (string, error)) error {
	err := j.loop.run(ctx, j, next)
	switch {
	case j.failed != nil:
		return j.failed
	case j.quitRef != nil:
		j.write(okObject(j.quitRef.ref))
	}
	j.goodbye()
	j.unanswered()
	if err != nil && !errors.Is(err, j.shown) {
		j.write(errorObject(nil, asRefusal(err, rooms.Unreachable)))
	}
	if j.failed != nil {
		return j.failed
	}
	return err
}

// jsonMode is the mode of a program.
type jsonMode struct {
	loop    *loop
	desk    *desk
	account *account
	circle  *circle
	open    map[rooms.Origin]bool // lines without an answer that outlive the session
	scene   scene
	parser  parser
	out     io.Writer
	failed  error // of out; nothing is written after it
	quitRef *quitRequest
	ref     json.RawMessage   // of the request being read
	owes    []json.RawMessage // refs of requests that have no answer yet, as they came
	later   []json.RawMessage // of lines that the next run says, should it come to that
	shown   error             // a refusal that came as an event
	shelf   *shelf            // files that were written
}

// quitRequest is a request to quit, answered last.
type quitRequest struct{ ref json.RawMessage }

func newJSONMode(o Options, out io.Writer) *jsonMode {
	l := newLoop(o)
	return &jsonMode{loop: l, desk: l.desk, account: l.account, circle: newCircle(o), open: map[rooms.Origin]bool{}, shelf: newShelf(), parser: l.o.parser(), out: out}
}

func (j *jsonMode) ready() bool         { return j.desk.pending() < openAnswers }
func (j *jsonMode) owed() (int, string) { return 0, "" }
func (j *jsonMode) kept() int           { return len(j.open) }

// write writes one object.
func (j *jsonMode) write(object any) {
	if j.failed != nil {
		return
	}
	if a, ok := object.(interface{ answers() json.RawMessage }); ok {
		j.settled(a.answers())
	}
	line, err := encodeLine(object, j.loop.o.Escape)
	if err == nil {
		_, err = j.out.Write(line)
	}
	if err != nil {
		j.failed = err
		j.loop.over = true
	}
}

// settled notes that a request needs no answer any more.
func (j *jsonMode) settled(ref json.RawMessage) {
	for i, owed := range j.owes {
		if bytes.Equal(owed, ref) {
			j.owes = slices.Delete(j.owes, i, i+1)
			return
		}
	}
}

// unanswered answers, at the end, what the host has not.
func (j *jsonMode) unanswered() {
	for _, ref := range slices.Clone(j.owes) {
		j.write(errorObject(ref, rooms.Refuse(rooms.Unreachable, "ask again once the host answers; it may have been done", "the host has not answered this")))
	}
}

// read acts on a request.
func (j *jsonMode) read(in input) {
	if in.err != nil {
		if errors.Is(in.err, errLineTooLong) {
			j.write(errorObject(nil, rooms.Refuse(rooms.TooLong, "send less in one request", "%s", in.err)))
		}
		return
	}
	if isBlank(in.text) {
		return
	}
	r, no := readRequest(in.text)
	if no != nil {
		j.write(errorObject(r.Ref, no))
		return
	}
	if j.ref = r.Ref; r.Ref != nil {
		j.owes = append(j.owes, r.Ref)
	}
	j.do(r)
	j.ref = nil
}

// do acts on a request that is well formed.
func (j *jsonMode) do(r request) {
	switch r.Do {
	case "quit":
		j.quit("")
		return
	case "line":
		j.line(r)
		return
	case "send":
		j.share(r.Path, r.Caption)
		return
	case "save":
		j.keep(r.File, r.Dir)
		return
	}
	build, ok := requests()[r.Do]
	if !ok {
		j.write(errorObject(r.Ref, rooms.Refuse(rooms.BadRequest, "one of: "+requestNames(), "there is no request %q", r.Do)))
		return
	}
	cmd, no := build(j.parser, r)
	if no != nil {
		j.write(errorObject(r.Ref, no))
		return
	}
	j.ask(r.Ref, cmd)
}

// line does what a person could type.
func (j *jsonMode) line(r request) {
	t, no := j.parser.parse(r.Text)
	switch {
	case no != nil:
		j.write(errorObject(r.Ref, no))
	case t.cmd != nil:
		j.ask(r.Ref, t.cmd)
	default:
		t.entry.local(j, t.arg)
	}
}

// ask sends a command and writes its answer, then what it means for the room.
func (j *jsonMode) ask(ref json.RawMessage, cmd rooms.Command) {
	j.account.head(cmd)
	cmd, forget, kept := j.note(cmd)
	if kept {
		j.later = append(j.later, ref)
	}
	j.desk.ask(cmd, func(ev rooms.Event) {
		forget()
		j.write(j.answer(ref, ev))
		switch ev := ev.(type) {
		case rooms.Entered:
			_, made := cmd.(rooms.Create)
			j.entered(ev, made)
		case rooms.Done:
			j.done(cmd)
		}
		j.look(ev)
	})
}

// entered writes that the session is in another room now.
func (j *jsonMode) entered(ev rooms.Entered, made bool) {
	j.shelf.enter(ev.Room.Room, ev.From.Epoch)
	if j.scene.inRoom() {
		if j.scene.room.Room == ev.Room.Room {
			j.scene.enter(ev)
			return
		}
		j.write(roomObject(rooms.RoomChanged{What: rooms.RoomLeft, Room: j.scene.room}))
	}
	j.scene.enter(ev)
	j.write(roomObject(rooms.RoomChanged{What: rooms.RoomEntered, Room: ev.Room}))
	j.takeUp(ev, made)
}

func (j *jsonMode) done(cmd rooms.Command) {
	switch cmd := cmd.(type) {
	case rooms.Leave:
		if j.scene.inRoom() {
			j.write(roomObject(rooms.RoomChanged{What: rooms.RoomLeft, Room: j.scene.room}))
		}
		j.scene.exit()
		j.account.leave()
	case rooms.Rename:
		j.scene.nick = cmd.Nick
	}
}

// happened writes an event.
func (j *jsonMode) happened(ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Welcome:
		first := j.scene.peer == ""
		j.scene.welcome(ev)
		j.write(eventObject(ev, j.scene.peer))
		if first {
			j.remind()
			j.begin()
		}
		return
	case rooms.RoomChanged:
		if !j.follow(ev) {
			return
		}
	case rooms.Posted:
		if !j.scene.isNew(ev) {
			return
		}
		j.account.seen(ev.Message)
		j.shelve(ev.Message)
	case rooms.Entered:
		j.resumed(ev)
		return
	case rooms.MemberChanged:
		j.scene.member(ev)
	case *rooms.Refusal:
		j.shown = ev
	case rooms.Connection:
		j.scene.replayed = 0
	}
	if object := eventObject(ev, j.scene.peer); object != nil {
		j.write(object)
	}
	j.look(ev)
}

// begin enters the room to start in. Its answer is the event, or the end.
func (j *jsonMode) begin() {
	cmd := j.loop.o.entry()
	if cmd == nil {
		return
	}
	j.account.head(cmd)
	j.desk.ask(cmd, func(ev rooms.Event) {
		switch ev := ev.(type) {
		case rooms.Entered:
			_, made := cmd.(rooms.Create)
			j.entered(ev, made)
			j.look(ev)
		case *rooms.Refusal:
			j.loop.fail(ev)
		}
	})
}

// putOut moves out of a room that is closed to the member. Who only follows it has nothing
// else to do.
func (j *jsonMode) putOut(ev rooms.RoomChanged) {
	j.scene.exit()
	j.account.leave()
	if j.loop.lines == nil {
		j.loop.fail(closedToYou(ev))
	}
}

// follow keeps up with the room. It reports false for what was written already:
// a room left without a reason was left by a request, and entering one is
// written at the answer.
func (j *jsonMode) follow(ev rooms.RoomChanged) bool {
	here := ev.Room.Room == j.scene.room.Room
	switch ev.What {
	case rooms.RoomEntered:
		if !here {
			j.entered(rooms.Entered{Room: ev.Room}, false)
		}
		return false
	case rooms.RoomLeft:
		if !here || ev.Reason == "" {
			return false
		}
		j.putOut(ev)
	case rooms.RoomClosed:
		if !here {
			return false
		}
		j.putOut(ev)
	case rooms.RoomUpdated:
		if here {
			j.scene.room = ev.Room
		}
	}
	return true
}
