package rooms

import "time"

// Event is something a member is told: an answer to a command, or something
// that happened. The set is closed.
type Event interface{ event() }

// Role is what a member may do in a room. A higher role may all that a lower may.
type Role uint8

// The roles.
const (
	Plain    Role = 0
	Operator Role = 1 // of one room
	Owner    Role = 2 // of the host
)

// String returns the role's name in the JSON output.
func (r Role) String() string {
	switch r {
	case Operator:
		return "op"
	case Owner:
		return "owner"
	}
	return "member"
}

// Answers to commands. A *Refusal is one, too.
type (
	// Done says that it is done.
	Done struct{}

	// Said says that a line is on the host's disk.
	Said struct{ Seq Seq }

	// Entered says which room the member is in now, and from where its history
	// is being replayed: messages after From.Seq follow by themselves, those up
	// to Head as replayed ones. Members are some of those inside, by nick, at
	// most EnteredMembers; none when the member comes back. Diverged says that the
	// cursor that was asked for points into another history than the room's.
	Entered struct {
		Room    RoomInfo
		From    Cursor
		Head    Seq
		Role    Role
		Members []Member

		Diverged bool
	}

	// Listing lists public rooms, by identifier.
	Listing struct{ Rooms []RoomInfo }

	// Roster lists the members of a room, by nick.
	Roster struct {
		Room    RoomID
		Members []Member
	}

	// Page is a part of a room's history, oldest first.
	Page struct{ Messages []Message }

	// Found is what a Search found, oldest first. Next is what to search before to
	// find older ones; 0: there are none.
	Found struct {
		Messages []Message
		Next     Seq
	}

	// Shared is what Files found, oldest first. Next is what to ask before to find
	// older ones; 0: there are none.
	Shared struct {
		Messages []Message
		Next     Seq
	}

	// Invited carries a new invite. Link is its shareable form; the registry
	// leaves it empty, for only the host knows its own addresses.
	Invited struct {
		Invite     InviteInfo
		Capability Capability
		Link       string
	}

	// InviteList lists live invites, oldest first.
	InviteList struct{ Invites []InviteInfo }

	// BanList lists bans, oldest first.
	BanList struct{ Bans []BanInfo }

	// HostStatus tells about a running host.
	HostStatus struct {
		Version string
		Peer    PeerID
		Name    string
		Started time.Time
		Target  string // what to paste after "p2pchat join"
		Addrs   []string
		Rooms   []RoomInfo
		Members []Member // everybody connected; Path is how
		Disk    int64    // bytes of stored history
	}
)

// EnteredMembers bounds the members in an Entered.
const EnteredMembers = 32

// Happenings.
type (
	// Welcome is the first event of a session.
	Welcome struct {
		Peer    PeerID // the member's own
		Host    PeerID
		Name    string // the host's name
		Nick    string // as granted
		Version string // the host's program version
	}

	// Posted is a message of the room. Replayed ones were said before the
	// session reached the end of the history.
	Posted struct {
		Message
		Replayed bool
	}

	// Whispered is a line said to this member only, or (Own) by it.
	Whispered struct {
		From, To Author
		Text     string
		Own      bool
	}

	// MemberChanged tells about a member of the room: Joined, Left, Renamed
	// (Old is the nick before), Kicked, RoleChanged or Muted.
	MemberChanged struct {
		Room   RoomID
		What   MemberChange
		Member Member
		Old    string
		By     string // nick of the operator, where there is one
		Reason string
	}

	// RoomChanged tells a member about its room: it entered, left, was closed
	// or changed (topic, limit).
	RoomChanged struct {
		What   RoomChange
		Room   RoomInfo
		Reason string // with Left: why, where it was not the member's own wish
	}

	// Notice is a line from the host, or from the program itself.
	Notice struct{ Text string }

	// Answered carries the answer to a command among what happens, so that both
	// have one order. It comes from the client itself; Ref is what Send returned.
	Answered struct {
		Ref    uint64
		Answer Event
	}

	// Connection tells what became of the connection to the host. It comes
	// from the client itself, never over the wire.
	Connection struct {
		What ConnectionChange
		Why  string
	}

	// Whereabouts tells a client where the host can be reached now.
	Whereabouts struct {
		Addrs []HostAddr // the best first
	}

	// Path tells by which way the host is reached. It comes from the client itself.
	Path struct {
		Path      string // direct, mapped, punched, relayed, lan, local
		Transport string // tcp, quic, ws, unix, memory
		Addr      string
		RTT       time.Duration
		Why       string
	}
)

