package picture

import (
	"encoding/binary"
	"io"
	"math"
	"time"
)

// Facts are what a file's header says about it. They are claims: nothing was
// decoded.
type Facts struct {
	Width, Height int           // pixels; of a photo before it is turned. 0: not known
	Duration      time.Duration // 0: not known
}

const (
	maxSide     = 1 << 20          // a side longer than this is not believed
	maxDuration = 1000 * time.Hour // nor a film
)

// Look reads the facts of PNG, JPEG, GIF, WebP, BMP, HEIC, AVIF, MP4, MOV, WebM, Matroska,
// AVI, WAV and FLAC files. It reads a few headers, allocates no more than
// [HeadSize] bytes at once, and knows nothing of a file that is malformed or
// whose kind, which [Sniff] said, is another.
func Look(r io.ReaderAt, size int64, mime string) Facts {
	f := &file{r: r, size: size}
	var facts Facts
	var err error
	switch mime {
	case mimePNG, mimeGIF, "image/bmp", mimeWAV, mimeFLAC, mimeAVI:
		var head []byte
		if head, err = f.bytes(0, int(min(max(size, 0), 256))); err == nil {
			facts = headFacts(head, mime)
		}
	case mimeJPEG:
		var frame jpegFrame
		frame, err = f.jpegFrame()
		facts = Facts{Width: frame.width, Height: frame.height}
	case mimeWebP:
		var frame webpFrame
		frame, err = f.webpFrame()
		facts = Facts{Width: frame.width, Height: frame.height}
	case mimeHEIC, mimeAVIF:
		facts, err = f.heifFacts()
	case mimeMP4, mimeMOV, "audio/mp4":
		facts, err = f.movieFacts()
	case mimeWebM, mimeMKV:
		facts, err = f.matroskaFacts()
	}
	if err != nil {
		return Facts{}
	}
	return facts.believed()
}

func (f Facts) believed() Facts {
	if f.Width <= 0 || f.Height <= 0 || f.Width > maxSide || f.Height > maxSide {
		f.Width, f.Height = 0, 0
	}
	if f.Duration < 0 || f.Duration > maxDuration {
		f.Duration = 0
	}
	return f
}

// seconds is n units of which there are rate a second.
func seconds(n, rate float64) time.Duration {
	s := n / rate
	if math.IsNaN(s) || s < 0 || s > maxDuration.Seconds() {
		return 0
	}
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// headFacts are those that stand at fixed places near the beginning.
func headFacts(head []byte, mime string) Facts {
	le := binary.LittleEndian
	at := func(n int) []byte { // the next eight bytes at least
		if n+8 > len(head) {
			return make([]byte, 8)
		}
		return head[n:]
	}
	switch mime {
	case mimePNG:
		return Facts{Width: int(binary.BigEndian.Uint32(at(16))), Height: int(binary.BigEndian.Uint32(at(16)[4:]))}
	case mimeGIF:
		return Facts{Width: int(le.Uint16(at(6))), Height: int(le.Uint16(at(6)[2:]))}
	case "image/bmp":
		return Facts{Width: int(int32(le.Uint32(at(18)))), Height: max(int(int32(le.Uint32(at(18)[4:]))), -int(int32(le.Uint32(at(18)[4:]))))}
	case mimeAVI: // the main header follows two list headers
		if string(at(24)[:4]) != "avih" {
			return Facts{}
		}
		frame, frames := float64(le.Uint32(at(32))), float64(le.Uint32(at(48)))
		return Facts{Width: int(le.Uint32(at(64))), Height: int(le.Uint32(at(64)[4:])), Duration: seconds(frame*frames, 1e6)}
	case mimeFLAC: // the first block is always the stream's
		packed := binary.BigEndian.Uint64(at(18))
		return Facts{Duration: seconds(float64(packed&(1<<36-1)), float64(packed>>44))}
	case mimeWAV:
		return wavFacts(head)
	}
	return Facts{}
}

// wavFacts divides the length of the data by the bytes a second.
func wavFacts(head []byte) Facts {
	rate := uint32(0)
	for p := head[min(len(head), 12):]; len(p) >= 8; {
		n := binary.LittleEndian.Uint32(p[4:])
		switch {
		case string(p[:4]) == "fmt " && len(p) >= 20:
			rate = binary.LittleEndian.Uint32(p[16:])
		case string(p[:4]) == "data":
			return Facts{Duration: seconds(float64(n), float64(rate))}
		}
		if uint64(n)+8 > uint64(len(p)) {
			break
		}
		p = p[8+n:]
	}
	return Facts{}
}
