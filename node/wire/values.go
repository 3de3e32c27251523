package wire

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// clip returns s as UTF-8 of at most limit bytes, cut between characters.
func clip(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

func name(s string) string { return clip(s, nameLimit) }

func note(s string) string { return clip(s, noteLimit) }

func peer(id rooms.PeerID) string { return clip(string(id), peerLimit) }

func room(id rooms.RoomID) string { return clip(string(id), nameLimit) }

// count keeps a negative number, for the host to refuse.
func count(n int) int32 { return int32(min(max(n, math.MinInt32), math.MaxInt32)) }

// milli returns t in milliseconds since 1970; 0 for no time, and so for the
// first millisecond of 1970 too.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return min(max(t.UnixMilli(), firstMilli), lastMilli)
}

// lifeMilli returns d in milliseconds, rounded away from zero: a short time must
// not become none, nor a negative one.
func lifeMilli(d time.Duration) int64 {
	n := int64(d / time.Millisecond)
	switch rest := d % time.Millisecond; {
	case rest > 0:
		n++
	case rest < 0:
		n--
	}
	return min(max(n, -lastLife), lastLife)
}

// putMessage fills m, which must be empty.
func putMessage(m *pb.Message, v *rooms.Message) {
	m.Room = room(v.Room)
	m.Seq = uint64(v.Seq)
	m.Time = milli(v.Time)
	m.Kind = pb.Kind(v.Kind)
	m.Peer = peer(v.From.Peer)
	m.Nick = name(v.From.Nick)
	m.Text = clip(v.Text, TextLimit)
	m.Client = v.Origin.Client
	m.Count = v.Origin.Count
	m.Target = uint64(v.Target)
	m.Mark = uint64(v.Mark)
	m.Redacted = v.Redacted
	if v.File != nil {
		m.File = putFile(v.File)
	}
}

func takeMessage(c *check, m *pb.Message) rooms.Message {
	v := rooms.Message{
		Room:     rooms.RoomID(c.need("message.room", m.Room, nameLimit)),
		Seq:      rooms.Seq(m.Seq),
		Time:     c.time("message.time", m.Time),
		Kind:     rooms.Kind(c.enum("message.kind", int32(m.Kind), uint8(rooms.Text), uint8(rooms.Lost))),
		From:     rooms.Author{Peer: c.peerOrNone("message.peer", m.Peer), Nick: c.name("message.nick", m.Nick)},
		Text:     c.text("message.text", m.Text, TextLimit),
		Origin:   rooms.Origin{Client: m.Client, Count: m.Count},
		Target:   rooms.Seq(m.Target),
		Redacted: m.Redacted,
		Mark:     rooms.Mark(m.Mark),
	}
	c.must("message.seq", m.Seq > 0)
	if v.Kind != rooms.Lost {
		c.must("message.peer", v.From.Peer != "")
		c.must("message.nick", v.From.Nick != "")
	}
	if m.File != nil {
		v.File = takeFile(c, m.File)
	}
	if c.newer {
		return v
	}
	// Readers follow File without a look when the kind says that it is there.
	if (v.Kind == rooms.FileUp && !v.Redacted) != (v.File != nil) {
		c.fail("message.file", "must be there with the kind file, and only then")
	}
	if (v.Kind == rooms.Redaction) != (v.Target != 0) {
		c.fail("message.target", "must be there with the kind redaction, and only then")
	}
	return v
}

func putCursor(v rooms.Cursor) *pb.Cursor {
	return &pb.Cursor{Epoch: v.Epoch, Seq: uint64(v.Seq), Mark: uint64(v.Mark)}
}

func takeCursor(m *pb.Cursor) rooms.Cursor {
	return rooms.Cursor{Epoch: m.GetEpoch(), Seq: rooms.Seq(m.GetSeq()), Mark: rooms.Mark(m.GetMark())}
}

// putCapability returns nil for the zero Capability, which stands for none.
func putCapability(v rooms.Capability) *pb.Capability {
	if v == (rooms.Capability{}) {
		return nil
	}
	return &pb.Capability{Room: v.Room[:], Secret: v.Secret[:]}
}

func takeCapability(c *check, m *pb.Capability) rooms.Capability {
	if m == nil {
		return rooms.Capability{}
	}
	return rooms.Capability{
		Room:   c.key("capability.room", m.Room),
		Secret: c.key("capability.secret", m.Secret),
	}
}

func putAuthor(v rooms.Author) *pb.Author {
	return &pb.Author{Peer: peer(v.Peer), Nick: name(v.Nick)}
}

func takeAuthor(c *check, m *pb.Author) rooms.Author {
	return rooms.Author{
		Peer: c.peerOrNone("author.peer", m.GetPeer()),
		Nick: c.need("author.nick", m.GetNick(), nameLimit),
	}
}

