package node

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// leg is how a connection is for a while: so many bytes a second, and a round trip.
type leg struct {
	rate float64
	rtt  time.Duration
	long time.Duration
	faults
}

func (l leg) String() string { return fmt.Sprintf("%.0f kB/s, %v", l.rate/1e3, l.rtt) }

// faults are those of a connection and of a sender.
type faults struct {
	bunch  time.Duration // acknowledgements come only that often; 0: every ackTime
	jitter time.Duration // so much later at most, in order
	late   func() time.Duration
}

// travel is one flow on its way.
type travel struct {
	*flow
	under []parcel
	half  int64 // acknowledged in the middle of the last leg
	late  func() time.Duration
}

// parcel is a piece, and when its acknowledgement comes.
type parcel struct {
	due time.Time
	end int64
}

// event is what happens next to a flow: when, and how many bytes it sends then; 0: an
// acknowledgement comes.
func (f *travel) event(now time.Time) (at time.Time, n int64) {
	n, wait := f.next(now, 1<<40)
	if at = now.Add(wait); wait > 0 && f.late != nil {
		at = at.Add(f.late())
	}
	if n == 0 || len(f.under) > 0 && !f.under[0].due.After(at) {
		return f.under[0].due, 0
	}
	return at, n
}

// due is when what left the link at a time is acknowledged, behind others.
func (l leg) due(left time.Time, others []parcel, chance *rand.Rand) time.Time {
	due, every := left.Add(l.rtt), max(l.bunch, ackTime)
	if l.jitter > 0 {
		due = due.Add(time.Duration(chance.Int64N(int64(l.jitter))))
	}
	if n := len(others); n > 0 && others[n-1].due.After(due) {
		return others[n-1].due
	}
	return due.Add(every - 1).Truncate(every)
}

// drive sends flows over one connection, leg after leg, as a link in the kernel would carry
// them: one queue, and what has arrived is acknowledged every ackTime. It tells about the
// second half of the last leg.
func drive(n int, legs ...leg) driven { return driveBy(rand.New(rand.NewPCG(1, 2)), n, legs...) }

// driveBy is drive with another chance for jitter.
func driveBy(chance *rand.Rand, n int, legs ...leg) (d driven) {
	now := time.Unix(0, 0)
	free := now // when the link is
	flows := make([]*travel, n)
	for i := range flows {
		flows[i] = &travel{flow: newFlow(0)}
	}
	var middle, end time.Time
	for i, l := range legs {
		middle, end = now.Add(l.long/2), now.Add(l.long)
		for _, f := range flows {
			f.late = l.late
		}
		for now.Before(end) {
			f, at, n := flows[0], end, int64(0)
			for _, g := range flows {
				if t, m := g.event(now); t.Before(at) {
					f, at, n = g, t, m
				}
			}
			if now = at; n == 0 && at.Before(end) {
				last := f.under[0]
				for len(f.under) > 0 && f.under[0].due.Equal(now) {
					last, f.under = f.under[0], f.under[1:]
				}
				if f.ack(now, last.end); now.Before(middle) {
					f.half = f.acked
				}
			} else if n > 0 {
				f.send(now, n)
				if free.Before(now) {
					free = now
				}
				if now.After(middle) {
					d.waits = append(d.waits, free.Sub(now))
				}
				free = free.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
				f.under = append(f.under, parcel{l.due(free, f.under, chance), f.sent})
			}
		}
		if i < len(legs)-1 {
			d.waits = nil
		}
	}
	for _, f := range flows {
		d.bytes = append(d.bytes, f.acked-f.half)
		d.used += float64(f.acked - f.half)
	}
	d.used /= legs[len(legs)-1].rate * end.Sub(middle).Seconds()
	slices.Sort(d.waits)
	return d
}

// driven is what came of a drive.
type driven struct {
	used  float64         // of the rate
	bytes []int64         // of each flow
	waits []time.Duration // in front of the link, sorted
}

func (d driven) String() string {
	return fmt.Sprintf("%.2f of the rate used, 99 %% waited %v at most, all %v", d.used, d.wait(), d.waits[len(d.waits)-1])
}

