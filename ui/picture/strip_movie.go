package picture

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// stripMovie overwrites the boxes that describe an MP4 or MOV film with free ones
// of the same length, so that everything else stays where it is; the dates of its
// headers with zeroes; and tracks of measurements, which are often places, both
// their description and what they hold.
func (f *file) stripMovie(e *edits) error {
	m := &movieStrip{file: f}
	if err := f.boxes(0, f.size, m.outside); err != nil {
		return err
	}
	if !m.movie {
		return malformed("no film in it")
	}
	return f.overwritten(e, m.over)
}

// overwritten keeps everything but what is overwritten: with a literal, then zeroes.
func (f *file) overwritten(e *edits, over []edit) error {
	slices.SortFunc(over, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	kept := int64(0)
	for _, o := range over {
		if o.start < kept {
			return malformed("parts of it lie upon each other")
		}
		e.keep(kept, o.start)
		if len(o.literal) > 0 {
			e.put(o.literal)
		}
		if n := o.end - o.start - int64(len(o.literal)); n > 0 {
			e.zero(n)
		}
		kept = o.end
	}
	e.keep(kept, f.size)
	return nil
}

// movieStrip collects what is overwritten.
type movieStrip struct {
	*file
	over   []edit
	movie  bool
	pieces bool // the film comes in fragments, whose tables stand elsewhere
	depth  int
}

// maxDepth is how deep boxes may lie within others of their kind.
const maxDepth = 8

// outside takes the boxes at the top.
func (m *movieStrip) outside(b part) error {
	switch b.kind {
	case "moov":
		m.movie = true
		if err := m.file.boxes(b.data, b.end, m.fragmented); err != nil {
			return err
		}
		return m.file.boxes(b.data, b.end, m.inside)
	case "udta", "meta", "uuid", "free", "skip", "mpvd", "sefd": // the last two are of phones
		return m.free(b)
	}
	return nil
}

func (m *movieStrip) fragmented(b part) error {
	m.pieces = m.pieces || b.kind == "mvex"
	return nil
}

// inside takes those of the film, its tracks and their media.
func (m *movieStrip) inside(b part) error {
	switch b.kind {
	case "trak":
		t, err := m.track(b)
		if err != nil {
			return err
		}
		if t.handler == "meta" || t.handler == "camm" {
			return m.dropTrack(b, t)
		}
		return m.deeper(b, m.inside)
	case "mdia":
		return m.deeper(b, m.inside)
	case "udta", "meta", "uuid", "free", "skip":
		return m.free(b)
	case "mvhd", "tkhd", "mdhd":
		return m.undated(b)
	}
	return nil
}

// deeper goes into a box.
func (m *movieStrip) deeper(b part, each func(part) error) error {
	if m.depth++; m.depth > maxDepth {
		return malformed("boxes within boxes within boxes")
	}
	defer func() { m.depth-- }()
	return m.file.boxes(b.data, b.end, each)
}

// free writes an empty box over b.
func (m *movieStrip) free(b part) error {
	over, err := m.freed(b)
	m.over = append(m.over, over)
	return err
}

// freed is a box without content in the place of b.
func (f *file) freed(b part) (edit, error) {
	head, err := f.bytes(b.start, int(b.data-b.start))
	if err == nil {
		copy(head[4:], "free")
	}
	return edit{start: b.start, end: b.end, literal: head}, err
}

// undated writes zeroes over the two dates behind a header's version and flags.
func (m *movieStrip) undated(b part) error {
	head, err := m.bytes(b.data, 4)
	if err != nil {
		return err
	}
	n := int64(8)
	if head[0] == 1 {
		n = 16
	}
	if b.size() < 4+n {
		return malformed("box %q is too short", b.kind)
	}
	m.over = append(m.over, edit{start: b.data + 4, end: b.data + 4 + n})
	return nil
}

// track is what a track says of itself: what handles it, and the tables that say
// where its samples are.
type track struct {
	handler string
	tables  map[string]part
}

func (m *movieStrip) track(trak part) (track, error) {
	t := track{tables: make(map[string]part)}
	var look func(part) error
	look = func(b part) error {
		switch b.kind {
		case "mdia", "minf", "stbl":
			if b.kind == "mdia" && t.handler != "" {
				return malformed("a track has two media")
			}
			return m.deeper(b, look)
		case "hdlr":
			if t.handler != "" {
				return nil // the media's comes before that of its data
			}
			p, err := m.bytes(b.data, 12)
			if err == nil {
				t.handler = string(p[8:])
			}
			return err
		case "stco", "co64", "stsc", "stsz":
			t.tables[b.kind] = b
		}
		return nil
	}
	err := m.file.boxes(trak.data, trak.end, look)
	return t, err
}

// dropTrack frees a track and overwrites its samples.
func (m *movieStrip) dropTrack(trak part, t track) error {
	if m.pieces {
		return malformed("a track of metadata in fragments can't be taken out")
	}
	chunks, err := m.chunks(t)
	if err != nil {
		return err
	}
	m.over = append(m.over, chunks...)
	return m.free(trak)
}

// table reads the whole of a table of big endian numbers, after skip bytes of
// version and flags.
func (m *movieStrip) table(t track, kind string, skip int64) ([]byte, error) {
	b, ok := t.tables[kind]
	if !ok || b.size() < skip || b.size() > maxTable {
		return nil, malformed("a track of metadata without table %q", kind)
	}
	p, err := m.bytes(b.data, int(b.size()))
	if err != nil {
		return nil, err
	}
	return p[skip:], nil
}

// maxTable is how long a table of samples may be, in bytes.
const maxTable = 1 << 20

// chunks are the places of a track's samples.
func (m *movieStrip) chunks(t track) ([]edit, error) {
	sizes, err := m.table(t, "stsz", 4)
	if err != nil {
		return nil, err
	}
	runs, err := m.table(t, "stsc", 8)
	if err != nil {
		return nil, err
	}
	kind, width := "stco", 4
	if _, long := t.tables["co64"]; long {
		kind, width = "co64", 8
	}
	offsets, err := m.table(t, kind, 8)
	if err != nil {
		return nil, err
	}
	if len(sizes) < 8 {
		return nil, malformed("table %q is too short", "stsz")
	}
	each := int64(binary.BigEndian.Uint32(sizes))
	sizes = sizes[8:]
	var found []edit
	samples := int64(0)
	for n := uint32(1); len(offsets) >= width; n, offsets = n+1, offsets[width:] {
		if err := m.step(); err != nil {
			return nil, err
		}
		for len(runs) >= 12 && binary.BigEndian.Uint32(runs) <= n {
			samples, runs = int64(binary.BigEndian.Uint32(runs[4:])), runs[12:]
		}
		length := samples * each
		if each == 0 {
			if samples*4 > int64(len(sizes)) {
				return nil, malformed("table %q is too short", "stsz")
			}
			for range samples {
				length, sizes = length+int64(binary.BigEndian.Uint32(sizes)), sizes[4:]
			}
		}
		start := int64(ebmlUint(offsets[:width]))
		if start < 0 || length < 0 || start > m.size || length > m.size-start {
			return nil, malformed("a sample lies outside")
		}
		found = append(found, edit{start: start, end: start + length})
	}
	return found, nil
}
