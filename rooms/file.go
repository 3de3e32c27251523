package rooms

import (
	"encoding/hex"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"
)

// Hash is the SHA-256 of a file's content. The zero Hash stands for none.
type Hash [32]byte

// String returns the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText makes JSON of it: hex, or nothing for no hash.
func (h Hash) MarshalText() ([]byte, error) {
	if h == (Hash{}) {
		return nil, nil
	}
	return hex.AppendEncode(nil, h[:]), nil
}

// UnmarshalText is the inverse of MarshalText.
func (h *Hash) UnmarshalText(b []byte) error {
	*h = Hash{}
	if len(b) == 0 {
		return nil
	}
	if n, err := hex.Decode(h[:], b[:min(len(b), 2*len(h))]); err != nil || len(b) != 2*len(h) || n != len(h) {
		return errors.New("not the hex form of a SHA-256")
	}
	return nil
}

// File describes an attachment. All of it but ID and Hash is what the sender's client
// said, and untrusted.
type File struct {
	ID   string // identifier on the host
	Name string // what the sender called it
	Size int64  // bytes
	MIME string // by content
	Hash Hash   // of the content; the host has compared it

	Preview  []byte        // a small picture, an image file of at most PreviewBytes; empty: none
	Width    int           // of a picture or a video, in pixels; 0: not known
	Height   int           // likewise
	Duration time.Duration // of what plays, to the millisecond; 0: not known
}

// Limits of a file's description that no host changes: they are part of the protocol.
const (
	PreviewBytes  = 12 << 10
	FileNameBytes = 255
	FileMIMEBytes = 255
	FilePixels    = 1 << 24 // in one direction
	FileDuration  = 1000 * time.Hour
)

// ClaimLife is how long an upload waits to be posted before its content is removed,
// and an upload that was cut off to be continued.
const ClaimLife = 24 * time.Hour

// Claim is an upload that is complete: its member may post it to the room that it was
// uploaded to, once.
type Claim struct {
	Peer PeerID
	File File
	Made time.Time
}

// Usage is what files take at some moment, in bytes, uploads that are under way
// included with what they will take.
type Usage struct {
	Member int64 // uploaded by the member within its day
	Room   int64
	Disk   int64 // all files of the host
	Free   int64 // left of the disk; negative: not known

	Waiting int // complete uploads of the member that are not posted yet
}

// MaxClaims is how many uploads of a member may wait to be posted.
const MaxClaims = 64

// CheckFile tells whether a host takes a file of this description.
func (l Limits) CheckFile(f File) *Refusal {
	switch {
	case f.Size < 0 || f.Hash == Hash{}:
		return Refuse(BadRequest, "send the file again", "this describes no file")
	case l.FileBytes > 0 && f.Size > l.FileBytes:
		return Refuse(TooLarge, "share a smaller one, or a part of it", "this file has %s, %s are allowed on this host", ByteCount(f.Size), ByteCount(l.FileBytes))
	case !isFileName(f.Name):
		return Refuse(BadName, "give it another name", "a file's name has 1 to %d bytes, and no / and no control characters", FileNameBytes)
	case len(f.MIME) > FileMIMEBytes || !utf8.ValidString(f.MIME):
		return Refuse(BadRequest, "send it without a type", "this is no type of a file")
	case len(f.Preview) > PreviewBytes:
		return Refuse(TooLarge, "make it smaller", "the preview has %d bytes, %d are allowed", len(f.Preview), PreviewBytes)
	case f.Width < 0 || f.Width > FilePixels || f.Height < 0 || f.Height > FilePixels || f.Duration < 0 || f.Duration > FileDuration:
		return Refuse(BadRequest, "send it without that", "no picture is as large, and nothing plays as long, as this file is said to")
	}
	return nil
}

// isFileName tells whether a name can be passed on. Whoever saves a file makes a name
// for it that is safe there.
func isFileName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > FileNameBytes || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if r == '/' || r == '\\' || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// CheckUpload tells whether there is room for size more bytes.
func (l Limits) CheckUpload(u Usage, size int64) *Refusal {
	over := func(limit, used int64) bool { return limit > 0 && used+size > limit }
	switch {
	case u.Waiting >= MaxClaims:
		return Refuse(Quota, "share those first", "you have %d uploads that are not shared yet", u.Waiting)
	case over(l.MemberBytes, u.Member):
		return Refuse(Quota, "go on tomorrow, or ask the owner of the host for a higher --member-quota",
			"you have uploaded %s of the %s that a member may within a day, and this needs %s", ByteCount(u.Member), ByteCount(l.MemberBytes), ByteCount(size))
	case over(l.RoomBytes, u.Room):
		return Refuse(Quota, "remove files with /redact, or ask the owner of the host for a higher --room-quota",
			"this room has %s of the %s of files that it may have, and this needs %s", ByteCount(u.Room), ByteCount(l.RoomBytes), ByteCount(size))
	case over(l.DiskBytes, u.Disk):
		return Refuse(Quota, "remove files with /redact, or ask the owner of the host for a higher --disk-quota",
			"the host has no room for %s: its files may take %s in all", ByteCount(size), ByteCount(l.DiskBytes))
	case u.Free >= 0 && u.Free-size < l.FreeBytes:
		return Refuse(Storage, "try again later, or tell the owner of this host", "the disk of the host has no room for %s", ByteCount(size))
	}
	return nil
}

// NoSuchUpload is what a member gets who may not see a file, whether there is one or not.
func NoSuchUpload() *Refusal {
	return Refuse(NoSuchFile, "/files shows those of this room", "there is no such file in a room that you are in")
}

// Shares tells into which room's files a member may put one of its own, and whose it may
// fetch: those of the room by this identifier, while it is in there. Everybody else is
// told the same, whether there is such a room or not.
func (r *Registry) Shares(peer PeerID, id RoomID) (RoomKey, *Refusal) {
	room := r.rooms[r.byName[id.fold()]]
	if room == nil || room.present[peer] == 0 {
		return RoomKey{}, NoSuchUpload()
	}
	return room.key, nil
}

// MayUpload tells whether a member may put a file into a room that it shares.
func (r *Registry) MayUpload(peer PeerID, key RoomKey) *Refusal {
	switch room := r.rooms[key]; {
	case room == nil:
		return NoSuchUpload()
	case room.muted[peer]:
		return muted()
	case room.noHistory:
		return Refuse(Denied, "share it in a room with a history: /create ID makes one", "room %q keeps no history, and so no files", room.id)
	}
	return nil
}

// upload is a Claim as the room knows it.
type upload struct {
	Claim
	posted Seq // 0: not yet
}

// Offer lets a member post an upload.
func (r *Room) Offer(c Claim) {
	for id, u := range r.uploads {
		if c.Made.Sub(u.Made) > ClaimLife {
			delete(r.uploads, id)
		}
	}
	r.uploads[c.File.ID] = &upload{Claim: c}
}

// shared finds the upload that a command posts; nil where it posts none.
func (r *Room) shared(now time.Time, p *speaker, cmd Say) (*upload, *Refusal) {
	if cmd.Kind != FileUp {
		return nil, nil
	}
	u := r.uploads[cmd.File]
	if u == nil || u.Peer != p.author.Peer || u.posted != 0 || now.Sub(u.Made) > ClaimLife {
		return nil, Refuse(NoSuchFile, "send the file again", "you have uploaded no such file to this room within %v, or have shared it already", ClaimLife)
	}
	return u, nil
}