// wait is what 99 of 100 bytes waited at most.
func (d driven) wait() time.Duration { return d.waits[len(d.waits)*99/100] }

// mostWait is what we find bearable: half a round trip, and the smallest pieces; where
// several send, a whole one.
func mostWait(n int, l leg) time.Duration {
	trip := l.rtt / 2
	if n > 1 {
		trip = l.rtt
	}
	return max(trip, 2*leastQueue) + 2*leastQueue + time.Duration(float64(n*(leastFlow+2*leastSend))/l.rate*float64(time.Second))
}

// TestFlow: over links of all kinds nearly all of the rate is used, what waits in front of the
// link is a part of the round trip, or a few of the smallest pieces, and several flows get
// their shares.
func TestFlow(t *testing.T) {
	const ms = time.Millisecond
	links := []leg{
		{rate: 500e6, rtt: ms / 5}, {rate: 100e6, rtt: ms}, {rate: 20e6, rtt: 20 * ms}, {rate: 2e6, rtt: 50 * ms}, {rate: 1e6, rtt: 300 * ms},
		{rate: 10e6, rtt: 150 * ms}, {rate: 1e6, rtt: 40 * ms}, {rate: 100e3, rtt: 100 * ms}, {rate: 30e3, rtt: 20 * ms},
	}
	for _, l := range links {
		for _, n := range []int{1, 3, 8} {
			if n > 1 && (testing.Short() || l.rate > 20e6 || l.rate < float64(n)*20e3) {
				continue
			}
			l.long = time.Duration(40+20*n) * time.Second // some find the empty round trip late
			d := drive(n, l)
			t.Logf("%d over %v: %v", n, l, d)
			if d.used < 0.9 || d.wait() > mostWait(n, l) {
				t.Errorf("%d over %v: %v", n, l, d)
			}
			if slices.Max(d.bytes) > 6*slices.Min(d.bytes) {
				t.Errorf("%d over %v: shares of %d", n, l, d.bytes)
			}
		}
	}
}

// TestFlowChanges: a connection that becomes slower, faster, longer or shorter is used as
// well as one that was so from the beginning.
func TestFlowChanges(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	of := func(rate float64, rtt, long time.Duration) leg { return leg{rate: rate, rtt: rtt, long: long} }
	for _, legs := range [][]leg{
		{of(20e6, 20*ms, 5*s), of(1e6, 20*ms, 30*s)},
		{of(1e6, 20*ms, 5*s), of(20e6, 20*ms, 30*s)},
		{of(5e6, 20*ms, 5*s), of(5e6, 200*ms, 60*s)},
		{of(5e6, 200*ms, 5*s), of(5e6, 20*ms, 30*s)},
		{of(5e6, 20*ms, 5*s), of(50e3, 400*ms, 120*s), of(5e6, 20*ms, 60*s)},
		{of(10e6, 200*ms, 10*s), of(100e3, 200*ms, 240*s)},
		{of(1e6, 3*s, 120*s)},
	} {
		d := drive(1, legs...)
		t.Logf("%v: %v", legs[len(legs)-1], d)
		if d.used < 0.75 || d.wait() > mostWait(1, legs[len(legs)-1]) {
			t.Errorf("%v, at last: %v", legs, d)
		}
	}
}

