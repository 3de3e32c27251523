package history

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"

	"p2pchat/rooms"
)

// A notebook's file is one header and one gob, little endian:
//
//	 0  magic    8   "P2PCNOT1"
//	 8  version  u16 1
//	10  zero     u16
//	12  len      u32 bytes of payload
//	16  crc32c   u32 over bytes 0 to 15 and the payload
//	20  payload  gob of notes
const (
	notesFile  = "notes"
	notesMagic = "P2PCNOT1"
	notesHead  = 20
	notesLimit = 64 << 20 // bytes of a file
)

// notes is what is stored. The same rule holds as for record: fields are only added.
type notes struct {
	Places []placeRecord
	Lines  []lineRecord
}

type placeRecord struct {
	Room             string
	Epoch, Seq, Mark uint64
	TimeMS           int64
}

type lineRecord struct {
	Room          string
	TimeMS        int64
	Kind          uint8
	Text          []byte
	Client, Count uint64
	File          string // File.ID of an upload that the line shares
}

// errNotes says that a file holds no notes, or not all of them.
var errNotes = errors.New("its checksum is wrong")

func encodeNotes(places map[rooms.RoomID]place, lines []rooms.Message) []byte {
	var n notes
	for room, p := range places {
		n.Places = append(n.Places, placeRecord{string(room), p.at.Epoch, uint64(p.at.Seq), uint64(p.at.Mark), p.time.UnixMilli()})
	}
	for _, l := range lines {
		rec := lineRecord{
			Room: string(l.Room), TimeMS: l.Time.UnixMilli(), Kind: uint8(l.Kind), Text: []byte(l.Text),
			Client: l.Origin.Client, Count: l.Origin.Count,
		}
		if l.File != nil {
			rec.File = l.File.ID
		}
		n.Lines = append(n.Lines, rec)
	}
	var b bytes.Buffer
	b.Write(make([]byte, notesHead))
	_ = gob.NewEncoder(&b).Encode(n) // a buffer takes everything
	out := b.Bytes()
	copy(out, notesMagic)
	binary.LittleEndian.PutUint16(out[8:], version)
	binary.LittleEndian.PutUint32(out[12:], uint32(len(out)-notesHead))
	binary.LittleEndian.PutUint32(out[16:], notesSum(out))
	return out
}

func notesSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:16], castagnoli), castagnoli, b[notesHead:])
}

// decodeNotes reads the file called name. The error is a *VersionError or errNotes.
func decodeNotes(b []byte, name string) (map[rooms.RoomID]place, []rooms.Message, error) {
	if len(b) < notesHead || string(b[:8]) != notesMagic {
		return nil, nil, errNotes
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v > version {
		return nil, nil, &VersionError{File: name, Version: int(v)}
	}
	if int64(binary.LittleEndian.Uint32(b[12:])) != int64(len(b)-notesHead) || binary.LittleEndian.Uint32(b[16:]) != notesSum(b) {
		return nil, nil, errNotes
	}
	var n notes
	if err := gob.NewDecoder(bytes.NewReader(b[notesHead:])).Decode(&n); err != nil || len(n.Places) > notePlaces || len(n.Lines) > noteLines {
		return nil, nil, errNotes
	}
	places := make(map[rooms.RoomID]place, len(n.Places))
	for _, p := range n.Places {
		places[rooms.RoomID(p.Room)] = place{
			rooms.Cursor{Epoch: p.Epoch, Seq: rooms.Seq(p.Seq), Mark: rooms.Mark(p.Mark)}, time.UnixMilli(p.TimeMS),
		}
	}
	lines := make([]rooms.Message, len(n.Lines))
	for i, l := range n.Lines {
		lines[i] = rooms.Message{
			Room: rooms.RoomID(l.Room), Time: time.UnixMilli(l.TimeMS), Kind: rooms.Kind(l.Kind), Text: string(l.Text),
			Origin: rooms.Origin{Client: l.Client, Count: l.Count},
		}
		if l.File != "" {
			lines[i].File = &rooms.File{ID: l.File}
		}
	}
	return places, lines, nil
}

// load reads the notes of earlier runs. Those that can't be read are set aside.
func (n *Notebook) load() error {
	name := filepath.Join(n.dir, notesFile)
	b, err := readWhole(n.fs, name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	places, lines, err := decodeNotes(b, name)
	if err == nil {
		n.places, n.lines = places, lines
		return nil
	}
	aside := name + ".damaged"
	if n.aside = err; err == errNotes {
		n.aside = fmt.Errorf("%q can't be read: %w", aside, err)
	} else {
		aside = name + ".newer"
	}
	if err := n.fs.Rename(name, aside); err != nil {
		return err
	}
	return n.fs.SyncDir(n.dir)
}

// readWhole reads a file. One of an impossible size is read in part, and so found
// to be damaged.
func readWhole(fsys fs, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil || size == 0 {
		return nil, err
	}
	b := make([]byte, min(size, notesLimit))
	_, err = f.ReadAt(b, 0)
	return b, err
}
