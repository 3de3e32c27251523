package wire

import (
	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// The file protocol: one stream carries one file, one way. Its frames are those of the
// chat; behind a Ready follow the bytes of the file themselves, without frames.
const (
	// FileProtocol is its identifier. It carries the major version.
	FileProtocol = "/p2pchat/file/1.0.0"

	// FileLimit is the largest payload of its frames, in bytes.
	FileLimit = 32 << 10

	// FileChunk is the most bytes of a file that a sender writes at once.
	FileChunk = 256 << 10
)

// The first frames of a client on a stream for files.
type (
	// Put offers a file to a room. Its File has no ID yet.
	Put struct {
		Room rooms.RoomID
		File rooms.File
	}

	// Get asks for a file of a room, from Offset on.
	Get struct {
		Room   rooms.RoomID
		ID     string
		Offset int64
	}
)

// The frames that follow, besides a *rooms.Refusal.
type (
	// Ready says that the bytes from Offset up to Size follow now: the client sends them
	// behind a Put, the host behind a Get.
	Ready struct {
		Offset, Size int64
		Hash         rooms.Hash
	}

	// Ack says that everything before Offset has arrived.
	Ack struct{ Offset int64 }

	// Stored says that a file is on the host's disk.
	Stored struct{ ID string }
)

// AppendFileRequest appends the frame of a Put, a Get or an Ack to buf; anything else
// panics.
func AppendFileRequest(buf []byte, v any) []byte {
	m := &pb.FileRequest{}
	switch v := v.(type) {
	case Put:
		m.Body = &pb.FileRequest_Put{Put: &pb.Put{Room: room(v.Room), File: putFile(&v.File)}}
	case Get:
		m.Body = &pb.FileRequest_Get{Get: &pb.Get{Room: room(v.Room), Id: clip(v.ID, idLimit), Offset: uint64(max(v.Offset, 0))}}
	case Ack:
		m.Body = &pb.FileRequest_Ack{Ack: putAck(v)}
	default:
		panic("wire: this is not said by a client about a file")
	}
	return appendFrame(buf, m)
}

// AppendFileAnswer appends the frame of a Ready, an Ack, a Stored or a *rooms.Refusal to
// buf; anything else panics.
func AppendFileAnswer(buf []byte, v any) []byte {
	m := &pb.FileAnswer{}
	switch v := v.(type) {
	case Ready:
		m.Body = &pb.FileAnswer_Ready{Ready: &pb.Ready{Offset: uint64(max(v.Offset, 0)), Size: uint64(max(v.Size, 0)), Hash: putHash(v.Hash)}}
	case Ack:
		m.Body = &pb.FileAnswer_Ack{Ack: putAck(v)}
	case Stored:
		m.Body = &pb.FileAnswer_Stored{Stored: &pb.Stored{Id: clip(v.ID, idLimit)}}
	case *rooms.Refusal:
		m.Body = &pb.FileAnswer_Refusal{Refusal: refusal(v)}
	default:
		panic("wire: this is not said by a host about a file")
	}
	return appendFrame(buf, m)
}

func putAck(v Ack) *pb.Ack { return &pb.Ack{Offset: uint64(max(v.Offset, 0))} }

// FileRequest reads the next frame of a client on a stream for files: a Put, a Get or an
// Ack.
func (r *Reader) FileRequest() (any, error) {
	var m pb.FileRequest
	if _, err := r.read(&m, FileLimit); err != nil {
		return nil, err
	}
	var c check
	var v any
	switch b := m.Body.(type) {
	case *pb.FileRequest_Put:
		c.must("put.file", b.Put.File != nil)
		c.must("file.hash", len(b.Put.GetFile().GetHash()) > 0)
		v = Put{Room: rooms.RoomID(c.need("put.room", b.Put.Room, nameLimit)), File: takeDescription(&c, b.Put.File)}
	case *pb.FileRequest_Get:
		v = Get{
			Room: rooms.RoomID(c.need("get.room", b.Get.Room, nameLimit)),
			ID:   c.need("get.id", b.Get.Id, idLimit), Offset: c.offset("get.offset", b.Get.Offset),
		}
	case *pb.FileRequest_Ack:
		v = Ack{Offset: c.offset("ack.offset", b.Ack.Offset)}
	default:
		c.newer = true
	}
	if err := c.err(0); err != nil {
		return nil, err
	}
	return v, nil
}

// FileAnswer reads the next frame of a host on a stream for files: a Ready, an Ack, a
// Stored or a *rooms.Refusal.
func (r *Reader) FileAnswer() (any, error) {
	var m pb.FileAnswer
	if _, err := r.read(&m, FileLimit); err != nil {
		return nil, err
	}
	var c check
	var v any
	switch b := m.Body.(type) {
	case *pb.FileAnswer_Ready:
		ready := Ready{
			Offset: c.offset("ready.offset", b.Ready.Offset), Size: c.offset("ready.size", b.Ready.Size),
			Hash: c.hash("ready.hash", b.Ready.Hash),
		}
		c.must("ready.hash", len(b.Ready.Hash) > 0)
		if ready.Offset > ready.Size {
			c.fail("ready.offset", "behind the end")
		}
		v = ready
	case *pb.FileAnswer_Ack:
		v = Ack{Offset: c.offset("ack.offset", b.Ack.Offset)}
	case *pb.FileAnswer_Stored:
		v = Stored{ID: c.need("stored.id", b.Stored.Id, idLimit)}
	case *pb.FileAnswer_Refusal:
		v = takeRefusal(&c, b.Refusal)
	default:
		c.newer = true
	}
	if err := c.err(0); err != nil {
		return nil, err
	}
	return v, nil
}

// offset is a place in a file.
func (c *check) offset(field string, n uint64) int64 {
	if n > 1<<62 {
		c.fail(field, "impossible")
		return 0
	}
	return int64(n)
}

// Read reads bytes that stand behind a frame.
func (r *Reader) Read(b []byte) (int, error) { return r.buf.Read(b) }
