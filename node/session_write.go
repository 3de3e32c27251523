package node

import (
	"errors"
	"fmt"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// write sends what waits, everything in one Write, until there is nothing more
// to come. A connection that takes nothing for writeTime is cut; its member
// resumes where it was.
func (s *session) write() {
	defer close(s.written)
	defer s.cancel()
	defer s.conn.Close()
	var spare []byte
	for {
		frames, lag, done := s.out.take(spare)
		spare = nil
		switch {
		case len(frames) > 0:
			if s.send(frames) != nil {
				return
			}
			spare = reuse(frames)
		case lag != nil:
			if s.catchUp(lag) != nil {
				return
			}
		case done:
			_ = s.conn.CloseWrite()
			return
		default:
			<-s.out.wake
		}
	}
}

// reuse keeps a buffer for later, but not one that a flood has made huge.
func reuse(b []byte) []byte {
	if cap(b) > outboxMessages {
		return nil
	}
	return b
}

// leaveTime is how long a member has to leave a link that its relay will cut.
const leaveTime = 3 * time.Second

// giveWay tells how many bytes may be written. Where the member's relay will cut the
// link after some more, it waits, once, for the member: that one leaves by itself, and
// what is not sent here it reads on its next link.
func (s *session) giveWay() int {
	if s.hold == 0 {
		return writePart
	}
	if s.sent < s.hold {
		return int(s.hold - s.sent)
	}
	s.hold = 0
	t := time.NewTimer(leaveTime)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.gone:
	case <-s.host.stopping:
	}
	return writePart
}

func (s *session) send(frames []byte) error {
	for len(frames) > 0 {
		limit := writeTime
		if s.host.closing() {
			limit = farewell
		}
		part := frames[:min(len(frames), writePart, s.giveWay())]
		_ = s.conn.SetWriteDeadline(time.Now().Add(limit))
		if _, err := s.conn.Write(part); err != nil {
			return err
		}
		frames = frames[len(part):]
		s.sent += int64(len(part))
	}
	return nil
}

// catchUp sends the next page of the log to a session that lags. Where a page can't be
// read, it is tried again; then the connection is cut, and the member comes back for it.
// Only what is damaged is left out.
func (s *session) catchUp(g *gap) error {
	page, err := g.room.log.After(g.after, s.host.limits.PageMessages)
	var damage damaged
	for n := 0; err != nil && n < len(readAgain) && s.out.stands(g) && !errors.As(err, &damage); n++ {
		s.pause(readAgain[n]) // out of file handles, say: that passes
		page, err = g.room.log.After(g.after, s.host.limits.PageMessages)
	}
	switch {
	case !s.out.stands(g):
		return nil
	case errors.As(err, &damage):
		g.room.tellDamage(err)
		s.out.push(0, rooms.Notice{Text: "a part of this room's history is damaged on the host's disk, and left out here"})
		_, beyond := damage.Bounds()
		s.out.skip(g, beyond)
		return nil
	case err != nil:
		log.Errorf("room %s: reading behind %d: %v", g.room.id, g.after, err)
		return err
	case len(page) == 0: // all of it was removed since
		s.out.skip(g, 0)
		return nil
	}
	frames := s.missing(g, page[0].Seq)
	if !s.out.filled(g, page[len(page)-1].Seq) {
		return nil
	}
	return s.send(appendPage(frames, g.room.id, page, g.replayTo))
}

// missing tells a member of a room that keeps nothing what it was too slow to hear.
func (s *session) missing(g *gap, next rooms.Seq) []byte {
	if g.room.kept || next <= g.after+1 {
		return nil
	}
	text := fmt.Sprintf("%d messages were said meanwhile, and this room keeps none", next-g.after-1)
	return wire.AppendEvent(nil, 0, rooms.Notice{Text: text})
}

// pause waits before reading again, but not for a host that stops.
func (s *session) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.host.stopping:
	}
}
