package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/relay"
	"p2pchat/rooms"
)

// ClientConfig says who connects, and where to.
type ClientConfig struct {
	Key       crypto.PrivKey
	Target    Target
	Nick      string // wish; empty: the one the host knows, or a made-up one
	NickFixed bool   // be refused rather than get another nick
	Version   string // the program's version, told to the host
	Recent    int    // messages to be replayed on entering a room; 0: DefaultRecent

	RequireDirect bool // be refused rather than go through a relay

	// Net is what to dial from; the caller closes it.
	Net *relay.Net

	dialer  *dialer              // nil: not over libp2p
	files   func() (conn, error) // opens a stream for a file; nil: over libp2p
	dial    func(context.Context) (conn, rooms.Path, error)
	improve func(ctx context.Context, now conn, tell func(rooms.Path)) (conn, rooms.Path, bool) // see dialer.improve; nil: there is no better way
}

// DefaultRecent is how much of a room's history is shown on entering it.
const DefaultRecent = 50

// Client is one connection to a host, kept up across lost networks. Its methods
// may be called from any goroutine.
type Client struct {
	config   ClientConfig
	instance uint64
	events   chan rooms.Event
	wake     chan struct{}
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	finished chan struct{} // closed when the owner has ended
	first    rooms.Welcome // of the first connection
	place    place         // where it is, for its transfers

	mu        sync.Mutex // guards the fields below
	submitted []*request
	tickets   uint64

	// Owned by run.
	link    *link
	next    *link // a better one, while the present one is being left
	pulse   pulse
	pending []*request // in the order in which they were sent or are to be
	ref     uint64
	count   uint64
	room    rooms.RoomID
	passing bool // the room keeps no history, so its numbers may jump
	cursor  rooms.Cursor
	head    rooms.Seq // the end of the history when the room was entered

	wearing   bool             // a relay is about to cut the link: it is left as soon as nothing is under way
	overdue   <-chan time.Time // when it is left although lines are: they are sent again
	vain      int              // tries to get back into the room without hearing of it
	returning bool             // into the room after a lost connection: wait for head before sending
	gapAt     rooms.Seq        // this message was missing; 0: none was
	nick      string
	welcome   rooms.Welcome
	wait      time.Duration // before the next try to connect; short again after an answer or a message
	final     *rooms.Refusal
	farewell  string // told to the room at the end
}

// request is a command on its way to its answer.
type request struct {
	cmd    rooms.Command
	ticket uint64 // what Send returned
	ref    uint64 // on the wire; 0: not sent over the present connection
	again  bool   // it was sent over a connection that is lost
	resume bool   // asked by the client itself, to get back into its room
}

// Timing of a client.
const (
	firstRetry = 200 * time.Millisecond
	soonRetry  = time.Second // at most, within soonTime
	soonTime   = 30 * time.Second
	lastRetry  = 5 * time.Second
	dialTime   = 20 * time.Second
	dialShort  = 1500 * time.Millisecond // for most tries to get back, on a network with short round trips
	dialAgain  = 200 * time.Millisecond  // after a try that got no answer
	closeTime  = 2 * time.Second
)

// Dial connects to a host and returns when it has said welcome. The error is a
// *rooms.Refusal: Unreachable, IdentityMismatch, or what the host answered.
func Dial(ctx context.Context, c ClientConfig) (*Client, error) {
	if c.dial == nil {
		d, err := newDialer(&c)
		if err != nil {
			return nil, err
		}
		c.dialer, c.dial, c.improve = d, d.dial, d.improve
	}
	return start(ctx, c)
}

