package ui

import (
	"context"
	"slices"
	"time"

	"p2pchat/rooms"
)

// Depot moves files between this machine and the rooms of the host. Its methods may take
// long, and end early with ctx; several may run at the same time. An error is a
// *rooms.Refusal, or a text for people.
type Depot interface {
	// Upload makes the file at path ready and brings it to the host, for a room that the
	// member is in. What it returns can be shared there by a rooms.Say. A notice is
	// something that the person should know, or "".
	Upload(ctx context.Context, room rooms.RoomID, path string, report func(Progress)) (file rooms.File, notice string, err error)
	// Download fetches a file of the room and saves it: in the folder for files that
	// came where to is "", else in the directory to, or as the new file to. It goes on
	// with what was fetched before, and returns where the file is.
	Download(ctx context.Context, room rooms.RoomID, file rooms.File, to string, report func(Progress)) (path string, err error)
	// Open hands a saved file to the system's viewer.
	Open(path string) error
}

// Progress is how far a file has come.
type Progress struct {
	Preparing   bool // it is looked at, and nothing is sent yet
	Done, Total int64
}

func (p Progress) percent() int {
	if p.Total <= 0 {
		return 0
	}
	return int(100 * p.Done / p.Total)
}

// reportPause is the least time between two reports about a file.
const reportPause = 200 * time.Millisecond

// transfer is one file on its way, or waiting for it.
type transfer struct {
	n        int       // what the person calls it
	seq      rooms.Seq // of the message that shared it; 0 where it goes up
	up       bool
	name     string // untrusted where it comes
	again    string // what goes on with it, when it was stopped
	progress Progress
	pace     pace
	stopped  bool // by the person
	ended    bool
	dropped  func() // told that it was stopped before it began; nil: nobody is
	begin    func()
	stop     context.CancelFunc // nil: it waits
}

// transfers are the files on their way. Each that moves has a goroutine, which tells the
// loop how it goes; the loop waits for all of them at its end. Files go out one after the
// other, so that they come in the order in which they were sent.
type transfers struct {
	loop    *loop
	running []*transfer // in the order in which they were asked for
	count   int         // so far
}

// add lets a file be moved when it is its turn. work runs in a goroutine of its own and
// returns what is to be done in the loop at the end; told is called there at every change.
func (t *transfers) add(x *transfer, told func(), work func(ctx context.Context, report func(Progress)) (over func())) {
	t.count++
	x.n = t.count
	t.running = append(t.running, x)
	x.begin = func() {
		ctx, stop := context.WithCancel(context.Background())
		x.stop = stop
		t.loop.workers.Go(func() {
			defer stop()
			over := work(ctx, t.reporter(x, told))
			t.loop.call(func() {
				x.ended = true
				t.remove(x)
				over()
				told()
			})
		})
	}
	t.next()
}

// next begins what may begin.
func (t *transfers) next() {
	sending := slices.ContainsFunc(t.running, func(x *transfer) bool { return x.up && x.stop != nil })
	for _, x := range t.running {
		if x.stop == nil && !(x.up && sending) {
			x.begin()
			sending = sending || x.up
		}
	}
}

// reporter takes in, now and then, how far a file has come.
func (t *transfers) reporter(x *transfer, told func()) func(Progress) {
	var last time.Time
	return func(p Progress) {
		now := t.loop.o.Now()
		if p.Done < p.Total && now.Sub(last) < reportPause {
			return
		}
		last = now
		t.loop.call(func() {
			x.progress = p
			x.pace.add(now, p)
			told()
		})
	}
}

func (t *transfers) remove(x *transfer) {
	t.running = slices.DeleteFunc(t.running, func(other *transfer) bool { return other == x })
	t.next()
}

// called is the number of the file that a person calls n.
func (t *transfers) called(n int) int {
	named := n
	for _, x := range t.running {
		switch {
		case x.n == n:
			return n
		case x.seq > 0 && x.seq == rooms.Seq(n):
			named = x.n
		}
	}
	return named
}

// cancel stops a file on its way, and returns it; nil: there is none of this number. One
// that waits is taken out, one that moves ends by itself.
func (t *transfers) cancel(n int) *transfer {
	i := slices.IndexFunc(t.running, func(x *transfer) bool { return x.n == n })
	if i < 0 {
		return nil
	}
	x := t.running[i]
	x.stopped = true
	switch {
	case x.stop != nil:
		x.stop()
	default:
		t.remove(x)
		if x.dropped != nil {
			x.dropped()
		}
	}
	return x
}

// cancelAll stops all of them.
func (t *transfers) cancelAll() {
	for _, x := range t.running {
		if x.stop != nil {
			x.stop()
		}
	}
}

// pace measures how fast a file moves: over the last seconds, not since it began.
type pace struct {
	at    time.Time
	done  int64
	speed float64 // bytes a second; 0: not known yet
}

// add takes in how far the file is now.
func (p *pace) add(now time.Time, is Progress) {
	if is.Preparing || p.at.IsZero() || is.Done < p.done {
		*p = pace{at: now, done: is.Done}
		return
	}
	passed := now.Sub(p.at).Seconds()
	if passed < reportPause.Seconds() {
		return
	}
	speed := float64(is.Done-p.done) / passed
	const weight = 0.3 // of the newest measurement
	if p.speed > 0 {
		speed = weight*speed + (1-weight)*p.speed
	}
	*p = pace{now, is.Done, speed}
}

// left is how long the rest takes; 0: not known.
func (p *pace) left(is Progress) time.Duration {
	if p.speed <= 0 || is.Total <= is.Done {
		return 0
	}
	return time.Duration(float64(is.Total-is.Done) / p.speed * float64(time.Second))
}
