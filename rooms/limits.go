package rooms

import "time"

// Limits bounds what members may ask of a host. Every check in the program reads
// this struct; a zero field means no limit, except where noted.
type Limits struct {
	RoomID       int           // characters in a room's identifier; never zero
	Nick         int           // characters in a nick; never zero
	TopicBytes   int           // bytes in a topic
	TextBytes    int           // bytes in a message
	TextRunes    int           // runes in a message
	Rooms        int           // rooms on a host
	RoomMembers  int           // members in one room, whatever its own limit says
	HostMembers  int           // members connected to the host
	Sessions     int           // connections of one member at a time
	FileBytes    int64         // bytes in an attachment
	MemberBytes  int64         // bytes that a member may upload within a day of its first upload
	RoomBytes    int64         // bytes of files in one room
	DiskBytes    int64         // bytes of files on the host
	FreeBytes    int64         // bytes of the disk that files leave free
	Transfers    int           // files of one member under way at a time
	AllTransfers int           // files under way on the host at a time
	Burst        int           // messages a member may send at once; never zero with a Rate
	Rate         float64       // messages a second after the burst
	InviteUses   int           // most uses of one invite
	InviteLife   time.Duration // longest life of one invite
	RoomInvites  int           // live invites of one room
	PageMessages int           // messages in one page of history
}

// DefaultLimits are the limits of a host that was told nothing else.
func DefaultLimits() Limits {
	return Limits{
		RoomID:       48,
		Nick:         24,
		TopicBytes:   300,
		TextBytes:    8 << 10,
		TextRunes:    4000,
		Rooms:        256,
		RoomMembers:  1000,
		HostMembers:  5000,
		Sessions:     4,
		FileBytes:    256 << 20,
		MemberBytes:  512 << 20,
		RoomBytes:    512 << 20,
		DiskBytes:    1 << 30,
		FreeBytes:    64 << 20,
		Transfers:    4,
		AllTransfers: 128,
		Burst:        10,
		Rate:         2,
		InviteUses:   100,
		InviteLife:   30 * 24 * time.Hour,
		RoomInvites:  100,
		PageMessages: 256,
	}
}

// Defaults of an invite that names neither its uses nor its life.
const (
	DefaultInviteUses = 1
	DefaultInviteLife = 24 * time.Hour
)
