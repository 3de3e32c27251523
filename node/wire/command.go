package wire

import (
	"fmt"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// AppendCommand appends the frame of cmd to buf. The answer carries ref, which
// must be 1 or more and should not be waited for already. Of a rooms.Connect and
// a rooms.Disconnect nothing is appended: the host makes them itself, from a
// Hello and from the end of a stream.
//
// A History and a Join with a negative number are sent as they are; the host's
// Reader gives a *MalformedError with the ref for them.
//
// cmd must be one of the types of package rooms, not a pointer to one; anything
// else panics.
func AppendCommand(buf []byte, ref uint64, cmd rooms.Command) []byte {
	f := &pb.ClientFrame{Ref: ref}
	putCommand(f, cmd)
	if f.Body == nil {
		return buf
	}
	return appendFrame(buf, f)
}

func putCommand(f *pb.ClientFrame, cmd rooms.Command) {
	switch v := cmd.(type) {
	case rooms.List:
		putList(f, v)
	case rooms.Create:
		putCreate(f, v)
	case rooms.Join:
		putJoin(f, v)
	case rooms.Leave:
		f.Body = &pb.ClientFrame_Leave{Leave: &pb.Leave{}}
	case rooms.Who:
		f.Body = &pb.ClientFrame_Who{Who: &pb.Who{}}
	case rooms.Rename:
		putRename(f, v)
	case rooms.Say:
		putSay(f, v)
	case rooms.History:
		putHistory(f, v)
	case rooms.Search:
		putSearch(f, v)
	case rooms.Files:
		f.Body = &pb.ClientFrame_Files{Files: &pb.Files{Before: uint64(v.Before), Limit: count(v.Limit)}}
	case rooms.Redact:
		f.Body = &pb.ClientFrame_Redact{Redact: &pb.Redact{Seq: uint64(v.Seq)}}
	case rooms.SetRetention:
		f.Body = &pb.ClientFrame_SetRetention{SetRetention: &pb.SetRetention{Retention: putRetention(v.Retention)}}
	case rooms.Whisper:
		putWhisper(f, v)
	case rooms.Topic:
		putTopic(f, v)
	case rooms.SetLimit:
		putSetLimit(f, v)
	case rooms.Invite:
		putInvite(f, v)
	case rooms.Invites:
		putInvites(f, v)
	case rooms.Revoke:
		putRevoke(f, v)
	default:
		putOrder(f, cmd)
	}
}

// putOrder is putCommand for what is done to members, to a room or to the host.
func putOrder(f *pb.ClientFrame, cmd rooms.Command) {
	switch v := cmd.(type) {
	case rooms.Kick:
		putKick(f, v)
	case rooms.Ban:
		putBan(f, v)
	case rooms.Unban:
		putUnban(f, v)
	case rooms.Bans:
		f.Body = &pb.ClientFrame_Bans{Bans: &pb.Bans{}}
	case rooms.Mute:
		putMute(f, v)
	case rooms.Op:
		putOp(f, v)
	case rooms.Whois:
		putWhois(f, v)
	case rooms.Close:
		putClose(f, v)
	case rooms.Status:
		f.Body = &pb.ClientFrame_Status{Status: &pb.Status{}}
	case rooms.Ping:
		f.Body = &pb.ClientFrame_Ping{Ping: &pb.Ping{}}
	case rooms.Quit:
		f.Body = &pb.ClientFrame_Quit{Quit: &pb.Quit{Reason: note(v.Reason)}}
	case rooms.Connect, rooms.Disconnect:
	default:
		panic(fmt.Sprintf("wire: %T is not a command", cmd))
	}
}

func putList(f *pb.ClientFrame, v rooms.List) {
	f.Body = &pb.ClientFrame_List{List: &pb.List{Pattern: name(v.Pattern)}}
}

func putCreate(f *pb.ClientFrame, v rooms.Create) {
	f.Body = &pb.ClientFrame_Create{Create: &pb.Create{
		Room: name(v.Room), Limit: count(v.Limit), Private: v.Private,
		Topic: note(v.Topic), NoHistory: v.NoHistory,
	}}
}

func putJoin(f *pb.ClientFrame, v rooms.Join) {
	m := &pb.Join{Room: name(v.Room), Invite: putCapability(v.Invite), Recent: count(v.Recent)}
	if v.After != nil {
		m.After = putCursor(*v.After)
	}
	f.Body = &pb.ClientFrame_Join{Join: m}
}

func putRename(f *pb.ClientFrame, v rooms.Rename) {
	f.Body = &pb.ClientFrame_Rename{Rename: &pb.Rename{Nick: name(v.Nick)}}
}

func putSay(f *pb.ClientFrame, v rooms.Say) {
	f.Body = &pb.ClientFrame_Say{Say: &pb.Say{
		Kind: pb.Kind(v.Kind), Text: clip(v.Text, TextLimit),
		Client: v.Origin.Client, Count: v.Origin.Count, File: clip(v.File, idLimit),
	}}
}

func putHistory(f *pb.ClientFrame, v rooms.History) {
	f.Body = &pb.ClientFrame_History{History: &pb.History{
		After: uint64(v.After), Since: milli(v.Since), Last: v.Last, Limit: count(v.Limit),
	}}
}

func putSearch(f *pb.ClientFrame, v rooms.Search) {
	f.Body = &pb.ClientFrame_Search{Search: &pb.Search{
		Text: name(v.Text), Before: uint64(v.Before), Limit: count(v.Limit),
	}}
}

func putWhisper(f *pb.ClientFrame, v rooms.Whisper) {
	f.Body = &pb.ClientFrame_Whisper{Whisper: &pb.Whisper{Nick: name(v.Nick), Text: clip(v.Text, TextLimit)}}
}

func putTopic(f *pb.ClientFrame, v rooms.Topic) {
	f.Body = &pb.ClientFrame_Topic{Topic: &pb.Topic{Text: note(v.Text)}}
}

func putSetLimit(f *pb.ClientFrame, v rooms.SetLimit) {
	f.Body = &pb.ClientFrame_SetLimit{SetLimit: &pb.SetLimit{Limit: count(v.Limit)}}
}

func putInvite(f *pb.ClientFrame, v rooms.Invite) {
	f.Body = &pb.ClientFrame_Invite{Invite: &pb.Invite{
		Room: name(v.Room), Uses: count(v.Uses), Life: lifeMilli(v.Life),
	}}
}

func putInvites(f *pb.ClientFrame, v rooms.Invites) {
	f.Body = &pb.ClientFrame_Invites{Invites: &pb.Invites{Room: name(v.Room)}}
}

func putRevoke(f *pb.ClientFrame, v rooms.Revoke) {
	f.Body = &pb.ClientFrame_Revoke{Revoke: &pb.Revoke{Id: clip(v.ID, idLimit)}}
}

func putKick(f *pb.ClientFrame, v rooms.Kick) {
	f.Body = &pb.ClientFrame_Kick{Kick: &pb.Kick{Nick: name(v.Nick), Reason: note(v.Reason)}}
}

func putBan(f *pb.ClientFrame, v rooms.Ban) {
	f.Body = &pb.ClientFrame_Ban{Ban: &pb.Ban{
		Who: name(v.Who), Life: lifeMilli(v.Life), Reason: note(v.Reason),
	}}
}

func putUnban(f *pb.ClientFrame, v rooms.Unban) {
	f.Body = &pb.ClientFrame_Unban{Unban: &pb.Unban{Who: name(v.Who)}}
}

func putMute(f *pb.ClientFrame, v rooms.Mute) {
	f.Body = &pb.ClientFrame_Mute{Mute: &pb.Mute{Nick: name(v.Nick), Muted: v.Muted}}
}

func putOp(f *pb.ClientFrame, v rooms.Op) {
	f.Body = &pb.ClientFrame_Op{Op: &pb.Op{Nick: name(v.Nick), Op: v.Op}}
}

func putWhois(f *pb.ClientFrame, v rooms.Whois) {
	f.Body = &pb.ClientFrame_Whois{Whois: &pb.Whois{Nick: name(v.Nick)}}
}

func putClose(f *pb.ClientFrame, v rooms.Close) {
	f.Body = &pb.ClientFrame_Close{Close: &pb.Close{Room: name(v.Room)}}
}
