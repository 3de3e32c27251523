package node

import (
	"slices"

	"p2pchat/rooms"
)

// frame is an event as it came from the host; ref is not 0 in an answer.
type frame struct {
	ref   uint64
	event rooms.Event
}

// take handles one frame. It returns why the link has to be given up, if it has.
func (k *Client) take(f frame) (why string) {
	if f.ref != 0 {
		why := k.answer(f)
		if why == "" {
			k.pump()
		}
		return why
	}
	switch e := f.event.(type) {
	case *rooms.Refusal: // the host ends the session
		if e.Code == rooms.Unreachable || e.Code == rooms.BadRequest {
			return e.Message
		}
		k.final = e
		return e.Message
	case rooms.Posted:
		return k.posted(e)
	case rooms.Whereabouts:
		if k.config.dialer != nil {
			k.config.dialer.learn(e)
		}
	case rooms.RoomChanged:
		if e.What == rooms.RoomLeft || e.What == rooms.RoomClosed {
			if e.Room.Room != k.room {
				return "" // of a room that a lost connection was in last
			}
			k.room = ""
		}
	}
	if happens(f.event) {
		k.emit(f.event)
	}
	return ""
}

// happens tells what may come without having been asked for; anything else from
// a host is dropped.
func happens(e rooms.Event) bool {
	switch e.(type) {
	case rooms.Whispered, rooms.MemberChanged, rooms.RoomChanged, rooms.Notice:
		return true
	}
	return false
}

// posted takes a message if it is the next one.
func (k *Client) posted(e rooms.Posted) (why string) {
	if e.Seq <= k.cursor.Seq {
		return ""
	}
	if e.Seq != k.cursor.Seq+1 && !k.passing && k.gapAt != k.cursor.Seq+1 {
		k.gapAt = k.cursor.Seq + 1    // one more than the cursor, so that zero is none
		return "a message is missing" // coming back asks for it, once
	}
	k.cursor.Seq, k.cursor.Mark = e.Seq, e.Mark
	k.wait, k.vain = firstRetry, 0
	k.emit(e)
	if e.From.Peer == k.welcome.Peer && e.Origin.Count != 0 {
		k.delivered(e)
	}
	if k.returning && k.cursor.Seq >= k.head {
		k.returning = false
		k.pump()
	}
	return ""
}

// delivered answers a line that came back as a message: the echo is the
// acknowledgement. The host's own answer comes behind it, or never, when the
// connection was lost in between.
func (k *Client) delivered(e rooms.Posted) {
	for i, r := range k.pending {
		if c, ok := r.cmd.(rooms.Say); ok && c.Origin == e.Origin {
			k.remove(i)
			k.reply(r, rooms.Said{Seq: e.Seq})
			return
		}
	}
}

// answer hands an answer to whoever asked. It returns why the link has to be given up,
// if it has.
func (k *Client) answer(f frame) (why string) {
	i := slices.IndexFunc(k.pending, func(r *request) bool { return r.ref == f.ref && f.ref != 0 })
	if i < 0 {
		return ""
	}
	r := k.pending[i]
	k.remove(i)
	if r.resume {
		return k.resumed(f.event)
	}
	k.wait = firstRetry
	if entered, ok := f.event.(rooms.Entered); ok {
		k.entered(entered)
		k.gapAt = 0
	}
	k.reply(r, f.event)
	return ""
}

// remove takes out a request that is answered: mostly the first.
func (k *Client) remove(i int) {
	if i == 0 {
		k.pending[0] = nil
		k.pending = k.pending[1:]
		return
	}
	k.pending = slices.Delete(k.pending, i, i+1)
}

// entered places the cursor where the host starts from.
func (k *Client) entered(e rooms.Entered) {
	k.room, k.passing = e.Room.Room, e.Room.NoHistory
	k.cursor, k.head = e.From, e.Head
}

// resumed handles the answer to the client's own return into its room. Whoever reads
// the Events learns from it what was missed.
func (k *Client) resumed(e rooms.Event) (why string) {
	switch e := e.(type) {
	case rooms.Entered:
		other := e.From.Epoch != k.cursor.Epoch
		if other || e.From.Seq > k.cursor.Seq {
			k.giveBack()
		}
		// A room that keeps nothing begins anew with each start of the host.
		e.Diverged = !e.Room.NoHistory && (e.Diverged || other || e.From.Seq < k.cursor.Seq)
		k.entered(e)
		k.emit(e)
		if k.returning = e.From.Seq < e.Head; !k.returning {
			k.wait = firstRetry
		}
	case *rooms.Refusal:
		if k.vain++; passes(e.Code) && k.vain < mostVain && !k.moving() {
			return e.Message
		}
		k.out(e.Error())
	}
	return ""
}

// mostVain is how often a client comes back to a room that it can't enter, or that it
// hears nothing of and wants to leave, before it goes on without.
const mostVain = 3

// out is in no room any more, since there is no getting back into it.
func (k *Client) out(why string) {
	k.emit(rooms.RoomChanged{What: rooms.RoomLeft, Room: rooms.RoomInfo{Room: k.room}, Reason: why})
	k.link.send(k.nextRef(), rooms.Leave{}) // its seat may have been kept
	k.room, k.returning, k.vain = "", false, 0
}

// moving tells whether a command that leaves the room waits.
func (k *Client) moving() bool {
	return slices.ContainsFunc(k.pending, func(r *request) bool {
		switch r.cmd.(type) {
		case rooms.Join, rooms.Leave, rooms.Create:
			return !r.resume
		}
		return false
	})
}

// giveBack answers the lines that were sent and not answered, where the replay does not
// tell which of them were said: sent again, they might appear twice.
func (k *Client) giveBack() {
	kept := k.pending[:0]
	for _, r := range k.pending {
		if say, ok := r.cmd.(rooms.Say); ok && r.again {
			k.reply(r, rooms.Refuse(rooms.Unreachable, "ask somebody who was there, and say it again if not",
				"it can't be told whether %q was said before the connection was lost", brief(say.Text)))
			continue
		}
		kept = append(kept, r)
	}
	clear(k.pending[len(kept):])
	k.pending = kept
}

// brief is the beginning of a text, for a sentence.
func brief(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
