package main

import (
	"strings"
	"testing"
	"time"
)

// good is a run in which everything is as promised: two members, two rooms, a line that
// was refused, one without an answer that is stored and one that is not, a restart.
func good() *evidence {
	e := newEvidence()
	ann, bob := e.enter("ann", "dev", 0), e.enter("bob", "dev", 0)
	e.invoke(1, "ann", "dev", "a1")
	e.invoke(2, "bob", "dev", "b1")
	e.ack(3, "b1", 1)
	e.ack(4, "a1", 2)
	e.stored("dev", []entry{{1, "bob", "b1"}, {2, "ann", "a1"}})
	e.ended()
	e.invoke(5, "ann", "dev", "a2")
	e.ack(6, "a2", 3)
	e.invoke(7, "bob", "dev", "b2") // stored, and the answer is lost
	e.invoke(8, "ann", "dev", "a3") // lost
	e.invoke(9, "bob", "dev", "b3")
	e.refuse(10, "b3", "storage")
	e.ended()
	e.invoke(11, "bob", "dev", "b4")
	e.ack(12, "b4", 5)
	bob.over = true
	e.enter("bob", "ops", 0)
	dev := []entry{{1, "bob", "b1"}, {2, "ann", "a1"}, {3, "ann", "a2"}, {4, "bob", "b2"}, {5, "bob", "b4"}}
	e.stored("dev", dev)
	ann.seen, bob.seen = append(ann.seen, dev...), append(bob.seen, dev[:4]...)
	return e
}

func TestCheckerAcceptsWhatIsPromised(t *testing.T) {
	e := good()
	failThenAck(e)
	e.ended("dev")
	six := entry{6, "bob", "b5"}
	e.stored("dev", append(e.logs["dev"][:5:5], six))
	e.visits[0].seen = append(e.visits[0].seen, six)
	if wrong := e.check(); len(wrong) > 0 {
		t.Fatalf("found:\n%s", strings.Join(wrong, "\n"))
	}
	if n := e.unanswered(); n != 2 {
		t.Fatalf("%d lines have no answer, and 2 have none", n)
	}
	if e.acks != 5 {
		t.Fatalf("%d acknowledgements, and there are 5", e.acks)
	}
}

// failThenAck: a room can't be stored to, and then acknowledges a line.
func failThenAck(e *evidence) {
	e.invoke(20, "ann", "dev", "a4")
	e.refuse(21, "a4", "storage")
	e.invoke(22, "bob", "dev", "b5")
	e.ack(23, "b5", 6)
}

