package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"p2pchat/rooms"
)

// What a room does with its history besides adding lines to it: where somebody who
// enters begins to read, pages and searches, redaction, retention, and going on after
// the disk has failed.

// from finds the place behind which a session starts: behind its cursor if that
// points into this history, otherwise some messages back. diverged says that it has a
// cursor of another history.
func (r *room) from(e rooms.Attach) (from rooms.Cursor, diverged bool) {
	head := r.log.Head()
	from.Epoch = r.log.Epoch()
	switch {
	case e.After != nil && r.holds(*e.After):
		from.Seq = max(e.After.Seq, r.log.First()-1)
	case r.kept:
		from.Seq = max(head-min(head, rooms.Seq(min(max(e.Recent, 0), r.recent))), r.log.First()-1)
		diverged = e.After != nil && e.After.Epoch != 0
	default:
		from.Seq = head
	}
	from.Mark, _ = r.log.Mark(from.Seq)
	return from, diverged
}

// holds tells whether a cursor points into this history. Where the mark can't be
// compared, the epoch decides.
func (r *room) holds(c rooms.Cursor) bool {
	if c.Epoch != r.log.Epoch() || c.Seq > r.log.Head() {
		return false
	}
	mark, err := r.log.Mark(c.Seq)
	return err != nil || c.Mark == 0 || mark == 0 || c.Mark == mark
}

// page reads the part of the history that a member asks for.
func (r *room) page(c rooms.History, most int) (rooms.Event, error) {
	limit := c.Limit
	if limit <= 0 || limit > most {
		limit = most
	}
	var messages []rooms.Message
	var err error
	switch {
	case !r.kept:
	case c.Last || !c.Since.IsZero():
		messages, err = r.log.Last(limit)
		messages = slices.DeleteFunc(messages, func(m rooms.Message) bool { return m.Time.Before(c.Since) })
	default:
		messages, err = r.log.After(c.After, limit)
	}
	if err != nil {
		return nil, errors.Join(errReading, err)
	}
	return rooms.Page{Messages: r.name(messages)}, nil
}

// shared finds the files of the room.
func (r *room) shared(c rooms.Files, most int) (rooms.Event, error) {
	limit := c.Limit
	if limit <= 0 || limit > most {
		limit = most
	}
	messages, next, err := r.log.Files(c.Before, limit)
	if err != nil {
		return nil, errors.Join(errReading, err)
	}
	return rooms.Shared{Messages: r.name(messages), Next: next}, nil
}

var errReading = errors.New("node: reading history")

// search finds what a member looks for.
func (r *room) search(ctx context.Context, c rooms.Search, most int) (rooms.Event, error) {
	limit := c.Limit
	if limit <= 0 || limit > most {
		limit = most
	}
	messages, next, err := r.log.Search(ctx, c.Text, c.Before, limit)
	for n := 0; n < mostDamaged && len(messages) == 0; n++ { // what is damaged is left out
		var damage damaged
		if !errors.As(err, &damage) {
			break
		}
		r.tellDamage(err)
		after, _ := damage.Bounds()
		if after == 0 {
			return rooms.Found{}, nil
		}
		messages, next, err = r.log.Search(ctx, c.Text, after+1, limit)
	}
	if err != nil && len(messages) == 0 {
		return nil, errors.Join(errReading, err)
	}
	return rooms.Found{Messages: r.name(messages), Next: next}, nil
}

// damaged is the error of a log where a part of it is damaged: behind the message after,
// and before the message beyond; 0: none.
type damaged interface {
	Bounds() (after, beyond rooms.Seq)
}

// mostDamaged bounds how many damaged parts a search leaves out.
const mostDamaged = 16

// tellDamage tells the operator, once, that a part of the history is damaged.
func (r *room) tellDamage(err error) {
	if !r.toldDamage.Swap(true) {
		log.Errorf("room %s: %v", r.id, err)
		r.notice(fmt.Sprintf("a part of the history of room %q is damaged: %v; when the host is stopped, p2pchat history repair keeps what is whole", r.id, err))
	}
}

// name sets the room of messages that were read.
func (r *room) name(messages []rooms.Message) []rooms.Message {
	for i := range messages {
		messages[i].Room = r.id
	}
	return messages
}

// redact takes the text of a message out of the history.
type redact struct {
	session *session
	ref     uint64
	seq     rooms.Seq // 0: the member's own last message
}

func (d redact) missed() { d.session.out.push(d.ref, notInRoom()) }

