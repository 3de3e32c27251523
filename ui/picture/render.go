package picture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
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
// The picture keeps its shape, fills as much of Columns × Rows as it can without
// becoming coarser than eight by sixteen pixels a cell, and is always encoded anew, so no bytes
// of a file reach the terminal. Rows is nil if the mode shows nothing, there is no
// room, or not enough colours.
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

// cells is how many columns and rows a w×h picture gets, and which part of them it
// fills, in pixels of a cell.
func (o Options) cells(w, h int) (columns, rows, width, height int) {
	// By itself a picture's pixel is an eighth of a cell's width.
	scale := min(float64(o.CellWidth)/8, float64(o.Columns*o.CellWidth)/float64(w), float64(o.Rows*o.CellHeight)/float64(h))
	width = min(max(1, int(float64(w)*scale+0.5)), o.Columns*o.CellWidth)
	height = min(max(1, int(float64(h)*scale+0.5)), o.Rows*o.CellHeight)
	return (width + o.CellWidth - 1) / o.CellWidth, (height + o.CellHeight - 1) / o.CellHeight, width, height
}

// graphics reserves the rows with line ends, goes back up, draws, and comes back:
// terminals differ in where they leave the cursor and whether they scroll.
func graphics(m image.Image, o Options, cellWidth, cellHeight int, encode func(m *image.NRGBA, columns, rows int) string) []string {
	if o.CellWidth < 2 || o.CellHeight < 2 || o.CellWidth > 200 || o.CellHeight > 200 {
		o.CellWidth, o.CellHeight = cellWidth, cellHeight
	}
	o.Columns, o.Rows = min(o.Columns, 500), min(o.Rows, 200)
	columns, rows, width, height := o.cells(m.Bounds().Dx(), m.Bounds().Dy())
	canvas := image.NewNRGBA(image.Rect(0, 0, columns*o.CellWidth, rows*o.CellHeight))
	if o.Mode == Sixel {
		canvas = image.NewNRGBA(image.Rect(0, 0, width, height)) // as large as it is drawn
	} else if shown := width; shown > m.Bounds().Dx() {
		// The terminal enlarges it: the same canvas with fewer pixels.
		width, height = m.Bounds().Dx(), m.Bounds().Dy()
		canvas = image.NewNRGBA(image.Rect(0, 0, canvas.Rect.Dx()*width/shown, canvas.Rect.Dy()*width/shown))
	}
	place := image.Rect(0, 0, width, height).Intersect(canvas.Rect)
	draw.Draw(canvas, place, scaled(m, width, height), image.Point{}, draw.Src)

	var b strings.Builder
	b.WriteString("\r")
	if rows > 1 {
		fmt.Fprintf(&b, "\x1b[%dA", rows-1)
	}
	b.WriteString("\x1b7")
	if o.Indent > 0 {
		fmt.Fprintf(&b, "\x1b[%dC", o.Indent)
	}
	b.WriteString(encode(canvas, columns, rows))
	b.WriteString("\x1b8")
	if rows > 1 {
		fmt.Fprintf(&b, "\x1b[%dB", rows-1)
	}
	b.WriteString("\x1b[0m")
	lines := make([]string, rows)
	lines[rows-1] = b.String()
	return lines
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
