package ui

import (
	"context"
	"errors"
	"sync"
	"time"

	"p2pchat/rooms"
)

// openAnswers is how many commands may wait for their answers before no further
// input is read.
const openAnswers = 256

// lost is the answer to a command whose own answer will not come any more.
func lost() *rooms.Refusal {
	return rooms.Refuse(rooms.Unreachable, "run the command again once the host answers", "the connection to the host is lost")
}

// mode is one way to use a session: a person, a pipe, a program. The loop calls
// its methods one at a time.
type mode interface {
	read(in input)           // a line, or an interrupt
	happened(ev rooms.Event) // an event, in order, after the answer that explains it
	ready() bool             // whether another line may be read now
	// owed is how many lines the host has not been sent yet, and the first line
	// that it has not confirmed, sent or not; "" where that is not told.
	owed() (unsent int, first string)
	kept() int // how many lines without an answer outlive the session
}

// loop runs one session in one mode and owns everything about it.
type loop struct {
	o        Options
	desk     *desk
	account  *account
	lines    <-chan input
	alarm    timer       // of what waits to be said
	reminder timer       // of what was asked
	calls    chan func() // from its workers
	linger   <-chan time.Time
	leaving  bool           // no further input; what was asked is finished
	away     bool           // the connection is lost
	closed   bool           // the session is over
	over     bool           // nothing is waited for any more
	left     bool           // the person meant to leave
	farewell string         // what the room is told then
	welcomed bool           // input is read only after the host has said who is who
	hasty    bool           // at the end, do not wait for a lost connection, nor for ever
	goodbye  *rooms.Refusal // what the host said last, should it end the session
	result   error

	files   transfers
	owing   int            // things that are to be done after a while
	workers sync.WaitGroup // goroutines that work for the loop
	through chan struct{}  // closed when it takes no calls any more
}

// newLoop returns a loop that reads its input from next (nil: no input) once it runs.
func newLoop(o Options) *loop {
	if o.After == nil {
		o.After = time.After
	}
	if o.Notebook == nil {
		o.Notebook = noNotes{}
	}
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	if o.ParseInvite == nil {
		o.ParseInvite = func(string) (rooms.Capability, error) {
			return rooms.Capability{}, rooms.Refuse(rooms.InviteInvalid, "ask for a new one", "this invite is not valid")
		}
	}
	d := newDesk(o.Session)
	l := &loop{o: o, desk: d, account: &account{book: o.Notebook, desk: d}, calls: make(chan func()), through: make(chan struct{})}
	l.files.loop = l
	return l
}

// run serves m until the session or the input ends, closes the session and
// returns why it ended; nil when all that was asked was done.
func (l *loop) run(ctx context.Context, m mode, next func() (string, error)) error {
	stop := make(chan struct{})
	if next != nil {
		l.lines = readLines(next, stop)
	}
	for l.settle(m); !l.over; l.settle(m) {
		l.step(ctx, m)
	}
	close(stop)
	l.files.cancelAll()
	close(l.through)
	l.workers.Wait()
	clear(l.desk.behind) // nothing begins any more
	return l.finish(m)
}

// step waits for one thing and does it.
func (l *loop) step(ctx context.Context, m mode) {
	lines := l.lines
	if l.leaving && !l.hasty || !l.leaving && (!l.welcomed || !m.ready()) {
		lines = nil
	}
	events := l.o.Session.Events()
	if l.closed {
		events = nil
	}
	select {
	case <-ctx.Done():
		l.leave()
		l.over = true
	case in := <-lines:
		if l.leaving { // only Ctrl-C means anything now
			l.over = l.over || errors.Is(in.err, ErrInterrupt)
			if in.end() {
				l.lines = nil
			}
			return
		}
		if in.end() {
			l.result = in.failure()
			l.leave()
			return
		}
		m.read(in)
	case ev, ok := <-events:
		if !ok {
			l.ended()
			return
		}
		l.take(m, ev)
	case call := <-l.calls:
		call()
	case <-l.alarm.ticks:
		l.alarm.ring()
	case <-l.reminder.ticks:
		l.reminder.ring()
	case <-l.linger:
		l.over = true
	}
}

