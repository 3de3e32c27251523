package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"p2pchat/rooms"
)

// chainSum is the value of the hash chain at one place of a log.
type chainSum [16]byte

// mark is what the world outside sees of it.
func (c chainSum) mark() rooms.Mark { return rooms.Mark(binary.LittleEndian.Uint64(c[:])) }

// record is a message as it is stored. Fields are only ever added at the end,
// never renamed or retyped: gob goes by their names.
type record struct {
	TimeMS   int64 // Unix milliseconds
	Kind     uint8
	Peer     string
	Nick     string
	Client   uint64
	Count    uint64
	Body     []byte
	BodyHash []byte // SHA-256 of the body; stays when the body is taken out
	Prev     []byte // the chain before this message
	File     bool
	FileID   string
	FileName string
	FileSize int64
	FileMIME string
	Lost     bool // a repair put it in the place of a message that was lost

	FileHash    []byte // SHA-256; empty: none of the fields from here on counts
	FilePreview []byte
	FileWidth   int64
	FileHeight  int64
	FileMS      int64 // how long it plays, in milliseconds
}

// newRecord turns a message into its record and returns the chain behind it.
func newRecord(m *rooms.Message, prev chainSum) (record, chainSum) {
	rec := record{
		TimeMS: m.Time.UnixMilli(),
		Kind:   uint8(m.Kind),
		Peer:   string(m.From.Peer),
		Nick:   m.From.Nick,
		Client: m.Origin.Client,
		Count:  m.Origin.Count,
		Body:   []byte(m.Text),
		Prev:   prev[:],
		Lost:   m.Kind == rooms.Lost,
	}
	if m.Kind == rooms.Redaction {
		rec.Body = strconv.AppendUint(nil, uint64(m.Target), 10)
	}
	if m.File != nil {
		rec.File = true
		rec.FileID, rec.FileName = m.File.ID, m.File.Name
		rec.FileSize, rec.FileMIME = m.File.Size, m.File.MIME
		if m.File.Hash != (rooms.Hash{}) {
			rec.FileHash, rec.FilePreview = m.File.Hash[:], m.File.Preview
			rec.FileWidth, rec.FileHeight = int64(m.File.Width), int64(m.File.Height)
			rec.FileMS = m.File.Duration.Milliseconds()
		}
	}
	hash := rec.bodyHash()
	rec.BodyHash = hash[:]
	return rec, rec.chain(m.Seq)
}

// message turns a record back. The time is in UTC. A lost one has no mark, for what
// follows it continues from another one.
func (rec *record) message(seq rooms.Seq) rooms.Message {
	m := rooms.Message{
		Seq:    seq,
		Time:   time.UnixMilli(rec.TimeMS).UTC(),
		Kind:   rooms.Kind(rec.Kind),
		From:   rooms.Author{Peer: rooms.PeerID(rec.Peer), Nick: rec.Nick},
		Text:   string(rec.Body),
		Origin: rooms.Origin{Client: rec.Client, Count: rec.Count},
	}
	if rec.File {
		m.File = rec.file()
	}
	if rec.isRedaction() {
		m.Target, m.Text = rec.target(), ""
	}
	if !rec.Lost {
		m.Mark = rec.chain(seq).mark()
	}
	m.Redacted = rec.takenOut()
	return m
}

func (rec *record) file() *rooms.File {
	f := &rooms.File{
		ID: rec.FileID, Name: rec.FileName, Size: rec.FileSize, MIME: rec.FileMIME, Preview: rec.FilePreview,
		Width: int(rec.FileWidth), Height: int(rec.FileHeight), Duration: time.Duration(rec.FileMS) * time.Millisecond,
	}
	copy(f.Hash[:], rec.FileHash)
	return f
}

func (rec *record) isRedaction() bool { return rooms.Kind(rec.Kind) == rooms.Redaction }

// target is the message that a redaction names; 0 where it names none.
func (rec *record) target() rooms.Seq {
	n, _ := strconv.ParseUint(string(rec.Body), 10, 64)
	return rooms.Seq(n)
}

// said tells whether there is something that a redaction can take out.
func (rec *record) said() bool {
	return !rec.isRedaction() && (len(rec.Body) != 0 || rec.File)
}

