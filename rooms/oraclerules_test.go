package rooms_test

import (
	"slices"
	"strings"
	"time"

	"p2pchat/rooms"
)

// follow is what the oracle does when a command is granted.
type follow func(answer rooms.Event)

func nothing(rooms.Event) {}

func refuse(code rooms.Code) (rooms.Code, follow) { return code, nil }

// rule says which code a command is due (none: it is granted), and what follows.
func (o *oracle) rule(s *oSession, cmd rooms.Command) (rooms.Code, follow) {
	switch c := cmd.(type) {
	case rooms.Disconnect:
		return "", func(rooms.Event) { o.drop(s) }
	case rooms.Quit:
		return "", func(rooms.Event) {
			if o.drop(s); len(o.online(s.peer)) == 0 {
				delete(o.away, s.peer)
			}
		}
	case rooms.Away:
		if len(c.Text) > oAwayBytes {
			return refuse(rooms.TooLong)
		}
		return "", func(rooms.Event) { o.goAway(s, c.Text) }
	case rooms.Spoke:
		return "", func(rooms.Event) { o.goAway(s, "") }
	case rooms.Create:
		return o.create(s, c)
	case rooms.Join:
		return o.join(s, c)
	case rooms.Leave, rooms.Who:
		if s.room == nil {
			return refuse(rooms.NotInRoom)
		}
		if _, leaves := c.(rooms.Leave); !leaves {
			return "", nothing
		}
		return "", func(rooms.Event) { s.room = nil }
	case rooms.Rename:
		if code := o.nickCode(s.peer, c.Nick); code != "" {
			return refuse(code)
		}
		return "", func(rooms.Event) { o.nicks[s.peer] = c.Nick }
	case rooms.Invite:
		return o.invite(s, c)
	case rooms.Revoke:
		return o.revoke(s, c)
	case rooms.Ban, rooms.Unban, rooms.Bans:
		return o.banning(s, cmd)
	case rooms.Whisper:
		return o.reachable(c.Nick)
	case rooms.Whois:
		return o.reachable(c.Nick)
	case rooms.Status:
		if s.peer != owner {
			return refuse(rooms.Denied)
		}
	case rooms.Topic, rooms.SetLimit, rooms.SetRetention, rooms.Kick, rooms.Mute, rooms.Op, rooms.Close, rooms.Invites:
		return o.operate(s, cmd)
	}
	return "", nothing
}

// goAway notes that a member is away, or with no text that it is not.
func (o *oracle) goAway(s *oSession, text string) {
	delete(o.away, s.peer)
	if text != "" {
		o.away[s.peer] = oAway{text, s.instance}
	}
}

func (o *oracle) reachable(nick string) (rooms.Code, follow) {
	if peer := o.byNick(nick); peer == "" || len(o.online(peer)) == 0 {
		return refuse(rooms.NoSuchMember)
	}
	return "", nothing
}

func (o *oracle) connect(id rooms.SessionID, c rooms.Connect) (rooms.Code, follow) {
	here := o.online(c.Peer)
	wish := o.nickCode(c.Peer, c.Nick)
	switch {
	case o.held(o.bans, c.Peer):
		return refuse(rooms.Banned)
	case len(here) == 0 && o.members() >= oHost:
		return refuse(rooms.Busy)
	case c.Fixed && wish != "":
		return refuse(wish)
	}
	return "", func(answer rooms.Event) {
		o.nicks[c.Peer] = answer.(rooms.Welcome).Nick
		if len(here) == 0 && o.away[c.Peer].instance != c.Instance {
			delete(o.away, c.Peer)
		}
		s := &oSession{id: id, peer: c.Peer, instance: c.Instance}
		twin := slices.IndexFunc(here, func(x *oSession) bool { return x.instance == c.Instance })
		if twin >= 0 {
			s.room = here[twin].room
			o.drop(here[twin])
		} else if len(here) >= oSessions {
			o.drop(here[0])
		}
		o.sessions = append(o.sessions, s)
	}
}

// granted says which nick a Connect is to get; empty: one made up.
func (o *oracle) granted(c rooms.Connect) string {
	if had := o.nicks[c.Peer]; had != "" && !c.Fixed {
		return had
	}
	if o.nickCode(c.Peer, c.Nick) == "" {
		return c.Nick
	}
	return ""
}

func badRoom(name string) bool { return name == "" || strings.Contains(name, " ") }

func (o *oracle) create(s *oSession, c rooms.Create) (rooms.Code, follow) {
	switch {
	case badRoom(c.Room) || strings.Contains(c.Room, "~"):
		return refuse(rooms.BadName)
	case c.Limit < 0 || c.Limit > oMembers:
		return refuse(rooms.BadRequest)
	case !c.Private && o.find(c.Room) != nil:
		return refuse(rooms.RoomExists)
	case len(o.rooms) >= oRooms:
		return refuse(rooms.Quota)
	}
	return "", func(answer rooms.Event) {
		s.room = &oRoom{
			id: answer.(rooms.Entered).Room.Room, private: c.Private, limit: c.Limit, topic: c.Topic,
			ops: []rooms.PeerID{s.peer}, admitted: []rooms.PeerID{s.peer},
		}
		o.rooms = append(o.rooms, s.room)
	}
}

