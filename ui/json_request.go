package ui

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"p2pchat/rooms"
)

// request is one line of input, with the fields of all requests. Fields that it
// does not know are ignored.
type request struct {
	Ref     json.RawMessage `json:"ref"`
	Do      string          `json:"do"`
	Room    string          `json:"room"`
	Limit   int             `json:"limit"`
	Private bool            `json:"private"`
	Topic   string          `json:"topic"`
	Invite  string          `json:"invite"`
	Nick    string          `json:"nick"`
	Text    string          `json:"text"`
	Kind    string          `json:"kind"`
	After   *uint64         `json:"after"`
	Before  uint64          `json:"before"`
	Seq     uint64          `json:"seq"`
	Uses    *int            `json:"uses"`
	Expires string          `json:"expires"`
	Pattern string          `json:"pattern"`
	Path    string          `json:"path"`
	Caption string          `json:"caption"`
	File    string          `json:"file"`
	Dir     string          `json:"dir"`

	// NoHistory goes with create.
	NoHistory bool `json:"no_history"`
}

// readRequest reads a line. Of a line that is not right it returns the ref, if
// that much can be read.
func readRequest(line string) (request, *rooms.Refusal) {
	var r request
	if !utf8.ValidString(line) {
		return r, rooms.Refuse(rooms.BadRequest, "send UTF-8", "this is no request: it is not UTF-8")
	}
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		return r, rooms.Refuse(rooms.BadRequest, `send one object a line, such as {"do":"list"}`, "this is no request: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if r.Do == "" {
		return r, rooms.Refuse(rooms.BadRequest, "one of: "+requestNames(), `the request has no "do"`)
	}
	if r.Limit < 0 {
		return r, rooms.Refuse(rooms.BadRequest, "0 means the default", "a number in the request is negative")
	}
	return r, nil
}

// otherRequests are those that do not become a command at once.
var otherRequests = []string{"line", "quit", "save", "send"}

// requests are the kinds of requests that become a command.
func requests() map[string]func(parser, request) (rooms.Command, *rooms.Refusal) {
	return map[string]func(parser, request) (rooms.Command, *rooms.Refusal){
		"list":    requestList,
		"create":  requestCreate,
		"join":    requestJoin,
		"leave":   func(parser, request) (rooms.Command, *rooms.Refusal) { return rooms.Leave{}, nil },
		"who":     func(parser, request) (rooms.Command, *rooms.Refusal) { return rooms.Who{}, nil },
		"nick":    func(_ parser, r request) (rooms.Command, *rooms.Refusal) { return rooms.Rename{Nick: r.Nick}, nil },
		"say":     requestSay,
		"history": requestHistory,
		"search":  requestSearch,
		"redact": func(_ parser, r request) (rooms.Command, *rooms.Refusal) {
			return rooms.Redact{Seq: rooms.Seq(r.Seq)}, nil
		},
		"invite": requestInvite,
		"files": func(_ parser, r request) (rooms.Command, *rooms.Refusal) {
			return rooms.Files{Before: rooms.Seq(r.Before), Limit: r.Limit}, nil
		},
	}
}

// requestNames lists all requests, for the hint of a refusal.
func requestNames() string {
	names := slices.AppendSeq(slices.Clone(otherRequests), maps.Keys(requests()))
	slices.Sort(names)
	return strings.Join(names, " ")
}

func requestList(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	return rooms.List{Pattern: r.Pattern}, nil
}

func requestCreate(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	return rooms.Create{Room: r.Room, Limit: r.Limit, Private: r.Private, Topic: r.Topic, NoHistory: r.NoHistory}, nil
}

func requestJoin(p parser, r request) (rooms.Command, *rooms.Refusal) {
	if r.Invite == "" {
		return rooms.Join{Room: r.Room, Recent: p.recent}, nil
	}
	capability, no := p.capability(r.Invite)
	return rooms.Join{Room: r.Room, Invite: capability, Recent: p.recent}, no
}

func requestSay(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	switch r.Kind {
	case "", "text":
		return rooms.Say{Kind: rooms.Text, Text: r.Text}, nil
	case "action":
		return rooms.Say{Kind: rooms.Action, Text: r.Text}, nil
	}
	return nil, rooms.Refuse(rooms.BadRequest, "text or action", "nobody can say something of kind %q", r.Kind)
}

// requestHistory asks for what follows "after"; without it, for the newest.
func requestHistory(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	if r.After == nil {
		return rooms.History{Last: true, Limit: r.Limit}, nil
	}
	return rooms.History{After: rooms.Seq(*r.After), Limit: r.Limit}, nil
}

func requestSearch(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	return rooms.Search{Text: r.Text, Before: rooms.Seq(r.Before), Limit: r.Limit}, nil
}

func requestInvite(_ parser, r request) (rooms.Command, *rooms.Refusal) {
	c := rooms.Invite{Room: r.Room}
	if r.Uses != nil {
		if c.Uses = *r.Uses; c.Uses < 1 {
			return nil, rooms.Refuse(rooms.BadRequest, "1 or more; without it, 1", "an invite can't be used %d times", c.Uses)
		}
	}
	if r.Expires == "" {
		return c, nil
	}
	var err error
	if c.Life, err = ParseLife(r.Expires); err != nil {
		return nil, rooms.Refuse(rooms.BadRequest, "a time like 30m, 24h or 7d", "%q is no time", r.Expires)
	}
	return c, nil
}

// isBlank reports whether a line holds nothing.
func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

// stamp writes a time the way the JSON lines carry it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
