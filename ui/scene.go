package ui

import (
	"slices"
	"strconv"
	"strings"

	"p2pchat/rooms"
)

// scene is what this side knows of the host and the room, kept up to date by
// answers and events.
type scene struct {
	peer     rooms.PeerID
	host     rooms.PeerID
	hostName string
	nick     string
	room     rooms.RoomInfo // its Room is empty outside of every room
	role     rooms.Role
	head     rooms.Seq // messages up to here had been said when the room was entered
	members  []rooms.Member
	listed   []rooms.RoomInfo // by the last listing
	way      rooms.Path
}

// inRoom reports whether the person is in a room.
func (s *scene) inRoom() bool { return s.room.Room != "" }

// welcome takes in who is who.
func (s *scene) welcome(ev rooms.Welcome) {
	s.peer, s.host, s.hostName, s.nick = ev.Peer, ev.Host, ev.Name, ev.Nick
}

// enter moves to a room.
func (s *scene) enter(ev rooms.Entered) {
	s.room, s.role, s.head, s.members = ev.Room, ev.Role, ev.Head, ev.Members
}

// exit moves out of the room.
func (s *scene) exit() { s.enter(rooms.Entered{}) }

// member follows the members of the room. It reports false for what is already
// known, or is not about this room.
func (s *scene) member(ev rooms.MemberChanged) bool {
	if !s.inRoom() || ev.Room != s.room.Room {
		return false
	}
	mine := ev.Member.Peer == s.peer
	at := slices.IndexFunc(s.members, func(m rooms.Member) bool { return m.Peer == ev.Member.Peer })
	if ev.What == rooms.MemberLeft || ev.What == rooms.MemberKicked {
		if at >= 0 {
			s.members = slices.Delete(s.members, at, at+1)
			s.room.Members--
		}
		return true
	}
	known := at >= 0 && ev.What == rooms.MemberJoined || mine && ev.What == rooms.MemberRenamed && ev.Member.Nick == s.nick
	if mine {
		s.nick, s.role = ev.Member.Nick, ev.Member.Role
	}
	if at >= 0 {
		s.members[at] = ev.Member
	} else {
		s.members = append(s.members, ev.Member)
	}
	if at < 0 && ev.What == rooms.MemberJoined {
		s.room.Members++
	}
	return !known
}

// find returns the member with this nick, ignoring case.
func (s *scene) find(nick string) (rooms.Member, bool) {
	nick = strings.TrimPrefix(strings.TrimSpace(nick), "@")
	for _, m := range s.members {
		if strings.EqualFold(m.Nick, nick) {
			return m, true
		}
	}
	return rooms.Member{}, false
}

// completer returns what completion offers now: only names that the sanitiser
// leaves as they are, for the others cannot be typed.
func (s *scene) completer() func(string) []string {
	var nicks, names []string
	for _, m := range s.members {
		if SanitizeNick(m.Nick) == m.Nick && m.Peer != s.peer {
			nicks = append(nicks, m.Nick)
		}
	}
	for _, r := range s.listed {
		if name := string(r.Room); Sanitize(name) == name {
			names = append(names, name)
		}
	}
	return completer(nicks, names)
}

// choice reads what a person outside of every room types into the menu: the
// number or the name of a listed room, or one of the choices as a word.
func (s *scene) choice(text string) (line string, ok bool) {
	text = strings.TrimSpace(text)
	for i, r := range s.listed {
		if text == strconv.Itoa(i+1) {
			return "/join " + quoted(string(r.Room)), true
		}
	}
	for _, r := range s.listed {
		if strings.EqualFold(roomName(text), string(r.Room)) {
			return "/join " + quoted(string(r.Room)), true
		}
	}
	switch word, _, _ := cutBlank(strings.ToLower(text)); word {
	case "list", "create", "join", "help", "quit":
		return "/" + text, true
	}
	if looksLikeInvite(text) {
		return "/join " + text, true
	}
	return "", false
}