func (d redact) do(r *room) {
	r.commit()
	now := time.Now()
	var target, m rooms.Message
	refusal := r.state.MayRedact(now, d.session.id)
	if refusal == nil {
		target, refusal = r.target(d)
	}
	if refusal == nil {
		m, refusal = r.state.Redact(now, d.session.id, target)
	}
	if refusal != nil {
		d.session.out.push(d.ref, refusal)
		return
	}
	err := r.log.Redact(m)
	if err != nil {
		refusal = r.unstored(err)
	}
	if r.log.Head() < m.Seq {
		d.session.out.push(d.ref, refusal)
		return
	}
	if err != nil { // the entry is stored, and nobody is shown the text any more
		d.session.out.push(0, rooms.Notice{Text: "it is hidden now; its text leaves the host's disk when that takes something again"})
	}
	m.Room = r.id
	m.Mark, _ = r.log.Mark(m.Seq)
	r.deliver([]rooms.Message{m})
	d.session.out.push(d.ref, rooms.Done{})
}

// target finds the message that is to be redacted.
func (r *room) target(d redact) (rooms.Message, *rooms.Refusal) {
	if d.seq == 0 {
		return r.lastOf(d.session.peer)
	}
	messages, err := r.log.After(d.seq-1, 1)
	if err != nil {
		return rooms.Message{}, r.unreadable()
	}
	if len(messages) != 1 || messages[0].Seq != d.seq {
		return rooms.Message{}, rooms.Refuse(rooms.BadRequest, "/search shows the numbers of messages", "there is no message %d in room %q", d.seq, r.id)
	}
	return messages[0], nil
}

// ownBack is how far back a member's own last message is looked for.
const ownBack = 256

// lastOf finds a member's last message.
func (r *room) lastOf(peer rooms.PeerID) (rooms.Message, *rooms.Refusal) {
	messages, err := r.log.Last(ownBack)
	if err != nil {
		return rooms.Message{}, r.unreadable()
	}
	for _, m := range slices.Backward(messages) {
		if m.From.Peer != peer || m.Kind == rooms.Redaction {
			continue
		}
		if m.Redacted { // asked twice: that is not the one before it
			return m, rooms.Refuse(rooms.BadRequest, "name an older one by its number, which /search shows", "what you said last is removed already")
		}
		return m, nil
	}
	return rooms.Message{}, rooms.Refuse(rooms.BadRequest, "name it by its number, which /search shows", "there is nothing of yours among the last messages of room %q", r.id)
}

func (r *room) unreadable() *rooms.Refusal {
	return rooms.Refuse(rooms.Storage, "tell the owner of this host", "this part of the history of room %q can't be read", r.id)
}

func (r *room) storageRefusal() *rooms.Refusal {
	if r.log.Damage() != nil {
		return rooms.Refuse(rooms.Storage, "this was not said; tell the owner of this host",
			"room %q can only be read: a part of its history on the host's disk is damaged", r.id)
	}
	refusal := rooms.Refuse(rooms.Storage, "this was not said; tell the owner of this host",
		"room %q can't be written to: the host's disk is full or failing", r.id)
	refusal.Retry = reviveTime
	return refusal
}

// unstored takes back what the log did not take. That may be because of old damage in
// what it has, and is no reason to take no lines any more.
func (r *room) unstored(err error) *rooms.Refusal {
	if r.log.Failed() == nil {
		log.Errorf("room %s: %v", r.id, err)
		r.state.Forget(r.log.Head())
		return r.unreadable()
	}
	r.fail(err)
	return r.storageRefusal()
}

// fail makes the room read-only, until the disk takes something again.
func (r *room) fail(err error) {
	log.Errorf("room %s: %v", r.id, err)
	if !r.failing && r.log.Damage() == nil { // which was told when the room was opened
		r.notice(fmt.Sprintf("room %q can't be written to: %v; make room on the disk, and it goes on by itself", r.id, err))
	}
	r.failing, r.revived = true, time.Now()
	r.state.Fail(r.log.Head())
}

// reviveTime is how often a failed disk is tried again.
const reviveTime = 5 * time.Second

// revive tries to write again after a failure, now and then. A damaged room stays
// read-only: that takes p2pchat history repair.
func (r *room) revive() bool {
	if !r.failing || time.Since(r.revived) < reviveTime {
		return false
	}
	r.revived = time.Now()
	if err := r.log.Revive(); err != nil {
		log.Debugf("room %s: %v", r.id, err)
		return false
	}
	r.failing = false
	r.state.Recover()
	r.notice(fmt.Sprintf("room %q can be written to again", r.id))
	return true
}

// tend is the regular care of a room.
type tend struct{}

func (tend) missed() {}

func (tend) do(r *room) {
	r.commit()
	r.retain() // first: it may make the room on the disk that is missing
	r.revive()
}

// tendTime is how often a room is tended.
const tendTime = time.Minute

// retain removes what the room keeps no longer.
func (r *room) retain() {
	if r.retention == (rooms.Retention{}) || r.log.Damage() != nil {
		return
	}
	removed, err := r.log.Retain(r.retention, time.Now())
	switch {
	case err == nil:
	case r.log.Failed() != nil && !r.failing:
		r.fail(err)
	default:
		log.Errorf("room %s: what it is to keep no longer: %v", r.id, err)
	}
	if removed > 0 {
		log.Infof("room %s: the messages up to %d are no longer kept", r.id, removed)
	}
}