// MemberChange is what happened to a member.
type MemberChange uint8

// The member changes, append-only.
const (
	MemberJoined MemberChange = iota + 1
	MemberLeft
	MemberRenamed
	MemberKicked
	MemberRole
	MemberMuted
	MemberUnmuted
)

// String returns the change's name in the JSON output.
func (c MemberChange) String() string {
	return [...]string{"", "joined", "left", "renamed", "kicked", "role", "muted", "unmuted"}[min(c, MemberUnmuted)]
}

// RoomChange is what happened to a session's room.
type RoomChange uint8

// The room changes, append-only.
const (
	RoomEntered RoomChange = iota + 1
	RoomLeft
	RoomClosed
	RoomUpdated
)

// String returns the change's name in the JSON output.
func (c RoomChange) String() string {
	return [...]string{"", "entered", "left", "closed", "changed"}[min(c, RoomUpdated)]
}

// ConnectionChange is what happened to the connection to the host.
type ConnectionChange uint8

// The connection changes.
const (
	ConnectionLost     ConnectionChange = iota + 1 // trying again by itself
	ConnectionRestored                             // nothing was lost
	ConnectionGone                                 // for good; Why says why
)

// String returns the change's name in the JSON output.
func (c ConnectionChange) String() string {
	return [...]string{"", "lost", "restored", "gone"}[min(c, ConnectionGone)]
}

// Member is somebody in a room.
type Member struct {
	Peer  PeerID
	Nick  string
	Role  Role
	Muted bool
	Room  RoomID    // with Whois and HostStatus
	Since time.Time // with Whois: connected since
	Path  string    // with Whois and HostStatus, from the host's owner
}

// HostAddr is an address of a host, as a multiaddr, and by which path it leads there.
type HostAddr struct{ Addr, Path string }

// RoomInfo is what a listing tells about a room.
type RoomInfo struct {
	Room      RoomID
	Members   int
	Limit     int // 0: none of its own
	Topic     string
	Private   bool
	NoHistory bool
	Retention Retention
}

// InviteInfo is what operators see of an invite.
type InviteInfo struct {
	ID      string // short identifier, for Revoke
	Room    RoomID
	By      string // nick of the creator
	Uses    int
	MaxUses int
	Expires time.Time // zero: never
}

// BanInfo is what operators see of a ban.
type BanInfo struct {
	Peer    PeerID
	Nick    string
	Room    RoomID // empty: the whole host
	By      string
	Reason  string
	Expires time.Time // zero: never
}

func (Done) event()          {}
func (Said) event()          {}
func (Entered) event()       {}
func (Listing) event()       {}
func (Roster) event()        {}
func (Page) event()          {}
func (Found) event()         {}
func (Shared) event()        {}
func (Invited) event()       {}
func (InviteList) event()    {}
func (BanList) event()       {}
func (HostStatus) event()    {}
func (Member) event()        {}
func (*Refusal) event()      {}
func (Welcome) event()       {}
func (Posted) event()        {}
func (Whispered) event()     {}
func (MemberChanged) event() {}
func (RoomChanged) event()   {}
func (Notice) event()        {}
func (Answered) event()      {}
func (Connection) event()    {}
func (Path) event()          {}
func (Whereabouts) event()   {}
