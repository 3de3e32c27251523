package wire

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// AppendEvent appends the frames of ev to buf: one, or several for an answer
// that is over FrameLimit. They must be sent in one piece, with nothing between
// them. ref is the command's that ev answers, or 0; a *rooms.Refusal with ref 0
// ends the session.
//
// A list over AnswerLimit or AnswerItems is not sent; a refusal too_large is, or
// a notice when ref is 0. Of a rooms.Connection and a rooms.Path nothing is
// appended: they are the client's own and never travel.
//
// ev must be one of the types of package rooms, not a pointer to one except for
// *rooms.Refusal; anything else panics.
func AppendEvent(buf []byte, ref uint64, ev rooms.Event) []byte {
	if posted, ok := ev.(rooms.Posted); ok {
		return appendPosted(buf, ref, &posted)
	}
	f := &pb.HostFrame{Ref: ref}
	putEvent(f, ev)
	if f.Body == nil {
		return buf
	}
	size := proto.Size(f)
	if size <= FrameLimit {
		return appendSized(buf, f, size)
	}
	return appendParts(buf, f)
}

// appendPosted is AppendEvent for the event that is sent most: its frame is made
// in one allocation.
func appendPosted(buf []byte, ref uint64, v *rooms.Posted) []byte {
	var m struct {
		frame   pb.HostFrame
		body    pb.HostFrame_Posted
		message pb.Message
	}
	putMessage(&m.message, &v.Message)
	m.message.Replayed = v.Replayed
	m.body.Posted = &m.message
	m.frame.Ref = ref
	m.frame.Body = &m.body
	return appendFrame(buf, &m.frame)
}

func putEvent(f *pb.HostFrame, ev rooms.Event) {
	switch v := ev.(type) {
	case rooms.Done:
		f.Body = &pb.HostFrame_Done{Done: &pb.Done{}}
	case rooms.Said:
		f.Body = &pb.HostFrame_Said{Said: &pb.Said{Seq: uint64(v.Seq)}}
	case *rooms.Refusal:
		putRefusal(f, v)
	case rooms.Entered:
		putEntered(f, v)
	case rooms.Listing:
		f.Body = &pb.HostFrame_Listing{Listing: &pb.Listing{Rooms: each(v.Rooms, putRoomInfo)}}
	case rooms.Roster:
		putRoster(f, v)
	case rooms.Page:
		f.Body = &pb.HostFrame_Page{Page: &pb.Page{Messages: putMessages(v.Messages)}}
	case rooms.Found:
		f.Body = &pb.HostFrame_Found{Found: &pb.Found{Messages: putMessages(v.Messages), Next: uint64(v.Next)}}
	case rooms.Shared:
		f.Body = &pb.HostFrame_Shared{Shared: &pb.Shared{Messages: putMessages(v.Messages), Next: uint64(v.Next)}}
	case rooms.Invited:
		putInvited(f, v)
	case rooms.InviteList:
		f.Body = &pb.HostFrame_InviteList{InviteList: &pb.InviteList{Invites: each(v.Invites, putInviteInfo)}}
	case rooms.BanList:
		f.Body = &pb.HostFrame_BanList{BanList: &pb.BanList{Bans: each(v.Bans, putBanInfo)}}
	case rooms.HostStatus:
		putHostStatus(f, v)
	case rooms.Member:
		f.Body = &pb.HostFrame_Member{Member: putMember(v)}
	default:
		putHappening(f, ev)
	}
}

// putHappening is putEvent for what is not an answer.
func putHappening(f *pb.HostFrame, ev rooms.Event) {
	switch v := ev.(type) {
	case rooms.Welcome:
		putWelcome(f, v)
	case rooms.Whispered:
		putWhispered(f, v)
	case rooms.MemberChanged:
		putMemberChanged(f, v)
	case rooms.RoomChanged:
		putRoomChanged(f, v)
	case rooms.Whereabouts:
		f.Body = &pb.HostFrame_Whereabouts{Whereabouts: &pb.Whereabouts{Addrs: each(v.Addrs[:min(len(v.Addrs), HostAddrs)], putHostAddr)}}
	case rooms.Notice:
		f.Body = &pb.HostFrame_Notice{Notice: &pb.Notice{Text: clip(v.Text, TextLimit)}}
	case rooms.Answered, rooms.Connection, rooms.Path:
	default:
		panic(fmt.Sprintf("wire: %T is not an event", ev))
	}
}

