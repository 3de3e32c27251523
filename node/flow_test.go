package node

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// leg is how a connection is for a while: so many bytes a second, and a round trip.
type leg struct {
	rate float64
	rtt  time.Duration
	long time.Duration
}

// travel is one flow on its way.
type travel struct {
	*flow
	under []parcel
	half  int64 // acknowledged in the middle of the last leg
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
	at = now.Add(wait)
	if n == 0 || len(f.under) > 0 && !f.under[0].due.After(at) {
		return f.under[0].due, 0
	}
	return at, n
}

// drive sends flows over one connection, leg after leg, as a link in the kernel would carry
// them: one queue, and what has arrived is acknowledged every ackTime. It tells about the
// second half of the last leg.
func drive(n int, legs ...leg) (d driven) {
	now := time.Unix(0, 0)
	free := now // when the link is
	flows := make([]*travel, n)
	for i := range flows {
		flows[i] = &travel{flow: newFlow(0)}
	}
	var middle, end time.Time
	for _, l := range legs {
		middle, end = now.Add(l.long/2), now.Add(l.long)
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
				due := free.Add(l.rtt + ackTime - 1).Truncate(ackTime)
				f.under = append(f.under, parcel{due, f.sent})
			}
		}
		if l != legs[len(legs)-1] {
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

// mostWait is what we find bearable: half a round trip, and the smallest pieces.
func mostWait(n int, l leg) time.Duration {
	return max(l.rtt/2, 2*leastQueue+2*ackTime) + time.Duration(float64(n*(leastFlow+2*leastSend))/l.rate*float64(time.Second))
}

// TestFlow: over links of all kinds nearly all of the rate is used, what waits in front of the
// link is a part of the round trip, or a few of the smallest pieces, and several flows get
// their shares.
func TestFlow(t *testing.T) {
	const ms = time.Millisecond
	links := []leg{
		{500e6, ms / 5, 0}, {100e6, ms, 0}, {20e6, 20 * ms, 0}, {2e6, 50 * ms, 0},
		{1e6, 300 * ms, 0}, {10e6, 150 * ms, 0}, {1e6, 40 * ms, 0}, {100e3, 100 * ms, 0}, {30e3, 20 * ms, 0},
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
			if slices.Max(d.bytes) > 3*slices.Min(d.bytes) {
				t.Errorf("%d over %v: shares of %d", n, l, d.bytes)
			}
		}
	}
}

// TestFlowChanges: a connection that becomes slower, faster, longer or shorter is used as
// well as one that was so from the beginning.
func TestFlowChanges(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, legs := range [][]leg{
		{{20e6, 20 * ms, 5 * s}, {1e6, 20 * ms, 30 * s}},
		{{1e6, 20 * ms, 5 * s}, {20e6, 20 * ms, 30 * s}},
		{{5e6, 20 * ms, 5 * s}, {5e6, 200 * ms, 60 * s}},
		{{5e6, 200 * ms, 5 * s}, {5e6, 20 * ms, 30 * s}},
		{{5e6, 20 * ms, 5 * s}, {50e3, 400 * ms, 120 * s}, {5e6, 20 * ms, 60 * s}},
	} {
		d := drive(1, legs...)
		t.Logf("%v: %v", legs, d)
		if d.used < 0.9 || d.wait() > mostWait(1, legs[len(legs)-1]) {
			t.Errorf("%v: %v", legs, d)
		}
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
