package history

import (
	"bytes"
	"crypto/sha256"
	"path/filepath"
	"slices"
	"strings"

	"p2pchat/rooms"
)

// salvage finds what is whole in the files of a damaged room, and lays out the segments
// that it is kept in.
type salvage struct {
	store   *Store
	key     rooms.RoomKey
	dir     string
	sources []*source     // the segments in order; behind them what a repair left that was cut short
	types   []definitions // from the first frames of blocks; no two are the same
	pieces  []piece       // in order, none over another
	done    *rewriter     // of the segment that was written last
}

// source is a file with frames.
type source struct {
	path   string
	size   int64
	first  rooms.Seq // by its name
	header header
	known  bool  // header was whole, or differed by one bit
	sound  bool  // nothing is wrong with it, but that it may end too early
	spare  bool  // left by a repair that was cut short
	torn   bool  // sound, but for what a crash left at its end
	broken bool  // bytes that are no frame stand at its end
	tail   int64 // where these begin
	// through: the last message of the final file, also if its frame is spoiled; 0: not known.
	through rooms.Seq
	lone    bool // its salt was made of its only frame
	// strange: a whole frame holds no record that could have been said.
	strange bool
	runs    []stretch
}

// stretch is a row of whole frames without a gap.
type stretch struct {
	source      *source
	off         int64
	first, last rooms.Seq
	types       definitions // of the block before it in the file
	since, till int64       // when its first and last message were said, as far as they can be read; 0: none can
	prev        []byte      // the chain before its first message; nil: not known
	chain       *chainSum   // the chain behind the last message that can be read
}

// piece is a part of a stretch.
type piece struct {
	stretch
	from, to rooms.Seq
}

// maxTypes bounds the definitions that are tried. A program makes the same ones for
// as long as it runs, and the next one mostly does, too.
const maxTypes = 16

// survey reads all files of the room. The error is a *VersionError, or one of the disk.
func (s *salvage) survey() error {
	segments, err := listSegments(s.store.fs, s.dir)
	if err != nil {
		return err
	}
	for i, first := range segments {
		src := &source{path: filepath.Join(s.dir, segmentName(first)), first: first}
		if err := s.read(src, i == len(segments)-1); err != nil {
			return err
		}
		s.sources = append(s.sources, src)
	}
	spares, err := s.spares()
	if err != nil {
		return err
	}
	for _, name := range spares {
		src := &source{path: filepath.Join(s.dir, name), spare: true}
		if err := s.read(src, false); err != nil {
			return err
		}
		s.sources = append(s.sources, src)
	}
	s.types = append(s.types, ownDefinitions(&record{})) // the last ones to be tried
	s.dropUnconfirmed()
	s.arrange()
	return nil
}

// spares lists the files that a repair left that was cut short.
func (s *salvage) spares() ([]string, error) {
	entries, err := s.store.fs.List(s.dir)
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.name, "seg-") && strings.HasSuffix(e.name, newSuffix) && !e.dir {
			names = append(names, e.name)
		}
	}
	return names, err
}

// whole tells whether the record is one that was said: its text is the one that was
// hashed, or was taken out.
func (rec *record) whole() bool {
	return rec.intact() || rec.takenOut()
}

// decodeAlone decodes a frame whose block is not whole, with the definitions of other
// blocks. Only what proves to be what was said counts.
func (s *salvage) decodeAlone(fr frame, types definitions, rec *record) bool {
	for _, d := range slices.Insert(slices.Clone(s.types), 0, types) {
		*rec = record{}
		if d.decode(fr.payload, rec) == nil && rec.whole() && len(rec.BodyHash) == sha256.Size {
			return true
		}
	}
	return false
}

// dropUnconfirmed gives up files whose salt was made of their only frame, unless the
// message behind it tells by the chain that it is the right one.
func (s *salvage) dropUnconfirmed() {
	confirmed := func(r stretch) bool {
		return r.chain != nil && slices.ContainsFunc(s.sources, func(src *source) bool {
			return slices.ContainsFunc(src.runs, func(next stretch) bool {
				return next.first == r.last+1 && bytes.Equal(next.prev, r.chain[:])
			})
		})
	}
	for _, src := range s.sources {
		if src.lone && (len(src.runs) != 1 || !confirmed(src.runs[0])) {
			src.runs, src.broken = nil, true
		}
	}
}

// arrange chooses where each message is taken from: sound files go before others, and
// these before what a repair left.
func (s *salvage) arrange() {
	for _, rank := range []func(*source) bool{
		func(src *source) bool { return src.sound && !src.spare },
		func(src *source) bool { return !src.sound && !src.spare },
		func(src *source) bool { return src.spare },
	} {
		for _, src := range s.sources {
			if rank(src) {
				for _, r := range src.runs {
					s.claim(r)
				}
			}
		}
	}
}

// claim adds the parts of a stretch that are not there yet.
func (s *salvage) claim(r stretch) {
	for from := r.first; from <= r.last; {
		i, _ := slices.BinarySearchFunc(s.pieces, from, func(p piece, seq rooms.Seq) int {
			if p.to < seq {
				return -1
			}
			return 1
		})
		to := r.last
		if i < len(s.pieces) {
			if s.pieces[i].from <= from {
				from = s.pieces[i].to + 1
				continue
			}
			to = min(to, s.pieces[i].from-1)
		}
		s.pieces = slices.Insert(s.pieces, i, piece{stretch: r, from: from, to: to})
		from = to + 1
	}
}