func putHostAddr(a rooms.HostAddr) *pb.HostAddr {
	return &pb.HostAddr{Addr: clip(a.Addr, addrLimit), Path: clip(a.Path, pathNameLimit)}
}

func putRefusal(f *pb.HostFrame, v *rooms.Refusal) {
	f.Body = &pb.HostFrame_Refusal{Refusal: refusal(v)}
}

func refusal(v *rooms.Refusal) *pb.Refusal {
	return &pb.Refusal{
		Code: clip(string(v.Code), codeLimit), Message: note(v.Message), Hint: note(v.Hint),
		Retry: max(lifeMilli(v.Retry), 0),
	}
}

func putEntered(f *pb.HostFrame, v rooms.Entered) {
	members := v.Members[:min(len(v.Members), rooms.EnteredMembers)]
	f.Body = &pb.HostFrame_Entered{Entered: &pb.Entered{
		Room: putRoomInfo(v.Room), From: putCursor(v.From), Head: uint64(v.Head), Role: pb.Role(v.Role),
		Members: each(members, putMember), Diverged: v.Diverged,
	}}
}

func putRoster(f *pb.HostFrame, v rooms.Roster) {
	f.Body = &pb.HostFrame_Roster{Roster: &pb.Roster{Room: room(v.Room), Members: each(v.Members, putMember)}}
}

func putMessages(list []rooms.Message) []*pb.Message {
	messages := make([]*pb.Message, len(list))
	for i := range list {
		messages[i] = new(pb.Message)
		putMessage(messages[i], &list[i])
	}
	return messages
}

func putInvited(f *pb.HostFrame, v rooms.Invited) {
	f.Body = &pb.HostFrame_Invited{Invited: &pb.Invited{
		Invite: putInviteInfo(v.Invite), Capability: putCapability(v.Capability), Link: note(v.Link),
	}}
}

func putHostStatus(f *pb.HostFrame, v rooms.HostStatus) {
	addrs := v.Addrs[:min(len(v.Addrs), addrCount)]
	f.Body = &pb.HostFrame_HostStatus{HostStatus: &pb.HostStatus{
		Version: clip(v.Version, versionLimit), Peer: peer(v.Peer), Name: name(v.Name),
		Started: milli(v.Started), Target: note(v.Target),
		Addrs: each(addrs, func(addr string) string { return clip(addr, addrLimit) }),
		Rooms: each(v.Rooms, putRoomInfo), Members: each(v.Members, putMember), Disk: v.Disk,
	}}
}

func putWelcome(f *pb.HostFrame, v rooms.Welcome) {
	f.Body = &pb.HostFrame_Welcome{Welcome: &pb.Welcome{
		Peer: peer(v.Peer), Host: peer(v.Host), Name: name(v.Name), Nick: name(v.Nick),
		Version: clip(v.Version, versionLimit),
	}}
}

func putWhispered(f *pb.HostFrame, v rooms.Whispered) {
	f.Body = &pb.HostFrame_Whispered{Whispered: &pb.Whispered{
		From: putAuthor(v.From), To: putAuthor(v.To), Text: clip(v.Text, TextLimit), Own: v.Own,
	}}
}

func putMemberChanged(f *pb.HostFrame, v rooms.MemberChanged) {
	f.Body = &pb.HostFrame_MemberChanged{MemberChanged: &pb.MemberChanged{
		Room: room(v.Room), What: pb.MemberChange(v.What), Member: putMember(v.Member),
		Old: name(v.Old), By: name(v.By), Reason: note(v.Reason),
	}}
}

func putRoomChanged(f *pb.HostFrame, v rooms.RoomChanged) {
	f.Body = &pb.HostFrame_RoomChanged{RoomChanged: &pb.RoomChanged{
		What: pb.RoomChange(v.What), Room: putRoomInfo(v.Room), Reason: note(v.Reason),
	}}
}