func putMember(v rooms.Member) *pb.Member {
	return &pb.Member{
		Peer: peer(v.Peer), Nick: name(v.Nick), Role: pb.Role(v.Role), Muted: v.Muted,
		Room: room(v.Room), Since: milli(v.Since), Path: clip(v.Path, pathLimit),
	}
}

func takeMember(c *check, m *pb.Member) rooms.Member {
	return rooms.Member{
		Peer:  c.peer("member.peer", m.GetPeer()),
		Nick:  c.name("member.nick", m.GetNick()),
		Role:  takeRole(c, m.GetRole()),
		Muted: m.GetMuted(),
		Room:  c.room("member.room", m.GetRoom()),
		Since: c.time("member.since", m.GetSince()),
		Path:  c.text("member.path", m.GetPath(), pathLimit),
	}
}

func takeRole(c *check, role pb.Role) rooms.Role {
	return rooms.Role(c.enum("role", int32(role), uint8(rooms.Plain), uint8(rooms.Owner)))
}

func putRoomInfo(v rooms.RoomInfo) *pb.RoomInfo {
	return &pb.RoomInfo{
		Room: room(v.Room), Members: count(v.Members), Limit: count(v.Limit),
		Topic: note(v.Topic), Private: v.Private, NoHistory: v.NoHistory, Retention: putRetention(v.Retention),
	}
}

// putRetention returns nil for the zero Retention, which sets no bound.
func putRetention(v rooms.Retention) *pb.Retention {
	if v == (rooms.Retention{}) {
		return nil
	}
	return &pb.Retention{Age: max(lifeMilli(v.Age), 0), Bytes: max(v.Bytes, 0), Messages: max(v.Messages, 0)}
}

func takeRetention(c *check, m *pb.Retention) rooms.Retention {
	return rooms.Retention{
		Age:      c.life("retention.age", c.size("retention.age", m.GetAge())),
		Bytes:    c.size("retention.bytes", m.GetBytes()),
		Messages: c.size("retention.messages", m.GetMessages()),
	}
}

func takeRoomInfo(c *check, m *pb.RoomInfo) rooms.RoomInfo {
	return rooms.RoomInfo{
		Room:      rooms.RoomID(c.need("room.room", m.GetRoom(), nameLimit)),
		Members:   c.count("room.members", m.GetMembers()),
		Limit:     c.count("room.limit", m.GetLimit()),
		Topic:     c.note("room.topic", m.GetTopic()),
		Private:   m.GetPrivate(),
		NoHistory: m.GetNoHistory(),
		Retention: takeRetention(c, m.GetRetention()),
	}
}

func putInviteInfo(v rooms.InviteInfo) *pb.InviteInfo {
	return &pb.InviteInfo{
		Id: clip(v.ID, idLimit), Room: room(v.Room), By: name(v.By),
		Uses: count(v.Uses), MaxUses: count(v.MaxUses), Expires: milli(v.Expires),
	}
}

func takeInviteInfo(c *check, m *pb.InviteInfo) rooms.InviteInfo {
	return rooms.InviteInfo{
		ID:      c.need("invite.id", m.GetId(), idLimit),
		Room:    c.room("invite.room", m.GetRoom()),
		By:      c.name("invite.by", m.GetBy()),
		Uses:    c.count("invite.uses", m.GetUses()),
		MaxUses: c.count("invite.max_uses", m.GetMaxUses()),
		Expires: c.time("invite.expires", m.GetExpires()),
	}
}

func putBanInfo(v rooms.BanInfo) *pb.BanInfo {
	return &pb.BanInfo{
		Peer: peer(v.Peer), Nick: name(v.Nick), Room: room(v.Room),
		By: name(v.By), Reason: note(v.Reason), Expires: milli(v.Expires),
	}
}

func takeBanInfo(c *check, m *pb.BanInfo) rooms.BanInfo {
	return rooms.BanInfo{
		Peer:    c.peer("ban.peer", m.GetPeer()),
		Nick:    c.name("ban.nick", m.GetNick()),
		Room:    c.room("ban.room", m.GetRoom()),
		By:      c.name("ban.by", m.GetBy()),
		Reason:  c.note("ban.reason", m.GetReason()),
		Expires: c.time("ban.expires", m.GetExpires()),
	}
}

// each translates a list; an empty list is nil.
func each[A, B any](list []A, translate func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = translate(v)
	}
	return out
}

// eachChecked is each for a translation that checks.
func eachChecked[A, B any](c *check, list []A, translate func(*check, A) B) []B {
	return each(list, func(v A) B { return translate(c, v) })
}
