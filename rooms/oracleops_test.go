package rooms_test

import (
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// operate is the rule of what only an operator may do.
func (o *oracle) operate(s *oSession, cmd rooms.Command) (rooms.Code, follow) {
	name, nick := "", ""
	switch c := cmd.(type) {
	case rooms.Close:
		name = c.Room
	case rooms.Invites:
		if name = c.Room; name == "" && s.room == nil && s.peer == owner {
			return "", nothing
		}
	case rooms.Kick:
		nick = c.Nick
	case rooms.Mute:
		nick = c.Nick
	case rooms.Op:
		nick = c.Nick
	}
	room, code := o.mine(s, name)
	if code != "" {
		return refuse(code)
	}
	var peer rooms.PeerID
	switch cmd.(type) {
	case rooms.Kick, rooms.Mute, rooms.Op:
		peer = o.byNick(nick)
		if peer == "" || !slices.Contains(o.inside(room), peer) {
			return refuse(rooms.NoSuchMember)
		}
		if peer == owner && s.peer != owner {
			return refuse(rooms.Denied)
		}
		if _, kicks := cmd.(rooms.Kick); kicks && peer == s.peer {
			return refuse(rooms.BadRequest)
		}
	}
	if c, ok := cmd.(rooms.SetLimit); ok && (c.Limit < 0 || c.Limit > oMembers) {
		return refuse(rooms.BadRequest)
	}
	if c, ok := cmd.(rooms.SetRetention); ok && (c.Age < 0 || c.Bytes < 0 || c.Messages < 0) {
		return refuse(rooms.BadRequest)
	}
	return "", func(rooms.Event) { o.operated(room, peer, cmd) }
}

func (o *oracle) operated(room *oRoom, peer rooms.PeerID, cmd rooms.Command) {
	switch c := cmd.(type) {
	case rooms.Topic:
		room.topic = c.Text
	case rooms.SetLimit:
		room.limit = c.Limit
	case rooms.SetRetention:
		room.keep = c.Retention
	case rooms.Kick:
		o.putOut(room, peer)
	case rooms.Mute:
		room.muted = with(room.muted, peer, c.Muted)
	case rooms.Op:
		room.ops = with(room.ops, peer, c.Op)
	case rooms.Close:
		o.rooms = slices.DeleteFunc(o.rooms, func(x *oRoom) bool { return x == room })
		for _, inv := range o.invites {
			inv.revoked = inv.revoked || inv.room == room
		}
		for _, s := range o.sessions {
			if s.room == room {
				s.room = nil
			}
		}
	}
}

// banning is the rule of bans, of a room and of the host.
func (o *oracle) banning(s *oSession, cmd rooms.Command) (rooms.Code, follow) {
	var room *oRoom
	bans := &o.bans
	if s.room != nil || s.peer != owner {
		var code rooms.Code
		if room, code = o.mine(s, ""); code != "" {
			return refuse(code)
		}
		bans = &room.bans
	}
	switch c := cmd.(type) {
	case rooms.Ban:
		peer := o.person(c.Who)
		switch {
		case peer == "":
			return refuse(rooms.NoSuchMember)
		case peer == s.peer:
			return refuse(rooms.BadRequest)
		case peer == owner:
			return refuse(rooms.Denied)
		}
		return "", func(rooms.Event) {
			b := oBan{peer: peer, nick: o.nicks[peer], by: o.nicks[s.peer]}
			if c.Life > 0 {
				b.expires = o.now.Add(c.Life)
			}
			*bans = banned(*bans, b)
			if room != nil {
				o.putOut(room, peer)
				return
			}
			for _, session := range o.online(peer) {
				o.drop(session)
			}
		}
	case rooms.Unban:
		var found []rooms.PeerID
		for _, b := range *bans {
			if o.held(*bans, b.peer) && (string(b.peer) == c.Who || strings.EqualFold(b.nick, c.Who)) {
				found = append(found, b.peer)
			}
		}
		if len(found) == 0 {
			return refuse(rooms.NoSuchMember)
		}
		return "", func(rooms.Event) { *bans = unbanned(*bans, slices.Min(found)) }
	}
	return "", nothing
}

// chooser makes choices: which of n.
type chooser func(n int) int

func pickOf[T any](pick chooser, all ...T) T { return all[pick(len(all))] }

// banned names somebody who is banned somewhere.
func (o *oracle) banned(pick chooser) string {
	bans := slices.Clone(o.bans)
	for _, room := range o.rooms {
		bans = append(bans, room.bans...)
	}
	if len(bans) == 0 {
		return "nobody"
	}
	b := bans[pick(len(bans))]
	return pickOf(pick, b.nick, string(b.peer))
}

// command makes up what somebody might ask. Who is outside mostly wants to get in.
func (o *oracle) command(pick chooser, outside bool) rooms.Command {
	nick := func() string {
		return pickOf(pick, "alice", "Alice", "al1ce", "a.lice", "bob", "b0b", "modern", "rnodern", "zoe", "мир", "host", "adm1n", "two words", "")
	}
	person := func() string { // mostly somebody who is here
		if len(o.sessions) > 0 && pick(4) > 0 {
			peer := o.sessions[pick(len(o.sessions))].peer
			return pickOf(pick, o.nicks[peer], o.nicks[peer], strings.ToUpper(o.nicks[peer]), string(peer))
		}
		return pickOf(pick, nick(), "peer-nobody")
	}
	room := func() string {
		if len(o.rooms) > 0 && pick(3) > 0 {
			return string(o.rooms[pick(len(o.rooms))].id)
		}
		return pickOf(pick, "dev", "DEV", "ops", "Ops", "ops~aaaaaaaa", "two words", "")
	}
	which := pick(32)
	if outside && pick(3) > 0 {
		which %= 10
	}
	switch which {
	case 0, 1, 2:
		return rooms.Create{
			Room: pickOf(pick, "dev", "DEV", "ops", "Ops", "x~aaaaaaaa", "two words"), Private: pick(2) > 0,
			Limit: pickOf(pick, 0, 0, 1, 2, oMembers, oMembers+1, -1), Topic: pickOf(pick, "", "tea"),
		}
	case 3, 4, 5, 6:
		return rooms.Join{Room: room()}
	case 7, 8, 9:
		if len(o.invites) > 0 {
			latest := o.invites[max(0, len(o.invites)-8):]
			c := latest[pick(len(latest))].cap
			for range pick(4) { // mostly one that still goes
				if inv := latest[pick(len(latest))]; o.live(inv) {
					c = inv.cap
				}
			}
			c.Secret[0] ^= byte(pick(8) / 7)
			return rooms.Join{Room: pickOf(pick, "", "", "", room()), Invite: c}
		}
		return rooms.Join{Invite: rooms.Capability{Secret: [16]byte{1}}}
	case 10:
		return rooms.Leave{}
	case 11, 12:
		return rooms.Rename{Nick: nick()}
	case 13, 14:
		return rooms.Invite{
			Room: pickOf(pick, "", room()), Uses: pickOf(pick, 0, 1, 2, oUses, oUses+1, -1),
			Life: pickOf(pick, 0, -1, time.Minute, time.Hour, 24*time.Hour, 24*time.Hour+1),
		}
	case 15:
		if len(o.invites) > 0 {
			return rooms.Revoke{ID: o.invites[pick(len(o.invites))].info.ID}
		}
		return rooms.Revoke{ID: "0000"}
	case 16, 17:
		return rooms.Kick{Nick: person()}
	case 18, 19:
		return rooms.Ban{Who: person(), Life: pickOf(pick, 0, -1, time.Minute, time.Hour)}
	case 20:
		return rooms.Unban{Who: pickOf(pick, o.banned(pick), person())}
	case 21:
		return rooms.Mute{Nick: person(), Muted: pick(2) > 0}
	case 22, 23:
		return rooms.Op{Nick: person(), Op: pick(3) > 0}
	case 24:
		return rooms.SetLimit{Limit: pickOf(pick, 0, 1, 2, oMembers, oMembers+1, -1)}
	case 25:
		return pickOf[rooms.Command](pick, keeping(pick), keeping(pick), rooms.Topic{Text: pickOf(pick, "", "tea")})
	case 26:
		return pickOf[rooms.Command](pick, rooms.Close{Room: room()}, rooms.Close{}, rooms.Ping{}, rooms.Spoke{})
	case 27:
		return pickOf[rooms.Command](pick, rooms.Bans{}, rooms.Invites{}, rooms.Invites{Room: room()}, rooms.Status{})
	case 28:
		return pickOf[rooms.Command](pick, rooms.Whois{Nick: person()}, rooms.Whisper{Nick: person(), Text: "psst"}, rooms.Who{})
	case 29:
		return rooms.List{Pattern: pickOf(pick, "", "dev", "DEV", "*")}
	case 30:
		return pickOf[rooms.Command](pick, rooms.Mute{Nick: person(), Muted: pick(2) > 0}, rooms.Away{Text: pickOf(pick, "", "lunch", "asleep", strings.Repeat("z", oAwayBytes+1))})
	}
	return pickOf[rooms.Command](pick, rooms.Disconnect{}, rooms.Quit{Reason: "late"})
}

// keeping makes up how much a room keeps.
func keeping(pick chooser) rooms.SetRetention {
	return rooms.SetRetention{Retention: rooms.Retention{
		Age: pickOf(pick, 0, time.Hour, -1), Bytes: pickOf[int64](pick, 0, 1<<30, 1<<30), Messages: pickOf[int64](pick, 0, 5000, 5000, -1),
	}}
}