// takeOut takes out the text and the description of an attachment. Their hash stays.
func (rec *record) takeOut() {
	if !rec.said() {
		return
	}
	rec.Body, rec.File = nil, false
	rec.FileID, rec.FileName, rec.FileSize, rec.FileMIME = "", "", 0, ""
	rec.FileHash, rec.FilePreview, rec.FileWidth, rec.FileHeight, rec.FileMS = nil, nil, 0, 0, 0
}

// takenOut tells whether takeOut was done to it.
func (rec *record) takenOut() bool {
	return len(rec.Body) == 0 && !rec.File && !rec.intact()
}

// bodyHash hashes what a redaction would take out: the text, and the description
// of an attachment.
func (rec *record) bodyHash() [32]byte {
	if !rec.File {
		return sha256.Sum256(rec.Body)
	}
	b := appendPart(nil, string(rec.Body))
	b = appendPart(b, rec.FileID)
	b = appendPart(b, rec.FileName)
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.FileSize))
	b = appendPart(b, rec.FileMIME)
	if len(rec.FileHash) > 0 { // older records have none, and keep the hash that they had
		b = appendPart(b, string(rec.FileHash))
		b = appendPart(b, string(rec.FilePreview))
		b = binary.LittleEndian.AppendUint64(b, uint64(rec.FileWidth))
		b = binary.LittleEndian.AppendUint64(b, uint64(rec.FileHeight))
		b = binary.LittleEndian.AppendUint64(b, uint64(rec.FileMS))
	}
	return sha256.Sum256(b)
}

// chain is the chain behind the record, which stands at seq.
func (rec *record) chain(seq rooms.Seq) chainSum {
	var space [256]byte
	b := appendPart(space[:0], string(rec.Prev))
	b = binary.LittleEndian.AppendUint64(b, uint64(seq))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.TimeMS))
	b = append(b, rec.Kind)
	b = appendPart(b, rec.Peer)
	b = appendPart(b, rec.Nick)
	b = binary.LittleEndian.AppendUint64(b, rec.Client)
	b = binary.LittleEndian.AppendUint64(b, rec.Count)
	b = appendPart(b, string(rec.BodyHash))
	sum := sha256.Sum256(b)
	return chainSum(sum[:16])
}

// intact tells whether the body is the one that was hashed.
func (rec *record) intact() bool {
	hash := rec.bodyHash()
	return bytes.Equal(hash[:], rec.BodyHash)
}

// appendPart adds a string behind its length, so that no two lists of parts have
// the same bytes.
func appendPart(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// changeRecord is a change as it is stored. The same rule holds as for record.
type changeRecord struct {
	Kind    uint8
	TimeMS  int64
	Room    []byte // empty: none
	ID      string
	Name    string
	Peer    string
	By      string
	Text    string
	N       int64
	Flags   uint32
	Expires int64
	Hash    []byte
	Age     int64 // milliseconds
	Bytes   int64
}

func newChangeRecord(c *rooms.Change) changeRecord {
	rec := changeRecord{
		Kind: uint8(c.Kind), TimeMS: c.Time, ID: c.ID, Name: c.Name, Peer: string(c.Peer), By: c.By,
		Text: c.Text, N: c.N, Flags: c.Flags, Expires: c.Expires, Hash: c.Hash,
		Age: c.Age, Bytes: c.Bytes,
	}
	if c.Room != (rooms.RoomKey{}) {
		rec.Room = c.Room[:]
	}
	return rec
}

// change turns a record back; false where the room's key has no length of a key.
func (rec *changeRecord) change() (rooms.Change, bool) {
	c := rooms.Change{
		Kind: rooms.ChangeKind(rec.Kind), Time: rec.TimeMS, ID: rec.ID, Name: rec.Name,
		Peer: rooms.PeerID(rec.Peer), By: rec.By, Text: rec.Text, N: rec.N, Flags: rec.Flags,
		Expires: rec.Expires, Hash: rec.Hash, Age: rec.Age, Bytes: rec.Bytes,
	}
	if len(rec.Room) != 0 {
		if copy(c.Room[:], rec.Room) != len(rec.Room) || len(rec.Room) != len(c.Room) {
			return c, false
		}
	}
	return c, true
}
