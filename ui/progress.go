package ui

import (
	"fmt"
	"path/filepath"
	"strings"

	"p2pchat/rooms"
)

// transferring is the part of the status row about files on their way.
func (c *chat) transferring() string {
	running := c.loop.files.running
	if len(running) == 0 {
		return ""
	}
	x := running[0]
	text := transferText(x, c.term.Width(), c.loop.away)
	if n := len(running) - 1; n > 0 {
		text += fmt.Sprintf(", %d more", n)
	}
	return text
}

// barWidth is how wide a bar is, on a screen that has room for one.
const barWidth = 10

// transferText says how far a file has come: "↑ clip.mp4 86% [####  ] 4.2 MiB/s, 12s left, /cancel 2".
func transferText(x *transfer, columns int, away bool) string {
	arrow := "↓ "
	if x.up {
		arrow = "↑ "
	}
	text := arrow + progressText(x.name, x.progress, columns)
	switch {
	case away:
		text += " waits for the host"
	case !x.progress.Preparing && x.pace.speed > 0:
		text += " " + byteSize(int64(x.pace.speed)) + "/s"
		if left := x.pace.left(x.progress); left > 0 {
			text += ", " + lasting(left) + " left"
		}
	}
	return fmt.Sprintf("%s, /cancel %d", text, x.n)
}

// ProgressText says how far a file has come that is sent, in one row of a terminal of
// this many columns.
func ProgressText(path string, p Progress, columns int) string {
	return CutRow("sending "+progressText(filepath.Base(path), p, columns), columns)
}

func progressText(name string, p Progress, columns int) string {
	text := fileName(rooms.File{Name: name})
	part := p.percent()
	switch {
	case p.Preparing && p.Total == 0:
		return text + " is looked at"
	case p.Preparing:
		return fmt.Sprintf("%s is read, %d%%", text, part)
	}
	text += fmt.Sprintf(" %d%%", part)
	if columns >= 80 {
		full := barWidth * part / 100
		text += " [" + strings.Repeat("#", full) + strings.Repeat(" ", barWidth-full) + "]"
	}
	return text
}
