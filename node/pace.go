package node

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pace holds transfers to a rate, all together. Each waits for its turn before every piece.
type pace struct {
	rate int64 // bytes a second; 0: no limit

	mu   sync.Mutex
	free time.Time // when the next piece may go
}

// paceCredit is how much of what was slept too long may be made up for.
const paceCredit = 5 * time.Millisecond

// most is the largest piece. It leaves the others their turn soon; and it is so small that all
// transfers have pieces alike, and so the same share: those that are slow as yet have small ones.
func (p *pace) most() int64 {
	if p.rate == 0 {
		return filePiece
	}
	return min(max(p.rate/5000, leastSend), max(p.rate/20, 1<<10), filePiece)
}

// wait waits for the turn of n bytes; it is false when ctx ends first.
func (p *pace) wait(ctx context.Context, n int64) bool {
	if p.rate == 0 {
		return true
	}
	p.mu.Lock()
	now := time.Now()
	switch {
	case p.free.IsZero():
		p.free = now
	case now.Sub(p.free) > paceCredit:
		p.free = now.Add(-paceCredit)
	}
	turn := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	p.mu.Unlock()
	return turn <= 0 || sleep(ctx, turn)
}

// courtesy holds files back while people talk at the host, so that lines do not have to
// wait for a processor. Where the connection is faster than that, as within one machine or
// network, files are slower for it.
type courtesy struct {
	rate  int64                     // bytes a second, of all transfers together
	least int64                     // bytes a second of each, even so
	said  atomic.Pointer[time.Time] // when somebody said something last
}

const (
	courtesyTime  = 2 * time.Second // that a line counts
	courtesyRate  = 20 << 20        // for each processor, which could do about 170 MB
	courtesyLeast = 8 << 20

	// An upload is synced after so many bytes. A line, which is synced itself, waits until the
	// disk has written what is under way: with 2 GB a second that takes half a millisecond for
	// 1 MiB, and a quarter of a second for most of 1 GiB that is synced at its end.
	syncTalk  = 512 << 10
	syncQuiet = 16 << 20
)

// talk takes note that somebody says something.
func (c *courtesy) talk() {
	now := time.Now()
	c.said.Store(&now)
}

// asked tells whether somebody has said something a moment ago.
func (c *courtesy) asked() bool {
	said := c.said.Load()
	return said != nil && time.Since(*said) < courtesyTime
}

// syncEvery is after how many bytes an upload is synced.
func (c *courtesy) syncEvery() int64 {
	if c.asked() {
		return syncTalk
	}
	return syncQuiet
}
