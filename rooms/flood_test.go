package rooms_test

import (
	"strconv"
	"testing"
	"time"

	"p2pchat/rooms"
)

func rate(burst int, perSecond float64) func(*rooms.Limits) {
	return func(l *rooms.Limits) { l.Burst, l.Rate = burst, perSecond }
}

// TestFlood: ten at once, then two a second.
func TestFlood(t *testing.T) {
	c := newConversation(t, rate(10, 2))
	for range 10 {
		c.say(aliceIn, line("x", 0))
	}
	refusal := c.silenced(aliceIn, line("x", 0), rooms.RateLimited)
	says(t, refusal, "you are sending faster than this host takes (10 at once, then 2 a second); wait a moment and send it again")
	if refusal.Retry != 500*time.Millisecond {
		t.Errorf("retry after %v", refusal.Retry)
	}
	c.now = c.now.Add(499 * time.Millisecond)
	if r := c.silenced(aliceIn, line("x", 0), rooms.RateLimited); r.Retry.Round(time.Microsecond) != time.Millisecond {
		t.Errorf("retry after %v", r.Retry)
	}
	c.now = c.now.Add(time.Millisecond)
	c.say(aliceIn, line("x", 0))
	c.silenced(aliceIn, line("x", 0), rooms.RateLimited)

	// However long the pause, no more than the burst is saved up.
	c.now = c.now.Add(time.Hour)
	for range 10 {
		c.say(aliceIn, line("x", 0))
	}
	c.silenced(aliceIn, line("x", 0), rooms.RateLimited)
}

// TestFloodIsPerMember: not per session, and not for the owner.
func TestFloodIsPerMember(t *testing.T) {
	c := newConversation(t, rate(3, 1))
	c.room.Enter(9, rooms.Member{Peer: "peer-alice", Nick: "alice"})
	c.say(aliceIn, line("x", 1))
	c.say(9, line("x", 2))
	c.say(aliceIn, line("x", 3))
	c.silenced(9, line("x", 4), rooms.RateLimited)
	c.room.Exit(aliceIn)
	c.room.Exit(9)
	c.room.Enter(aliceIn, rooms.Member{Peer: "peer-alice", Nick: "alice"})
	c.silenced(aliceIn, line("x", 4), rooms.RateLimited)
	c.repeat(aliceIn, line("x", 3), 3)
	c.say(bobIn, line("x", 1))
	for range 100 {
		c.say(ownerIn, line("x", 0))
	}
}

// TestRefusedLinesAreFree: what is not accepted costs nothing.
func TestRefusedLinesAreFree(t *testing.T) {
	c := newConversation(t, rate(2, 1))
	c.say(aliceIn, line("x", 1))
	for range 10 {
		c.silenced(aliceIn, line("", 2), rooms.BadRequest)
		c.repeat(aliceIn, line("x", 1), 1)
	}
	c.say(aliceIn, line("x", 2))
}

// TestRetry: what is sent again after exactly the time told is accepted.
func TestRetry(t *testing.T) {
	for _, perSecond := range []float64{0.1, 0.3, 1, 2, 3, 7, 9.5, 11, 1000, 1e6} {
		for _, burst := range []int{1, 2, 10, 33} {
			c := newConversation(t, rate(burst, perSecond))
			for range 3 * burst {
				if _, _, refusal := c.room.Say(c.now, aliceIn, line("x", 0)); refusal != nil {
					if refusal.Retry <= 0 {
						t.Fatalf("%v a second: retry after %v", perSecond, refusal.Retry)
					}
					c.now = c.now.Add(refusal.Retry)
					c.say(aliceIn, line("x", 0))
				}
				c.now = c.now.Add(time.Nanosecond)
			}
		}
	}
}

// TestClockSetBack: nobody has to wait until the clock is where it was.
func TestClockSetBack(t *testing.T) {
	c := newConversation(t, rate(2, 1))
	c.say(aliceIn, line("x", 0))
	c.say(aliceIn, line("x", 0))
	c.now = c.now.Add(-time.Hour)
	refusal := c.silenced(aliceIn, line("x", 0), rooms.RateLimited)
	c.now = c.now.Add(refusal.Retry)
	c.say(aliceIn, line("x", 0))
}

// TestCrowd: whoever was quiet may be forgotten, whoever floods is not.
func TestCrowd(t *testing.T) {
	c := newConversation(t, rate(3, 1))
	for i := range 2000 {
		c.now = c.now.Add(10 * time.Millisecond)
		id := rooms.SessionID(100 + i)
		c.room.Enter(id, rooms.Member{Peer: rooms.PeerID(strconv.Itoa(int(id))), Nick: "x"})
		for range 3 {
			c.say(id, line("x", 0))
		}
		c.silenced(id, line("x", 0), rooms.RateLimited)
		c.room.Exit(id)
		if i%50 == 0 {
			c.room.Enter(id, rooms.Member{Peer: rooms.PeerID(strconv.Itoa(int(id))), Nick: "x"})
			c.silenced(id, line("x", 0), rooms.RateLimited)
			c.room.Exit(id)
		}
	}
}
