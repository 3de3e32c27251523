package ui

import (
	"fmt"

	"p2pchat/rooms"
)

// What a program gets that comes back. Without a notebook that is only what became of a
// history.

func (j *jsonMode) notice(format string, args ...any) {
	j.write(eventObject(rooms.Notice{Text: fmt.Sprintf(format, args...)}, j.scene.peer))
}

// note keeps a line beyond the process; forget ends that.
func (j *jsonMode) note(cmd rooms.Command) (numbered rooms.Command, forget func(), kept bool) {
	say, ok := cmd.(rooms.Say)
	if !ok || !j.account.keeps() {
		return cmd, func() {}, false
	}
	say = j.account.number(say)
	room := j.scene.room.Room
	if j.desk.moving > 0 {
		room = ""
	}
	j.account.keep(say, room, j.loop.o.Now())
	j.open[say.Origin] = true
	return say, func() {
		delete(j.open, say.Origin)
		j.account.book.Forget(say.Origin)
	}, true
}

// remind tells at the start which lines of earlier runs are not sent any more.
func (j *jsonMode) remind() {
	now := j.loop.o.Now()
	_, stale := j.account.begin(j.scene.peer, now)
	for _, l := range stale {
		j.notice("%s", unsent(l, now, becauseOld))
	}
}

// takeUp sends the lines of earlier runs that wait for a room.
func (j *jsonMode) takeUp(ev rooms.Entered, made bool) {
	if ev.From.Epoch == 0 {
		return // it did not say where it begins
	}
	at, known, other := j.account.enter(ev, made)
	if other {
		j.notice("%s", anotherCopy(at.Seq, ev.Head))
	}
	here := func(room rooms.RoomID) bool { return same(room, ev.Room.Room) }
	lines := j.account.left(here)
	switch {
	case len(lines) == 0:
	case ev.Room.NoHistory:
		j.resend(lines, 0)
	case !known:
		j.giveUp(lines)
	default:
		j.account.compare(at, ev.Head, true, func(found finding) {
			switch lines := j.account.left(here); {
			case found.refused: // they wait for the next time
			case found.another || found.removed > 0:
				j.giveUp(lines)
			default:
				j.resend(lines, 0)
			}
		})
	}
}

func (j *jsonMode) giveUp(lines []rooms.Message) {
	for _, l := range lines {
		j.account.book.Forget(l.Origin)
		j.notice("%s", unsent(l, j.loop.o.Now(), becauseAnother))
	}
}

// resend sends lines one at a time; n were said already.
func (j *jsonMode) resend(lines []rooms.Message, n int) {
	if len(lines) == 0 {
		if n > 0 {
			j.notice("%s that waited %s said now", plural(n, "line"), isAre(n))
		}
		return
	}
	l, visit := lines[0], j.account.visit
	j.desk.ask(rooms.Say{Kind: l.Kind, Text: l.Text, Origin: l.Origin}, func(ev rooms.Event) {
		no, refused := ev.(*rooms.Refusal)
		switch {
		case refused && (no.Code == rooms.NotInRoom || j.account.visit != visit): // it waits for the next time
			return
		case refused && no.Code == rooms.RateLimited:
			j.loop.set(&j.loop.alarm, no.Retry+leastWait(no.Retry), func() { j.resend(lines, n) })
			return
		case refused:
			j.notice("not said: %s, for %s", whole(l.Text), no.Error())
		default:
			n++
		}
		j.account.book.Forget(l.Origin)
		j.resend(lines[1:], n)
	})
}

// resumed takes in that the session is back in its room after a lost connection.
func (j *jsonMode) resumed(ev rooms.Entered) {
	if ev.Room.Room != j.scene.room.Room {
		return
	}
	j.shelf.enter(ev.Room.Room, ev.From.Epoch)
	another, notice := j.scene.resume(ev)
	if another {
		j.account.begun(ev.From)
	}
	if notice != "" {
		j.notice("%s", notice)
	}
}

// goodbye tells how many lines the next run takes up.
func (j *jsonMode) goodbye() {
	n := j.kept()
	if n == 0 {
		return
	}
	if err := j.account.book.Save(); err != nil {
		j.notice("%s could not be kept: %s", plural(n, "line"), err)
		return
	}
	for _, ref := range j.later {
		j.settled(ref)
	}
	j.notice("%s %s kept and will be sent when you come back", plural(n, "line"), isAre(n))
}
