package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// fileStream is one stream for a file, on the client's side.
type fileStream struct {
	conn   conn
	reader *wire.Reader
	speaks func() bool // whether the host speaks the protocol, as far as can be told
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
		return net.Speaks(ctx, chat.Conn(), protocol.ID(wire.FileProtocol)) || chat.Conn().IsClosed()
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
		return "", errors.New("the host is ready for another file")
	}
	t.resumed = ready.Offset > 0
	t.progress(ready.Offset)
	t.flow = t.flow.again(time.Now(), ready.Offset)
	out := newSender(s.conn, source{o.Content}, ready.Size, t.flow)
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
		_ = s.conn.SetReadDeadline(time.Now().Add(farewell)) // what the host says may tell why
	}
	if final(err) {
		cutOff(s.conn)
	}
	answers.Wait()
	if final(err) {
		return "", err
	}
	return id, failed
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
			if _, err := out.ack(v.Offset); err != nil {
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
