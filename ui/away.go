package ui

import (
	"strings"

	"p2pchat/rooms"
)

// plainAway is why somebody is away who does not say why.
const plainAway = "away"

func buildAway(_ parser, a *arguments) (rooms.Command, *rooms.Refusal) {
	text := a.text()
	if text == "" {
		text = plainAway
	}
	return rooms.Away{Text: text}, nil
}

// awayText says that somebody is away, and why, where that is told.
func awayText(why string) string {
	if why == plainAway {
		return plainAway
	}
	return "away: " + why
}

// doneAway tells the person; the room is told by an event.
func doneAway(cmd rooms.Command) string {
	if text := cmd.(rooms.Away).Text; text != "" {
		return "you are " + awayText(strings.TrimSpace(text)) + "; /back, or saying something, ends it"
	}
	return "you are back"
}

// toldOtherwise reports whether the person learns of a change of itself at an answer.
func toldOtherwise(ev rooms.MemberChanged, mine bool) bool {
	return mine && (ev.What == rooms.MemberAway || ev.What == rooms.MemberBack && ev.Reason == "")
}

// absence tells that a member is away, or back. That somebody is back who says
// something is seen by that.
func (p *page) absence(ev rooms.MemberChanged, mine bool) []string {
	who, is := SanitizeNick(ev.Member.Nick), "is"
	if mine {
		who, is = "you", "are"
	}
	switch {
	case ev.What == rooms.MemberAway:
		return p.notice("%s %s %s", who, is, awayText(ev.Member.Away))
	case ev.Reason == "" || mine:
		return p.notice("%s %s back", who, is)
	}
	return nil
}
