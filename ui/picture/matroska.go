package picture

import (
	"errors"
	"math"
	"math/bits"
)

// Elements of Matroska and WebM.
const (
	ebmlSegment   = 0x18538067
	ebmlInfo      = 0x1549a966
	ebmlScale     = 0x2ad7b1 // nanoseconds of a tick
	ebmlDuration  = 0x4489   // ticks
	ebmlTracks    = 0x1654ae6b
	ebmlTrack     = 0xae
	ebmlVideo     = 0xe0
	ebmlWidth     = 0xb0
	ebmlHeight    = 0xba
	ebmlCluster   = 0x1f43b675
	ebmlMostBytes = 8 // of a number
)

// element is one element's head.
type element struct {
	id        uint64
	data, end int64
}

// matroskaFacts reads up to the first cluster: what describes the whole comes
// before it.
func (f *file) matroskaFacts() (Facts, error) {
	var facts Facts
	scale, ticks := 1e6, 0.0
	depth := 0
	var into func(element) error
	into = func(e element) error {
		switch e.id {
		case ebmlSegment, ebmlInfo, ebmlTracks, ebmlTrack, ebmlVideo:
			if depth++; depth > 4 {
				return malformed("elements within themselves")
			}
			defer func() { depth-- }()
			return f.elements(e.data, e.end, into)
		case ebmlCluster:
			return errEnough
		case ebmlScale, ebmlDuration, ebmlWidth, ebmlHeight:
			p, err := f.bytes(e.data, int(min(e.end-e.data, ebmlMostBytes)))
			if err != nil {
				return err
			}
			switch e.id {
			case ebmlScale:
				scale = float64(ebmlUint(p))
			case ebmlDuration:
				ticks = ebmlFloat(p)
			case ebmlWidth:
				facts.Width = max(facts.Width, int(min(ebmlUint(p), maxSide+1)))
			case ebmlHeight:
				facts.Height = max(facts.Height, int(min(ebmlUint(p), maxSide+1)))
			}
		}
		return nil
	}
	err := f.elements(0, f.size, into)
	facts.Duration = seconds(ticks*scale, 1e9)
	if errors.Is(err, errEnough) || err != nil && facts != (Facts{}) {
		err = nil // a file cut short is known by its beginning
	}
	return facts, err
}

// elements calls each for the elements between off and end.
func (f *file) elements(off, end int64, each func(element) error) error {
	for off < end {
		if err := f.step(); err != nil {
			return err
		}
		h, err := f.bytes(off, int(min(12, end-off)))
		if err != nil {
			return err
		}
		idLen := bits.LeadingZeros8(h[0]) + 1
		if idLen > 4 || idLen >= len(h) {
			return malformed("an element has no identifier")
		}
		size := h[idLen:]
		sizeLen := bits.LeadingZeros8(size[0]) + 1
		if sizeLen > ebmlMostBytes || sizeLen > len(size) {
			return malformed("an element has no length")
		}
		n := ebmlUint(size[:sizeLen]) & (1<<(7*sizeLen) - 1)
		e := element{id: ebmlUint(h[:idLen]), data: off + int64(idLen+sizeLen)}
		if n == 1<<(7*sizeLen)-1 {
			e.end = end
		} else if n > uint64(end-e.data) {
			if e.id != ebmlSegment {
				return malformed("an element is too long")
			}
			e.end = end
		} else {
			e.end = e.data + int64(n)
		}
		if err := each(e); err != nil {
			return err
		}
		off = e.end
	}
	return nil
}

func ebmlUint(p []byte) uint64 {
	n := uint64(0)
	for _, b := range p {
		n = n<<8 | uint64(b)
	}
	return n
}

func ebmlFloat(p []byte) float64 {
	if len(p) == 4 {
		return float64(math.Float32frombits(uint32(ebmlUint(p))))
	}
	return math.Float64frombits(ebmlUint(p))
}
