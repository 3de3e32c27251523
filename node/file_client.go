package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// Outgoing is a file that is to be uploaded.
type Outgoing struct {
	Room rooms.RoomID // where the client is

	// File describes it. ID is not used. A zero Hash is computed: the content is then read
	// once more, before the first byte is sent.
	File rooms.File

	Content io.ReaderAt // at least File.Size bytes
}

// Sink is where a file is put that is fetched: an *os.File, say.
type Sink interface {
	io.ReaderAt
	io.WriterAt
}

// Upload puts a file on the host and returns its description there. The room learns of it
// by a rooms.Say{Kind: rooms.FileUp, File: id}, for which the member has
// rooms.ClaimLife. It goes on by itself over lost connections and restarts of the host,
// until ctx ends or the client leaves the room; called again with the same content, even
// by another process, it continues where that one was cut off. progress, where it is
// not nil, is told how many bytes the host has; it must not block. The error is a
// *rooms.Refusal, or one of ctx or of reading the content.
func (k *Client) Upload(ctx context.Context, o Outgoing, progress func(done, total int64)) (rooms.File, error) {
	if o.File.Hash == (rooms.Hash{}) {
		h, err := HashOf(ctx, o.Content, o.File.Size)
		if err != nil {
			return rooms.File{}, err
		}
		o.File.Hash = h
	}
	t := &transfer{client: k, room: o.Room, size: o.File.Size, told: progress}
	file := o.File
	err := t.run(ctx, func(ctx context.Context, s *fileStream) (err error) {
		file.ID, err = s.put(ctx, t, o)
		return err
	})
	return file, err
}

// HashOf computes the hash of a content.
func HashOf(ctx context.Context, r io.ReaderAt, size int64) (rooms.Hash, error) {
	h, err := hashed(ctx, r, size)
	if err != nil {
		return rooms.Hash{}, err
	}
	return rooms.Hash(h.Sum(nil)), nil
}

// hashed reads size bytes into a hash.
func hashed(ctx context.Context, r io.ReaderAt, size int64) (hash.Hash, error) {
	h := sha256.New()
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := (*buf)[:min(int64(len(*buf)), size-at)]
		if n, err := r.ReadAt(b, at); n < len(b) {
			if errors.Is(err, io.EOF) {
				err = errShrunk
			}
			return nil, err
		}
		h.Write(b)
		at += int64(len(b))
	}
	return h, nil
}

// Download fetches a file of the room into to, from offset on: what stands before it is
// what an earlier one has fetched. It goes on by itself as Upload does. When it returns nil, the
// content has f.Hash. Where it has not, although all of it has arrived, it is fetched once
// more from its beginning, if a part of it was there before. progress is as with Upload; to is
// written from one goroutine only, in order.
func (k *Client) Download(ctx context.Context, room rooms.RoomID, f rooms.File, to Sink, offset int64, progress func(done, total int64)) error {
	if offset < 0 || offset > f.Size {
		offset = 0
	}
	for {
		h, err := hashed(ctx, to, offset)
		if err != nil {
			return err
		}
		t := &transfer{client: k, room: room, size: f.Size, told: progress}
		in := &incoming{file: f, to: to, at: offset, sum: h}
		if err := t.run(ctx, func(ctx context.Context, s *fileStream) error { return s.get(ctx, t, in) }); err != nil {
			return err
		}
		if rooms.Hash(in.sum.Sum(nil)) == f.Hash {
			return nil
		}
		if offset == 0 {
			return rooms.Refuse(rooms.NoSuchFile, "tell the owner of this host", "the file on the host is not the one that was shared")
		}
		offset = 0
	}
}

// incoming is a file that is being fetched.
type incoming struct {
	file rooms.File
	to   Sink
	at   int64
	sum  hash.Hash
}

// sinkError is an error of the place where a file is put.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

func (in *incoming) take(b []byte) error {
	if _, err := in.to.WriteAt(b, in.at); err != nil {
		return sinkError{err}
	}
	in.sum.Write(b)
	in.at += int64(len(b))
	return nil
}

// transfer is one file on its way, over as many streams as it takes.
type transfer struct {
	client *Client
	room   rooms.RoomID
	size   int64
	told   func(done, total int64)
	done   int64 // as told last
	anew   bool  // it was begun from the beginning because what was there was wrong
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
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
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
	var sink sinkError
	if errors.Is(err, errShrunk) || errors.As(err, &sink) || errors.As(err, new(*sourceError)) {
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
		again := !t.anew
		t.anew = true
		return 0, again
	}
	return 0, false
}

// sourceError is an error of reading what is to be sent.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// source marks the errors of a content.
type source struct{ io.ReaderAt }

func (s source) ReadAt(b []byte, off int64) (int, error) {
	n, err := s.ReaderAt.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &sourceError{err}
	}
	return n, err
}

// fileStream is one stream for a file, on the client's side.
type fileStream struct {
	conn   conn
	reader *wire.Reader
	speaks func() bool // whether the host speaks the protocol
}

