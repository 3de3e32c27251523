package node

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// Files go to the host and come from it over streams of their own. Whether a member may
// is asked of the registrar, when the stream begins and now and then while it runs; the
// store keeps the bytes; the room's owner learns of an upload that is complete, and takes
// the line that posts it.

// fileSession is one stream for a file, on the host's side.
type fileSession struct {
	host   *Host
	peer   rooms.PeerID
	conn   conn
	reader *wire.Reader

	greeted func()
}

// serveFile serves a stream for a file. It calls greeted when the member is known to be in
// the room: until then it counts as a stranger.
func (h *Host) serveFile(c conn, peer rooms.PeerID, greeted func()) {
	defer c.Close()
	defer context.AfterFunc(h.ctx, func() { cutOff(c) })()
	s := &fileSession{host: h, peer: peer, conn: c, reader: wire.NewReader(c), greeted: sync.OnceFunc(greeted)}
	defer s.greeted()
	_ = c.SetReadDeadline(time.Now().Add(helloTime))
	request, err := s.reader.FileRequest()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			s.refuse(rooms.Refuse(rooms.BadRequest, "", "this is no request for a file"))
		}
		return
	}
	switch v := request.(type) {
	case wire.Put:
		err = s.put(v)
	case wire.Get:
		err = s.get(v)
	default:
		err = rooms.Refuse(rooms.BadRequest, "", "this is no request for a file")
	}
	var refusal *rooms.Refusal
	switch {
	case err == nil:
		_ = c.CloseWrite()
	case errors.As(err, &refusal):
		s.refuse(refusal)
	default:
		log.Debugf("a file of %s: %v", peer, err)
		cutOff(c)
	}
}

// refuse is the last frame.
func (s *fileSession) refuse(r *rooms.Refusal) {
	_ = s.write(r)
	_ = s.conn.CloseWrite()
	// What the other end has sent meanwhile is read: closing before it would cut off the
	// refusal on some transports.
	_ = s.conn.SetReadDeadline(time.Now().Add(farewell))
	_, _ = io.Copy(io.Discard, io.LimitReader(s.conn, mostFlow))
}

func (s *fileSession) write(v any) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := s.conn.Write(wire.AppendFileAnswer(nil, v))
	return err
}

// door is a room whose files a member may see.
type door struct {
	key   rooms.RoomKey
	owner *room
}

// enter asks the registrar for a room; put says that a file is to be put into it.
func (s *fileSession) enter(id rooms.RoomID, put bool) (d door, refusal *rooms.Refusal) {
	s.host.registrar.look(func(g *registrar) {
		d.key, refusal = g.registry.Shares(s.peer, id)
		if refusal == nil && put {
			refusal = g.registry.MayUpload(s.peer, d.key)
		}
		d.owner = g.rooms[d.key]
	})
	if refusal == nil && d.owner == nil { // it can't be opened now
		refusal = s.storage()
	}
	if refusal != nil && refusal.Code == rooms.NoSuchFile {
		sleep(s.host.ctx, hesitation())
		return d, refusal
	}
	s.greeted()
	return d, refusal
}

// look tells whether the member may go on.
func (s *fileSession) look(id rooms.RoomID, d door) error {
	if now, refusal := s.enter(id, false); refusal != nil {
		return refusal
	} else if now.key != d.key {
		return rooms.NoSuchUpload()
	}
	return nil
}

// watch looks now and then whether the member may go on, and cuts it off when not, until
// what it returns is called.
func (s *fileSession) watch(id rooms.RoomID, d door) (end func()) {
	ctx, cancel := context.WithCancel(s.host.ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for sleep(ctx, lookTime) {
			if s.look(id, d) != nil {
				cutOff(s.conn)
				return
			}
		}
	})
	return func() { cancel(); watching.Wait() }
}

func (s *fileSession) storage() *rooms.Refusal {
	r := rooms.Refuse(rooms.Storage, "send it again later, or tell the owner of this host",
		"the host's disk is full or failing")
	r.Retry = reviveTime
	return r
}

// sick makes a refusal of an error of the store, and tells the operator.
func (s *fileSession) sick(err error) error {
	var refusal *rooms.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	log.Errorf("files: %v", err)
	return s.storage()
}

