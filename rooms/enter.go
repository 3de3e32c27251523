package rooms

import (
	"encoding/base32"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

func (a asking) list(c List) (Decision, *Refusal) {
	pattern := strings.ToLower(strings.TrimSpace(c.Pattern))
	if !strings.ContainsRune(pattern, '*') {
		pattern = "*" + pattern + "*"
	}
	pattern = escapeGlob.Replace(pattern)
	var found []RoomInfo
	for _, room := range a.rooms {
		if room.private {
			continue
		}
		if ok, err := path.Match(pattern, strings.ToLower(string(room.id))); ok && err == nil {
			found = append(found, a.info(room))
		}
	}
	slices.SortFunc(found, func(x, y RoomInfo) int { return strings.Compare(x.Room.fold(), y.Room.fold()) })
	return Decision{Answer: Listing{found}}, nil
}

// escapeGlob leaves * as the only sign with a meaning in a pattern.
var escapeGlob = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `?`, `\?`)

func (a asking) create(c Create) (Decision, *Refusal) {
	id, refusal := a.limits.ParseNewRoomID(c.Room)
	if refusal != nil {
		return Decision{}, refusal
	}
	if refusal := a.checkRoom(c); refusal != nil {
		return Decision{}, refusal
	}
	if c.Private {
		id += RoomID(privateMark + a.suffix())
	}
	if _, exists := a.byName[id.fold()]; exists { // even if no more are taken
		return Decision{}, Refuse(RoomExists, fmt.Sprintf("/join %s enters it, or choose another name", id), "room %q exists already", id)
	}
	if a.limits.Rooms > 0 && len(a.rooms) >= a.limits.Rooms {
		return Decision{}, Refuse(Quota, "join one of them, or ask its operator to /close one", "this host has %d rooms and takes no more", a.limits.Rooms)
	}
	change := Change{
		Kind: RoomCreated, Time: unixMilli(a.env.Now), Name: string(id), Peer: a.session.peer,
		N: int64(c.Limit), Text: c.Topic,
	}
	read(a.env.Random, change.Room[:])
	if c.Private {
		change.Flags |= FlagPrivate
	}
	if c.NoHistory {
		change.Flags |= FlagNoHistory
	}
	answer := Entered{
		Room: RoomInfo{Room: id, Members: 1, Limit: c.Limit, Topic: c.Topic, Private: c.Private, NoHistory: c.NoHistory},
		Role: max(Operator, a.roleIn(nil, a.session.peer)),
	}
	answer.Members = []Member{{Peer: a.session.peer, Nick: a.session.nick, Role: answer.Role}}
	joined := MemberChanged{Room: id, What: MemberJoined, Member: answer.Members[0]}
	effects := append(a.goOut(), Opened{Key: change.Room, Room: id, NoHistory: c.NoHistory}, Broadcast{change.Room, joined}, Attach{
		Session: a.id, Key: change.Room, Member: answer.Members[0], Answer: answer,
	})
	return Decision{Changes: []Change{change}, Effects: effects}, nil
}

func (a asking) checkRoom(c Create) *Refusal {
	if refusal := a.checkLimit(c.Limit); refusal != nil {
		return refusal
	}
	if refusal := a.checkTopic(c.Topic); refusal != nil {
		return refusal
	}
	return nil
}

// checkLimit checks a room's own limit on its members.
func (r *Registry) checkLimit(n int) *Refusal {
	if n < 0 || r.limits.RoomMembers > 0 && n > r.limits.RoomMembers {
		return Refuse(BadRequest, "0 means no limit of its own", "the limit of a room is a number from 0 to %d", r.limits.RoomMembers)
	}
	return nil
}

func (r *Registry) checkTopic(s string) *Refusal {
	if r.limits.TopicBytes > 0 && len(s) > r.limits.TopicBytes {
		return Refuse(TooLong, "make it shorter", "this topic has %d bytes, %d are allowed", len(s), r.limits.TopicBytes)
	}
	if !utf8.ValidString(s) {
		return Refuse(BadRequest, "", "this topic is not text")
	}
	return nil
}

