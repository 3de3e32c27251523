package picture

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// within is the size of a w×h picture made to fit into maxW×maxH, never larger
// than it is and at least one pixel each way.
func within(w, h, maxW, maxH int) (int, int) {
	if w <= maxW && h <= maxH {
		return w, h
	}
	if int64(w)*int64(maxH) > int64(h)*int64(maxW) {
		return maxW, max(1, int((int64(h)*int64(maxW)+int64(w)/2)/int64(w)))
	}
	return max(1, int((int64(w)*int64(maxH)+int64(h)/2)/int64(h))), maxH
}

// coarse is how many times larger a picture is sampled before it is made small.
const coarse = 4

// scaled is m in w×h pixels. A large one is first sampled, and then averaged: a
// kernel over all of it would take 32 bytes for each of its rows and columns.
func scaled(m image.Image, w, h int) *image.NRGBA {
	b := m.Bounds()
	fine := image.NewRGBA(image.Rect(0, 0, w, h))
	switch {
	case b.Dx() == w && b.Dy() == h:
		draw.Draw(fine, fine.Rect, m, b.Min, draw.Src)
	case b.Dx() > coarse*w || b.Dy() > coarse*h:
		rough := image.NewRGBA(image.Rect(0, 0, coarse*w, coarse*h))
		draw.ApproxBiLinear.Scale(rough, rough.Rect, m, b, draw.Src, nil)
		average(fine, rough)
	default:
		draw.CatmullRom.Scale(fine, fine.Rect, m, b, draw.Src, nil)
	}
	out := image.NewNRGBA(fine.Rect)
	draw.Draw(out, out.Rect, fine, image.Point{}, draw.Src)
	return out
}

// average makes each pixel of fine from a square of rough.
func average(fine, rough *image.RGBA) {
	for y := range fine.Rect.Dy() {
		for x := range fine.Rect.Dx() {
			var sum [4]int
			for dy := range coarse {
				row := rough.Pix[rough.PixOffset(coarse*x, coarse*y+dy):][:4*coarse]
				for i, v := range row {
					sum[i%4] += int(v)
				}
			}
			for i, v := range sum {
				fine.Pix[fine.PixOffset(x, y)+i] = uint8((v + coarse*coarse/2) / (coarse * coarse))
			}
		}
	}
}

// opaque reports whether nothing shines through m.
func opaque(m *image.NRGBA) bool {
	for i := 3; i < len(m.Pix); i += 4 {
		if m.Pix[i] != 0xff {
			return false
		}
	}
	return true
}

// onWhite is m in front of white.
func onWhite(m *image.NRGBA) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, m, m.Rect.Min, draw.Over)
	return out
}

// paletted is m with its own colours, or nil if it has more than 256.
func paletted(m *image.NRGBA) *image.Paletted {
	out := image.NewPaletted(m.Rect, nil)
	index := make(map[color.NRGBA]uint8)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			c := m.NRGBAAt(x, y)
			i, known := index[c]
			if !known {
				if len(out.Palette) == 256 {
					return nil
				}
				i = uint8(len(out.Palette))
				index[c], out.Palette = i, append(out.Palette, c)
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }
