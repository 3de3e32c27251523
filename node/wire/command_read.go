package wire

import (
	"errors"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// Command reads the next command. The host calls it after Hello. With
// ErrUnknown, and with a *MalformedError whose Ref is not 0, ref is the
// command's: the session may answer bad_request and go on.
func (r *Reader) Command() (ref uint64, cmd rooms.Command, err error) {
	var f pb.ClientFrame
	if _, err := r.read(&f, FrameLimit); err != nil {
		return f.Ref, nil, withRef(err, f.Ref)
	}
	if f.Ref == 0 {
		return 0, nil, &MalformedError{Reason: "command without a ref"}
	}
	if f.Body == nil {
		return f.Ref, nil, ErrUnknown
	}
	var c check
	cmd = takeCommand(&c, &f)
	if err := c.err(f.Ref); err != nil {
		return f.Ref, nil, err
	}
	return f.Ref, cmd, nil
}

// withRef puts the ref, as far as one was read, into a *MalformedError.
func withRef(err error, ref uint64) error {
	if malformed := (*MalformedError)(nil); errors.As(err, &malformed) {
		malformed.Ref = ref
	}
	return err
}

// takeCommand lets negative limits and uses pass: people type them, and package
// rooms answers with what is allowed.
func takeCommand(c *check, f *pb.ClientFrame) rooms.Command {
	switch b := f.Body.(type) {
	case *pb.ClientFrame_List:
		return rooms.List{Pattern: c.name("list.pattern", b.List.Pattern)}
	case *pb.ClientFrame_Create:
		return takeCreate(c, b.Create)
	case *pb.ClientFrame_Join:
		return takeJoin(c, b.Join)
	case *pb.ClientFrame_Leave:
		return rooms.Leave{}
	case *pb.ClientFrame_Who:
		return rooms.Who{}
	case *pb.ClientFrame_Rename:
		return rooms.Rename{Nick: c.name("rename.nick", b.Rename.Nick)}
	case *pb.ClientFrame_Say:
		return takeSay(c, b.Say)
	case *pb.ClientFrame_History:
		return takeHistory(c, b.History)
	case *pb.ClientFrame_Search:
		return takeSearch(c, b.Search)
	case *pb.ClientFrame_Files:
		return rooms.Files{Before: rooms.Seq(b.Files.Before), Limit: c.count("files.limit", b.Files.Limit)}
	case *pb.ClientFrame_Redact:
		return rooms.Redact{Seq: rooms.Seq(b.Redact.Seq)}
	case *pb.ClientFrame_SetRetention:
		return rooms.SetRetention{Retention: takeRetention(c, b.SetRetention.Retention)}
	case *pb.ClientFrame_Whisper:
		return takeWhisper(c, b.Whisper)
	case *pb.ClientFrame_Topic:
		return rooms.Topic{Text: c.note("topic.text", b.Topic.Text)}
	case *pb.ClientFrame_SetLimit:
		return rooms.SetLimit{Limit: int(b.SetLimit.Limit)}
	case *pb.ClientFrame_Invite:
		return takeInvite(c, b.Invite)
	case *pb.ClientFrame_Invites:
		return rooms.Invites{Room: c.name("invites.room", b.Invites.Room)}
	case *pb.ClientFrame_Revoke:
		return rooms.Revoke{ID: c.text("revoke.id", b.Revoke.Id, idLimit)}
	}
	return takeOrder(c, f)
}

// takeOrder is takeCommand for what is done to members, to a room or to the host.
func takeOrder(c *check, f *pb.ClientFrame) rooms.Command {
	switch b := f.Body.(type) {
	case *pb.ClientFrame_Kick:
		return takeKick(c, b.Kick)
	case *pb.ClientFrame_Ban:
		return takeBan(c, b.Ban)
	case *pb.ClientFrame_Quit:
		return rooms.Quit{Reason: c.note("quit.reason", b.Quit.Reason)}
	case *pb.ClientFrame_Unban:
		return rooms.Unban{Who: c.name("unban.who", b.Unban.Who)}
	case *pb.ClientFrame_Bans:
		return rooms.Bans{}
	case *pb.ClientFrame_Mute:
		return rooms.Mute{Nick: c.name("mute.nick", b.Mute.Nick), Muted: b.Mute.Muted}
	case *pb.ClientFrame_Op:
		return rooms.Op{Nick: c.name("op.nick", b.Op.Nick), Op: b.Op.Op}
	case *pb.ClientFrame_Whois:
		return rooms.Whois{Nick: c.name("whois.nick", b.Whois.Nick)}
	case *pb.ClientFrame_Close:
		return rooms.Close{Room: c.name("close.room", b.Close.Room)}
	case *pb.ClientFrame_Status:
		return rooms.Status{}
	case *pb.ClientFrame_Ping:
		return rooms.Ping{}
	}
	c.newer = true
	return nil
}

func takeCreate(c *check, m *pb.Create) rooms.Create {
	return rooms.Create{
		Room:      c.name("create.room", m.Room),
		Limit:     int(m.Limit),
		Private:   m.Private,
		Topic:     c.note("create.topic", m.Topic),
		NoHistory: m.NoHistory,
	}
}

func takeJoin(c *check, m *pb.Join) rooms.Join {
	v := rooms.Join{
		Room:   c.name("join.room", m.Room),
		Invite: takeCapability(c, m.Invite),
		Recent: c.count("join.recent", m.Recent),
	}
	if m.After != nil {
		after := takeCursor(m.After)
		v.After = &after
	}
	return v
}

func takeSay(c *check, m *pb.Say) rooms.Say {
	v := rooms.Say{
		Kind:   rooms.Kind(c.enum("say.kind", int32(m.Kind), uint8(rooms.Text), uint8(rooms.FileUp))),
		Text:   c.text("say.text", m.Text, TextLimit),
		File:   c.text("say.file", m.File, idLimit),
		Origin: rooms.Origin{Client: m.Client, Count: m.Count},
	}
	if (m.Kind == pb.Kind_KIND_FILE) != (m.File != "") && !c.newer {
		c.fail("say.file", "must be there with the kind file, and only then")
	}
	return v
}

func takeHistory(c *check, m *pb.History) rooms.History {
	return rooms.History{
		After: rooms.Seq(m.After),
		Since: c.time("history.since", m.Since),
		Last:  m.Last,
		Limit: c.count("history.limit", m.Limit),
	}
}

func takeSearch(c *check, m *pb.Search) rooms.Search {
	return rooms.Search{
		Text:   c.name("search.text", m.Text),
		Before: rooms.Seq(m.Before),
		Limit:  c.count("search.limit", m.Limit),
	}
}

func takeWhisper(c *check, m *pb.Whisper) rooms.Whisper {
	return rooms.Whisper{
		Nick: c.name("whisper.nick", m.Nick),
		Text: c.text("whisper.text", m.Text, TextLimit),
	}
}

func takeInvite(c *check, m *pb.Invite) rooms.Invite {
	return rooms.Invite{
		Room: c.name("invite.room", m.Room),
		Uses: int(m.Uses),
		Life: c.life("invite.life", m.Life),
	}
}

func takeKick(c *check, m *pb.Kick) rooms.Kick {
	return rooms.Kick{
		Nick:   c.name("kick.nick", m.Nick),
		Reason: c.note("kick.reason", m.Reason),
	}
}

func takeBan(c *check, m *pb.Ban) rooms.Ban {
	return rooms.Ban{
		Who:    c.name("ban.who", m.Who),
		Life:   c.life("ban.life", m.Life),
		Reason: c.note("ban.reason", m.Reason),
	}
}
