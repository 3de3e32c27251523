package ui

import (
	"fmt"
	"strings"
	"time"

	"p2pchat/rooms"
)

// MessageObject is a stored message as JSON shows it.
func MessageObject(m rooms.Message) any {
	return messageEvent{head{V: 1, Type: messageType(m.Kind)}, messageOf(m, false, false)}
}

// MessageLine is a message as one line of a pipe: time, room, nick and text with
// tabs between them, nothing in it that could steer a terminal.
func MessageLine(m rooms.Message) string {
	text := m.Text
	switch m.Kind {
	case rooms.Redaction:
		text = fmt.Sprintf("* removed message %d", m.Target)
	case rooms.Lost:
		text = "(a message that the host's disk has lost)"
	case rooms.Action:
		text = "* " + text
	case rooms.FileUp:
		text = strings.TrimSuffix(fileLine(m.File)+": "+text, ": ")
	}
	if m.Redacted {
		text = "(removed)"
	}
	return fmt.Sprintf("%s\t#%s\t%s\t%s", m.Time.UTC().Format(time.RFC3339), field(string(m.Room)), field(m.From.Nick), field(text))
}

// fileLine describes a file within a line.
func fileLine(f *rooms.File) string {
	if f == nil {
		return "[file]"
	}
	return "[file] " + fileName(*f) + " · " + fileFacts(*f)
}
