package node

import (
	"slices"
	"time"
)

// flow says how much of a file may be under way, and when the next bytes may be sent. The
// receiver tells how far it has come; from that the sender learns the rate of the
// connection and its round trip. The connection is kept busy, but what waits in buffers
// stays small: behind it a line of chat on the same connection would have to wait. It
// is the model of BBR (draft-ietf-ccwg-bbr): pieces are sent at the highest rate at
// which they have come out lately; every eighth round a little faster, as long as
// more gets through, and after that slower until the queue is empty again.
type flow struct {
	sent, acked int64
	ackedAt     time.Time
	sentAt      time.Time     // when the piece acknowledged last was sent
	pieces      []piece       // sent and not acknowledged, in order
	due         time.Time     // when the next piece may go
	planned     time.Time     // when it was to go, as far as the sender knew
	late        time.Duration // how much later pieces go than planned, at most, lately

	rounds  int   // round trips so far
	turn    int64 // the next one begins when a piece is acknowledged before which all up to this offset was
	turnAt  time.Time
	rates   [keepRounds]float64 // highest of each of the last rounds
	bunches [keepRounds]int64   // what came at once beyond the rate, at most, likewise
	bunch   int64               // what came since bunchAt
	bunchAt time.Time
	full    float64 // highest rate before this round of growing or probing
	stalled int     // rounds since it grew
	phase   phase

	rtt    time.Duration // the least lately
	rttAt  time.Time
	seek   time.Duration // the least since a search for it began
	seekAt time.Time     // when the buffers were empty in it
}

// piece is what was sent at once, and how things stood then.
type piece struct {
	end     int64 // offset behind it
	at      time.Time
	acked   int64
	ackedAt time.Time
	sentAt  time.Time
}

// phase is what a flow tries at the moment.
type phase int

const (
	growing  phase = iota // the rate doubles each round, until it stops growing
	draining              // slower, until nothing waits
	cruising              // as fast as it came out
	probing               // faster, for a round, and as long as that brings more
	seeking               // next to nothing, to see the round trip of empty buffers
)

// Bounds of what is under way, and of what is sent at once, in bytes.
const (
	firstFlow = 12 << 10 // as long as nothing is known: what TCP sends at once in the beginning (RFC 6928), and less
	leastFlow = 8 << 10
	mostFlow  = 16 << 20
	leastSend = 2 << 10
)

// Timing of a flow.
const (
	probeEvery = 8                // rounds
	keepRounds = 10               // that what was measured counts
	growRounds = 3                // without growth end the beginning
	rttLife    = 10 * time.Second // after which the least round trip is looked for anew
	early      = time.Millisecond // a piece may go that much before its time, and is that much of the rate

	// Beyond the round trip, a sixteenth of it may be under way, within these; and what
	// acknowledgements bring at once.
	leastQueue = 2 * time.Millisecond
	mostQueue  = 200 * time.Millisecond

	mostLate = 10 * time.Millisecond // that a sender, who slept too long, may make up for
)

func newFlow(offset int64) *flow { return &flow{sent: offset, acked: offset, turn: offset} }

// again is a flow for the rest of a file whose stream was cut off, as some relays cut every
// circuit: what was learned a moment ago is the beginning, for two rounds. A nil flow has
// learned nothing.
func (f *flow) again(now time.Time, offset int64) *flow {
	g := newFlow(offset)
	if f != nil && f.rtt > 0 && now.Sub(f.ackedAt) < rttLife {
		g.rates[2], g.rtt, g.rttAt = f.rate(), f.rtt, f.rttAt
	}
	return g
}

// rate is the highest of the last rounds, in bytes a second.
func (f *flow) rate() float64 { return slices.Max(f.rates[:]) }

// gain is how much faster than the rate the flow sends now.
func (f *flow) gain() float64 {
	switch f.phase {
	case growing:
		return 2
	case draining:
		return 0.5
	case probing:
		return 1.25
	}
	return 1
}

// window is how many bytes may be under way.
func (f *flow) window() int64 {
	switch {
	case f.rate() == 0:
		return firstFlow
	case f.phase == seeking:
		return 2 * leastSend
	}
	span := f.rtt + min(max(f.rtt/16, leastQueue), mostQueue)
	switch f.phase {
	case growing:
		span *= 2
	case probing:
		span += span / 16
	}
	// A stall now and then is no reason to have more under way; what a connection does
	// by itself shows in most rounds.
	bunches := f.bunches
	slices.Sort(bunches[:])
	bunched := min(bunches[keepRounds/3], f.within(mostQueue))
	return min(f.within(span)+bunched+2*leastSend, mostFlow)
}

// within is how many bytes come out in a time.
func (f *flow) within(d time.Duration) int64 {
	return min(max(int64(f.rate()*d.Seconds()), leastFlow), mostFlow)
}

