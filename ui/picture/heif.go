package picture

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A HEIF file (ISO/IEC 23008-12), as phones make them, and AVIF is one, too, holds items:
// the picture, often in tiles, a thumbnail, EXIF, XMP. The box "meta" says of what type each
// is, and where its bytes are.

// heif is what is known of such a file.
type heif struct {
	*file
	items   map[uint32]heifItem
	primary uint32 // the picture
	shapes  []heifShape
	ipma    part   // which items have which shapes
	data    []part // boxes that hold bytes of items
	inner   part   // the one within meta
	over    []edit
}

// heifShape is a property of items: a size, or a turn by a quarter; or another one.
type heifShape struct {
	width, height int
	turned        bool
}

// heifItem is one item.
type heifItem struct {
	kind string
	at   int64 // where the file says the kind
}

// heifDescribes are the types of items that say something about the picture.
var heifDescribes = map[string]bool{"Exif": true, "mime": true, "uri ": true}

// heif walks the boxes of a file; each is called with the box of the items' places.
func (f *file) heif(places func(*heif, part) error) (*heif, error) {
	h := &heif{file: f, items: map[uint32]heifItem{}}
	var meta, iloc part
	err := f.boxes(0, f.size, func(b part) error {
		switch b.kind {
		case "meta":
			if meta.end > 0 {
				return malformed("it describes itself twice")
			}
			meta = b
			return f.boxes(b.data+4, b.end, func(b part) error {
				if b.kind == "iloc" && iloc.end > 0 {
					return malformed("two tables of items")
				}
				if b.kind == "iloc" {
					iloc = b
				}
				return h.described(b)
			})
		case "mdat":
			h.data = append(h.data, b)
		}
		return nil
	})
	if err == nil && (meta.end == 0 || iloc.end == 0) {
		err = malformed("no picture in it")
	}
	if err == nil {
		err = places(h, iloc)
	}
	return h, err
}

// described takes the boxes within meta.
func (h *heif) described(b part) error {
	switch b.kind {
	case "iinf":
		return h.kinds(b)
	case "idat":
		h.inner = b
	case "pitm":
		p, err := h.bytes(b.data, int(min(b.size(), 8)))
		if err == nil && len(p) >= 6 {
			h.primary = uint32(binary.BigEndian.Uint16(p[4:]))
			if p[0] > 0 && len(p) == 8 {
				h.primary = binary.BigEndian.Uint32(p[4:])
			}
		}
		return err
	case "iprp":
		return h.boxes(b.data, b.end, func(b part) error {
			switch b.kind {
			case "ipco":
				return h.boxes(b.data, b.end, h.property)
			case "ipma":
				h.ipma = b
			}
			return nil
		})
	case "xml ", "bxml", "udta", "uuid", "free", "skip":
		return h.free(b)
	}
	return nil
}

// free writes an empty box over b.
func (h *heif) free(b part) error {
	over, err := h.freed(b)
	h.over = append(h.over, over)
	return err
}

// kinds reads of what type the items are.
func (h *heif) kinds(b part) error {
	head, err := h.bytes(b.data, 4)
	if err != nil {
		return err
	}
	first := b.data + 6 // behind version, flags and a count
	if head[0] > 0 {
		first += 2
	}
	return h.boxes(min(first, b.end), b.end, func(b part) error {
		if b.kind != "infe" {
			return nil
		}
		p, err := h.bytes(b.data, int(min(b.size(), 14)))
		if err != nil {
			return err
		}
		var id uint32
		var at int64 // of the type
		switch {
		case len(p) >= 12 && p[0] == 2:
			id, at = uint32(binary.BigEndian.Uint16(p[4:])), 8
		case len(p) >= 14 && p[0] == 3:
			id, at = binary.BigEndian.Uint32(p[4:]), 10
		default:
			return malformed("an item of an old kind")
		}
		if _, twice := h.items[id]; twice {
			return malformed("an item is described twice")
		}
		h.items[id] = heifItem{string(p[at : at+4]), b.data + at}
		return nil
	})
}

// property takes a property of items.
func (h *heif) property(b part) error {
	var shape heifShape
	switch b.kind {
	case "ispe":
		p, err := h.bytes(b.data, 12)
		if err != nil {
			return err
		}
		shape.width, shape.height = int(binary.BigEndian.Uint32(p[4:])), int(binary.BigEndian.Uint32(p[8:]))
	case "irot":
		p, err := h.bytes(b.data, 1)
		if err != nil {
			return err
		}
		shape.turned = p[0]&1 == 1
	case "udes", "altt", "crtt", "mdft", "itai", "free", "skip": // descriptions and dates
		if err := h.free(b); err != nil {
			return err
		}
	}
	h.shapes = append(h.shapes, shape)
	return nil
}

// heifFacts is the size of the picture, as it is shown.
func (f *file) heifFacts() (Facts, error) {
	h, err := f.heif(func(*heif, part) error { return nil })
	if err != nil || h.ipma.size() > maxTable {
		return Facts{}, err
	}
	p, err := h.bytes(h.ipma.data, int(h.ipma.size()))
	if err != nil {
		return Facts{}, err
	}
	t := &heifTable{rest: p}
	id, index := 2, 1
	if t.number(1) > 0 {
		id = 4
	}
	if t.number(3)&1 == 1 {
		index = 2
	}
	var facts Facts
	turned := false
	for range t.number(4) {
		item := uint32(t.number(id))
		for range t.number(1) {
			n := int(t.number(index)) & (1<<(8*index-1) - 1) // the highest bit says that it matters
			if item == h.primary && n > 0 && n <= len(h.shapes) {
				shape := h.shapes[n-1]
				turned = turned != shape.turned
				if shape.width > 0 {
					facts.Width, facts.Height = shape.width, shape.height
				}
			}
		}
		if t.short {
			break
		}
	}
	if turned {
		facts.Width, facts.Height = facts.Height, facts.Width
	}
	return facts, nil
}

