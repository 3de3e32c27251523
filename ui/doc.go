// Package ui answers: what does the person type and see?
//
// [Chat] talks to a person at a [Terminal], [Pipe] to a shell pipeline, [JSON]
// to a program, [Follow] only listens. All four turn what is typed into a
// rooms.Command, hand it to a [Session], and turn every rooms.Event that comes
// back into text. The package knows no sockets and reads no clock of its own:
// the session, the terminal and the time are handed in.
//
// One loop owns the state of a chat. A goroutine reads lines and hands them over
// one at a time; a worker for each file that is on its way tells how that goes; the
// loop takes lines, answers, events and these in turn, so nothing that it owns needs a
// lock.
//
// Guarantees:
//
//   - Every string from another person (nick, room, topic, text, reason, file
//     name, host name, link, refusal) passes a sanitiser at the render edge; the
//     JSON lines carry the exact text.
//   - A message cannot forge another: every row but its first begins with an
//     indent and a bar. The widths of the widest terminal count, and where they may
//     still be wrong the terminal is told not to wrap. Only a link that is marked as
//     one, and an invite (p2pchat: and base32), wider than the screen, is left to the
//     terminal to wrap, as it could not be followed in pieces; and what is on the screen
//     already, when the terminal becomes narrower.
//   - A command has exactly one answer, and it comes before what it caused: what
//     happens in a room waits until the answer that entered the room is shown.
//   - A line that the host refuses as too fast is not lost: it waits, and is said
//     again in its turn. Only the person, or leaving the room, gives it up.
//   - The end of the input finishes what was asked, then leaves.
//
// The slash commands are one table, see [CommandsMarkdown]: parsing, help,
// completion, documentation and the JSON request "line" are made from it.
package ui