func (a asking) suffix() string {
	var b [5]byte
	read(a.env.Random, b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// goOut takes the session out of the room it is in, and tells it.
func (a asking) goOut() []Effect {
	if a.session.room == nil {
		return nil
	}
	return append(a.exit(a.id, ""), Tell{a.id, RoomChanged{What: RoomLeft, Room: RoomInfo{Room: a.session.room.id}}})
}

func (a asking) join(c Join) (Decision, *Refusal) {
	room, used, refusal := a.find(c)
	if refusal != nil {
		return Decision{}, refusal
	}
	peer := a.session.peer
	if b, ok := a.banned(room); ok && peer != a.owner {
		return Decision{}, b.refusal(fmt.Sprintf("room %q", room.id))
	}
	if refusal := a.room(room); refusal != nil {
		return Decision{}, refusal
	}
	d := Decision{Changes: used}
	if a.session.room != room {
		d.Effects = a.goOut()
		if room.present[peer] == 0 {
			d.Effects = append(d.Effects, Broadcast{room.key, MemberChanged{Room: room.id, What: MemberJoined, Member: a.member(room, peer)}})
		}
	}
	answer := Entered{Room: a.info(room), Role: a.roleIn(room, peer)}
	if room.present[peer] == 0 {
		answer.Room.Members++
	}
	if c.After == nil {
		answer.Members = a.some(room)
	}
	d.Effects = append(d.Effects, Attach{
		Session: a.id, Key: room.key, Member: a.member(room, peer),
		After: c.After, Recent: c.Recent, Answer: answer,
	})
	return d, nil
}

// some returns members of a room for somebody who enters it, who is one of them.
func (a asking) some(room *roomState) []Member {
	members := []Member{a.member(room, a.session.peer)}
	for peer := range room.present {
		if len(members) == EnteredMembers {
			break
		}
		if peer != a.session.peer {
			members = append(members, a.member(room, peer))
		}
	}
	sortMembers(members)
	return members
}

// room tells whether there is a seat left for the member.
func (a asking) room(room *roomState) *Refusal {
	limit := a.limits.RoomMembers
	if room.limit > 0 && (limit == 0 || room.limit < limit) {
		limit = room.limit
	}
	if room.present[a.session.peer] > 0 || limit == 0 || len(room.present) < limit {
		return nil
	}
	return Refuse(RoomFull, "ask an operator to raise /limit, or /list for others", "room %q is full (%d/%d)", room.id, len(room.present), limit)
}

// find finds the room that a Join asks for, and what is used up by entering it.
// Whoever may not enter a private room learns no more than if it did not exist.
func (a asking) find(c Join) (*roomState, []Change, *Refusal) {
	if c.Room == "" && c.Invite != (Capability{}) {
		return a.redeem(c.Invite, "")
	}
	id, refusal := a.limits.ParseRoomID(c.Room)
	if refusal != nil {
		return nil, nil, refusal
	}
	room := a.rooms[a.byName[id.fold()]]
	if room == nil {
		room = a.own(id)
	}
	switch {
	case room != nil && (!room.private || a.mayEnter(room)):
		return room, nil, nil
	case c.Invite == (Capability{}):
		return nil, nil, noSuchRoom(id)
	}
	return a.redeem(c.Invite, id)
}

// isCalled tells whether this is the room's identifier, with or without its suffix.
func (r *roomState) isCalled(id RoomID) bool {
	base, _, _ := strings.Cut(string(r.id), privateMark)
	return r.id.fold() == id.fold() || RoomID(base).fold() == id.fold()
}

// own finds the private room that a member may enter and names without its
// suffix, if there is just one.
func (a asking) own(id RoomID) (own *roomState) {
	for _, room := range a.rooms {
		if !room.private || !room.isCalled(id) || !a.mayEnter(room) {
			continue
		}
		if own != nil {
			return nil
		}
		own = room
	}
	return own
}

func noSuchRoom(id RoomID) *Refusal {
	hint := fmt.Sprintf("/list shows the rooms, /create %s makes it; a private room needs an invite", id)
	if strings.Contains(string(id), privateMark) {
		hint = "/list shows the rooms; a private room needs an invite"
	}
	return Refuse(NoSuchRoom, hint, "there is no room %q", id)
}

func (a asking) mayEnter(room *roomState) bool {
	peer := a.session.peer
	if peer == a.owner {
		return true
	}
	_, banned := a.banned(room)
	return room.admitted[peer] && !banned
}

func (a asking) leave() (Decision, *Refusal) {
	if a.session.room == nil {
		return Decision{}, notInRoom()
	}
	return Decision{Answer: Done{}, Effects: a.goOut()}, nil
}

func (a asking) who() (Decision, *Refusal) {
	room := a.session.room
	if room == nil {
		return Decision{}, notInRoom()
	}
	answer := Roster{Room: room.id}
	for peer := range room.present {
		answer.Members = append(answer.Members, a.member(room, peer))
	}
	sortMembers(answer.Members)
	return Decision{Answer: answer}, nil
}

func sortMembers(members []Member) {
	slices.SortFunc(members, func(x, y Member) int {
		if c := strings.Compare(foldName(x.Nick), foldName(y.Nick)); c != 0 {
			return c
		}
		return strings.Compare(string(x.Peer), string(y.Peer))
	})
}

// CreateAtStart decides on the public room that a host opens with, when there is
// none of that name yet. It belongs to the owner.
func (r *Registry) CreateAtStart(env Env, name string) (Decision, *Refusal) {
	id, refusal := r.limits.ParseNewRoomID(name)
	if refusal != nil {
		return Decision{}, refusal
	}
	if _, exists := r.Lookup(id); exists {
		return Decision{}, nil
	}
	change := Change{Kind: RoomCreated, Time: unixMilli(env.Now), Name: string(id), Peer: r.owner}
	read(env.Random, change.Room[:])
	return Decision{Changes: []Change{change}}, nil
}
