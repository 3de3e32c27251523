package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"p2pchat/rooms"
)

// Report is what Verify found in a room.
type Report struct {
	Room     rooms.RoomKey
	Segments int
	Messages int // whole ones
	Redacted int // of these, without what was said: it was taken out
	Lost     int // of these, only in the place of a message that was lost
	First    rooms.Seq
	Last     rooms.Seq // 0: no message
	Bytes    int64     // of the segments

	Files     int    // that messages share and that are there
	FileBytes int64  // of these, one that was shared twice counted twice
	Torn      int64  // bytes at the end that are no message: a crash, or a host that is just writing
	Chain     string // the hash chain behind Last, hex; equal chains, equal histories
	Problems  []Problem

	strays []rooms.Seq // attachments without a message
}

// Problem is one thing that is wrong with a room's history.
type Problem struct {
	File   string
	Offset int64     // bytes
	After  rooms.Seq // the last whole message before it
	Text   string
}

// String returns the problem in one line.
func (p Problem) String() string {
	return fmt.Sprintf("%q, at byte %d, after message %d: %s", p.File, p.Offset, p.After, p.Text)
}

// Whole tells whether nothing is wrong.
func (r Report) Whole() bool { return len(r.Problems) == 0 }

// Verify reads everything of one room: headers, frames, checksums, sequence numbers,
// records, hash chain, the contents of the files that were shared. What is wrong is in the report; the error is one of the disk,
// os.ErrNotExist for a room that has no log.
func (s *Store) Verify(key rooms.RoomKey) (Report, error) {
	v := verifier{store: s, dir: s.roomDir(key), report: Report{Room: key}}
	segments, err := listSegments(s.fs, v.dir)
	if err != nil {
		return v.report, err
	}
	for i, first := range segments {
		v.path, v.final = filepath.Join(v.dir, segmentName(first)), i == len(segments)-1
		if err := v.segment(first); err != nil {
			return v.report, err
		}
	}
	if v.chained {
		v.report.Chain = fmt.Sprintf("%x", v.chain[:])
	}
	return v.report, v.verifyFiles()
}

// verifier goes through the segments of a room.
type verifier struct {
	store   *Store
	dir     string
	path    string // of the segment
	final   bool   // it is the last one
	report  Report
	last    rooms.Seq
	chain   chainSum
	chained bool // chain is the one behind last
	shared  map[rooms.Seq]sharedFile
	unread  []Range // messages that could not be read: nobody knows what they share
	lost    bool    // last is a lost one: what follows continues from another chain
}

func (v *verifier) problem(off int64, format string, args ...any) {
	v.report.Problems = append(v.report.Problems,
		Problem{File: v.path, Offset: off, After: v.last, Text: fmt.Sprintf(format, args...)})
}

func (v *verifier) segment(first rooms.Seq) error {
	f, err := v.store.fs.OpenFile(v.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	v.report.Segments++
	v.report.Bytes += size
	h, err := readHeader(f, v.path, logMagic, size)
	if errors.Is(err, errHeader) && v.final {
		torn, terr := tornHeader(f, size)
		if terr != nil {
			return terr
		}
		if torn {
			v.report.Torn += size
			return nil
		}
	}
	var later *VersionError
	switch {
	case errors.Is(err, errHeader):
		v.problem(0, "%s", errHeader)
		return nil
	case errors.As(err, &later):
		v.problem(0, "it has format version %d, this program knows up to %d", later.Version, version)
		return nil
	case err != nil:
		return err
	case h.room != v.report.Room || h.first != first:
		v.problem(0, "its header is that of another segment")
		return nil
	}
	if v.report.First == 0 {
		v.report.First, v.last = first, first-1
		v.chained = first == 1
	}
	return v.frames(f, h, size)
}

// frames reads all frames of a segment, and those behind broken bytes, too.
func (v *verifier) frames(f file, h header, size int64) error {
	if h.first != v.last+1 {
		v.problem(headerSize, "the segment begins with %d", h.first)
		v.skip(v.last+1, h.first-1)
		v.chained, v.last = false, h.first-1
	}
	var blocks blockReader
	r := frameReader{f: f, salt: h.salt, off: headerSize, end: size}
	for {
		off := r.off
		fr, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *badFrame
		if errors.As(err, &bad) {
			fr, err = v.broken(f, h, &r, bad, size)
			blocks = blockReader{}
			if errors.Is(err, io.EOF) {
				return nil
			}
			off = fr.off
		}
		if err != nil {
			return err
		}
		v.frame(&blocks, fr, off)
	}
}

// broken notes broken bytes and returns the next whole frame; io.EOF where there is
// none.
func (v *verifier) broken(f file, h header, r *frameReader, bad *badFrame, size int64) (frame, error) {
	e := extent{index: index{header: h, last: v.last}, bad: bad}
	d, err := e.damage(f, v.path, size, v.store.sector)
	if err != nil {
		return frame{}, err
	}
	if d == nil && v.final {
		v.report.Torn = size - bad.off
		return frame{}, io.EOF
	}
	v.problem(bad.off, "%s", bad.reason)
	v.chained = false
	r.off = bad.off + 1
	return r.find()
}

// skip notes that messages can not be read.
func (v *verifier) skip(first, last rooms.Seq) {
	n := len(v.unread)
	switch {
	case first > last:
	case n > 0 && v.unread[n-1].Last+1 == first:
		v.unread[n-1].Last = last
	default:
		v.unread = append(v.unread, Range{first, last})
	}
}

func (v *verifier) isUnread(seq rooms.Seq) bool {
	return slices.ContainsFunc(v.unread, func(r Range) bool { return r.First <= seq && seq <= r.Last })
}

// frame checks one whole frame.
func (v *verifier) frame(blocks *blockReader, fr frame, off int64) {
	if fr.seq != v.last+1 {
		v.problem(off, "%d follows %d", fr.seq, v.last)
		if fr.seq > v.last {
			v.skip(v.last+1, fr.seq-1)
		}
		v.chained = false
	}
	var rec record
	err := blocks.decode(fr, &rec)
	switch {
	case errors.Is(err, errNoBlock) && !v.chained:
		// The beginning of its block was lost, which has been told.
		v.skip(fr.seq, fr.seq)
	case err != nil:
		v.skip(fr.seq, fr.seq)
		v.problem(off, "message %d: %s", fr.seq, err)
		v.chained = false
	default:
		v.record(&rec, fr.seq, off)
	}
	v.last = fr.seq
	v.report.Messages++
	v.report.Last = fr.seq
}

func (v *verifier) record(rec *record, seq rooms.Seq, off int64) {
	switch {
	case rec.takenOut():
		v.report.Redacted++
	case !rec.intact():
		v.problem(off, "message %d: its text is not the one that was said", seq)
	}
	if rec.Lost {
		v.report.Lost++
	}
	v.share(rec, seq)
	if v.chained && !v.lost && !bytes.Equal(rec.Prev, v.chain[:]) {
		v.problem(off, "message %d does not continue the chain", seq)
	}
	v.chain, v.chained, v.lost = rec.chain(seq), true, rec.Lost
}
