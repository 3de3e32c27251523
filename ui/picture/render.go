package picture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"math"
	"strings"

	"golang.org/x/image/draw"
)

// Mode is a way of showing pictures in a terminal, as --images calls it.
type Mode string

// The modes. Auto leaves the choice to [Detect].
const (
	Auto   Mode = "auto"
	Kitty  Mode = "kitty"  // kitty's graphics protocol
	ITerm  Mode = "iterm"  // OSC 1337 of iTerm2
	Sixel  Mode = "sixel"  // DEC's sixels
	Blocks Mode = "blocks" // two pixels a character, in 256 colours or more
	None   Mode = "none"
)

// ParseMode reads what --images was given.
func ParseMode(s string) (Mode, bool) {
	switch m := Mode(s); m {
	case Auto, Kitty, ITerm, Sixel, Blocks, None:
		return m, true
	}
	return None, false
}

// Blocks take no more room than this, for each cell costs up to 40 bytes.
const (
	BlockColumns = 32
	BlockRows    = 10
)

// Options say how a picture is shown.
type Options struct {
	Mode                  Mode // Auto counts as None
	Indent                int  // columns left free before it
	Columns, Rows         int  // cells at most, without the indent
	CellWidth, CellHeight int  // pixels of a cell; 0: not known
	Colors                int  // 0, 16, 256 or 1<<24; what Blocks may use
}

// Render draws a picture as rows of text, to be written at the beginning of a line
// of a terminal. They are joined by "\n" without a last one, and as many as the
// picture has rows of cells; the cursor has to be in the last of them when all is
// written, and whoever writes in raw mode makes "\r\n" of each "\n".
//
// The picture keeps its shape and takes a cell for eight by sixteen of its pixels,
// or for more where Columns × Rows is too small. It is always encoded anew, so no
// byte of a file reaches the terminal. The result is nil if the mode shows nothing,
// or there is no room or not enough colours.
func Render(m image.Image, o Options) []string {
	b := m.Bounds()
	if b.Empty() || o.Columns < 1 || o.Rows < 1 || o.Indent < 0 {
		return nil
	}
	switch o.Mode {
	case Kitty:
		return graphics(m, o, 8, 16, kitty)
	case ITerm:
		return graphics(m, o, 8, 16, iterm)
	case Sixel:
		return graphics(m, o, 6, 12, sixel) // small cells, so that it surely fits
	case Blocks:
		if o.Colors >= 256 {
			return blocks(m, o)
		}
	}
	return nil
}

// The largest cell that is believed, and the most pixels that sixels have for one
// of the picture: they are not compressed.
const (
	maxCellWidth  = 64
	maxCellHeight = 128
	maxEnlarged   = 2
)

// layout is where a picture goes: so many cells, of which it fills width × height
// pixels of the screen.
type layout struct{ columns, rows, width, height int }

func (o Options) layout(w, h int, most float64) layout {
	cw, ch := o.CellWidth, o.CellHeight
	scale := min(float64(cw)/8, most, float64(o.Columns*cw)/float64(w), float64(o.Rows*ch)/float64(h))
	width := min(max(1, int(float64(w)*scale+0.5)), o.Columns*cw)
	height := min(max(1, int(float64(h)*scale+0.5)), o.Rows*ch)
	return layout{(width + cw - 1) / cw, (height + ch - 1) / ch, width, height}
}

// graphics reserves the rows with line ends, goes back up, draws, and comes back:
// terminals differ in where they leave the cursor and whether they scroll.
func graphics(m image.Image, o Options, cellWidth, cellHeight int, encode func(m *image.NRGBA, columns, rows int) string) []string {
	if o.CellWidth < 2 || o.CellHeight < 2 || o.CellWidth > maxCellWidth || o.CellHeight > maxCellHeight {
		o.CellWidth, o.CellHeight = cellWidth, cellHeight
	}
	o.Columns, o.Rows = min(o.Columns, 500), min(o.Rows, 200)
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	var l layout
	var canvas *image.NRGBA
	if o.Mode == Sixel {
		l = o.layout(w, h, maxEnlarged)
		canvas = scaled(m, l.width, l.height)
	} else {
		l = o.layout(w, h, math.Inf(1))
		canvas = padded(m, o, l)
	}

	var b strings.Builder
	b.WriteString("\r")
	if l.rows > 1 {
		fmt.Fprintf(&b, "\x1b[%dA", l.rows-1)
	}
	b.WriteString("\x1b7")
	if o.Indent > 0 {
		fmt.Fprintf(&b, "\x1b[%dC", o.Indent)
	}
	b.WriteString(encode(canvas, l.columns, l.rows))
	b.WriteString("\x1b8")
	if l.rows > 1 {
		fmt.Fprintf(&b, "\x1b[%dB", l.rows-1)
	}
	b.WriteString("\x1b[0m")
	lines := make([]string, l.rows)
	lines[l.rows-1] = b.String()
	return lines
}

// padded is the picture in the upper left of its cells, the rest transparent; the
// terminal stretches it over them. It has no more pixels than m is worth.
func padded(m image.Image, o Options, l layout) *image.NRGBA {
	width, height := l.width, l.height
	if w := m.Bounds().Dx(); width > w {
		width, height = w, m.Bounds().Dy()
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, max(1, l.columns*o.CellWidth*width/l.width), max(1, l.rows*o.CellHeight*width/l.width)))
	draw.Draw(canvas, canvas.Rect, scaled(m, width, height), image.Point{}, draw.Src)
	return canvas
}

// kittyChunk is how much base64 kitty takes at once.
const kittyChunk = 4096

// kitty transmits and shows a picture in one go; q=2 keeps the terminal from
// answering, C=1 from moving the cursor.
func kitty(m *image.NRGBA, columns, rows int) string {
	data := encoded(m)
	var b strings.Builder
	for first := true; first || data != ""; first = false {
		n := min(len(data), kittyChunk)
		more := 0
		if n < len(data) {
			more = 1
		}
		b.WriteString("\x1b_G")
		if first {
			fmt.Fprintf(&b, "a=T,f=100,C=1,c=%d,r=%d,", columns, rows)
		}
		fmt.Fprintf(&b, "q=2,m=%d;%s\x1b\\", more, data[:n])
		data = data[n:]
	}
	return b.String()
}

func iterm(m *image.NRGBA, columns, rows int) string {
	data := encoded(m)
	return fmt.Sprintf("\x1b]1337;File=inline=1;size=%d;width=%d;height=%d;preserveAspectRatio=0:%s\a",
		base64.StdEncoding.DecodedLen(len(data))-strings.Count(data, "="), columns, rows, data)
}

// encoded is m as a PNG in base64.
func encoded(m *image.NRGBA) string {
	var b bytes.Buffer
	var frame image.Image = m
	if few := paletted(m); few != nil {
		frame = few
	}
	// Writing into a buffer can't fail, and no picture is too large or empty here.
	_ = png.Encode(&b, frame)
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
