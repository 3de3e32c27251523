package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"p2pchat/node/wire"
)

// A stream for a file has bytes in one direction and frames, which say how far they have
// come, in the other. Both ends use what follows here: who sends, and who receives.

// Timing of a stream for a file.
const (
	fileIdle  = 30 * time.Second      // without progress, it is given up
	ackTime   = 1 * time.Millisecond  // between two acknowledgements, at least
	ackAgain  = 10 * time.Second      // the same once more, so that the other end knows that this one lives
	filePiece = int64(wire.FileChunk) // bytes in one write
	lookTime  = 1 * time.Second       // how often a host looks whether a member is still in the room
)

// errShrunk says that a file has become shorter while it was sent.
var errShrunk = errors.New("the file has changed while it was being sent")

var pieces = sync.Pool{New: func() any { b := make([]byte, filePiece); return &b }}

// sender sends the bytes of a file.
type sender struct {
	conn conn
	from io.ReaderAt
	size int64
	turn func(context.Context, int64) bool // waits until so many bytes may be sent; nil: they may at once
	most int64                             // bytes at once
	told func(int64)                       // how far the receiver has come; nil: nobody wants to know

	mu   sync.Mutex // guards flow
	flow *flow
	wake chan struct{}
}

func newSender(c conn, from io.ReaderAt, size int64, f *flow) *sender {
	return &sender{conn: c, from: from, size: size, most: filePiece, flow: f, wake: make(chan struct{}, 1)}
}

// ack takes note of how far the receiver has come. It tells whether that is all that
// can be expected: it has come on, or nothing is under way.
func (s *sender) ack(offset int64) (moves bool, err error) {
	s.mu.Lock()
	before, sent := s.flow.acked, s.flow.sent
	ok := s.flow.ack(time.Now(), offset)
	s.mu.Unlock()
	if !ok {
		return false, fmt.Errorf("%d bytes were acknowledged and not sent", offset)
	}
	signal(s.wake)
	if offset > before && s.told != nil {
		s.told(offset)
	}
	return offset > before || before == sent, nil
}

// run sends everything, as fast as the receiver takes it.
func (s *sender) run(ctx context.Context) error {
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	for {
		n, at, err := s.next(ctx)
		if err != nil || n == 0 {
			return err
		}
		if s.turn != nil && !s.turn(ctx, n) {
			return ctx.Err()
		}
		b := (*buf)[:n]
		if got, err := s.from.ReadAt(b, at); got < len(b) {
			if errors.Is(err, io.EOF) {
				err = errShrunk
			}
			return err
		}
		s.mu.Lock()
		s.flow.send(time.Now(), n)
		s.mu.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(fileIdle))
		if _, err := s.conn.Write(b); err != nil {
			return err
		}
	}
}

// next waits until some bytes may be sent; 0: all were.
func (s *sender) next(ctx context.Context) (n, at int64, err error) {
	var idle *time.Timer
	before := int64(0)
	for {
		s.mu.Lock()
		at = s.flow.sent
		left := s.size - at
		n, wait := s.flow.next(time.Now(), min(left, s.most))
		acked := s.flow.acked
		s.mu.Unlock()
		if left == 0 {
			return 0, at, nil
		}
		if wait > 0 && !sleep(ctx, wait) {
			return 0, 0, ctx.Err()
		}
		if n > 0 {
			return n, at, nil
		}
		switch {
		case idle == nil:
			idle = time.NewTimer(fileIdle)
			defer idle.Stop()
		case acked > before:
			idle.Reset(fileIdle)
		}
		before = acked
		select {
		case <-s.wake:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-idle.C:
			return 0, 0, errors.New("the receiver takes nothing")
		}
	}
}

// receiver takes the bytes of a file and says how far it has come.
type receiver struct {
	conn    conn
	reader  *wire.Reader
	frame   func(buf []byte, v any) []byte // of an acknowledgement
	take    func([]byte) error
	arrived atomic.Int64
	wake    chan struct{}
	writing sync.Mutex // held while a frame is written
}

func newReceiver(c conn, r *wire.Reader, offset int64, frame func([]byte, any) []byte, take func([]byte) error) *receiver {
	v := &receiver{conn: c, reader: r, frame: frame, take: take, wake: make(chan struct{}, 1)}
	v.arrived.Store(offset)
	return v
}

// run takes bytes up to size, and calls end, before which acknowledgements go on.
func (v *receiver) run(size int64, end func() error) error {
	ctx, cancel := context.WithCancel(context.Background())
	var acks sync.WaitGroup
	defer acks.Wait()
	defer cancel()
	acks.Go(func() { v.acknowledge(ctx) })
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	for at := v.arrived.Load(); at < size; {
		n, err := v.gather((*buf)[:min(filePiece-at%filePiece, size-at)]) // so that writes to the disk are aligned
		if n > 0 {
			if err := v.take((*buf)[:n]); err != nil {
				return err
			}
		}
		if at += int64(n); err != nil && at < size {
			return err
		}
	}
	return end()
}

// gather reads until b is full, or the stream has failed. What has arrived is
// acknowledged before it is taken: the other end waits for that.
func (v *receiver) gather(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		_ = v.conn.SetReadDeadline(time.Now().Add(fileIdle))
		more, err = v.reader.Read(b[n:])
		n += more
		v.arrived.Add(int64(more))
		signal(v.wake)
	}
	return n, err
}

// acknowledge says how far it has come, whenever that has changed, but not too often.
func (v *receiver) acknowledge(ctx context.Context) {
	again := time.NewTicker(ackAgain)
	defer again.Stop()
	for {
		select {
		case <-v.wake:
			if !sleep(ctx, ackTime) {
				return
			}
		case <-again.C:
		case <-ctx.Done():
			return
		}
		if v.write(wire.Ack{Offset: v.arrived.Load()}) != nil {
			return // who reads learns of it, too
		}
	}
}

// write writes a frame.
func (v *receiver) write(m any) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	_ = v.conn.SetWriteDeadline(time.Now().Add(fileIdle))
	_, err := v.conn.Write(v.frame(nil, m))
	return err
}

// cutOff ends a stream so that the other end does not take it for complete.
func cutOff(c conn) {
	if r, ok := c.(interface{ Reset() error }); ok {
		_ = r.Reset()
	}
	_ = c.Close()
}
