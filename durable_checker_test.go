package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// evidence is what one run of a host leaves behind: what its members said, what they
// were answered and what they saw, and what is stored. It tells where that breaks a
// promise. It has no clock and no lock of its own.
type evidence struct {
	lines  []*utterance // in the order in which they were said
	bodies map[string]*utterance
	visits []*visit
	logs   map[string][]entry       // what was stored last, by room
	failed map[string]time.Duration // when a room of the running host first answered that it can't store
	behind map[string][]string      // acknowledgements behind that, by room
	acks   int                      // lines that were acknowledged
	wrong  []string                 // what was wrong at once
}

// utterance is a line that somebody said.
type utterance struct {
	sender, room, body string
	invoked            time.Duration // before it was sent
	answered           time.Duration // behind the answer; noAnswer without one
	seq                int           // as acknowledged; 0: it was not
	refused            string        // the code
}

const noAnswer = time.Duration(math.MaxInt64)

// entry is a message: stored, or seen by a member.
type entry struct {
	seq          int
	sender, body string
}

// visit is the time that a member spends in a room; a lost connection does not end it.
type visit struct {
	member, room string
	head         int // the room's last message on entering
	over         bool
	seen         []entry
}

func newEvidence() *evidence {
	return &evidence{bodies: map[string]*utterance{}, logs: map[string][]entry{}, failed: map[string]time.Duration{}, behind: map[string][]string{}}
}

func (e *evidence) fault(format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Sprintf(format, args...))
}

// invoke: a line is about to be sent.
func (e *evidence) invoke(at time.Duration, sender, room, body string) {
	u := &utterance{sender: sender, room: room, body: body, invoked: at, answered: noAnswer}
	if e.bodies[body] != nil {
		e.fault("%.40q is said twice", body)
		return
	}
	e.bodies[body] = u
	e.lines = append(e.lines, u)
}

// answer finds the line that is answered, which is so only once.
func (e *evidence) answer(at time.Duration, body string) *utterance {
	u := e.bodies[body]
	switch {
	case u == nil:
		e.fault("%.40q is answered, and nobody said it", body)
		return &utterance{}
	case u.answered != noAnswer:
		e.fault("%.40q is answered twice", body)
	}
	u.answered = at
	return u
}

// ack: a line was acknowledged. What was sent after a room had failed is not, unless the
// host says that the room can be written to again.
func (e *evidence) ack(at time.Duration, body string, seq int) {
	u := e.answer(at, body)
	u.seq = seq
	e.acks++
	if failed, ok := e.failed[u.room]; ok && u.invoked > failed {
		e.behind[u.room] = append(e.behind[u.room], fmt.Sprintf("%.40q is acknowledged as %d in %q, which could not be stored to before", body, seq, u.room))
	}
}

// refuse: a line was refused with a code.
func (e *evidence) refuse(at time.Duration, body, code string) {
	u := e.answer(at, body)
	u.refused = code
	if _, ok := e.failed[u.room]; !ok && code == "storage" {
		e.failed[u.room] = at
	}
}

// ended: the process of the host has ended; it had told of these rooms that they can be
// written to again. Another may serve the same data.
func (e *evidence) ended(revived ...string) {
	for room, wrong := range e.behind {
		if !slices.Contains(revived, room) {
			e.wrong = append(e.wrong, wrong...)
		}
	}
	clear(e.behind)
	clear(e.failed)
}

// enter: a member has come into a room whose last message is head.
func (e *evidence) enter(member, room string, head int) *visit {
	v := &visit{member: member, room: room, head: head}
	e.visits = append(e.visits, v)
	return v
}

// stored: the log of a room, which goes on from what it was before.
func (e *evidence) stored(room string, log []entry) {
	before := e.logs[room]
	if len(log) < len(before) {
		e.fault("the log of %q has %d messages and had %d", room, len(log), len(before))
	}
	for i := range min(len(log), len(before)) {
		if log[i] != before[i] {
			e.fault("message %d of %q was changed: %.40q, and was %.40q", log[i].seq, room, log[i].body, before[i].body)
			break
		}
	}
	e.logs[room] = log
}

