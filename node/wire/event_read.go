package wire

import (
	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// Event reads the next event; an answer in parts comes out as one. The client
// calls it from the start. ref is the command's that the event answers, or 0: a
// *rooms.Refusal with ref 0 says that the session has ended.
//
// With ErrUnknown the client may skip the frame; when ref is not 0, the answer
// to that command is one that it cannot understand.
func (r *Reader) Event() (ref uint64, ev rooms.Event, err error) {
	var f pb.HostFrame
	if err := r.frames(&f); err != nil {
		return f.Ref, nil, withRef(err, f.Ref)
	}
	if f.Body == nil {
		return f.Ref, nil, ErrUnknown
	}
	var c check
	ev = takeEvent(&c, &f)
	if err := c.err(f.Ref); err != nil {
		return f.Ref, nil, err
	}
	return f.Ref, ev, nil
}

func takeEvent(c *check, f *pb.HostFrame) rooms.Event {
	switch b := f.Body.(type) {
	case *pb.HostFrame_Posted:
		return rooms.Posted{Message: takeMessage(c, b.Posted), Replayed: b.Posted.Replayed}
	case *pb.HostFrame_Said:
		return rooms.Said{Seq: rooms.Seq(b.Said.Seq)}
	case *pb.HostFrame_Done:
		return rooms.Done{}
	case *pb.HostFrame_Refusal:
		return takeRefusal(c, b.Refusal)
	case *pb.HostFrame_Entered:
		return takeEntered(c, b.Entered)
	case *pb.HostFrame_Listing:
		return rooms.Listing{Rooms: eachChecked(c, b.Listing.Rooms, takeRoomInfo)}
	case *pb.HostFrame_Roster:
		return takeRoster(c, b.Roster)
	case *pb.HostFrame_Page:
		return rooms.Page{Messages: eachChecked(c, b.Page.Messages, takeMessage)}
	case *pb.HostFrame_Found:
		return rooms.Found{Messages: eachChecked(c, b.Found.Messages, takeMessage), Next: rooms.Seq(b.Found.Next)}
	case *pb.HostFrame_Shared:
		return rooms.Shared{Messages: eachChecked(c, b.Shared.Messages, takeMessage), Next: rooms.Seq(b.Shared.Next)}
	case *pb.HostFrame_Invited:
		return takeInvited(c, b.Invited)
	case *pb.HostFrame_InviteList:
		return rooms.InviteList{Invites: eachChecked(c, b.InviteList.Invites, takeInviteInfo)}
	case *pb.HostFrame_BanList:
		return rooms.BanList{Bans: eachChecked(c, b.BanList.Bans, takeBanInfo)}
	case *pb.HostFrame_HostStatus:
		return takeHostStatus(c, b.HostStatus)
	case *pb.HostFrame_Member:
		return takeMember(c, b.Member)
	}
	return takeHappening(c, f)
}

// takeHappening is takeEvent for what is not an answer.
func takeHappening(c *check, f *pb.HostFrame) rooms.Event {
	switch b := f.Body.(type) {
	case *pb.HostFrame_Welcome:
		return takeWelcome(c, b.Welcome)
	case *pb.HostFrame_Whispered:
		return takeWhispered(c, b.Whispered)
	case *pb.HostFrame_MemberChanged:
		return takeMemberChanged(c, b.MemberChanged)
	case *pb.HostFrame_RoomChanged:
		return takeRoomChanged(c, b.RoomChanged)
	case *pb.HostFrame_Whereabouts:
		if len(b.Whereabouts.Addrs) > HostAddrs {
			c.fail("whereabouts.addrs", "too many")
		}
		return rooms.Whereabouts{Addrs: eachChecked(c, b.Whereabouts.Addrs, takeHostAddr)}
	case *pb.HostFrame_Notice:
		return rooms.Notice{Text: c.text("notice.text", b.Notice.Text, TextLimit)}
	}
	c.newer = true
	return nil
}

func takeHostAddr(c *check, m *pb.HostAddr) rooms.HostAddr {
	if m.GetAddr() == "" {
		c.fail("whereabouts.addr", "empty")
	}
	return rooms.HostAddr{
		Addr: c.text("whereabouts.addr", m.GetAddr(), addrLimit),
		Path: c.text("whereabouts.path", m.GetPath(), pathNameLimit),
	}
}

func takeRefusal(c *check, m *pb.Refusal) *rooms.Refusal {
	return &rooms.Refusal{
		Code:    c.code("refusal.code", m.Code),
		Message: c.note("refusal.message", m.Message),
		Hint:    c.note("refusal.hint", m.Hint),
		Retry:   c.life("refusal.retry", c.size("refusal.retry", m.Retry)),
	}
}

func takeEntered(c *check, m *pb.Entered) rooms.Entered {
	if len(m.Members) > rooms.EnteredMembers {
		c.fail("entered.members", "too many")
	}
	return rooms.Entered{
		Room:    takeRoomInfo(c, m.Room),
		From:    takeCursor(m.From),
		Head:    rooms.Seq(m.Head),
		Role:    takeRole(c, m.Role),
		Members: eachChecked(c, m.Members, takeMember),

		Diverged: m.Diverged,
	}
}

func takeRoster(c *check, m *pb.Roster) rooms.Roster {
	return rooms.Roster{
		Room:    c.room("roster.room", m.Room),
		Members: eachChecked(c, m.Members, takeMember),
	}
}

func takeInvited(c *check, m *pb.Invited) rooms.Invited {
	return rooms.Invited{
		Invite:     takeInviteInfo(c, m.Invite),
		Capability: takeCapability(c, m.Capability),
		Link:       c.note("invited.link", m.Link),
	}
}

func takeHostStatus(c *check, m *pb.HostStatus) rooms.HostStatus {
	if len(m.Addrs) > addrCount {
		c.fail("status.addrs", "too many")
	}
	return rooms.HostStatus{
		Version: c.text("status.version", m.Version, versionLimit),
		Peer:    c.peerOrNone("status.peer", m.Peer),
		Name:    c.name("status.name", m.Name),
		Started: c.time("status.started", m.Started),
		Target:  c.note("status.target", m.Target),
		Addrs:   eachChecked(c, m.Addrs, takeAddr),
		Rooms:   eachChecked(c, m.Rooms, takeRoomInfo),
		Members: eachChecked(c, m.Members, takeMember),
		Disk:    c.size("status.disk", m.Disk),
	}
}

func takeAddr(c *check, addr string) string { return c.text("status.addrs", addr, addrLimit) }

func takeWelcome(c *check, m *pb.Welcome) rooms.Welcome {
	return rooms.Welcome{
		Peer:    c.peer("welcome.peer", m.Peer),
		Host:    c.peer("welcome.host", m.Host),
		Name:    c.name("welcome.name", m.Name),
		Nick:    c.name("welcome.nick", m.Nick),
		Version: c.text("welcome.version", m.Version, versionLimit),
	}
}

func takeWhispered(c *check, m *pb.Whispered) rooms.Whispered {
	return rooms.Whispered{
		From: takeAuthor(c, m.From),
		To:   takeAuthor(c, m.To),
		Text: c.text("whispered.text", m.Text, TextLimit),
		Own:  m.Own,
	}
}

func takeMemberChanged(c *check, m *pb.MemberChanged) rooms.MemberChanged {
	what := c.enum("member_changed.what", int32(m.What), uint8(rooms.MemberJoined), uint8(rooms.MemberUnmuted))
	return rooms.MemberChanged{
		Room:   c.room("member_changed.room", m.Room),
		What:   rooms.MemberChange(what),
		Member: takeMember(c, m.Member),
		Old:    c.name("member_changed.old", m.Old),
		By:     c.name("member_changed.by", m.By),
		Reason: c.note("member_changed.reason", m.Reason),
	}
}

func takeRoomChanged(c *check, m *pb.RoomChanged) rooms.RoomChanged {
	what := c.enum("room_changed.what", int32(m.What), uint8(rooms.RoomEntered), uint8(rooms.RoomUpdated))
	return rooms.RoomChanged{
		What:   rooms.RoomChange(what),
		Room:   takeRoomInfo(c, m.Room),
		Reason: c.note("room_changed.reason", m.Reason),
	}
}
