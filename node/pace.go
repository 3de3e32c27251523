package node

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pace holds all transfers together to a rate. Each waits for its turn before every
// piece, so they share it alike.
type pace struct {
	rate int64 // bytes a second; 0: no limit

	mu   sync.Mutex
	free time.Time // when the next piece may go
}

// most is the largest piece that leaves the others their turn soon.
func (p *pace) most() int64 {
	if p.rate == 0 {
		return filePiece
	}
	return min(max(p.rate/20, 1<<10), filePiece)
}

// wait waits for the turn of n bytes; it is false when ctx ends first.
func (p *pace) wait(ctx context.Context, n int64) bool {
	if p.rate == 0 {
		return true
	}
	p.mu.Lock()
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	turn := p.free.Sub(now)
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	p.mu.Unlock()
	return turn <= 0 || sleep(ctx, turn)
}

// courtesy holds the files back while people talk at the host, so that lines do not have to
// wait for a processor. No home has a line that fast; within one machine or network
// files would take all that the host can do.
type courtesy struct {
	said atomic.Int64 // when somebody said something last, in Unix nanoseconds
	pace pace
}

const (
	courtesyTime = 2 * time.Second // that a line counts
	courtesyRate = 40 << 20        // bytes a second for each processor, of all files together: about an eighth of it
)

// talk takes note that somebody says something.
func (c *courtesy) talk() { c.said.Store(time.Now().UnixNano()) }

// wait waits for the turn of n bytes; it is false when ctx ends first.
func (c *courtesy) wait(ctx context.Context, n int64) bool {
	return time.Now().UnixNano()-c.said.Load() > int64(courtesyTime) || c.pace.wait(ctx, n)
}