// fileStream opens a stream beside the chat: over the same connection, or where a relay
// counts the bytes of that, over another circuit of it.
func (k *Client) fileStream(ctx context.Context, at conn) (*fileStream, error) {
	if k.config.files != nil {
		c, err := k.config.files()
		if err != nil {
			return nil, err
		}
		return &fileStream{c, wire.NewReader(c), func() bool { return true }}, nil
	}
	chat, ok := at.(network.Stream)
	if !ok || k.config.dialer == nil {
		return nil, rooms.Refuse(rooms.Denied, "join the host for that", "no files travel over this connection")
	}
	net := k.config.dialer.net
	var s conn
	var err error
	if wearAt(at) > 0 { // the relay would cut the chat
		s, err = net.Beside(ctx, chat.Conn(), protocol.ID(wire.FileProtocol))
	} else {
		s, err = net.Stream(ctx, chat.Conn(), protocol.ID(wire.FileProtocol))
	}
	if err != nil {
		return nil, err
	}
	return &fileStream{s, wire.NewReader(s), func() bool {
		ctx, cancel := context.WithTimeout(ctx, helloTime)
		defer cancel()
		return net.Speaks(ctx, chat.Conn(), protocol.ID(wire.FileProtocol))
	}}, nil
}

// begin sends a request and waits until the host is ready.
func (s *fileStream) begin(request any) (wire.Ready, error) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := s.conn.Write(wire.AppendFileRequest(nil, request))
	var v any
	if err == nil {
		v, err = s.answer()
	}
	if err != nil {
		var refusal *rooms.Refusal
		if !errors.As(err, &refusal) && !s.speaks() {
			err = rooms.Refuse(rooms.UnsupportedVersion, "ask the owner of the host to update it", "this host is too old to keep files")
		}
		return wire.Ready{}, err
	}
	ready, ok := v.(wire.Ready)
	if !ok {
		return ready, errors.New("the host was not ready")
	}
	return ready, nil
}

// answer reads a frame of the host; a refusal is an error.
func (s *fileStream) answer() (any, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(fileIdle))
	v, err := s.reader.FileAnswer()
	if refusal, ok := v.(*rooms.Refusal); ok {
		return nil, refusal
	}
	return v, err
}

// put uploads what the host has not, and returns the identifier there.
func (s *fileStream) put(ctx context.Context, t *transfer, o Outgoing) (id string, err error) {
	ready, err := s.begin(wire.Put{Room: o.Room, File: o.File})
	if err != nil {
		return "", err
	}
	if ready.Size != o.File.Size || ready.Hash != o.File.Hash {
		return "", fmt.Errorf("the host is ready for another file")
	}
	t.anew = t.anew || ready.Offset == 0
	t.progress(ready.Offset)
	out := newSender(s.conn, source{o.Content}, ready.Offset, ready.Size)
	out.told = t.progress
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var answers sync.WaitGroup
	var failed error
	answers.Go(func() {
		defer cancel()
		id, failed = s.answers(out)
	})
	err = out.run(ctx)
	if err != nil && ctx.Err() == nil {
		s.conn.SetReadDeadline(time.Now().Add(farewell)) // what the host says may tell why
		if errors.Is(err, errShrunk) || errors.As(err, new(*sourceError)) {
			cutOff(s.conn)
		}
	}
	answers.Wait()
	var refusal *rooms.Refusal
	if id != "" || errors.As(failed, &refusal) || err == nil {
		return id, failed
	}
	if errors.Is(err, context.Canceled) {
		return "", failed
	}
	return "", err
}

// answers reads what the host says meanwhile, until it has stored the file.
func (s *fileStream) answers(out *sender) (id string, err error) {
	for {
		v, err := s.answer()
		if err != nil {
			return "", err
		}
		switch v := v.(type) {
		case wire.Ack:
			if err := out.ack(v.Offset); err != nil {
				return "", err
			}
		case wire.Stored:
			out.told(out.size)
			return v.ID, nil
		default:
			return "", errors.New("the host says something else")
		}
	}
}

// get fetches what is missing.
func (s *fileStream) get(ctx context.Context, t *transfer, in *incoming) error {
	ready, err := s.begin(wire.Get{Room: t.room, ID: in.file.ID, Offset: in.at})
	if err != nil {
		return err
	}
	if ready.Size != in.file.Size || ready.Hash != in.file.Hash || ready.Offset != in.at {
		return rooms.Refuse(rooms.NoSuchFile, "tell the owner of this host", "the host has another file under this name")
	}
	t.progress(in.at)
	from := newReceiver(s.conn, s.reader, in.at, wire.AppendFileRequest, func(b []byte) error {
		err := in.take(b)
		t.progress(in.at)
		return err
	})
	return from.run(ready.Size, func() error {
		_ = from.write(wire.Ack{Offset: ready.Size}) // all has arrived, whether the host hears of it or not
		_ = s.conn.CloseWrite()
		return nil
	})
}
