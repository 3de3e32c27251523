package picture

import (
	"encoding/binary"
	"time"
)

// movieFacts reads an MP4 or MOV file: the duration of its header, and the
// largest track's size.
func (f *file) movieFacts() (Facts, error) {
	var facts Facts
	err := f.boxes(0, f.size, func(b part) error {
		if b.kind != "moov" {
			return nil
		}
		return f.boxes(b.data, b.end, func(b part) error {
			switch b.kind {
			case "mvhd":
				p, err := f.bytes(b.data, int(min(b.size(), 32)))
				if err == nil {
					facts.Duration = movieDuration(p)
				}
				return err
			case "trak":
				return f.trackFacts(b, &facts)
			}
			return nil
		})
	})
	return facts, err
}

func movieDuration(p []byte) time.Duration {
	switch {
	case len(p) >= 20 && p[0] == 0:
		return seconds(float64(binary.BigEndian.Uint32(p[16:])), float64(binary.BigEndian.Uint32(p[12:])))
	case len(p) >= 32 && p[0] == 1:
		return seconds(float64(binary.BigEndian.Uint64(p[24:])), float64(binary.BigEndian.Uint32(p[20:])))
	}
	return 0
}

// trackFacts takes the size that a track is shown with: 16.16 bit numbers at the
// end of its header, turned as its matrix says.
func (f *file) trackFacts(track part, facts *Facts) error {
	return f.boxes(track.data, track.end, func(b part) error {
		if b.kind != "tkhd" || b.size() < 84 || b.size() > 256 {
			return nil
		}
		p, err := f.bytes(b.data, int(b.size()))
		if err != nil {
			return err
		}
		end := p[len(p)-8:]
		width, height := int(binary.BigEndian.Uint32(end)>>16), int(binary.BigEndian.Uint32(end[4:])>>16)
		matrix := p[len(p)-44:]
		if binary.BigEndian.Uint32(matrix) == 0 && binary.BigEndian.Uint32(matrix[4:]) != 0 {
			width, height = height, width // a quarter turn
		}
		if width*height > facts.Width*facts.Height {
			facts.Width, facts.Height = width, height
		}
		return nil
	})
}
