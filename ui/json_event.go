package ui

import (
	"time"

	"p2pchat/rooms"
)

// The events.
type (
	welcomeEvent struct {
		head
		Peer    rooms.PeerID `json:"peer"`
		Host    rooms.PeerID `json:"host"`
		Name    string       `json:"name"`
		Nick    string       `json:"nick"`
		Version string       `json:"version"`
	}
	messageEvent struct {
		head
		jsonMessage
	}
	whisperEvent struct {
		head
		From jsonAuthor `json:"from"`
		To   jsonAuthor `json:"to"`
		Text string     `json:"text"`
		Own  bool       `json:"own,omitempty"`
	}
	memberEvent struct {
		head
		Event  string       `json:"event"`
		Room   rooms.RoomID `json:"room"`
		Nick   string       `json:"nick"`
		Peer   rooms.PeerID `json:"peer"`
		Role   string       `json:"role"`
		Old    string       `json:"old,omitempty"`
		By     string       `json:"by,omitempty"`
		Reason string       `json:"reason,omitempty"`
		Own    bool         `json:"own,omitempty"`
		Away   string       `json:"away,omitempty"`
	}
	roomEvent struct {
		head
		Event string `json:"event"`
		jsonRoom
		Reason string `json:"reason,omitempty"`
		By     string `json:"by,omitempty"`
	}
	pathEvent struct {
		head
		Path      string  `json:"path"`
		Transport string  `json:"transport"`
		Addr      string  `json:"addr"`
		RTT       float64 `json:"rtt_ms"`
		Why       string  `json:"why"`
	}
	connectionEvent struct {
		head
		Event string `json:"event"`
		Why   string `json:"why,omitempty"`
	}
	transferEvent struct {
		head
		Event string `json:"event"`
		N     int    `json:"n"` // for /cancel
		File  string `json:"file"`
		Name  string `json:"name"`
		Path  string `json:"path,omitempty"` // on this machine
		Done  int64  `json:"done"`
		Total int64  `json:"total"`
	}
	noticeEvent struct {
		head
		Text string `json:"text"`
	}
)

// messageType is the type of a message: what is said, and what becomes of it later.
func messageType(kind rooms.Kind) string {
	switch kind {
	case rooms.Redaction:
		return "redaction"
	case rooms.Lost:
		return "lost"
	}
	return "message"
}

func roomObject(ev rooms.RoomChanged) any {
	return roomEvent{head{V: 1, Type: "room"}, ev.What.String(), roomOf(ev.Room), ev.Reason, ev.By}
}

// eventObject is the object of an event as the member with this key sees it;
// nil for what is no event but an answer.
func eventObject(ev rooms.Event, me rooms.PeerID) any {
	switch ev := ev.(type) {
	case rooms.Welcome:
		return welcomeEvent{head{V: 1, Type: "welcome"}, ev.Peer, ev.Host, ev.Name, ev.Nick, ev.Version}
	case rooms.Posted:
		return messageEvent{head{V: 1, Type: messageType(ev.Kind)}, messageOf(ev.Message, ev.From.Peer == me, ev.Replayed)}
	case rooms.Whispered:
		return whisperEvent{head{V: 1, Type: "whisper"}, authorOf(ev.From), authorOf(ev.To), ev.Text, ev.Own}
	case rooms.MemberChanged:
		return memberEvent{
			head{V: 1, Type: "member"},
			ev.What.String(), ev.Room, ev.Member.Nick, ev.Member.Peer,
			ev.Member.Role.String(), ev.Old, ev.By, ev.Reason, ev.Member.Peer == me, ev.Member.Away,
		}
	case rooms.RoomChanged:
		return roomObject(ev)
	case rooms.Path:
		rtt := float64(ev.RTT.Round(time.Microsecond)) / float64(time.Millisecond)
		return pathEvent{head{V: 1, Type: "path"}, ev.Path, ev.Transport, ev.Addr, rtt, ev.Why}
	case rooms.Connection:
		return connectionEvent{head{V: 1, Type: "connection"}, ev.What.String(), ev.Why}
	case rooms.Notice:
		return noticeEvent{head{V: 1, Type: "notice"}, ev.Text}
	case *rooms.Refusal:
		return errorObject(nil, ev)
	}
	return nil
}
