package rooms

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// SessionID numbers the connections of a host, so that two connections of one
// member can be told apart. It is never used again.
type SessionID uint64

// Room is one room's conversation: who may speak, which number a line gets, and
// which lines were said before. One goroutine owns it.
type Room struct {
	Head Seq // the last number given

	limits   Limits
	owner    PeerID
	inside   map[SessionID]*speaker
	flood    map[PeerID]*bucket
	origins  map[sender]*window
	uploads  map[string]*upload // by File.ID
	lastTime time.Time
	failed   bool
}

// speaker is a session that is in the room.
type speaker struct {
	author Author
	role   Role
	muted  bool
}

// NewRoom returns a room without anybody in it. Messages of its history are
// handed to Recall before the first Say.
func NewRoom(limits Limits, owner PeerID) *Room {
	return &Room{
		limits:  limits,
		owner:   owner,
		inside:  map[SessionID]*speaker{},
		flood:   map[PeerID]*bucket{},
		origins: map[sender]*window{},
		uploads: map[string]*upload{},
	}
}

// Recall takes note of a message that is already in the history.
func (r *Room) Recall(m Message) {
	r.Head = max(r.Head, m.Seq)
	if m.Time.After(r.lastTime) {
		r.lastTime = m.Time
	}
	r.remember(m)
}

// Enter lets a session speak as a member; Exit ends that.
func (r *Room) Enter(s SessionID, m Member) {
	r.inside[s] = &speaker{author: Author{m.Peer, m.Nick}, role: m.Role, muted: m.Muted}
}

// Exit is called when a session has left.
func (r *Room) Exit(s SessionID) { delete(r.inside, s) }

// Observe takes note of what happened to a member of the room.
func (r *Room) Observe(e MemberChanged) {
	for _, p := range r.inside {
		if p.author.Peer != e.Member.Peer {
			continue
		}
		p.author.Nick, p.role, p.muted = e.Member.Nick, e.Member.Role, e.Member.Muted
	}
}

// Fail is called when lines behind head could not be stored: the room takes no
// more of them, until Recover.
func (r *Room) Fail(head Seq) {
	r.Forget(head)
	r.failed = true
}

// Forget is called when what is behind head was not stored. Others get the numbers.
func (r *Room) Forget(head Seq) {
	r.Head = head
	for _, w := range r.origins {
		w.last = min(w.last, head)
		for i, seq := range w.seqs {
			if seq > head {
				w.seqs[i] = 0
			}
		}
	}
	for _, u := range r.uploads {
		if u.posted > head {
			u.posted = 0
		}
	}
}

// Recover is called when lines can be stored again.
func (r *Room) Recover() { r.failed = false }

// Say gives a line the next number. When the same line was accepted before
// (after a lost connection), it returns the number it got then and again=true.
func (r *Room) Say(now time.Time, s SessionID, cmd Say) (m Message, again bool, refusal *Refusal) {
	p, ok := r.inside[s]
	if !ok {
		return Message{}, false, notInRoom()
	}
	if seq, known, old := r.lookup(p.author.Peer, cmd.Origin); known {
		return Message{Seq: seq}, true, nil
	} else if old {
		return Message{}, false, Refuse(BadRequest, "say it again", "this line is older than the host remembers")
	}
	file, refusal := r.mayspeak(now, p, cmd)
	if refusal != nil {
		return Message{}, false, refusal
	}
	m = r.entry(now, p, cmd.Kind)
	m.Text, m.Origin = cmd.Text, cmd.Origin
	if file != nil {
		file.posted, m.File = m.Seq, &file.File
	}
	r.remember(m)
	return m, false, nil
}

// redactionCost is how many lines a redaction counts for: a part of the history is
// written anew.
const redactionCost = 4

// MayRedact tells whether a member may ask for a redaction now, and counts it.
func (r *Room) MayRedact(now time.Time, s SessionID) *Refusal {
	p, ok := r.inside[s]
	if !ok {
		return notInRoom()
	}
	return r.mayWrite(now, p, redactionCost)
}

// Redact makes the entry that takes the text out of a message of the room. Its
// author may do so, and an operator. MayRedact comes first.
func (r *Room) Redact(now time.Time, s SessionID, target Message) (Message, *Refusal) {
	p, ok := r.inside[s]
	switch {
	case !ok:
		return Message{}, notInRoom()
	case target.Redacted || target.Kind == Redaction || target.Kind == Lost:
		return Message{}, Refuse(BadRequest, "/search shows the numbers of messages", "message %d has no text that could be removed", target.Seq)
	case target.From.Peer != p.author.Peer && p.role < Operator:
		return Message{}, Refuse(Denied, "ask an operator of the room", "message %d is not yours", target.Seq)
	}
	m := r.entry(now, p, Redaction)
	m.Target = target.Seq
	return m, nil
}

// entry gives out the next number.
func (r *Room) entry(now time.Time, p *speaker, kind Kind) Message {
	r.Head++
	if now = now.UTC().Truncate(time.Millisecond); now.Before(r.lastTime) {
		now = r.lastTime
	}
	r.lastTime = now
	return Message{Seq: r.Head, Time: now, Kind: kind, From: p.author}
}

// mayspeak tells whether a member may say this now, and which upload it shares.
func (r *Room) mayspeak(now time.Time, p *speaker, cmd Say) (*upload, *Refusal) {
	if p.muted {
		return nil, muted()
	}
	if refusal := r.limits.checkText(cmd); refusal != nil {
		return nil, refusal
	}
	file, refusal := r.shared(now, p, cmd)
	if refusal != nil {
		return nil, refusal
	}
	return file, r.mayWrite(now, p, 1)
}