// Every kind of violation is found: a checker that can't fail proves nothing.
func TestCheckerFindsViolations(t *testing.T) {
	log := func(e *evidence, change func(log []entry) []entry) {
		e.logs["dev"] = change(append([]entry(nil), e.logs["dev"]...))
		for _, v := range e.visits[:2] { // everybody sees what is stored, so that only the log is wrong
			v.seen = append([]entry(nil), e.logs["dev"][:min(len(v.seen), len(e.logs["dev"]))]...)
		}
	}
	for name, c := range map[string]struct {
		harm func(e *evidence)
		want string
	}{
		"two lines with one body": {func(e *evidence) { e.invoke(20, "ann", "dev", "b1") }, `"b1" is said twice`},
		"a lost line": {func(e *evidence) {
			log(e, func(l []entry) []entry { return l[:4] })
		}, `"b4" is lost; it was acknowledged as 5`},
		"a doubled line": {func(e *evidence) {
			log(e, func(l []entry) []entry { return append(l, entry{6, "bob", "b4"}) })
		}, `"b4" is stored 2 times`},
		"an unacknowledged line twice": {func(e *evidence) {
			log(e, func(l []entry) []entry { return append(l, entry{6, "bob", "b2"}) })
		}, `"b2" is stored 2 times`},
		"a line in two rooms":                {func(e *evidence) { e.stored("ops", []entry{{1, "bob", "b4"}}) }, `"b4" is stored 2 times`},
		"another number than acknowledged":   {func(e *evidence) { e.bodies["a2"].seq = 4 }, `"a2" is stored as [{dev 3}]; it was acknowledged as 4`},
		"another room than acknowledged":     {func(e *evidence) { e.bodies["a2"].room = "ops" }, `"a2" is stored as [{dev 3}]; it was acknowledged as 3 of "ops"`},
		"a refused line":                     {func(e *evidence) { e.bodies["b2"].refused = "storage" }, `"b2" is stored as [{dev 4}] and was refused`},
		"a gap in the log":                   {func(e *evidence) { e.logs["dev"][4].seq = 6 }, `message 6 of "dev" stands in place of 5`},
		"a line that nobody said":            {func(e *evidence) { e.logs["dev"][3].body = "x" }, `message 4 of "dev" was said by nobody`},
		"a line of somebody else":            {func(e *evidence) { e.logs["dev"][3].sender = "ann" }, `message 4 of "dev" is by ann; bob said it`},
		"an answer to nobody":                {func(e *evidence) { e.ack(20, "x", 9) }, `"x" is answered, and nobody said it`},
		"two answers":                        {func(e *evidence) { e.ack(20, "b4", 5) }, `"b4" is answered twice`},
		"a refusal behind an acknowledgment": {func(e *evidence) { e.refuse(20, "b4", "storage") }, `"b4" is answered twice`},
		"a sender's lines out of order": {func(e *evidence) {
			e.bodies["b1"].invoked, e.bodies["b2"].invoked = 7, 2
		}, `message 4 of "dev" comes behind what bob said later`},
		"acknowledged before the one in front was sent": {func(e *evidence) {
			e.bodies["a1"].invoked, e.bodies["a2"].answered = 5, 4
			e.bodies["a2"].invoked = 5
		}, `message 3 of "dev" was acknowledged before one in front of it was sent`},
		"an acknowledgement behind a failed write": {failThenAck, `"b5" is acknowledged as 6 in "dev", which could not be stored to before`},
		"one where another room is well again": {func(e *evidence) {
			failThenAck(e)
			e.ended("ops")
		}, `"b5" is acknowledged as 6 in "dev", which could not be stored to before`},
		"a member with a gap": {func(e *evidence) {
			e.visits[0].seen = append(e.visits[0].seen[:2:2], e.visits[0].seen[3:]...)
		}, `ann in "dev" sees 4 in place of 3`},
		"a member with a double": {func(e *evidence) {
			s := e.visits[0].seen
			e.visits[0].seen = append(s[:3:3], s[2:]...)
		}, `ann in "dev" sees 3 in place of 4`},
		"a member who sees another text":       {func(e *evidence) { e.visits[0].seen[2].body = "x" }, `ann in "dev" sees 3 as "x" of ann, and it is "a2"`},
		"a member who sees another sender":     {func(e *evidence) { e.visits[0].seen[2].sender = "bob" }, `ann in "dev" sees 3 as "a2" of bob`},
		"a member who sees what is not stored": {func(e *evidence) { e.visits[0].seen = append(e.visits[0].seen, entry{6, "bob", "b3"}) }, `ann in "dev" sees 6, which is not stored`},
		"a member who misses the beginning":    {func(e *evidence) { e.visits[0].seen = e.visits[0].seen[1:] }, `ann in "dev" begins with 2, and came when there were 0`},
		"a member who has not caught up":       {func(e *evidence) { e.visits[0].seen = e.visits[0].seen[:4] }, `ann in "dev" has not seen 5 to 5`},
		"a member who has seen nothing":        {func(e *evidence) { e.visits[0].seen = nil }, `ann in "dev" has not seen 1 to 5`},
		"a log that is shorter than before":    {func(e *evidence) { e.stored("dev", e.logs["dev"][:4]) }, `the log of "dev" has 4 messages and had 5`},
		"a log that was changed since":         {func(e *evidence) { e.stored("dev", append([]entry{{1, "bob", "x"}}, e.logs["dev"][1:]...)) }, `message 1 of "dev" was changed`},
		"a log whose messages changed places": {func(e *evidence) {
			l := e.logs["dev"]
			e.stored("dev", []entry{{1, "ann", "a1"}, {2, "bob", "b1"}, l[2], l[3], l[4]})
		}, `message 1 of "dev" was changed`},
		"a log whose last message has no number": {func(e *evidence) { e.logs["dev"][4].seq = 0 }, `message 0 of "dev" stands in place of 5`},
	} {
		t.Run(name, func(t *testing.T) {
			e := good()
			c.harm(e)
			wrong := e.check()
			for _, w := range wrong {
				if strings.Contains(w, c.want) {
					return
				}
			}
			t.Fatalf("%s is not found, but:\n%s", c.want, strings.Join(wrong, "\n"))
		})
	}
}

// A history of fifty thousand lines is no more to the checker than a short one.
func TestCheckerTakesManyLines(t *testing.T) {
	e := newEvidence()
	v := e.enter("ann", "dev", 0)
	var log []entry
	for i := range 50_000 {
		body := strings.Repeat("x", 10) + time.Duration(i).String()
		e.invoke(time.Duration(2*i), "ann", "dev", body)
		e.ack(time.Duration(2*i+1), body, i+1)
		log = append(log, entry{i + 1, "ann", body})
	}
	v.seen = log
	e.stored("dev", log)
	if wrong := e.check(); len(wrong) > 0 {
		t.Fatal(wrong[0])
	}
}
