package picture

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
)

// sixelColors is how many colour registers are used: every terminal with sixels
// that is alive has 256.
const sixelColors = 256

// sixel draws bands of six rows: in each, for each of its colours, which of the
// six pixels of every column have it. Pixels that are not set stay as they were.
func sixel(m *image.NRGBA, _, _ int) string {
	frame := quantized(m, sixelColors)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var b strings.Builder
	fmt.Fprintf(&b, "\x1bP0;1;0q\"1;1;%d;%d", w, h)
	for i, c := range frame.palette {
		percent := func(v uint8) int { return (int(v)*100 + 127) / 255 }
		fmt.Fprintf(&b, "#%d;2;%d;%d;%d", i, percent(c.R), percent(c.G), percent(c.B))
	}
	band := make(map[int][]byte) // of a colour: six pixels a column
	for top := 0; top < h; top += 6 {
		clear(band)
		for y := top; y < min(top+6, h); y++ {
			for x := range w {
				i := frame.index[y*w+x]
				if i < 0 {
					continue
				}
				if band[i] == nil {
					band[i] = make([]byte, w)
				}
				band[i][x] |= 1 << (y - top)
			}
		}
		for i := range frame.palette {
			if columns := band[i]; columns != nil {
				fmt.Fprintf(&b, "#%d", i)
				sixelRun(&b, columns)
				b.WriteByte('$') // back to the left
			}
		}
		if top+6 < h {
			b.WriteByte('-')
		}
	}
	b.WriteString("\x1b\\")
	return b.String()
}

// sixelRun writes columns, equal neighbours as a count.
func sixelRun(b *strings.Builder, columns []byte) {
	for len(columns) > 0 {
		n := 1
		for n < len(columns) && columns[n] == columns[0] {
			n++
		}
		c := '?' + columns[0]
		switch {
		case n == len(columns) && c == '?': // nothing more
		case n > 3:
			fmt.Fprintf(b, "!%d%c", n, c)
		default:
			b.WriteString(strings.Repeat(string(c), n))
		}
		columns = columns[n:]
	}
}

// indexedFrame is a picture in few colours; -1 is a pixel that is not there.
type indexedFrame struct {
	palette []color.NRGBA
	index   []int
}

// quantized finds the n colours that suit m best, by median cut: the box of colours
// that spreads the most is cut in two with half of its pixels each.
func quantized(m *image.NRGBA, n int) indexedFrame {
	count := make(map[color.NRGBA]int)
	w := m.Rect.Dx()
	frame := indexedFrame{index: make([]int, w*m.Rect.Dy())}
	for i := range frame.index {
		c, there := visible(m, i%w, i/w)
		if there {
			c.A = 0xff
			count[c]++
		}
	}
	all := make([]weighted, 0, len(count))
	for c, k := range count {
		all = append(all, weighted{c, k})
	}
	slices.SortFunc(all, func(a, b weighted) int { return a.key() - b.key() }) // the same every time
	nearest := make(map[color.NRGBA]int, len(all))
	for i, box := range cut(all, n) {
		frame.palette = append(frame.palette, mean(box))
		for _, c := range box {
			nearest[c.NRGBA] = i
		}
	}
	for i := range frame.index {
		c, there := visible(m, i%w, i/w)
		c.A = 0xff
		frame.index[i] = -1
		if there {
			frame.index[i] = nearest[c]
		}
	}
	return frame
}

// weighted is a colour and how many pixels have it.
type weighted struct {
	color.NRGBA
	n int
}

func (w weighted) key() int { return int(w.R)<<16 | int(w.G)<<8 | int(w.B) }

// part of a colour: red, green or blue.
func (w weighted) part(i int) int { return w.key() >> (16 - 8*i) & 0xff }

// cut divides colours into n boxes at most.
func cut(all []weighted, n int) [][]weighted {
	if len(all) == 0 {
		return nil
	}
	boxes := [][]weighted{all}
	spreads := []int{spread(all)}
	for len(boxes) < n {
		widest := 0
		for i, s := range spreads {
			if s > spreads[widest] {
				widest = i
			}
		}
		if spreads[widest] == 0 {
			break
		}
		a, b := halves(boxes[widest])
		boxes[widest], spreads[widest] = a, spread(a)
		boxes, spreads = append(boxes, b), append(spreads, spread(b))
	}
	return boxes
}

// extent is the part of a colour in which a box is widest, and how wide.
func extent(box []weighted) (part, width int) {
	for i := range 3 {
		low, high := 255, 0
		for _, c := range box {
			low, high = min(low, c.part(i)), max(high, c.part(i))
		}
		if high-low > width {
			part, width = i, high-low
		}
	}
	return part, width
}

// spread is how much a box would gain by being cut.
func spread(box []weighted) int {
	_, width := extent(box)
	n := 0
	for _, c := range box {
		n += c.n
	}
	return width * width * n
}

// halves cuts a box of two colours or more.
func halves(box []weighted) (a, b []weighted) {
	part, _ := extent(box)
	slices.SortStableFunc(box, func(x, y weighted) int { return x.part(part) - y.part(part) })
	total := 0
	for _, c := range box {
		total += c.n
	}
	i, half := 0, 0
	for ; i < len(box)-2 && half+box[i].n <= total/2; i++ {
		half += box[i].n
	}
	return box[:i+1], box[i+1:]
}

func mean(box []weighted) color.NRGBA {
	var sum [3]int
	n := 0
	for _, c := range box {
		for i := range sum {
			sum[i] += c.n * c.part(i)
		}
		n += c.n
	}
	return color.NRGBA{uint8((sum[0] + n/2) / n), uint8((sum[1] + n/2) / n), uint8((sum[2] + n/2) / n), 0xff}
}
