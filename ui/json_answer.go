package ui

import (
	"encoding/json"
	"time"

	"p2pchat/rooms"
)

// The answers.
type (
	errorAnswer struct {
		head
		Code    rooms.Code `json:"code"`
		Message string     `json:"message"`
		Hint    string     `json:"hint"`
		Retry   int64      `json:"retry_ms,omitempty"`
	}
	saidAnswer struct {
		head
		Seq rooms.Seq `json:"seq"`
	}
	sentAnswer struct {
		head
		Seq  rooms.Seq `json:"seq"`
		File string    `json:"file"` // its ID
	}
	savedAnswer struct {
		head
		File string `json:"file"`
		Path string `json:"path"`
	}
	enteredAnswer struct {
		head
		jsonRoom
		Head rooms.Seq `json:"head"`
		Role string    `json:"role"`
	}
	listAnswer struct {
		head
		Rooms []jsonRoom `json:"rooms"`
	}
	whoAnswer struct {
		head
		Room    rooms.RoomID `json:"room"`
		Members []jsonMember `json:"members"`
	}
	historyAnswer struct {
		head
		Messages []jsonMessage `json:"messages"`
	}
	foundAnswer struct {
		head
		Messages []jsonMessage `json:"messages"`
		Next     rooms.Seq     `json:"next"` // what to search before for older ones; 0: there are none
	}
	inviteAnswer struct {
		head
		Invite  string       `json:"invite"`
		ID      string       `json:"id"`
		Room    rooms.RoomID `json:"room"`
		Uses    int          `json:"uses"`
		Expires string       `json:"expires,omitempty"`
	}
	invitesAnswer struct {
		head
		Invites []jsonInvite `json:"invites"`
	}
	bansAnswer struct {
		head
		Bans []jsonBan `json:"bans"`
	}
	memberAnswer struct {
		head
		Member jsonMember `json:"member"`
	}
	topicAnswer struct {
		head
		Room  rooms.RoomID `json:"room"`
		Topic string       `json:"topic"`
	}
	textAnswer struct {
		head
		Text string `json:"text"`
	}
	statusAnswer struct {
		head
		Status jsonStatus `json:"status"`
	}
	jsonStatus struct {
		Version string       `json:"version"`
		Peer    rooms.PeerID `json:"peer"`
		Name    string       `json:"name"`
		Started string       `json:"started"`
		Target  string       `json:"target"`
		Addrs   []string     `json:"addrs"`
		Rooms   []jsonRoom   `json:"rooms"`
		Members []jsonMember `json:"members"`
		Disk    int64        `json:"disk"`
	}
)

func okObject(ref json.RawMessage) any { return ok(ref) }

func errorObject(ref json.RawMessage, no *rooms.Refusal) any {
	return errorAnswer{head{1, "error", ref}, no.Code, no.Message, no.Hint, int64(no.Retry / time.Millisecond)}
}

// answerObject is the object of the answer to a command, as the member with the key me
// sees it.
func answerObject(ref json.RawMessage, ev rooms.Event, me rooms.PeerID) any {
	h := ok(ref)
	stored := func(m rooms.Message) jsonMessage { return messageOf(m, m.From.Peer == me, false) }
	switch ev := ev.(type) {
	case *rooms.Refusal:
		return errorObject(ref, ev)
	case rooms.Said:
		return saidAnswer{h, ev.Seq}
	case rooms.Entered:
		return enteredAnswer{h, roomOf(ev.Room), ev.Head, ev.Role.String()}
	case rooms.Listing:
		return listAnswer{h, each(ev.Rooms, roomOf)}
	case rooms.Roster:
		return whoAnswer{h, ev.Room, each(ev.Members, memberOf)}
	case rooms.Page:
		return historyAnswer{h, each(ev.Messages, stored)}
	case rooms.Shared:
		return foundAnswer{h, each(ev.Messages, stored), ev.Next}
	case rooms.Found:
		return foundAnswer{h, each(ev.Messages, stored), ev.Next}
	case rooms.Invited:
		return inviteAnswer{h, ev.Link, ev.Invite.ID, ev.Invite.Room, ev.Invite.MaxUses, stamp(ev.Invite.Expires)}
	case rooms.InviteList:
		return invitesAnswer{h, each(ev.Invites, inviteOf)}
	case rooms.BanList:
		return bansAnswer{h, each(ev.Bans, banOf)}
	case rooms.Member:
		return memberAnswer{h, memberOf(ev)}
	case rooms.HostStatus:
		return statusAnswer{h, statusOf(ev)}
	}
	return h
}

func statusOf(s rooms.HostStatus) jsonStatus {
	return jsonStatus{
		Version: s.Version, Peer: s.Peer, Name: s.Name, Started: stamp(s.Started), Target: s.Target,
		Addrs: append([]string{}, s.Addrs...), Rooms: each(s.Rooms, roomOf), Members: each(s.Members, memberOf), Disk: s.Disk,
	}
}