func (o *oracle) join(s *oSession, c rooms.Join) (rooms.Code, follow) {
	if c.Room == "" && c.Invite != (rooms.Capability{}) {
		return o.redeem(s, c.Invite)
	}
	room := o.find(c.Room)
	if room == nil {
		room = o.own(s.peer, c.Room)
	}
	switch {
	case badRoom(c.Room):
		return refuse(rooms.BadName)
	case (room == nil || !o.knows(s.peer, room)) && c.Invite != (rooms.Capability{}):
		return o.redeemFor(s, c)
	case room == nil || !o.knows(s.peer, room):
		return refuse(rooms.NoSuchRoom)
	case o.held(room.bans, s.peer):
		return refuse(rooms.Banned)
	case o.full(room, s.peer):
		return refuse(rooms.RoomFull)
	}
	return "", func(rooms.Event) { s.room = room }
}

// redeemFor lets an invite count for the room that is named, and for no other one.
func (o *oracle) redeemFor(s *oSession, c rooms.Join) (rooms.Code, follow) {
	i := slices.IndexFunc(o.invites, func(inv *oInvite) bool { return inv.cap == c.Invite })
	if i >= 0 && !o.invites[i].revoked && (slices.Contains(o.invites[i].users, s.peer) || o.live(o.invites[i])) {
		id := string(o.invites[i].room.id)
		if base, _, _ := strings.Cut(id, "~"); !strings.EqualFold(c.Room, id) && !strings.EqualFold(c.Room, base) {
			return refuse(rooms.NoSuchRoom)
		}
	}
	return o.redeem(s, c.Invite)
}

func (o *oracle) redeem(s *oSession, c rooms.Capability) (rooms.Code, follow) {
	i := slices.IndexFunc(o.invites, func(inv *oInvite) bool { return inv.cap == c })
	if i < 0 || o.invites[i].revoked {
		return refuse(rooms.InviteInvalid)
	}
	inv := o.invites[i]
	before := slices.Contains(inv.users, s.peer)
	switch {
	case !before && !o.live(inv):
		return refuse(rooms.InviteInvalid)
	case !before && o.full(inv.room, s.peer):
		return refuse(rooms.RoomFull)
	case o.held(inv.room.bans, s.peer):
		return refuse(rooms.Banned)
	case o.full(inv.room, s.peer):
		return refuse(rooms.RoomFull)
	}
	if inv.room.private && o.knows(s.peer, inv.room) {
		return "", func(rooms.Event) { s.room = inv.room } // no use for it
	}
	return "", func(rooms.Event) {
		inv.users = with(inv.users, s.peer, true)
		inv.room.admitted = with(inv.room.admitted, s.peer, true)
		s.room = inv.room
	}
}

// mine finds the room that an operator's command is about.
func (o *oracle) mine(s *oSession, name string) (*oRoom, rooms.Code) {
	room := s.room
	if name != "" {
		room = o.find(name)
		if badRoom(name) {
			return nil, rooms.BadName
		}
		if room == nil || !o.knows(s.peer, room) {
			return nil, rooms.NoSuchRoom
		}
	}
	switch {
	case room == nil:
		return nil, rooms.NotInRoom
	case o.operates(s.peer, room):
		return room, ""
	case slices.Contains(room.ops, s.peer):
		return nil, rooms.Banned
	}
	return nil, rooms.Denied
}

func (o *oracle) invite(s *oSession, c rooms.Invite) (rooms.Code, follow) {
	room, code := o.mine(s, c.Room)
	switch {
	case code != "":
		return refuse(code)
	case c.Uses < 0 || c.Uses > oUses || c.Life > 24*time.Hour:
		return refuse(rooms.BadRequest)
	case o.liveIn(room) >= oInvites:
		return refuse(rooms.Quota)
	}
	return "", func(answer rooms.Event) {
		got := answer.(rooms.Invited)
		inv := &oInvite{info: got.Invite, cap: got.Capability, room: room}
		inv.info.MaxUses = max(1, c.Uses)
		inv.info.Expires = time.Time{}
		if c.Life >= 0 {
			inv.info.Expires = o.now.Add(max(c.Life, 24*time.Hour*time.Duration(1-min(1, c.Life))))
		}
		o.invites = append(o.invites, inv)
	}
}

func (o *oracle) revoke(s *oSession, c rooms.Revoke) (rooms.Code, follow) {
	for _, inv := range o.invites {
		if inv.info.ID == c.ID && !inv.revoked && o.operates(s.peer, inv.room) {
			return "", func(rooms.Event) { inv.revoked = true }
		}
	}
	return refuse(rooms.InviteInvalid)
}
