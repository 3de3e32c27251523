package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"

	"p2pchat/rooms"
)

// head begins every object.
type head struct {
	V    int             `json:"v"`
	Type string          `json:"type"`
	Ref  json.RawMessage `json:"ref,omitempty"`
}

func ok(ref json.RawMessage) head { return head{1, "ok", ref} }

// answers returns the ref of the request that the object answers; nil: it answers none.
func (h head) answers() json.RawMessage {
	if h.Type != "ok" && h.Type != "error" {
		return nil
	}
	return h.Ref
}

// The parts that several objects have in common.
type (
	jsonRoom struct {
		Room    rooms.RoomID `json:"room"`
		Members int          `json:"members"`
		Limit   int          `json:"limit"`
		Topic   string       `json:"topic"`
		Private bool         `json:"private,omitempty"`

		Retention *jsonRetention `json:"retention,omitempty"` // none: everything is kept
	}
	jsonAuthor struct {
		Nick string       `json:"nick"`
		Peer rooms.PeerID `json:"peer"`
	}
	jsonMember struct {
		Nick  string       `json:"nick"`
		Peer  rooms.PeerID `json:"peer"`
		Role  string       `json:"role"`
		Muted bool         `json:"muted,omitempty"`
		Room  rooms.RoomID `json:"room,omitempty"`
		Since string       `json:"since,omitempty"`
		Path  string       `json:"path,omitempty"`
		Away  string       `json:"away,omitempty"`

		Verified bool     `json:"verified,omitempty"`
		Words    []string `json:"words,omitempty"` // of its key, with whois
	}
	jsonFile struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Size int64  `json:"size"`
		MIME string `json:"mime"`

		Hash     rooms.Hash `json:"sha256,omitzero"`
		Width    int        `json:"width,omitempty"`
		Height   int        `json:"height,omitempty"`
		Duration float64    `json:"seconds,omitempty"`
	}
	jsonMessage struct {
		Room     rooms.RoomID `json:"room"`
		Seq      rooms.Seq    `json:"seq"`
		Time     string       `json:"time"`
		Kind     string       `json:"kind"`
		From     jsonAuthor   `json:"from"`
		Text     string       `json:"text"`
		File     *jsonFile    `json:"file,omitempty"`
		Own      bool         `json:"own,omitempty"`
		Replayed bool         `json:"replayed,omitempty"`
		Redacted bool         `json:"redacted,omitempty"`
		Target   rooms.Seq    `json:"target,omitempty"` // of kind redaction: which message
	}
	jsonInvite struct {
		ID      string       `json:"id"`
		Room    rooms.RoomID `json:"room"`
		By      string       `json:"by"`
		Used    int          `json:"used"`
		Uses    int          `json:"uses"`
		Expires string       `json:"expires,omitempty"`
	}
	jsonBan struct {
		Nick    string       `json:"nick"`
		Peer    rooms.PeerID `json:"peer"`
		Room    rooms.RoomID `json:"room,omitempty"`
		By      string       `json:"by"`
		Reason  string       `json:"reason"`
		Expires string       `json:"expires,omitempty"`
	}
)

func roomOf(r rooms.RoomInfo) jsonRoom {
	return jsonRoom{r.Room, r.Members, r.Limit, r.Topic, r.Private, retentionOf(r.Retention)}
}

func authorOf(a rooms.Author) jsonAuthor { return jsonAuthor{a.Nick, a.Peer} }

func memberOf(m rooms.Member) jsonMember {
	return jsonMember{m.Nick, m.Peer, m.Role.String(), m.Muted, m.Room, stamp(m.Since), m.Path, m.Away, false, nil}
}

func messageOf(m rooms.Message, own, replayed bool) jsonMessage {
	j := jsonMessage{
		Room: m.Room, Seq: m.Seq, Time: stamp(m.Time), Kind: m.Kind.String(), From: authorOf(m.From),
		Text: m.Text, Own: own, Replayed: replayed, Redacted: m.Redacted, Target: m.Target,
	}
	if f := m.File; f != nil {
		j.File = &jsonFile{f.ID, f.Name, f.Size, f.MIME, f.Hash, f.Width, f.Height, f.Duration.Seconds()}
	}
	return j
}

func inviteOf(i rooms.InviteInfo) jsonInvite {
	return jsonInvite{i.ID, i.Room, i.By, i.Uses, i.MaxUses, stamp(i.Expires)}
}

func banOf(b rooms.BanInfo) jsonBan {
	return jsonBan{b.Nick, b.Peer, b.Room, b.By, b.Reason, stamp(b.Expires)}
}

// each turns every element into its object; no elements are an empty list, not null.
func each[T, O any](in []T, object func(T) O) []O {
	out := make([]O, 0, len(in))
	for _, v := range in {
		out = append(out, object(v))
	}
	return out
}

// encodeLine writes an object and a line end. With escape, what could steer a
// terminal is written as \uXXXX, which is the same text to every parser.
func encodeLine(object any, escape bool) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil || !escape {
		return b.Bytes(), err
	}
	line := make([]byte, 0, b.Len())
	for rest := b.Bytes(); len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r > 0xFFFF && unicode.Is(unicode.Cf, r):
			line = fmt.Appendf(line, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		case r >= 0x7F && r <= 0x9F || unicode.Is(unicode.Cf, r):
			line = fmt.Appendf(line, `\u%04x`, r)
		default:
			line = append(line, rest[:size]...)
		}
		rest = rest[size:]
	}
	return line, nil
}
