package node

import (
	"testing"
	"time"
)

// linkOf is a connection as a flow sees it: so many bytes a second, and a round trip.
type linkOf struct {
	rate float64
	rtt  time.Duration
}

// drive sends for a while over a link and returns the bytes a second in its second half,
// and the longest time that a byte waited there.
func (l linkOf) drive(f *flow, long time.Duration) (rate float64, waited time.Duration) {
	type parcel struct {
		due time.Time
		end int64
	}
	begin := time.Unix(0, 0)
	free, now := begin, begin
	var under []parcel
	var half int64
	for now.Before(begin.Add(long)) {
		for n := f.next(1 << 40); n > 0; n = f.next(1 << 40) {
			f.send(now, n)
			if free.Before(now) {
				free = now
			}
			if wait := free.Sub(now); now.Sub(begin) > long/2 {
				waited = max(waited, wait)
			}
			free = free.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
			under = append(under, parcel{free.Add(l.rtt), f.sent})
		}
		now = under[0].due
		f.ack(now, under[0].end)
		under = under[1:]
		if now.Sub(begin) < long/2 {
			half = f.acked
		}
	}
	return float64(f.acked-half) / (long / 2).Seconds(), waited
}

// TestFlow: over links of all kinds most of the rate is used, and what waits in front of
// the link is a part of the round trip, or a few of the smallest pieces.
func TestFlow(t *testing.T) {
	for _, l := range []linkOf{
		{500e6, 200 * time.Microsecond}, {100e6, time.Millisecond}, {20e6, 20 * time.Millisecond}, {2e6, 50 * time.Millisecond},
		{1e6, 300 * time.Millisecond}, {10e6, 150 * time.Millisecond}, {100e3, 100 * time.Millisecond},
	} {
		f := newFlow(0)
		rate, waited := l.drive(f, 20*time.Second)
		if rate < 0.8*l.rate {
			t.Errorf("%+v: only %.0f bytes a second", l, rate)
		}
		most := min(max(l.rtt/2, 2*leastQueue), mostQueue) + time.Duration(leastFlow/l.rate*float64(time.Second))
		if waited > most {
			t.Errorf("%+v: a byte waited %v, at most %v are wanted", l, waited, most)
		}
		if w := f.window(); w < leastFlow || w > mostFlow {
			t.Errorf("%+v: a window of %d", l, w)
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
