package picture

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// blocks draws two pixels a cell: an upper half block in the colour of the upper
// one on a background in that of the lower.
func blocks(m image.Image, o Options) []string {
	o.Columns, o.Rows = min(o.Columns, BlockColumns), min(o.Rows, BlockRows)
	shape := 1.0 // of half a cell: height to width
	if o.CellWidth > 0 && o.CellHeight > 0 {
		shape = min(max(float64(o.CellHeight)/2/float64(o.CellWidth), 0.5), 2)
	}
	w, h := float64(m.Bounds().Dx()), float64(m.Bounds().Dy())/shape
	scale := min(1, float64(o.Columns)/w, float64(2*o.Rows)/h)
	width := min(max(1, int(w*scale+0.5)), o.Columns)
	height := min(max(1, int(h*scale+0.5)), 2*o.Rows)
	small := scaled(m, width, height)
	rows := make([]string, 0, (height+1)/2)
	for y := 0; y < height; y += 2 {
		rows = append(rows, blockRow(small, y, o))
	}
	return rows
}

// blockRow is one row; colours are set where they change.
func blockRow(m *image.NRGBA, y int, o Options) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", o.Indent))
	was := ""
	set := func(style string) {
		if style != was {
			b.WriteString("\x1b[0" + style + "m")
			was = style
		}
	}
	for x := range m.Rect.Dx() {
		upper, above := visible(m, x, y)
		lower, below := visible(m, x, y+1)
		switch {
		case above && below:
			set(";38;" + colorCode(upper, o.Colors) + ";48;" + colorCode(lower, o.Colors))
			b.WriteString("▀")
		case above:
			set(";38;" + colorCode(upper, o.Colors))
			b.WriteString("▀")
		case below:
			set(";38;" + colorCode(lower, o.Colors))
			b.WriteString("▄")
		default:
			set("")
			b.WriteByte(' ')
		}
	}
	b.WriteString("\x1b[0m")
	return b.String()
}

// visible is a pixel, and whether enough of it is there to be drawn.
func visible(m *image.NRGBA, x, y int) (color.NRGBA, bool) {
	if y >= m.Rect.Max.Y {
		return color.NRGBA{}, false
	}
	c := m.NRGBAAt(x, y)
	return c, c.A >= 128
}

// colorCode are the parameters of SGR behind 38 or 48.
func colorCode(c color.NRGBA, colors int) string {
	if colors > 256 {
		return fmt.Sprintf("2;%d;%d;%d", c.R, c.G, c.B)
	}
	return fmt.Sprintf("5;%d", indexed(c))
}

// steps are the values of the 6×6×6 cube that begins at colour 16.
var steps = [6]int{0, 95, 135, 175, 215, 255}

// indexed is the nearest of the 256 colours, of the cube or the 24 greys behind it;
// the first 16 are as the user likes them.
func indexed(c color.NRGBA) int {
	nearest := func(v uint8) int {
		best := 0
		for i, s := range steps {
			if abs(int(v)-s) < abs(int(v)-steps[best]) {
				best = i
			}
		}
		return best
	}
	r, g, b := nearest(c.R), nearest(c.G), nearest(c.B)
	gray := min(max((int(c.R)+int(c.G)+int(c.B))/3-8+5, 0)/10, 23)
	level := 8 + 10*gray
	far := func(x, y, z int) int {
		dr, dg, db := int(c.R)-x, int(c.G)-y, int(c.B)-z
		return dr*dr + dg*dg + db*db
	}
	if far(level, level, level) < far(steps[r], steps[g], steps[b]) {
		return 232 + gray
	}
	return 16 + 36*r + 6*g + b
}
