package ui

import (
	"fmt"

	"p2pchat/rooms"
)

// What is shown of a room that is entered.
const (
	contextShown = 50  // messages, seen before or not
	missedShown  = 200 // of those that are new
)

// missed is what was said in the room while the person was away.
type missed struct {
	known bool      // the room was read before
	read  rooms.Seq // up to here
	head  rooms.Seq // what is behind it was said since
	skip  rooms.Seq // what is up to here is not shown
	told  bool      // the mark is on the screen
}

// missedSince tells what is new in a room that was entered, and where to begin to show it.
func missedSince(ev rooms.Entered, read rooms.Seq, known bool, context int) missed {
	if context == 0 {
		context = contextShown
	}
	m := missed{known: known, read: read, head: ev.Head, skip: before(ev.Head, context)}
	if known {
		m.skip = min(m.skip, max(read, before(ev.Head, missedShown)))
	}
	return m
}

func before(head rooms.Seq, n int) rooms.Seq { return head - min(head, rooms.Seq(n)) }

// isNew reports whether a message was not seen before.
func (m *missed) isNew(seq rooms.Seq) bool { return m.known && seq > m.read }

// mark returns what stands above the first message that is new, when this is it; "" else.
// some: not all that follow may be shown, for somebody is ignored.
func (m *missed) mark(seq rooms.Seq, some bool) string {
	if m.told || !m.isNew(seq) || seq > m.head {
		return ""
	}
	m.told = true
	upTo := ""
	if some && seq < m.head {
		upTo = "up to "
	}
	if m.skip > m.read {
		return fmt.Sprintf("%s%d new while you were away, the last %d follow; /history 2h shows earlier ones --", upTo, m.head-m.read, m.head-seq+1)
	}
	return fmt.Sprintf("%s%d new while you were away --", upTo, m.head-seq+1)
}

// wider asks for as much as is shown of what is new in a room that was read before.
func (c *chat) wider(cmd rooms.Command) rooms.Command {
	c.account.head(cmd)
	j, ok := cmd.(rooms.Join)
	if !ok || !c.account.keeps() {
		return cmd
	}
	j.Recent = max(j.Recent, missedShown)
	return j
}
