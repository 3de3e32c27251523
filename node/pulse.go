package node

import "time"

// pulse decides when a client asks whether the host is still there, and when it has
// waited long enough. It asks soon where something should have come by now: an
// answer, or the next message of a room in which there were many. In a quiet room it
// asks less and less often, so that an idle member costs next to nothing. It has no
// clock of its own and belongs to the client's owner.
type pulse struct {
	far bool          // the way there leads over a network that may change
	rtt time.Duration // of the link, as last measured

	last   time.Time     // something came
	gap    time.Duration // between what came, on average
	open   time.Time     // the first question since then without an answer; zero: none
	pinged time.Time     // of these, the ping; zero: none
}

// The limits of a pulse. Within one machine nothing changes networks, and a host
// that is slow to answer there has much to do.
const (
	pulseFirst  = time.Second
	pulseLast   = 20 * time.Second
	pulseOpen   = 300 * time.Millisecond // for an answer, besides round trips, before it is asked after
	pulseAnswer = 600 * time.Millisecond // for the answer to a ping, besides round trips
	pulseNear   = 5 * time.Second        // both, within one machine or network
)

// begin starts over with a new link.
func (p *pulse) begin(far bool, rtt time.Duration) {
	*p = pulse{far: far, rtt: rtt, last: time.Now(), gap: pulseFirst / 2}
}

// heard notes that something came.
func (p *pulse) heard(answer bool) {
	now := time.Now()
	if !p.pinged.IsZero() && answer {
		p.rtt = (p.rtt + now.Sub(p.pinged)) / 2
		p.gap = min(2*p.gap, pulseLast) // nothing else came: a quiet room
	} else {
		p.gap = (3*p.gap + now.Sub(p.last)) / 4
	}
	p.last, p.open, p.pinged = now, time.Time{}, time.Time{}
}

// said notes that something was asked.
func (p *pulse) said() {
	if p.open.IsZero() {
		p.open = time.Now()
	}
}

// hurry asks at once: the network has changed.
func (p *pulse) hurry() {
	if p.pinged.IsZero() {
		p.open = time.Now().Add(-p.patience())
	}
}

// patience is how long an answer may take before a ping asks after it.
func (p *pulse) patience() time.Duration {
	if !p.far {
		return pulseNear
	}
	return pulseOpen + 4*p.rtt
}

// at is when something is to be done.
func (p *pulse) at() time.Time {
	if !p.pinged.IsZero() {
		if !p.far {
			return p.pinged.Add(pulseNear)
		}
		return p.pinged.Add(pulseAnswer + 4*p.rtt)
	}
	silence := min(pulseLast, max(pulseFirst, p.gap+p.gap/4))
	if !p.far {
		silence = max(silence, pulseNear)
	}
	at := p.last.Add(silence)
	if !p.open.IsZero() {
		if asked := p.open.Add(p.patience()); asked.Before(at) {
			return asked
		}
	}
	return at
}

// next is how long nothing has to be done.
func (p *pulse) next() time.Duration { return max(0, time.Until(p.at())) }

// dead tells whether a ping was not answered in time. Where that was only a slow
// network, the next link's round trip says so, and more patience follows.
func (p *pulse) dead() bool { return !p.pinged.IsZero() && !time.Now().Before(p.at()) }

// due tells whether it is time for a ping, and takes it as sent.
func (p *pulse) due() bool {
	if !p.pinged.IsZero() || time.Now().Before(p.at()) {
		return false
	}
	p.pinged = time.Now()
	if p.open.IsZero() {
		p.open = p.pinged
	}
	return true
}
