package wire

import (
	"time"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// putFile translates the description of a file. A preview that is too large is left out:
// half a picture is none.
func putFile(v *rooms.File) *pb.File {
	m := &pb.File{
		Id: clip(v.ID, idLimit), Name: clip(v.Name, fileLimit), Size: max(v.Size, 0), Mime: clip(v.MIME, mimeLimit),
		Hash: putHash(v.Hash), Width: pixels(v.Width), Height: pixels(v.Height),
		Duration: min(max(v.Duration, 0), rooms.FileDuration).Milliseconds(),
	}
	if len(v.Preview) <= rooms.PreviewBytes {
		m.Preview = v.Preview
	}
	return m
}

// putHash returns nil for the zero Hash, which stands for none.
func putHash(h rooms.Hash) []byte {
	if h == (rooms.Hash{}) {
		return nil
	}
	return h[:]
}

func pixels(n int) uint32 { return uint32(min(max(n, 0), rooms.FilePixels)) }

// takeFile checks the description of a file that is on a host.
func takeFile(c *check, m *pb.File) *rooms.File {
	c.must("file.id", m.GetId() != "")
	f := takeDescription(c, m)
	return &f
}

// takeDescription is takeFile for one that has no identifier yet.
func takeDescription(c *check, m *pb.File) rooms.File {
	return rooms.File{
		ID:       c.text("file.id", m.GetId(), idLimit),
		Name:     c.text("file.name", m.GetName(), fileLimit),
		Size:     c.size("file.size", m.GetSize()),
		MIME:     c.text("file.mime", m.GetMime(), mimeLimit),
		Hash:     c.hash("file.hash", m.GetHash()),
		Preview:  c.preview("file.preview", m.GetPreview()),
		Width:    c.pixels("file.width", m.GetWidth()),
		Height:   c.pixels("file.height", m.GetHeight()),
		Duration: c.duration("file.duration", m.GetDuration()),
	}
}

// hash is a SHA-256, or nothing.
func (c *check) hash(field string, b []byte) rooms.Hash {
	if len(b) == 0 {
		return rooms.Hash{}
	}
	if len(b) != len(rooms.Hash{}) {
		c.fail(field, "not 32 bytes")
		return rooms.Hash{}
	}
	if rooms.Hash(b) == (rooms.Hash{}) { // it stands for none, which is not written
		c.fail(field, "only zeros")
	}
	return rooms.Hash(b)
}

func (c *check) preview(field string, b []byte) []byte {
	if len(b) > rooms.PreviewBytes {
		c.fail(field, "over 12 KiB")
	}
	if len(b) == 0 {
		return nil
	}
	return b
}

func (c *check) pixels(field string, n uint32) int {
	if n > rooms.FilePixels {
		c.fail(field, "too many")
		return 0
	}
	return int(n)
}

func (c *check) duration(field string, milli int64) time.Duration {
	if milli < 0 || milli > rooms.FileDuration.Milliseconds() {
		c.fail(field, "not within 1,000 hours")
		return 0
	}
	return time.Duration(milli) * time.Millisecond
}
