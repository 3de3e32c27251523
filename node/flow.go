package node

import (
	"time"
)

// flow says how much of a file may be under way. The receiver tells how far it has come;
// from that the sender learns the rate of the connection and its round trip. It keeps
// so much under way that the connection is never idle, and little more: what waits in
// buffers, a line of chat on the same connection has to wait for.
type flow struct {
	sent, acked int64
	pieces      []piece // sent and not acknowledged, in order
	rtt         time.Duration
	rate        float64 // bytes a second, smoothed
}

// piece is what was sent at once.
type piece struct {
	end   int64 // offset behind it
	at    time.Time
	acked int64 // at that time
}

// Bounds of what is under way.
const (
	leastFlow = 64 << 10
	firstFlow = 256 << 10
	mostFlow  = 16 << 20
	smooth    = 32 // acknowledgements

	// Beyond the round trip, so much may wait in buffers: half of one more, within these.
	leastQueue = 5 * time.Millisecond
	mostQueue  = 200 * time.Millisecond
)

func newFlow(offset int64) *flow { return &flow{sent: offset, acked: offset} }

// window is how many bytes may be under way.
func (f *flow) window() int64 {
	if f.rate == 0 {
		return firstFlow
	}
	queue := min(max(f.rtt/4, leastQueue), mostQueue)
	return min(max(int64(f.rate*(f.rtt+queue).Seconds()), leastFlow), mostFlow)
}

// next is how many of the bytes that are left may be sent at once now; 0: the sender has
// to wait for the receiver.
func (f *flow) next(left int64) int64 {
	window := f.window()
	n := min(max(window/8, leastFlow/8), filePiece, left)
	if f.sent-f.acked+n > window {
		return 0
	}
	return n
}

// send takes note of bytes that are being sent.
func (f *flow) send(now time.Time, n int64) {
	f.sent += n
	f.pieces = append(f.pieces, piece{end: f.sent, at: now, acked: f.acked})
}

// ack takes note of what has arrived. It is false for an offset that was not sent.
func (f *flow) ack(now time.Time, offset int64) bool {
	if offset < f.acked || offset > f.sent {
		return offset <= f.acked && offset >= 0
	}
	f.acked = offset
	n := 0
	var last piece
	for ; n < len(f.pieces) && f.pieces[n].end <= offset; n++ {
		last = f.pieces[n]
	}
	if n == 0 {
		return true
	}
	f.pieces = append(f.pieces[:0], f.pieces[n:]...)
	took := max(now.Sub(last.at), time.Microsecond)
	if f.rtt == 0 || took < f.rtt {
		f.rtt = took
	}
	rate := float64(offset-last.acked) / took.Seconds()
	if f.rate == 0 {
		f.rate = rate
	}
	if rate > f.rate {
		f.rate = rate
	} else {
		f.rate += (rate - f.rate) / smooth
	}
	return true
}