// take acts on an answer or an event.
func (l *loop) take(m mode, ev rooms.Event) {
	if a, ok := ev.(rooms.Answered); ok {
		l.desk.take(a)
		return
	}
	l.watch(ev)
	m.happened(ev)
}

// settle sees whether the loop is through.
func (l *loop) settle(m mode) {
	unsent, _ := m.owed()
	working := l.desk.pending() > 0 || unsent > 0 || l.owing > 0 || len(l.files.running) > 0 && !l.hasty
	if (l.leaving || l.closed) && (!working || l.hasty && l.away) {
		l.over = true
	}
	if (l.leaving || l.closed) && (l.away || l.hasty) && l.linger == nil {
		l.linger = l.o.After(l.o.Linger)
	}
}

// call lets a goroutine of the loop's have f called in the loop; or not at all, when that
// has ended.
func (l *loop) call(f func()) {
	select {
	case l.calls <- f:
	case <-l.through:
	}
}

// timer calls something once, in the loop.
type timer struct {
	ticks <-chan time.Time
	rang  func()
}

// set lets t call then after d, and forget what it was set to before.
func (l *loop) set(t *timer, d time.Duration, then func()) { *t = timer{l.o.After(d), then} }

func (t *timer) ring() {
	t.ticks = nil
	t.rang()
}

// leave ends the input: what was asked is finished, then the loop is through.
func (l *loop) leave() { l.leaving, l.left = true, true }

// quit leaves, and tells the room why.
func (l *loop) quit(why string) {
	l.farewell = why
	l.leave()
}

// fail leaves with an error.
func (l *loop) fail(err error) {
	if l.result == nil {
		l.result = err
	}
	l.leave()
}

// ended notes that the session is over. Answers may still be on their way.
func (l *loop) ended() {
	l.closed, l.away = true, true
	if l.left {
		return
	}
	l.because(lost())
}

// watch follows what matters to the loop itself.
func (l *loop) watch(ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.Welcome:
		l.welcomed = true
	case *rooms.Refusal:
		l.goodbye = ev
	case rooms.Connection:
		l.connection(ev)
	}
}

func (l *loop) connection(conn rooms.Connection) {
	switch conn.What {
	case rooms.ConnectionLost:
		l.away = true
	case rooms.ConnectionRestored:
		l.away, l.linger = false, nil
	case rooms.ConnectionGone:
		l.away = true
		l.because(gone(conn.Why))
	}
}

// because keeps the reason for the end of the session: the first one, or what
// the host itself said.
func (l *loop) because(no *rooms.Refusal) {
	if l.goodbye != nil {
		no = l.goodbye
	}
	if l.result == nil {
		l.result = no
	}
}

// gone is why a chat ends whose connection is lost for good.
func gone(why string) *rooms.Refusal {
	if why == "" {
		return lost()
	}
	return rooms.Refuse(rooms.Unreachable, "join again once the host answers", "the connection to the host is gone: %s", why)
}

// unconfirmed is why a chat ended before it had all its answers.
func unconfirmed(open int, first string) *rooms.Refusal {
	what := plural(open, "line")
	switch {
	case first != "" && open > 1:
		what += ", the first " + quote(first)
	case first != "":
		what += ", " + quote(first)
	}
	return rooms.Refuse(rooms.Unreachable, "say it again once the host answers", "the host has not confirmed %s", what)
}

// finish closes the session, shows what had already arrived, and returns the result.
func (l *loop) finish(m mode) error {
	for !l.closed {
		select {
		case ev, ok := <-l.o.Session.Events():
			if !ok {
				l.closed = true
				break
			}
			l.take(m, ev)
			continue
		default:
		}
		break
	}
	unsent, first := m.owed()
	if open := l.desk.pending() + unsent - m.kept(); open > 0 && l.result == nil {
		l.result = unconfirmed(open, first)
	}
	if l.farewell != "" {
		l.o.Session.Send(rooms.Quit{Reason: l.farewell})
	}
	if err := l.desk.close(); l.result == nil {
		l.result = err
	}
	return l.result
}
