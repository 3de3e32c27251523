package rooms

// ChangeKind says what a Change does. Kinds are append-only: they are stored.
type ChangeKind uint8

// The durable changes. The fields that each uses stand behind it.
const (
	RoomCreated   ChangeKind = iota + 1 // Room, Name, Peer, N limit, Flags, Text topic
	RoomEnded                           // Room
	TopicSet                            // Room, Text
	LimitSet                            // Room, N
	NickClaimed                         // Peer, Name
	RoleSet                             // Room, Peer, N role
	MuteSet                             // Room, Peer, N 0 or 1
	BanSet                              // Room or none, Peer, Name, By, Text reason, Expires
	BanLifted                           // Room or none, Peer
	InviteMade                          // Room, ID, Hash, Peer, By nick, N uses, Expires
	InviteRevoked                       // ID
	InviteUsed                          // ID, Room, Peer: one use less, and Peer may enter Room
	Admitted                            // Room, Peer: may enter without an invite
	RetentionSet                        // Room, Age, Bytes, N messages
)

// Flags of a RoomCreated.
const (
	FlagPrivate   uint32 = 1 << 0
	FlagNoHistory uint32 = 1 << 1
)

// Change is one durable thing that happened in a Registry. It is flat, so that
// it can be stored as it is: the state of a host is the list of its changes.
type Change struct {
	Kind    ChangeKind
	Time    int64 // Unix milliseconds
	Room    RoomKey
	ID      string
	Name    string
	Peer    PeerID
	By      string
	Text    string
	N       int64
	Flags   uint32
	Expires int64 // Unix milliseconds; 0: never
	Hash    []byte
	Age     int64 // milliseconds
	Bytes   int64
}
