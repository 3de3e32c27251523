package ui

import (
	"fmt"
	"time"

	"p2pchat/rooms"
)

// unsent says of a line of an earlier run that it is not sent, with all of its text.
func unsent(l rooms.Message, now time.Time, why string) string {
	at := l.Time.In(now.Location())
	day := "from " + at.Format("2 January 15:04")
	if now.Sub(at) < 6*24*time.Hour {
		day = "from " + at.Format("Monday 15:04")
	}
	if sameDay(at, now) {
		day = "from " + at.Format("15:04")
	}
	room := ""
	if l.Room != "" {
		room = " for #" + string(l.Room)
	}
	return fmt.Sprintf("not sent%s: what you typed%s, %s: %s", why, room, day, whole(l.Text))
}

// whole quotes all of what was said.
func whole(text string) string { return `"` + Sanitize(text) + `"` }

// Why a line of an earlier run is not sent.
const (
	becauseOld     = ", it is too old by now"
	becauseGone    = ", there is no such room any more"
	becauseAnother = ", it can't be told whether it was said already"
)

// anotherCopy tells that the host's history is not the one that was read.
func anotherCopy(read, head rooms.Seq) string {
	if read == head+1 {
		return "the host's copy of this room is an older one: the last message that you saw is not in it; its latest follow"
	}
	if read > head {
		return fmt.Sprintf("the host's copy of this room is an older one: the last %d messages that you saw are not in it; its latest follow", read-head)
	}
	return "the host's copy of this room is not the one that you saw before: what was said here may be missing from it; its latest messages follow"
}

// notKept tells that messages were removed before they were read.
func notKept(n rooms.Seq) string {
	return fmt.Sprintf("%s said while you were away %s no longer kept", plural(int(n), "message"), isAre(int(n)))
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func waitForm(n int) string {
	if n == 1 {
		return "waits"
	}
	return "wait"
}
