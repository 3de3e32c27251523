package rooms

import (
	"strings"
	"unicode/utf8"
)

// absence is that a member is away.
type absence struct {
	text     string
	instance uint64 // of the program that said so: when that one comes back, its member is still away
}

// absencesKept bounds the absences of members who have lost their connection.
const absencesKept = 10_000

// silencedAway is what a room sees of the text of a member that may not speak there.
const silencedAway = "away"

// Away returns why a member is away; empty: it is not.
func (r *Registry) Away(peer PeerID) string { return r.absences[peer].text }

func (a asking) away(c Away) (Decision, *Refusal) {
	if limit := a.limits.AwayBytes; limit > 0 && len(c.Text) > limit {
		return Decision{}, Refuse(TooLong, "make it shorter", "this reason to be away has %d bytes, %d are allowed", len(c.Text), limit)
	}
	if !utf8.ValidString(c.Text) {
		return Decision{}, Refuse(BadRequest, "type it again", "this reason to be away is not text")
	}
	return Decision{Answer: Done{}, Effects: a.absent(strings.TrimSpace(c.Text), "")}, nil
}

// absent tells the member's rooms that it is away, or back; nothing where they know.
func (a asking) absent(text, why string) []Effect {
	peer := a.session.peer
	if text == a.Away(peer) {
		return nil
	}
	what := MemberAway
	if text == "" {
		what = MemberBack
	}
	var effects []Effect
	for _, o := range a.Rooms() {
		room := a.rooms[o.Key]
		if room.present[peer] == 0 {
			continue
		}
		m := a.member(room, peer)
		m.Away = awayIn(room, peer, text)
		effects = append(effects, Broadcast{room.key, MemberChanged{Room: room.id, What: what, Member: m, Reason: why}})
	}
	return effects
}

// awayIn is what a room is told of why a member is away.
func awayIn(room *roomState, peer PeerID, text string) string {
	if text != "" && room != nil && room.muted[peer] {
		return silencedAway
	}
	return text
}

// awayNotice tells somebody who whispers to a member that it is away.
func (a asking) awayNotice(peer PeerID) []Effect {
	text := awayIn(a.session.room, peer, a.Away(peer))
	if text == "" || peer == a.session.peer {
		return nil
	}
	told := a.nicks[peer].nick + " is away"
	if text != silencedAway {
		told += ": " + text
	}
	return []Effect{Tell{a.id, Notice{told}}}
}

// commitAbsence makes true what a command means for whether its member is away. A
// member stays away when its connection is lost, and is back when it leaves the host,
// or comes with another program.
func (r *Registry) commitAbsence(who SessionID, cmd Command) {
	if c, ok := cmd.(Connect); ok {
		if len(r.online(c.Peer)) == 0 && r.absences[c.Peer].instance != c.Instance {
			delete(r.absences, c.Peer)
		}
		return
	}
	s, ok := r.sessions[who]
	if !ok {
		return
	}
	switch c := cmd.(type) {
	case Away:
		delete(r.absences, s.peer)
		if text := strings.TrimSpace(c.Text); text != "" {
			r.makeRoomForAbsence()
			r.absences[s.peer] = absence{text, s.instance}
		}
	case Spoke:
		delete(r.absences, s.peer)
	case Quit:
		if len(r.online(s.peer)) == 1 {
			delete(r.absences, s.peer)
		}
	}
}

// makeRoomForAbsence forgets, when there are many, the absences of those who are not connected.
func (r *Registry) makeRoomForAbsence() {
	if len(r.absences) < absencesKept {
		return
	}
	online := map[PeerID]bool{}
	for _, s := range r.sessions {
		online[s.peer] = true
	}
	for peer := range r.absences {
		if !online[peer] {
			delete(r.absences, peer)
		}
	}
}