func start(ctx context.Context, c ClientConfig) (*Client, error) {
	if c.Recent == 0 {
		c.Recent = DefaultRecent
	}
	k := &Client{
		config: c, instance: randomNumber(), nick: c.Nick, wait: firstRetry,
		events:   make(chan rooms.Event, 256),
		wake:     make(chan struct{}, 1),
		finished: make(chan struct{}),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	l, err := k.connect(dialing, c.dial)
	if err != nil {
		k.cancel()
		return nil, err
	}
	k.use(l)
	k.first = k.welcome
	go k.run()
	return k, nil
}

// Send hands over a command and does not wait. Commands reach the host in the
// order in which they were sent. Exactly one answer comes among the Events, as an
// Answered with the ref that Send returns: what the command promises, or a
// *rooms.Refusal. Only a client that ends leaves commands unanswered; a Quit, whose
// reason is told to the room at Close, gets no answer.
func (k *Client) Send(cmd rooms.Command) (ref uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tickets++
	k.submitted = append(k.submitted, &request{cmd: cmd, ticket: k.tickets})
	signal(k.wake)
	return k.tickets
}

// Do sends a command and waits for its answer; a refusal is the error. What
// happens meanwhile is dropped: Do is for programs that only ask, one thing after
// the other, and read no Events themselves.
func (k *Client) Do(ctx context.Context, cmd rooms.Command) (rooms.Event, error) {
	ref := k.Send(cmd)
	for {
		select {
		case e, ok := <-k.events:
			if !ok {
				return nil, k.ending()
			}
			a, ok := e.(rooms.Answered)
			if !ok || a.Ref != ref {
				continue
			}
			if refusal, ok := a.Answer.(*rooms.Refusal); ok {
				return nil, refusal
			}
			return a.Answer, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// ending is why there are no more answers.
func (k *Client) ending() error {
	if refusal := k.Final(); refusal != nil {
		return refusal
	}
	return unreachable("the connection is closed")
}

// Events is what happens, in order. After a lost connection an Entered that answers
// nothing tells that the client is back in its room. It is closed when the client has ended; it
// has to be read, for a client whose events nobody reads stands still.
func (k *Client) Events() <-chan rooms.Event { return k.events }

// Whereabouts returns where the host can be reached, as far as is known now: the
// newest addresses first.
func (k *Client) Whereabouts() []ma.Multiaddr {
	if k.config.dialer == nil {
		return nil
	}
	return k.config.dialer.addrs()
}

// Welcome returns what the host said on the first connection.
func (k *Client) Welcome() rooms.Welcome { return k.first }

// Close leaves the host.
func (k *Client) Close() error {
	k.cancel()
	for {
		select {
		case <-k.events: // let go of what nobody reads any more
		case <-k.finished:
			return nil
		}
	}
}

// run owns the client until it is closed or the host refuses it for good.
func (k *Client) run() {
	defer close(k.finished)
	defer close(k.events)
	defer k.place.end()
	defer k.end()
	defer k.drop()
	k.emit(k.welcome)
	k.emit(k.link.path)
	for {
		why := k.converse()
		k.link.close()
		switch {
		case k.ctx.Err() != nil || k.final != nil:
			return
		case why == leaving && k.next != nil:
			k.change()
		default:
			if k.drop(); !k.reconnect(why) {
				return
			}
		}
	}
}

// leaving is why a link ends that is being left for another.
const leaving = "leaving"

// converse talks over the present link until it fails or is left.
func (k *Client) converse() (why string) {
	quiet := time.NewTimer(k.pulse.next())
	defer quiet.Stop()
	moved := k.moved()
	for {
		select {
		case <-k.ctx.Done():
			k.goodbye()
			return ""
		case <-k.wake:
			k.collect()
			k.pump()
		case f, ok := <-k.link.frames:
			if !ok {
				return k.ended()
			}
			k.pulse.heard(f.ref != 0)
			if why := k.take(f); why != "" {
				return why
			}
		case p := <-k.link.news:
			p.RTT = k.link.path.RTT
			k.link.path = p
			k.emit(p)
		case l := <-k.link.better:
			k.next = l
			k.leave()
		case w := <-k.greeted():
			if k.welcomed(w) {
				return k.finish()
			}
		case <-k.link.worn:
			k.link.worn = nil
			k.wear()
		case <-k.overdue:
			k.overdue = nil
			if k.wearing && k.next == nil && k.repeatable() {
				return leaving
			}
		case <-moved:
			moved = k.moved()
			k.pulse.hurry()
		case <-quiet.C:
			if k.pulse.dead() && len(k.link.frames) == 0 {
				return "it no longer answers"
			}
			if k.pulse.due() {
				k.link.send(k.nextRef(), rooms.Ping{})
				if k.returning { // the replay does not come to its end: go on without
					k.returning = false
					k.pump()
				}
			}
		}
		k.leave()
		k.place.set(k.standing())
		if k.wearing && k.next == nil && k.idle() {
			return leaving
		}
		quiet.Reset(k.pulse.next())
	}
}

// standing is what transfers need to know: the connection, if the client is in its room
// over it, and the room.
func (k *Client) standing() (conn, rooms.RoomID) {
	if len(k.pending) > 0 && k.pending[0].resume {
		return nil, k.room
	}
	return k.link.conn, k.room
}

// goodbye tells the host and waits a moment for it to close, so that everything
// sent has arrived.
func (k *Client) goodbye() {
	k.collect()
	k.link.send(k.nextRef(), rooms.Quit{Reason: k.farewell})
	k.link.finish()
	t := time.NewTimer(closeTime)
	defer t.Stop()
	for {
		select {
		case f, ok := <-k.link.frames:
			if !ok {
				return
			}
			k.answer(f)
		case <-t.C:
			return
		}
	}
}

func (k *Client) nextRef() uint64 { k.ref++; return k.ref }

// resume goes back into the room, behind the last message that is known.
func (k *Client) resume() {
	if k.room != "" && k.returning && k.cursor.Seq < k.head { // nothing came the last time
		if k.vain++; k.vain >= mostVain && k.moving() { // a bad network alone is no reason to give up
			k.out("nothing can be heard from it")
		}
	}
	if k.room != "" {
		after := k.cursor
		join := rooms.Join{Room: string(k.room), After: &after, Recent: k.config.Recent}
		r := &request{cmd: join, resume: true, ref: k.nextRef()}
		k.pending = append([]*request{r}, k.pending...)
		k.link.send(r.ref, join)
	}
	k.collect()
	k.pump()
}

// end tells why the host wants no more of this client, if it does not.
func (k *Client) end() {
	k.cancel()
	if k.final != nil {
		k.emitLast(k.final)
		k.emitLast(rooms.Connection{What: rooms.ConnectionGone, Why: k.final.Error()})
	}
}

// reply hands an answer to whoever asked.
func (k *Client) reply(r *request, answer rooms.Event) {
	k.emit(rooms.Answered{Ref: r.ticket, Answer: answer})
}

// emit hands an event to whoever reads Events.
func (k *Client) emit(e rooms.Event) {
	select {
	case k.events <- e:
	case <-k.ctx.Done():
	}
}

// emitLast hands over an event although the client is ending.
func (k *Client) emitLast(e rooms.Event) {
	t := time.NewTimer(closeTime)
	defer t.Stop()
	select {
	case k.events <- e:
	case <-t.C:
	}
}

// Final returns why the host ended the connection for good, nil if it did not.
// It is known once Events is closed.
func (k *Client) Final() *rooms.Refusal {
	<-k.finished
	return k.final
}

func unreachable(format string, args ...any) *rooms.Refusal {
	return rooms.Refuse(rooms.Unreachable, "", "%s", fmt.Sprintf(format, args...))
}
