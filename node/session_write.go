package node

import (
	"time"

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

// catchUp sends the next page of the log to a session that lags.
func (s *session) catchUp(g *gap) error {
	page, err := g.room.log.After(g.after, s.host.limits.PageMessages)
	for n := 0; err != nil && n < len(readAgain) && s.out.stands(g); n++ {
		s.pause(readAgain[n]) // out of file handles, say: that passes
		page, err = g.room.log.After(g.after, s.host.limits.PageMessages)
	}
	if !s.out.stands(g) {
		return nil
	}
	if err != nil || len(page) == 0 {
		log.Errorf("room %s: reading behind %d: %v", g.room.id, g.after, err)
		s.out.push(0, rooms.Notice{Text: "a part of this room's history can't be read from the host's disk"})
		s.out.skip(g)
		return nil
	}
	if !s.out.filled(g, page[len(page)-1].Seq) {
		return nil
	}
	return s.send(appendPage(nil, g.room.id, page, g.replayTo))
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
