package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

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