// stripHEIF overwrites with zeroes what describes the picture, and gives it a type that
// readers pass over, so that everything else stays where it is.
func (f *file) stripHEIF(e *edits) error {
	m := &movieStrip{file: f}
	err := f.boxes(0, f.size, func(b part) error {
		switch b.kind {
		case "ftyp", "meta", "mdat":
			return nil
		case "moov", "moof", "sidx", "mfra": // pictures in a row are a film as well
			return m.outside(b)
		}
		return m.free(b) // films beside the picture, too
	})
	if err != nil {
		return err
	}
	h, err := f.heif(func(h *heif, iloc part) error { return h.overwrite(iloc, m.movie || m.pieces) })
	if err != nil {
		return err
	}
	return f.overwritten(e, append(h.over, m.over...))
}

// overwrite looks where the items are. Where nothing else has bytes in the file, all that
// belongs to none goes: editors leave there what they have replaced.
func (h *heif) overwrite(iloc part, film bool) error {
	if iloc.size() > maxTable {
		return malformed("too many items")
	}
	p, err := h.bytes(iloc.data, int(iloc.size()))
	if err != nil {
		return err
	}
	t := &heifTable{rest: p}
	version := t.number(1)
	t.number(3)
	sizes := t.number(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	id := 2
	if version > 1 {
		id = 4
	}
	if version == 0 {
		index = 0
	}
	for _, width := range []int{offset, length, base, index} {
		if width != 0 && width != 4 && width != 8 {
			return malformed("numbers of %d bytes", width)
		}
	}
	var kept, gone []edit
	all := !film // that has bytes in the file is an item
	for range t.number(id) {
		if err := h.step(); err != nil {
			return err
		}
		item := h.items[uint32(t.number(id))]
		within := uint64(0) // 0: the file, 1: the box idat, 2: another item
		if version > 0 {
			within = t.number(2) & 15
		}
		elsewhere := t.number(2) != 0
		start := t.number(base)
		goes := heifDescribes[item.kind]
		if goes && (elsewhere || within > 1) {
			return malformed("metadata lies elsewhere")
		}
		for range t.number(2) {
			if err := h.step(); err != nil {
				return err
			}
			t.number(index)
			from, n := start+t.number(offset), t.number(length)
			if t.short {
				return malformed("the table of items is too short")
			}
			if within > 1 {
				continue
			}
			if elsewhere { // which may be this file after all
				all = false
				continue
			}
			place, err := h.place(from, n, within == 1)
			switch {
			case err != nil && goes:
				return err
			case err != nil:
				all = false
			case goes:
				gone = append(gone, place)
			default:
				kept = append(kept, place)
			}
		}
	}
	if t.short {
		return malformed("the table of items is too short")
	}
	if heifDescribes[h.items[h.primary].kind] || all && len(kept) == 0 {
		return malformed("no picture in it")
	}
	for _, item := range h.items {
		if heifDescribes[item.kind] {
			h.over = append(h.over, edit{start: item.at, end: item.at + 4, literal: []byte("free")})
		}
	}
	if err := apart(append(gone, h.over...), kept); err != nil {
		return err
	}
	if all {
		gone = slices.DeleteFunc(gone, func(o edit) bool { return o.start < h.inner.data || o.end > h.inner.end })
		gone = append(gone, h.between(kept)...)
	}
	h.over = append(h.over, gone...)
	return nil
}

// between is what lies between parts, which are sorted, where bytes of items may be.
func (h *heif) between(parts []edit) (gaps []edit) {
	for _, b := range h.data {
		at := b.data
		for len(parts) > 0 && parts[0].start < b.end {
			if parts[0].start > at {
				gaps = append(gaps, edit{start: at, end: parts[0].start})
			}
			at, parts = max(at, parts[0].end), parts[1:]
		}
		if at < b.end {
			gaps = append(gaps, edit{start: at, end: b.end})
		}
	}
	return gaps
}

// place is where a part of an item lies, if that is where bytes of items may be.
func (h *heif) place(from, n uint64, inner bool) (edit, error) {
	if inner {
		from += uint64(h.inner.data)
	}
	b := h.inner
	if next, _ := slices.BinarySearchFunc(h.data, from, func(b part, from uint64) int { return cmp.Compare(uint64(b.data), from+1) }); !inner && next > 0 {
		b = h.data[next-1]
	}
	if n == 0 || from < uint64(b.data) || from > uint64(b.end) || n > uint64(b.end)-from {
		return edit{}, malformed("an item lies outside")
	}
	return edit{start: int64(from), end: int64(from + n)}, nil
}

// apart is an error if a part that goes lies upon one that stays.
func apart(over, kept []edit) error {
	slices.SortFunc(kept, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	for i := 1; i < len(kept); i++ {
		kept[i].end = max(kept[i].end, kept[i-1].end) // of all up to it
	}
	for _, o := range over {
		before, _ := slices.BinarySearchFunc(kept, o.end, func(k edit, end int64) int { return cmp.Compare(k.start, end) })
		if before > 0 && kept[before-1].end > o.start {
			return malformed("parts of it lie upon each other")
		}
	}
	return nil
}

// heifTable reads numbers of several widths.
type heifTable struct {
	rest  []byte
	short bool
}

// number reads one of so many bytes; 0: there is none, and it is 0.
func (t *heifTable) number(width int) uint64 {
	if width > len(t.rest) {
		t.short, t.rest = true, nil
		return 0
	}
	n := ebmlUint(t.rest[:width])
	t.rest = t.rest[width:]
	return n
}
