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
	been     []rooms.RoomID   // rooms that were entered, private ones too
	way      rooms.Path
	epoch    uint64    // of the room's history
	seen     rooms.Seq // the last message of the room that came
	replayed rooms.Seq // replayed messages up to here came before; 0: none did
}

// inRoom reports whether the person is in a room.
func (s *scene) inRoom() bool { return s.room.Room != "" }

// welcome takes in who is who.
func (s *scene) welcome(ev rooms.Welcome) {
	s.peer, s.host, s.hostName, s.nick = ev.Peer, ev.Host, ev.Name, ev.Nick
}

// enter moves to a room. It reports true where that is the room the person is in
// already: the host then replays messages that have been seen.
func (s *scene) enter(ev rooms.Entered) (again bool) {
	again = s.inRoom() && ev.Room.Room == s.room.Room
	if again && ev.From.Epoch == s.epoch {
		s.replayed = s.seen
	} else {
		s.seen, s.replayed = ev.From.Seq, 0
	}
	s.epoch = ev.From.Epoch
	s.room, s.role, s.head = ev.Room, ev.Role, ev.Head
	if s.inRoom() && !slices.Contains(s.been, s.room.Room) {
		s.been = append(s.been, s.room.Room)
	}
	if !again { // else the members are known, and the host does not name them
		s.members = ev.Members
	}
	return again
}

// resume takes in that the session is back in its room after a lost connection: what was
// missed follows. another tells that the history is not the one from before; notice is
// what a person has to know, or "".
func (s *scene) resume(ev rooms.Entered) (another bool, notice string) {
	seen := s.seen
	another = ev.Diverged || ev.From.Epoch != s.epoch
	s.enter(ev)
	switch {
	case another:
		s.seen, s.replayed = ev.From.Seq, 0
		if !ev.Room.NoHistory {
			notice = anotherCopy(seen, ev.Head)
		}
	case ev.From.Seq > seen && !ev.Room.NoHistory:
		notice = notKept(ev.From.Seq - seen)
	}
	return another, notice
}

// isNew reports whether a message has not come before.
func (s *scene) isNew(ev rooms.Posted) bool {
	if ev.Room != s.room.Room {
		return true
	}
	if ev.Replayed && ev.Seq <= s.replayed {
		return false
	}
	s.seen, s.replayed = ev.Seq, 0
	return true
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
	// Whom the list still has from before a lost connection counts again when he comes back.
	left := ev.What == rooms.MemberLeft || ev.What == rooms.MemberKicked
	switch {
	case left:
		s.room.Members = max(s.room.Members-1, 0)
	case ev.What == rooms.MemberJoined && !mine:
		s.room.Members++
	}
	if left {
		if at >= 0 {
			s.members = slices.Delete(s.members, at, at+1)
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
	return !known
}

// isAway reports whether the person has said that it is away.
func (s *scene) isAway() bool {
	return slices.ContainsFunc(s.members, func(m rooms.Member) bool { return m.Peer == s.peer && m.Away != "" })
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
func (s *scene) completer() Completer {
	var nicks, names []string
	for _, m := range s.members {
		if SanitizeNick(m.Nick) == m.Nick && m.Peer != s.peer {
			nicks = append(nicks, m.Nick)
		}
	}
	known := slices.Clone(s.been)
	for _, r := range s.listed {
		if !slices.Contains(known, r.Room) {
			known = append(known, r.Room)
		}
	}
	for _, room := range known {
		if name := string(room); Sanitize(name) == name {
			names = append(names, name)
		}
	}
	return completer(nicks, names)
}

// pick is the ID of the room that a person means by an ID or by the number of a
// listed room. A listed room of that ID goes first.
func (s *scene) pick(id string) string {
	if i := slices.IndexFunc(s.listed, named(id)); i >= 0 {
		return string(s.listed[i].Room)
	}
	if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= len(s.listed) && strconv.Itoa(n) == id {
		return string(s.listed[n-1].Room)
	}
	return id
}

// noNumber refuses a number that no listed room has, outside of every room.
func (s *scene) noNumber(text string) *rooms.Refusal {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if s.inRoom() || err != nil || len(s.listed) == 0 || n >= 1 && n <= len(s.listed) || slices.ContainsFunc(s.listed, named(strings.TrimSpace(text))) {
		return nil
	}
	return rooms.Refuse(rooms.NoSuchRoom, "list shows the rooms", "there is no number %d: the list ends at %d", n, len(s.listed))
}

// meant is the listed room whose ID is most like one that is not there; "": none is.
func (s *scene) meant(id string) string {
	best, least := "", 3
	for _, r := range s.listed {
		if d := distance(strings.ToLower(id), strings.ToLower(string(r.Room))); d > 0 && d < min(least, len(id)) {
			best, least = string(r.Room), d
		}
	}
	return best
}

// choice reads what a person outside of every room types into the menu: the
// number or the ID of a room, listed or not, or one of the choices as a word.
func (s *scene) choice(text string) (line string, ok bool) {
	text = strings.TrimSpace(text)
	join := "/join " + quoted(text)
	if looksLikeInvite(text) || slices.ContainsFunc(s.listed, named(roomName(text))) {
		return join, true
	}
	switch word, _, more := cutBlank(strings.ToLower(text)); {
	case word == "create", word == "join":
		return "/" + text, true
	case !more && (word == "list" || word == "help" || word == "quit"):
		return "/" + word, true
	}
	_, no := rooms.DefaultLimits().ParseRoomID(roomName(text))
	return join, no == nil
}

// named matches the room with this ID.
func named(id string) func(rooms.RoomInfo) bool {
	return func(r rooms.RoomInfo) bool { return strings.EqualFold(id, string(r.Room)) }
}
