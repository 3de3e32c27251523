package rooms

import (
	"math"
	"time"
)

// bucket is a token bucket: burst at once, then rate a second. The zero bucket is
// full. It belongs to the Room that holds it.
type bucket struct {
	spent float64 // tokens missing
	at    time.Time
}

// take takes so many tokens, or all that fit, or says how long until there are as many.
func (b *bucket) take(now time.Time, cost, burst int, rate float64) (wait time.Duration, ok bool) {
	if rate <= 0 {
		return 0, true
	}
	if gone := now.Sub(b.at).Seconds(); gone > 0 {
		b.spent = max(0, b.spent-gone*rate)
	}
	b.at = now // also when the clock was set back: nobody waits for it to catch up
	need := float64(min(cost, burst))
	if b.spent+need > float64(burst) {
		missing := b.spent + need - float64(burst)
		return time.Duration(math.Ceil(missing / rate * float64(time.Second))), false
	}
	b.spent += need
	return 0, true
}

// full tells whether the bucket could as well be forgotten.
func (b *bucket) full(now time.Time, rate float64) bool {
	return now.Sub(b.at).Seconds()*rate >= b.spent
}
