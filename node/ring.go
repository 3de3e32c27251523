package node

import (
	"sync"

	"p2pchat/rooms"
)

// ring holds the latest messages of a room.
type ring struct {
	mu   sync.Mutex // guards the fields below
	kept []rooms.Message
	most int
	last rooms.Seq
}

func newRing(most int) *ring { return &ring{most: most} }

func (r *ring) head() rooms.Seq {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *ring) add(messages []rooms.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, messages...)
	if over := len(r.kept) - r.most; over > 0 {
		r.kept = append(r.kept[:0:0], r.kept[over:]...)
	}
	r.last = messages[len(messages)-1].Seq
}

func (r *ring) after(seq rooms.Seq, limit int) []rooms.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []rooms.Message
	for _, m := range r.kept {
		if m.Seq > seq && len(found) < limit {
			found = append(found, m)
		}
	}
	return found
}

// redact takes the text of m's target out, and adds m.
func (r *ring) redact(m rooms.Message) {
	r.mu.Lock()
	for i := range r.kept {
		if t := &r.kept[i]; t.Seq == m.Target {
			t.Text, t.File, t.Redacted = "", nil, true
		}
	}
	r.mu.Unlock()
	r.add([]rooms.Message{m})
}
