package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"p2pchat/rooms"
)

// reconnect tries until the host answers, the client is closed, or the host
// refuses it. A link that was left because a relay was about to cut it is not told
// of as lost, unless no new one comes about at once.
func (k *Client) reconnect(why string) bool {
	told := why != leaving
	if told {
		k.emit(rooms.Connection{What: rooms.ConnectionLost, Why: why})
	}
	k.disconnected()
	k.place.set(nil, k.room)
	lost := time.Now()
	pause := rand.N(k.wait)
	k.wait = min(2*k.wait, lastRetry)
	if !told {
		pause = 0
	}
	for try := 1; ; try++ {
		moved := k.moved()
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-moved:
			k.wait = firstRetry
		case <-k.ctx.Done():
			t.Stop()
			return false
		}
		t.Stop()
		l, late, err := k.comeBack(try, !told)
		if err == nil {
			k.use(l)
			if told {
				k.emit(rooms.Connection{What: rooms.ConnectionRestored})
			}
			k.emit(k.link.path)
			k.resume()
			return true
		}
		if !told {
			told = true
			k.emit(rooms.Connection{What: rooms.ConnectionLost, Why: "the relay cut it"})
		}
		var r *rooms.Refusal
		if errors.As(err, &r) && !passes(r.Code) {
			k.final = r
			return false
		}
		pause = k.backOff(lost, late)
	}
}

// comeBack tries once, through the relay that is in use if that cut the link. late
// tells that there was no answer in time.
func (k *Client) comeBack(try int, cut bool) (l *link, late bool, err error) {
	ctx, cancel := context.WithTimeout(k.ctx, dialTime)
	defer cancel()
	dial, d := k.config.dial, k.config.dialer
	if d != nil {
		d.patience = k.patience(try)
		if cut {
			dial = d.again
		}
	}
	l, err = k.connect(ctx, dial)
	log.Debugf("coming back, try %d: %v", try, err)
	return l, ctx.Err() != nil || d != nil && d.late, err
}

// backOff is how long to wait before the next try: only a moment when this one had no
// answer, since the network may come back at any time, and longer each time where
// somebody said no.
func (k *Client) backOff(lost time.Time, late bool) time.Duration {
	if late {
		return dialAgain + rand.N(dialAgain)
	}
	pause := k.wait/2 + rand.N(k.wait)
	k.wait = min(2*k.wait, lastRetry)
	if time.Since(lost) < soonTime {
		k.wait = min(k.wait, soonRetry)
	}
	return pause
}

// patience is how long a try to get back waits for any answer. One that began while
// the network was away is slow to notice that it is back, so most are short.
func (k *Client) patience(try int) time.Duration {
	if try%8 == 0 {
		return dialTime
	}
	return min(dialTime, dialShort+12*k.pulse.rtt)
}

// passes tells whether a refusal to connect may pass by itself.
func passes(code rooms.Code) bool {
	return code == rooms.Unreachable || code == rooms.Busy || code == rooms.BadRequest || code == rooms.Storage
}