// unanswered are the lines that wait for an answer.
func (e *evidence) unanswered() int {
	n := 0
	for _, u := range e.lines {
		if u.answered == noAnswer {
			n++
		}
	}
	return n
}

// check adds what the last logs tell to what was wrong already, and returns all of it.
func (e *evidence) check() []string {
	e.ended()
	for _, room := range slices.Sorted(maps.Keys(e.logs)) {
		e.checkLog(room, e.logs[room])
		e.checkTime(room, e.logs[room])
	}
	e.checkLines()
	for _, v := range e.visits {
		e.checkVisit(v)
	}
	return e.wrong
}

// checkLog: numbers without a gap; only what was said, by who said it, in this room
// and in the order of each sender.
func (e *evidence) checkLog(room string, log []entry) {
	latest := map[string]time.Duration{}
	for i, m := range log {
		if m.seq != i+1 {
			e.fault("message %d of %q stands in place of %d", m.seq, room, i+1)
		}
		u := e.bodies[m.body]
		switch {
		case u == nil:
			e.fault("message %d of %q was said by nobody: %.40q", m.seq, room, m.body)
			continue
		case u.sender != m.sender || u.room != room:
			e.fault("message %d of %q is by %s; %s said it in %q", m.seq, room, m.sender, u.sender, u.room)
		case u.invoked < latest[m.sender]:
			e.fault("message %d of %q comes behind what %s said later", m.seq, room, m.sender)
		}
		latest[m.sender] = u.invoked
	}
}

// checkTime: a line that was acknowledged before another was sent stands before it.
func (e *evidence) checkTime(room string, log []entry) {
	var latest time.Duration // when one of those so far was sent
	for _, m := range log {
		u := e.bodies[m.body]
		if u == nil {
			continue
		}
		if u.answered < latest {
			e.fault("message %d of %q was acknowledged before one in front of it was sent", m.seq, room)
		}
		latest = max(latest, u.invoked)
	}
}

// checkLines: acknowledged once at its number, refused never, anything else at most once.
func (e *evidence) checkLines() {
	type place struct {
		room string
		seq  int
	}
	places := map[string][]place{}
	for room, log := range e.logs {
		for _, m := range log {
			places[m.body] = append(places[m.body], place{room, m.seq})
		}
	}
	for _, u := range e.lines {
		at := places[u.body]
		switch {
		case len(at) > 1:
			e.fault("%.40q is stored %d times: %v", u.body, len(at), at)
		case u.refused != "" && len(at) > 0:
			e.fault("%.40q is stored as %v and was refused: %s", u.body, at, u.refused)
		case u.seq != 0 && len(at) == 0:
			e.fault("%.40q is lost; it was acknowledged as %d of %q", u.body, u.seq, u.room)
		case u.seq != 0 && at[0] != place{u.room, u.seq}:
			e.fault("%.40q is stored as %v; it was acknowledged as %d of %q", u.body, at, u.seq, u.room)
		}
	}
}

// checkVisit: a member sees its room's log as it is, from no later than its entry on,
// without gap or double; while it is inside, to the end.
func (e *evidence) checkVisit(v *visit) {
	log, next := e.logs[v.room], v.head+1
	for i, m := range v.seen {
		switch {
		case i == 0 && m.seq > next:
			e.fault("%s in %q begins with %d, and came when there were %d", v.member, v.room, m.seq, v.head)
		case i > 0 && m.seq != next:
			e.fault("%s in %q sees %d in place of %d", v.member, v.room, m.seq, next)
		}
		next = m.seq + 1
		switch {
		case m.seq < 1 || m.seq > len(log):
			e.fault("%s in %q sees %d, which is not stored", v.member, v.room, m.seq)
		case log[m.seq-1] != m:
			e.fault("%s in %q sees %d as %.40q of %s, and it is %.40q of %s", v.member, v.room, m.seq, m.body, m.sender, log[m.seq-1].body, log[m.seq-1].sender)
		}
	}
	if !v.over && next <= len(log) {
		e.fault("%s in %q has not seen %d to %d", v.member, v.room, next, len(log))
	}
}
