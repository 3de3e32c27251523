package rooms

import "time"

// Command is something a member asks of the host. The set is closed: only this
// package makes kinds of commands.
type Command interface{ command() }

// The commands. Names of rooms and members are as typed; the Registry checks them.
type (
	// List asks for the public rooms whose identifier contains Pattern (or
	// matches it, where it holds a *), ignoring case. Answer: Listing.
	List struct{ Pattern string }

	// Create makes a room and enters it. Answer: Entered.
	Create struct {
		Room      string
		Limit     int // members; 0: only the host's own limit
		Private   bool
		Topic     string
		NoHistory bool // lines reach the members and are not kept
	}

	// Join enters a room by its identifier, or by an invite. With both it enters
	// the room of that identifier; the invite counts where it has to, and only
	// for that room. After, when not
	// nil, is the cursor to continue from; otherwise the last Recent messages
	// are replayed. Answer: Entered.
	Join struct {
		Room   string
		Invite Capability
		After  *Cursor
		Recent int
	}

	// Leave leaves the room. Answer: Done.
	Leave struct{}

	// Who asks who is in the room. Answer: Roster.
	Who struct{}

	// Rename takes another nick. Answer: Done.
	Rename struct{ Nick string }

	// Away says that the member is away, and why; with an empty Text, that it is
	// back. It is also back when it says something in a room. Answer: Done.
	Away struct{ Text string }

	// Say says something in the room, or shares a file that this member has uploaded
	// to it. Answer: Said, once it is on disk.
	Say struct {
		Kind   Kind   // Text, Action or FileUp
		Text   string // with FileUp: the caption, which may be empty
		File   string // with FileUp, and only then: the File.ID that the host gave to the upload
		Origin Origin
	}

	// History asks for messages of the room: with Last, the Limit newest;
	// otherwise those after After and not before Since, at most Limit.
	// Limit 0 means a full page. Answer: Page.
	History struct {
		After Seq
		Since time.Time
		Last  bool
		Limit int
	}

	// Search asks for messages of the room whose text, or whose file's name,
	// contains Text, ignoring case: the newest ones before Before (0: of all), at
	// most Limit (0: a full page). Answer: Found.
	Search struct {
		Text   string
		Before Seq
		Limit  int
	}

	// Files asks for the messages of the room that shared a file which is still there:
	// the newest ones before Before (0: of all), at most Limit (0: a full page).
	// Answer: Shared.
	Files struct {
		Before Seq
		Limit  int
	}

	// Redact takes the text of a message out of the room's history, for good. Its
	// author may, and an operator. Seq 0 is the member's own last message. Answer:
	// Done.
	Redact struct{ Seq Seq }

	// SetRetention sets how much of its history the room keeps. Answer: Done.
	SetRetention struct{ Retention }

	// Whisper says something to one member only. It is not kept. Answer: Done.
	Whisper struct {
		Nick string
		Text string
	}

	// Topic sets the room's topic. Answer: Done.
	Topic struct{ Text string }

	// SetLimit sets how many members the room takes; 0: only the host's own
	// limit. Nobody who is inside is put out. Answer: Done.
	SetLimit struct{ Limit int }

	// Invite makes an invite to Room (empty: the room the member is in).
	// Uses 0 and Life 0 mean the defaults; a negative Life never ends.
	// Answer: Invited.
	Invite struct {
		Room string
		Uses int
		Life time.Duration
	}

	// Invites asks for the live invites of the room (or, from the host's
	// owner outside of a room, of all). Answer: InviteList.
	Invites struct{ Room string }

	// Revoke ends an invite by its identifier. Answer: Done.
	Revoke struct{ ID string }

	// Kick puts a member out of the room. Answer: Done.
	Kick struct{ Nick, Reason string }

	// Ban puts a member out of the room and keeps the key out; from the host's
	// owner outside of a room, out of the host. Who is a nick or a peer ID.
	// Life 0 is for good. Answer: Done.
	Ban struct {
		Who    string
		Life   time.Duration
		Reason string
	}

	// Unban ends a ban. Who is a nick or a peer ID. Answer: Done.
	Unban struct{ Who string }

	// Bans asks for the bans of the room (or the host). Answer: BanList.
	Bans struct{}

	// Mute keeps a member of the room from speaking, or lets it speak again.
	// Answer: Done.
	Mute struct {
		Nick  string
		Muted bool
	}

	// Op makes a member an operator of the room, or ends that. Answer: Done.
	Op struct {
		Nick string
		Op   bool
	}

	// Whois asks about a member. Answer: Member.
	Whois struct{ Nick string }

	// Close ends a room: its members are put out, its name is free again, its
	// history stays on the host's disk. Answer: Done.
	Close struct{ Room string }

	// Status asks for the state of the host; only its owner may. Answer: HostStatus.
	Status struct{}

	// Ping asks for an answer. Answer: Done.
	Ping struct{}

	// Quit ends the session. The host answers Done and closes; a client says it when it closes. A connection
	// that ends without it was lost, and its member keeps its seat for a moment.
	Quit struct{ Reason string }
)

func (List) command()         {}
func (Create) command()       {}
func (Join) command()         {}
func (Leave) command()        {}
func (Who) command()          {}
func (Rename) command()       {}
func (Away) command()         {}
func (Say) command()          {}
func (History) command()      {}
func (Search) command()       {}
func (Files) command()        {}
func (Redact) command()       {}
func (SetRetention) command() {}
func (Whisper) command()      {}
func (Topic) command()        {}
func (SetLimit) command()     {}
func (Invite) command()       {}
func (Invites) command()      {}
func (Revoke) command()       {}
func (Kick) command()         {}
func (Ban) command()          {}
func (Unban) command()        {}
func (Bans) command()         {}
func (Mute) command()         {}
func (Op) command()           {}
func (Whois) command()        {}
func (Close) command()        {}
func (Status) command()       {}
func (Ping) command()         {}
func (Quit) command()         {}

// Capability is what an invite gives to its holder: the room's key and a secret.
// The host keeps only a hash of the secret.
type Capability struct {
	Room   RoomKey
	Secret [16]byte
}

// RoomKey identifies a room for ever: random, the same across renames and
// restarts, never shown. Its hex form names the room's directory.
type RoomKey [16]byte
