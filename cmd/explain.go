package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// shellHints are the next steps of a person at a shell prompt, who can't type
// the commands of the chat.
var shellHints = map[rooms.Code]string{
	rooms.RoomExists:    "leave --create out to enter it, or choose another name",
	rooms.NoSuchRoom:    "p2pchat join TARGET --room ID --create makes it",
	rooms.RoomFull:      "try again later, or ask an operator of the room to raise its limit",
	rooms.NameTaken:     "--nick NAME takes another",
	rooms.NotInRoom:     "say which with --room ID",
	rooms.Denied:        "ask an operator of the room",
	rooms.Banned:        "ask an operator of the room to take the ban back",
	rooms.InviteInvalid: "p2pchat invite list shows them",
	rooms.Quota:         "p2pchat invite list shows them, p2pchat invite revoke ID ends one",
}

// chatHint finds the commands of the chat in a hint: /list, but not a/b.
var chatHint = regexp.MustCompile(`(^|\s)/[a-z]+([\s,;:.]|$)`)

// atShell gives a refusal the hint for a shell when its own is for the chat.
func atShell(r *rooms.Refusal) *rooms.Refusal {
	if !chatHint.MatchString(r.Hint) {
		return r
	}
	adapted := *r
	adapted.Hint = shellHints[r.Code]
	return &adapted
}

// refusalOf gives an error the form in which programs read it. Our own errors have the
// next step behind a semicolon, as a refusal writes it.
func refusalOf(err error) *rooms.Refusal {
	var refusal *rooms.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	code := rooms.BadRequest
	if path := (*fs.PathError)(nil); errors.As(err, &path) || errors.Is(err, node.ErrDamagedKey) {
		code = rooms.Storage
	}
	message, hint, _ := strings.Cut(err.Error(), "; ")
	return rooms.Refuse(code, hint, "%s", message)
}

// explain tells why a command has failed, for people at a shell or, unless they have been
// told, for programs.
func (s *settings) explain(err error) error {
	var silent silentError
	var refusal *rooms.Refusal
	switch {
	case err == nil || errors.As(err, &silent):
		return err
	case s.json:
		refusal = refusalOf(err)
		newReporter(true, stdout, os.Stderr).line(map[string]any{
			"type": "error", "code": refusal.Code, "message": refusal.Message, "hint": refusal.Hint,
		})
		return silentError{err}
	case errors.As(err, &refusal):
		if adapted := atShell(refusal); adapted != refusal {
			return adapted
		}
	}
	return err
}

// brokenInvite is the error for a text that is not a whole invite.
func brokenInvite(err error) error {
	return rooms.Refuse(rooms.InviteInvalid, "copy it again, from p2pchat: to its last character, or ask for a new one", "%s", err)
}

// shellSession is a session whose refusals have hints for a shell.
type shellSession struct {
	ui.Session
	events chan rooms.Event
}

// newShellSession passes the events of a session on until it or ctx ends.
func newShellSession(ctx context.Context, s ui.Session) *shellSession {
	adapted := &shellSession{s, make(chan rooms.Event)}
	go func() {
		defer close(adapted.events)
		for e := range s.Events() {
			if a, ok := e.(rooms.Answered); ok {
				if refusal, ok := a.Answer.(*rooms.Refusal); ok {
					e = rooms.Answered{Ref: a.Ref, Answer: atShell(refusal)}
				}
			}
			select {
			case adapted.events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return adapted
}

// Events are those of the session, with hints for a shell.
func (s *shellSession) Events() <-chan rooms.Event { return s.events }
