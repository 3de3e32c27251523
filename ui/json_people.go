package ui

import (
	"encoding/json"

	"p2pchat/rooms"
)

// What a program gets of keys.
type (
	verifyAnswer struct {
		head
		Nick     string       `json:"nick"`
		Peer     rooms.PeerID `json:"peer"`
		Words    []string     `json:"words"`
		OwnWords []string     `json:"own_words"`
		Verified bool         `json:"verified"`
	}
	verifiedAnswer struct {
		head
		Members []jsonAuthor `json:"members"`
	}
	// keyEvent is a notice, so that a program that knows no more of it can show it.
	keyEvent struct {
		noticeEvent
		Event    string       `json:"event"`
		Nick     string       `json:"nick"`
		Peer     rooms.PeerID `json:"peer"`
		Was      rooms.PeerID `json:"was"`
		Verified bool         `json:"was_verified"`
	}
)

// verify answers "/verify".
func (j *jsonMode) verify(arg string) {
	ref := j.ref
	v, no := readVerify(arg)
	switch {
	case no != nil:
		j.write(errorObject(ref, no))
	case v.nick == "":
		answer := verifiedAnswer{ok(ref), []jsonAuthor{}}
		for _, peer := range sortedPeers(j.circle.verified) {
			answer.Members = append(answer.Members, jsonAuthor{j.circle.verified[peer], peer})
		}
		j.write(answer)
	case v.set && !v.to:
		peer, found := j.circle.verifiedAs(v.nick, &j.scene)
		if !found {
			j.write(errorObject(ref, notVerified(v.nick)))
			return
		}
		j.verified(ref, rooms.Member{Peer: peer, Nick: j.circle.verified[peer]}, v)
	default:
		j.someone(ref, v.nick, func(m rooms.Member) { j.verified(ref, m, v) })
	}
}

// verified answers with the words of a key, and notes what was asked for.
func (j *jsonMode) verified(ref json.RawMessage, m rooms.Member, v verifying) {
	answer := verifyAnswer{ok(ref), m.Nick, m.Peer, j.circle.fingerprint(m.Peer), j.circle.fingerprint(j.scene.peer), false}
	switch {
	case answer.Words == nil || answer.OwnWords == nil:
		j.write(errorObject(ref, noWords(m.Nick)))
		return
	case v.set && m.Peer == j.scene.peer:
		j.write(errorObject(ref, thatIsYou()))
		return
	case v.to && !j.circle.wasShown(m.Nick, m.Peer):
		j.write(errorObject(ref, notShown(m.Nick)))
		return
	case !v.set:
		j.circle.show(m.Nick, m.Peer)
	default:
		if err := j.circle.verify(m.Peer, m.Nick, v.to); err != nil {
			j.write(errorObject(ref, rooms.Refuse(rooms.Storage, "it holds until the end of this session", "%v", err)))
			return
		}
	}
	answer.Verified = j.circle.isVerified(m.Peer)
	j.write(answer)
}

// someone finds a member by its nick: in the room, or else on the host.
func (j *jsonMode) someone(ref json.RawMessage, nick string, then func(rooms.Member)) {
	if m, ok := j.scene.find(nick); ok {
		then(m)
		return
	}
	j.desk.ask(rooms.Whois{Nick: nick}, func(ev rooms.Event) {
		switch m, ok := ev.(rooms.Member); {
		case ok && answersFor(m, nick):
			j.meet(m)
			then(m)
		case ok:
			j.write(errorObject(ref, otherNick(nick)))
		default:
			j.write(answerObject(ref, ev, j.scene.peer))
		}
	})
}

// answer is the object of an answer, with what is known here of who is in it.
func (j *jsonMode) answer(ref json.RawMessage, ev rooms.Event) any {
	object := answerObject(ref, ev, j.scene.peer)
	if m, ok := object.(memberAnswer); ok {
		m.Member.Verified, m.Member.Words = j.circle.isVerified(m.Member.Peer), j.circle.fingerprint(m.Member.Peer)
		return m
	}
	if w, ok := object.(whoAnswer); ok {
		for i := range w.Members {
			w.Members[i].Verified = j.circle.isVerified(w.Members[i].Peer)
		}
	}
	return object
}

// meet writes where a nick has another key than it had before.
func (j *jsonMode) meet(members ...rooms.Member) {
	for _, m := range members {
		if m.Peer == j.scene.peer || m.Peer == "" {
			continue
		}
		if ch, changed := j.circle.meet(m.Nick, m.Peer); changed {
			j.write(keyEvent{
				noticeEvent{head{V: 1, Type: "notice"}, j.circle.warning(ch)},
				"key_changed", ch.nick, ch.is, ch.was, ch.verified,
			})
		}
	}
}

// look looks for members whom an event tells of.
func (j *jsonMode) look(ev rooms.Event) {
	switch ev := ev.(type) {
	case rooms.MemberChanged:
		if ev.What != rooms.MemberLeft && ev.What != rooms.MemberKicked {
			j.meet(ev.Member)
		}
	case rooms.Posted:
		if !ev.Replayed {
			j.meet(rooms.Member{Peer: ev.From.Peer, Nick: ev.From.Nick})
		}
	case rooms.Whispered:
		j.meet(rooms.Member{Peer: ev.From.Peer, Nick: ev.From.Nick})
	case rooms.Entered:
		j.meet(ev.Members...)
	case rooms.Roster:
		j.meet(ev.Members...)
	}
}