func muted() *Refusal {
	return Refuse(Denied, "ask an operator to /unmute you", "you are muted in this room")
}

// mayWrite tells whether a member may add something to the history now that counts for
// so many lines.
func (r *Room) mayWrite(now time.Time, p *speaker, cost int) *Refusal {
	if refusal := r.mayHurry(now, p, cost); refusal != nil {
		return refusal
	}
	if r.failed {
		return Refuse(Storage, "tell the owner of this host", "the host can't write this room to its disk")
	}
	return nil
}

// mayHurry holds a member to its rate.
func (r *Room) mayHurry(now time.Time, p *speaker, cost int) *Refusal {
	if p.author.Peer == r.owner {
		return nil
	}
	b := r.flood[p.author.Peer]
	if b == nil {
		r.forgetQuiet(now)
		b = &bucket{}
		r.flood[p.author.Peer] = b
	}
	if wait, ok := b.take(now, cost, r.limits.Burst, r.limits.Rate); !ok {
		refusal := Refuse(RateLimited, "wait a moment and send it again", "you are sending faster than this host takes (%d at once, then %g a second)", r.limits.Burst, r.limits.Rate)
		refusal.Retry = wait
		return refusal
	}
	return nil
}

// forgetQuiet drops the buckets of members who have been quiet for long, so that
// they do not pile up.
func (r *Room) forgetQuiet(now time.Time) {
	if len(r.flood) <= 2*len(r.inside)+64 {
		return
	}
	for peer, b := range r.flood {
		if b.full(now, r.limits.Rate) {
			delete(r.flood, peer)
		}
	}
}

func (l Limits) checkText(cmd Say) *Refusal {
	if cmd.Kind < Text || cmd.Kind > FileUp || (cmd.Kind == FileUp) != (cmd.File != "") {
		return Refuse(BadRequest, "", "this is not something to say")
	}
	if cmd.Kind != FileUp && strings.TrimSpace(cmd.Text) == "" {
		return Refuse(BadRequest, "type something first", "there is nothing in this message")
	}
	if !utf8.ValidString(cmd.Text) {
		return Refuse(BadRequest, "send it as UTF-8", "this message is not text")
	}
	if l.TextBytes > 0 && len(cmd.Text) > l.TextBytes {
		has := fmt.Sprint(len(cmd.Text))
		if most := 2 * l.TextBytes; len(cmd.Text) > most { // its end may have been cut off on the way
			has = fmt.Sprintf("more than %d", most)
		}
		return Refuse(TooLong, "send it in parts", "this message has %s bytes, %d are allowed", has, l.TextBytes)
	}
	if n := utf8.RuneCountInString(cmd.Text); l.TextRunes > 0 && n > l.TextRunes {
		return Refuse(TooLong, "send it in parts", "this message has %d characters, %d are allowed", n, l.TextRunes)
	}
	return nil
}

func notInRoom() *Refusal {
	return Refuse(NotInRoom, "/list shows the rooms, /join ID enters one", "you are in no room")
}

// sender is one client of one member: its lines are counted.
type sender struct {
	peer   PeerID
	client uint64
}

// MaxWaiting is how many lines a client may have sent without an answer. The room
// remembers that many of each client, so that every one of them can be sent again.
const MaxWaiting = 64

// windowSize is how many lines of a client the room remembers.
const windowSize = MaxWaiting

// window is the latest lines of a client: seqs[i] belongs to the count that
// leaves i when divided by windowSize.
type window struct {
	top  uint64 // the highest count seen
	seqs [windowSize]Seq
	last Seq // the room's number of its latest line
}

// rememberedClients bounds the windows; the clients that have been quiet for
// longest are forgotten first.
const rememberedClients = 2048

func (r *Room) remember(m Message) {
	if m.Origin.Count == 0 {
		return
	}
	key := sender{m.From.Peer, m.Origin.Client}
	w := r.origins[key]
	if w == nil {
		r.forgetOldest()
		w = &window{}
		r.origins[key] = w
	}
	n := m.Origin.Count
	if w.top >= windowSize && n <= w.top-windowSize {
		return // its place in the window is another line's
	}
	if n > w.top {
		for c := max(w.top+1, n-min(n, windowSize)+1); c < n; c++ {
			w.seqs[c%windowSize] = 0
		}
		w.top = n
	}
	w.seqs[n%windowSize] = m.Seq
	w.last = m.Seq
}

// forgetOldest makes room for one more window by dropping the older half.
func (r *Room) forgetOldest() {
	if len(r.origins) < rememberedClients {
		return
	}
	for len(r.origins) >= rememberedClients {
		var sum uint64
		for _, w := range r.origins {
			sum += uint64(w.last)
		}
		before := len(r.origins)
		mean := sum / uint64(before)
		for key, w := range r.origins {
			if uint64(w.last) < mean {
				delete(r.origins, key)
			}
		}
		if len(r.origins) == before {
			for key := range r.origins {
				delete(r.origins, key)
				break
			}
		}
	}
}

// lookup finds the number of a line that was said before. old: the line may have
// been said, but so long ago that the room can't tell.
func (r *Room) lookup(peer PeerID, o Origin) (seq Seq, known, old bool) {
	w := r.origins[sender{peer, o.Client}]
	if o.Count == 0 || w == nil || o.Count > w.top {
		return 0, false, false
	}
	if w.top-o.Count >= windowSize {
		return 0, false, true
	}
	seq = w.seqs[o.Count%windowSize]
	return seq, seq != 0, false
}
