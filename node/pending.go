package node

import (
	"slices"

	"p2pchat/rooms"
)

// collect takes over what was submitted. A line that has no origin gets one here, once,
// so that it is the same line however often it is sent.
func (k *Client) collect() {
	k.mu.Lock()
	fresh := k.submitted
	k.submitted = nil
	k.mu.Unlock()
	fresh = slices.DeleteFunc(fresh, func(r *request) bool {
		quit, ok := r.cmd.(rooms.Quit)
		if ok {
			k.farewell = quit.Reason
		}
		return ok
	})
	for _, r := range fresh {
		switch c := r.cmd.(type) {
		case rooms.Say:
			if c.Origin.Count == 0 {
				k.count++
				c.Origin = rooms.Origin{Client: k.instance, Count: k.count}
				r.cmd = c
			}
		case rooms.Join:
			if c.Recent == 0 {
				c.Recent = k.config.Recent
				r.cmd = c
			}
		}
	}
	k.pending = append(k.pending, fresh...)
}

// pump sends what may be sent, in order. While the client is getting back into
// its room, nothing else goes out: the replay may still answer it.
func (k *Client) pump() {
	if k.resuming() || k.next != nil || k.wearing {
		return
	}
	lines := 0
	for _, r := range k.pending {
		if _, ok := r.cmd.(rooms.Say); ok {
			if lines++; lines > rooms.MaxWaiting {
				return
			}
		}
		if r.ref == 0 {
			r.ref = k.nextRef()
			k.pulse.said()
			if !k.link.send(r.ref, r.cmd) {
				k.wear()
				return
			}
		}
	}
}

// resuming tells whether the client is on its way back to where it was.
func (k *Client) resuming() bool {
	if len(k.pending) > 0 && k.pending[0].resume {
		return true
	}
	return k.returning && k.room != "" && !k.passing && k.cursor.Seq < k.head
}

// disconnected sorts out what was under way. Lines and questions are asked again;
// what would do something twice is answered.
func (k *Client) disconnected() {
	kept := k.pending[:0]
	for _, r := range k.pending {
		sent := r.ref != 0
		r.ref, r.again = 0, r.again || sent
		switch {
		case r.resume:
		case sent && !repeatable(r.cmd):
			k.reply(r, rooms.Refuse(rooms.Unreachable, "look whether it was done, and ask again if not",
				"the connection was lost before the host answered"))
		default:
			kept = append(kept, r)
		}
	}
	clear(k.pending[len(kept):])
	k.pending = kept
}

// repeatable tells whether a command can be sent again without doing more.
func repeatable(cmd rooms.Command) bool {
	switch c := cmd.(type) {
	case rooms.Redact:
		return c.Seq != 0 // the last message would be another one
	case rooms.Create, rooms.Invite, rooms.Whisper, rooms.Kick, rooms.Ban:
		return false
	}
	return true
}