// get sends a file.
func (s *fileSession) get(v wire.Get) error {
	d, refusal := s.enter(v.Room, false)
	if refusal == nil {
		refusal = s.host.files.enter(s.peer, s.host.limits)
	}
	if refusal != nil {
		return refusal
	}
	defer s.host.files.leave(s.peer)
	c, err := s.host.config.Store.Content(d.key, v.ID)
	if errors.Is(err, os.ErrNotExist) {
		sleep(s.host.ctx, hesitation())
		return rooms.NoSuchUpload()
	}
	if err != nil {
		return s.sick(err)
	}
	defer c.Close()
	size, hash := c.Info()
	if v.Offset > size {
		return rooms.Refuse(rooms.BadRequest, "fetch it from its beginning", "this file has %d bytes", size)
	}
	if err := s.write(wire.Ready{Offset: v.Offset, Size: size, Hash: hash}); err != nil {
		return err
	}
	defer s.watch(v.Room, d)()
	f := s.host.files.flow(s.peer, v.Offset)
	out := newSender(s.conn, c, size, f)
	all, own := &s.host.files, new(pace)
	out.most = all.pace.most()
	out.turn = func(ctx context.Context, n int64) bool { return all.pace.wait(ctx, n) && all.yield(ctx, own, n) }
	if err = s.send(out); err != nil {
		s.host.files.cut(s.peer, f)
	}
	return err
}

// send sends, and reads how far the other end has come. It returns when all has arrived.
func (s *fileSession) send(out *sender) error {
	ctx, cancel := context.WithCancel(s.host.ctx)
	defer cancel()
	arrived := make(chan error, 1)
	go func() {
		defer cancel()
		arrived <- s.acks(out)
	}()
	err := out.run(ctx)
	if err != nil {
		cutOff(s.conn)
	}
	aerr := <-arrived
	if err != nil && !errors.Is(err, context.Canceled) {
		return plain(err)
	}
	return aerr
}

// plain hides a refusal among bytes of a file: it can't be told there.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}

// acks reads how far the other end has come, until it has everything. Who says again and
// again what it has said already is given up like one who says nothing.
func (s *fileSession) acks(out *sender) error {
	for moves := true; ; {
		if moves {
			_ = s.conn.SetReadDeadline(time.Now().Add(fileIdle))
		}
		v, err := s.reader.FileRequest()
		if err != nil {
			return err
		}
		ack, ok := v.(wire.Ack)
		if !ok {
			return errors.New("this is no acknowledgement")
		}
		if moves, err = out.ack(ack.Offset); err != nil {
			return err
		}
		if ack.Offset == out.size {
			return nil
		}
	}
}

// put takes a file.
func (s *fileSession) put(v wire.Put) error {
	d, refusal := s.enter(v.Room, true)
	if refusal == nil {
		refusal = s.host.limits.CheckFile(v.File)
	}
	if refusal == nil {
		refusal = s.host.files.enter(s.peer, s.host.limits)
	}
	if refusal != nil {
		return refusal
	}
	defer s.host.files.leave(s.peer)
	key := putKey{s.peer, d.key, v.File.Hash}
	mine := s.host.files.begin(key, s.conn)
	defer s.host.files.end(key, mine)
	v.File.ID = ""
	u, err := s.host.config.Store.Upload(d.key, s.peer, v.File, s.host.limits.CheckUpload)
	if err != nil {
		return s.sick(err)
	}
	defer u.Close()
	if err := s.write(wire.Ready{Offset: u.Offset(), Size: v.File.Size, Hash: v.File.Hash}); err != nil {
		return err
	}
	failed, unsynced := error(nil), int64(0) // of the disk
	all, own := &s.host.files, new(pace)
	in := newReceiver(s.conn, s.reader, u.Offset(), wire.AppendFileAnswer, func(b []byte) error {
		if !all.yield(s.host.ctx, own, int64(len(b))) {
			return s.host.ctx.Err()
		}
		_, failed = u.Write(b)
		if unsynced += int64(len(b)); failed == nil && unsynced >= all.syncEvery() {
			unsynced, failed = 0, u.Sync()
		}
		return failed
	})
	defer s.watch(v.Room, d)()
	err = in.run(v.File.Size, func() error { return s.finish(in, u, v.Room, d) })
	if failed != nil {
		return s.sick(failed)
	}
	return err
}

// finish makes the upload one that can be posted.
func (s *fileSession) finish(in *receiver, u Upload, id rooms.RoomID, d door) error {
	if err := s.look(id, d); err != nil {
		return err
	}
	claim, err := u.Finish()
	if err != nil {
		return s.sick(err)
	}
	done := make(chan bool, 1)
	d.owner.ask(offer{claim, done})
	if !<-done {
		return rooms.NoSuchUpload()
	}
	return in.write(wire.Stored{ID: claim.File.ID})
}

// offer lets a member of the room post an upload.
type offer struct {
	claim rooms.Claim
	done  chan<- bool
}

func (o offer) missed() { o.done <- false }
func (o offer) do(r *room) {
	r.state.Offer(o.claim)
	o.done <- true
}
