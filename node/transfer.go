package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"p2pchat/rooms"
)

// transfer is one file on its way, over as many streams as it takes.
type transfer struct {
	client *Client
	room   rooms.RoomID
	size   int64
	told   func(done, total int64)
	done   int64 // as told last

	resumed bool // the host had a part of it when the last try began
	spoilt  int  // how often what the host had was wrong

	flow *flow // of the last stream that sent
}

func (t *transfer) progress(done int64) {
	moved := done != t.done
	t.done = done
	if moved && t.told != nil {
		t.told(done, t.size)
	}
}

// cutPause is how long a transfer waits that was cut off and has come on: a relay may cut
// it many times.
const cutPause = 20 * time.Millisecond

// mostSpoilt is how often a transfer begins anew because what the host had was wrong.
const mostSpoilt = 3

// run tries until it is done, or there is no sense in going on.
func (t *transfer) run(ctx context.Context, try func(context.Context, *fileStream) error) error {
	pause := firstRetry
	for {
		c, err := t.client.place.await(ctx, t.room)
		if err != nil {
			return err
		}
		before := t.done
		err = t.try(ctx, c, try)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if t.done > before {
			pause = cutPause
		}
		wait, again := t.passes(c, err, pause)
		if !again {
			return err
		}
		log.Debugf("a file, %d of %d bytes: %v", t.done, t.size, err)
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		pause = min(2*pause, lastRetry)
	}
}

// try opens a stream and uses it, as long as the client is where it is.
func (t *transfer) try(ctx context.Context, c conn, try func(context.Context, *fileStream) error) error {
	ctx, cancel, watch := t.client.place.during(ctx, c, t.room)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(watch)
	s, err := t.client.fileStream(ctx, c)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { cutOff(s.conn) })()
	return try(ctx, s)
}

// passes tells whether an error may pass by itself, and when to try again.
func (t *transfer) passes(c conn, err error, pause time.Duration) (time.Duration, bool) {
	if final(err) {
		return 0, false
	}
	var refusal *rooms.Refusal
	if !errors.As(err, &refusal) {
		return pause, true
	}
	switch refusal.Code {
	case rooms.Busy, rooms.Unreachable:
		return max(refusal.Retry, pause), true
	case rooms.NoSuchFile, rooms.NotInRoom: // the client may have been on its way
		now, _, _, _ := t.client.place.now()
		return pause, now != c
	case rooms.BadRequest: // what the host had was spoilt, and is gone now
		t.spoilt++
		return 0, t.resumed && t.spoilt < mostSpoilt
	}
	return 0, false
}

// final tells whether an error is one of this end's own files, which no other connection
// helps.
func final(err error) bool {
	return errors.Is(err, errShrunk) || errors.As(err, new(sinkError)) || errors.As(err, new(*sourceError))
}