// TestFlowFaults: neither bunched acknowledgements nor a machine that wakes up late
// makes a connection slow.
func TestFlowFaults(t *testing.T) {
	const ms = time.Millisecond
	n := 0
	for name, l := range map[string]leg{
		"every 10 ms":   {faults: faults{bunch: 10 * ms}},
		"every 20 ms":   {faults: faults{bunch: 20 * ms}},
		"every 40 ms":   {faults: faults{bunch: 40 * ms}},
		"jitter 10 ms":  {faults: faults{jitter: 10 * ms}},
		"jitter, young": {rtt: 80 * ms, long: 4 * time.Second, faults: faults{jitter: 20 * ms}},
		"late 1.5 ms":   {faults: faults{late: func() time.Duration { return 3 * ms / 2 }}},
		"late 6 ms":     {faults: faults{late: func() time.Duration { return 6 * ms }}},
		"at times 8 ms": {faults: faults{late: func() time.Duration { n++; return time.Duration(n%20/19) * 8 * ms }}},
	} {
		l.rate = 5e6
		if l.long == 0 {
			l.rtt, l.long = 20*ms, 60*time.Second
		}
		d := drive(1, l)
		if t.Logf("%s: %v", name, d); d.used < 0.7 {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// TestFlowJitter: jitter longer than the round trip makes a connection slow, for it can't be
// told from a queue, but not as good as useless. How slow is a matter of chance.
func TestFlowJitter(t *testing.T) {
	l := leg{5e6, 20 * time.Millisecond, 60 * time.Second, faults{jitter: 30 * time.Millisecond}}
	var used []float64
	for seed := range uint64(41) {
		used = append(used, driveBy(rand.New(rand.NewPCG(seed, 0)), 1, l).used)
	}
	slices.Sort(used)
	t.Logf("least %.2f, half above %.2f, most %.2f of the rate used", used[0], used[20], used[40])
	if used[0] < 0.15 || used[20] < 0.5 {
		t.Errorf("%.2f", used)
	}
}

// TestFlowAcks: only what was sent can be acknowledged; what is said twice does no harm.
func TestFlowAcks(t *testing.T) {
	f, now := newFlow(100), time.Unix(0, 0)
	f.send(now, 50)
	for _, tt := range []struct {
		offset int64
		want   bool
	}{{-1, false}, {0, true}, {100, true}, {120, true}, {110, true}, {151, false}, {150, true}, {150, true}, {1 << 62, false}} {
		if got := f.ack(now.Add(time.Millisecond), tt.offset); got != tt.want {
			t.Errorf("%d: %v", tt.offset, got)
		}
	}
	if f.acked != 150 || len(f.pieces) != 0 {
		t.Errorf("%+v", f)
	}
}

// TestFlowAgain: a stream that follows one that was cut off begins with its rate, and
// forgets that within a few rounds where it is not true any more.
func TestFlowAgain(t *testing.T) {
	const rtt = 50 * time.Millisecond
	now := time.Unix(0, 0)
	round := func(f *flow, rate float64) {
		n, _ := f.next(now, 1<<40)
		for ; n > 0; n, _ = f.next(now, 1<<40) {
			f.send(now, n)
		}
		now = now.Add(max(rtt, time.Duration(float64(f.sent-f.acked)/rate*float64(time.Second))))
		f.ack(now, f.sent)
	}
	f := newFlow(0)
	for range 20 {
		round(f, 2e6)
	}
	g := f.again(now, 1000)
	if g.sent != 1000 || g.acked != 1000 || g.rate() != f.rate() || g.rtt != f.rtt {
		t.Errorf("%+v follows %+v", g, f)
	}
	for range 3 {
		round(g, 1e5)
	}
	if g.rate() > 1.1e5 {
		t.Errorf("%.0f bytes a second on a link of 100,000", g.rate())
	}
	for _, f := range []*flow{nil, newFlow(7), f.again(now.Add(rttLife), 0)} {
		if g := f.again(now.Add(rttLife), 0); g.rate() != 0 {
			t.Errorf("%+v follows %+v", g, f)
		}
	}
}

// TestSenderAck: who repeats what it has said while bytes are under way does not come on,
// and nobody is told.
func TestSenderAck(t *testing.T) {
	s := newSender(nil, nil, 100, newFlow(0))
	var told []int64
	s.told = func(at int64) { told = append(told, at) }
	s.flow.send(time.Now(), 50)
	for _, tt := range []struct {
		offset int64
		moves  bool
	}{{0, false}, {20, true}, {20, false}, {10, false}, {50, true}, {50, true}, {20, true}} {
		if moves, err := s.ack(tt.offset); err != nil || moves != tt.moves {
			t.Errorf("%d: %v, %v", tt.offset, moves, err)
		}
	}
	if !slices.Equal(told, []int64{20, 50}) {
		t.Errorf("told %d", told)
	}
	if _, err := s.ack(51); err == nil {
		t.Error("what was not sent is acknowledged")
	}
}