// next is how many of the bytes that are left may be sent at once, and when. 0: the sender
// has to wait for the receiver.
func (f *flow) next(now time.Time, left int64) (n int64, wait time.Duration) {
	window := f.window()
	n = min(max(int64(f.rate()*early.Seconds()), leastSend), filePiece, window/4, left)
	if f.sent-f.acked+n > window {
		return 0, 0
	}
	wait = max(f.due.Add(-early).Sub(now), 0)
	f.planned = now.Add(wait)
	return n, wait
}

// send takes note of bytes that are being sent.
func (f *flow) send(now time.Time, n int64) {
	if len(f.pieces) == 0 { // a rest before it is not the connection's
		f.ackedAt, f.sentAt = now, now
	}
	f.sent += n
	f.pieces = append(f.pieces, piece{f.sent, now, f.acked, f.ackedAt, f.sentAt})
	f.late = min(max(now.Sub(f.planned), f.late-f.late/32), mostLate)
	if last := now.Add(-f.late); f.due.Before(last) {
		f.due = last
	}
	if rate := f.rate() * f.gain(); rate > 0 {
		f.due = f.due.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	}
}

// ack takes note of what has arrived. It is false for an offset that was not sent.
func (f *flow) ack(now time.Time, offset int64) bool {
	if offset < f.acked || offset > f.sent {
		return offset <= f.acked && offset >= 0
	}
	came := offset - f.acked
	f.acked = offset
	n := 0
	for n < len(f.pieces) && f.pieces[n].end <= offset {
		n++
	}
	if n == 0 {
		return true
	}
	last := f.pieces[n-1]
	f.pieces = append(f.pieces[:0], f.pieces[n:]...)
	f.ackedAt, f.sentAt = now, last.at
	trip := max(now.Sub(last.at), time.Microsecond)
	f.trip(now, trip)
	// Acknowledgements that come bunched don't make a rate higher than that of sending.
	took := max(now.Sub(last.ackedAt), last.at.Sub(last.sentAt), time.Microsecond)
	rate := float64(offset-last.acked) / took.Seconds()
	turned := last.acked >= f.turn || now.Sub(f.turnAt) > 4*f.rtt+mostQueue // a full buffer makes rounds long
	if turned {
		f.turn, f.turnAt = f.sent, now
		f.rounds++
		f.rates[f.rounds%keepRounds], f.bunches[f.rounds%keepRounds] = 0, 0
	}
	best := &f.rates[f.rounds%keepRounds]
	*best = max(*best, rate)
	f.gather(now, came)
	f.step(now, trip, turned)
	return true
}

// gather takes note of how much more came at once than the rate explains.
func (f *flow) gather(now time.Time, came int64) {
	expected := int64(f.rate() * now.Sub(f.bunchAt).Seconds())
	if f.bunchAt.IsZero() || f.bunch <= expected {
		f.bunch, f.bunchAt, expected = 0, now, 0
	}
	f.bunch += came
	most := &f.bunches[f.rounds%keepRounds]
	*most = max(*most, f.bunch-expected)
}

// trip takes note of a round trip.
func (f *flow) trip(now time.Time, took time.Duration) {
	if f.rtt == 0 || took <= f.rtt {
		f.rtt, f.rttAt = took, now
	}
	if f.phase == seeking && (f.seek == 0 || took < f.seek) {
		f.seek = took
	}
}

// step goes from one phase to the next; turned: a round is over.
func (f *flow) step(now time.Time, took time.Duration, turned bool) {
	if f.phase != seeking && f.phase != growing && now.Sub(f.rttAt) > max(rttLife, 10*f.rtt) {
		f.phase, f.seek, f.seekAt = seeking, 0, time.Time{}
		return
	}
	under := f.sent - f.acked
	waits := took > 5*f.rtt/4+2*leastQueue
	switch f.phase {
	case growing:
		if waits { // bytes wait already
			f.phase = draining
		} else if !turned {
			return
		} else if rate := f.rate(); rate > f.full*1.25 {
			f.full, f.stalled = rate, 0
		} else if f.stalled++; f.stalled == growRounds {
			f.phase = draining
		}
	case draining:
		if under <= f.within(f.rtt) {
			f.phase = cruising
		}
	case cruising:
		if turned && f.rounds%probeEvery == 0 {
			f.phase, f.full = probing, f.rate()
		}
	case probing:
		if rate := f.rate(); turned && rate > f.full*1.1 && !waits { // there is more
			f.full = rate
		} else if turned {
			f.phase = draining
		}
	case seeking:
		switch {
		case f.seekAt.IsZero() && under <= 2*leastSend:
			f.seek, f.seekAt = 0, now
		case !f.seekAt.IsZero() && f.seek > 0 && now.Sub(f.seekAt) >= f.rtt:
			f.phase = cruising
			if f.seek > 3*f.rtt/2+leastQueue { // the path is another one
				f.phase, f.full, f.stalled = growing, 0, 0
			}
			f.rtt, f.rttAt = f.seek, now
		}
	}
}
