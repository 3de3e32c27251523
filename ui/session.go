package ui

import (
	"time"

	"p2pchat/rooms"
)

// Session is what the ui needs of a connection to a host.
type Session interface {
	// Send hands a command over, in order, and does not wait for the network.
	// The answer (what the command's comment names, or a *rooms.Refusal) comes
	// among the Events, as an Answered with the ref that Send returns.
	Send(cmd rooms.Command) (ref uint64)
	// Events are the answers and the things that happen, in one order; closed
	// when the session is over.
	Events() <-chan rooms.Event
	// Close ends the session; Events is closed soon after.
	Close() error
}

// Options are what a chat is made of. Session and Now are always needed,
// Terminal by Chat.
type Options struct {
	Session  Session
	Terminal Terminal // the caller opens and closes it
	Color    int      // how many colours the terminal has, see ColorDepth

	Now   func() time.Time
	After func(time.Duration) <-chan time.Time // time.After when nil

	// ParseInvite reads an invite link; when nil, no invite is valid.
	ParseInvite func(string) (rooms.Capability, error)

	// These say which room to enter at the start: this one, the one of the invite, or, with
	// both, this one, by the invite where that is needed; or one that is made.
	Room   string
	Invite rooms.Capability
	Create *rooms.Create

	Notebook Notebook // nil: nothing outlives the chat
	Depot    Depot    // nil: no files are sent or fetched
	People   People   // nil: nobody is remembered after the chat

	// Words returns the fingerprint of a key as words; nil: keys have none.
	Words func(rooms.PeerID) ([]string, error)

	Recent   int           // messages to replay when a room is entered
	Owner    bool          // this is the console of the host itself
	Commands bool          // Pipe: a line that begins with "/" is a command
	Escape   bool          // JSON: the output is a terminal, escape what could steer it
	Links    bool          // Chat: the terminal shows hyperlinks, see Hyperlinks
	Bell     Bell          // Chat: when to ring
	Notify   Notify        // Chat: how to tell the desktop, when the bell rings
	Linger   time.Duration // at the end, how long a lost connection is waited for; 0: DefaultLinger
}

// DefaultLinger is how long a chat that has work left waits for a lost connection.
const DefaultLinger = 15 * time.Second

// entry returns the command that enters the room to start in, or nil.
func (o *Options) entry() rooms.Command {
	switch {
	case o.Create != nil:
		return *o.Create
	case o.Room != "" || o.Invite != (rooms.Capability{}):
		return rooms.Join{Room: o.Room, Invite: o.Invite, Recent: o.Recent}
	}
	return nil
}

// parser returns how lines are read in a chat with these options.
func (o *Options) parser() parser {
	return parser{now: o.Now, invite: o.ParseInvite, recent: o.Recent}
}
