package picture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// frame is what every drawing with graphics is in: up, save, right, picture,
// restore, down, reset.
var frame = regexp.MustCompile(`(?s)^\r(?:\x1b\[(\d+)A)?\x1b7(?:\x1b\[(\d+)C)?(.*)\x1b8(?:\x1b\[(\d+)B)?\x1b\[0m$`)

// unframed checks the frame and returns the picture's sequences.
func unframed(t *testing.T, rows []string, indent int) string {
	t.Helper()
	if len(rows) == 0 || strings.Join(rows[:len(rows)-1], "") != "" {
		t.Fatalf("%d rows, of which some before the last are not empty", len(rows))
	}
	m := frame.FindStringSubmatch(rows[len(rows)-1])
	if m == nil {
		t.Fatalf("no frame: %.100q", rows[len(rows)-1])
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	if number(m[1]) != len(rows)-1 || number(m[4]) != len(rows)-1 || number(m[2]) != indent {
		t.Errorf("up %q, down %q, right %q with %d rows", m[1], m[4], m[2], len(rows))
	}
	return m[3]
}

var kittyPart = regexp.MustCompile(`\x1b_G([a-zA-Z0-9=,]*);([A-Za-z0-9+/=]*)\x1b\\`)

// unkitty puts the parts together again; it returns the cells too.
func unkitty(t *testing.T, s string) (image.Image, string) {
	t.Helper()
	parts := kittyPart.FindAllStringSubmatch(s, -1)
	if kittyPart.ReplaceAllString(s, "") != "" || len(parts) == 0 {
		t.Fatalf("more than kitty's parts in %.200q", s)
	}
	data := ""
	for i, p := range parts {
		if len(p[2]) > 4096 || i < len(parts)-1 && len(p[2])%4 != 0 {
			t.Errorf("part %d has %d bytes", i, len(p[2]))
		}
		more := 1
		if i == len(parts)-1 {
			more = 0
		}
		if !strings.HasSuffix(p[1], fmt.Sprintf("q=2,m=%d", more)) || i > 0 && p[1] != fmt.Sprintf("q=2,m=%d", more) {
			t.Errorf("part %d says %q", i, p[1])
		}
		data += p[2]
	}
	cells, ok := strings.CutPrefix(parts[0][1], "a=T,f=100,C=1,")
	cells, _, _ = strings.Cut(cells, ",q=")
	if !ok {
		t.Errorf("the first part says %q", parts[0][1])
	}
	return decoded64(t, data), cells
}

func decoded64(t *testing.T, data string) image.Image {
	t.Helper()
	p, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var itermFile = regexp.MustCompile(`^\x1b\]1337;File=inline=1;size=(\d+);(width=\d+;height=\d+);preserveAspectRatio=0:([A-Za-z0-9+/=]*)\a$`)

func uniterm(t *testing.T, s string) (image.Image, string) {
	t.Helper()
	m := itermFile.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no file: %.200q", s)
	}
	if p, _ := base64.StdEncoding.DecodeString(m[3]); strconv.Itoa(len(p)) != m[1] {
		t.Errorf("it says %s bytes and has %d", m[1], len(p))
	}
	return decoded64(t, m[3]), m[2]
}

var sixelToken = regexp.MustCompile(`^(?:#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-))`)

// unsixel draws on a transparent canvas.
func unsixel(t *testing.T, s string) image.Image {
	t.Helper()
	var w, h int
	body, ok := between(s, "\x1bP0;1;0q", "\x1b\\")
	if _, err := fmt.Sscanf(body, "\"1;1;%d;%d", &w, &h); err != nil || !ok {
		t.Fatalf("no sixels: %.100q", s)
	}
	body = body[strings.IndexByte(body, '#'):]
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	palette := map[string]color.NRGBA{}
	var c color.NRGBA
	x, top := 0, 0
	for body != "" {
		f := sixelToken.FindStringSubmatch(body)
		if f == nil {
			t.Fatalf("no sixel: %.40q", body)
		}
		body = body[len(f[0]):]
		number := func(i int) int { n, _ := strconv.Atoi(f[i]); return n }
		draw := func(n int, sign byte) {
			for ; n > 0; n, x = n-1, x+1 {
				for bit := range 6 {
					if (sign-'?')>>bit&1 == 0 {
						continue
					}
					if x >= w || top+bit >= h {
						t.Fatalf("pixel %d,%d outside %d×%d", x, top+bit, w, h)
					}
					m.SetNRGBA(x, top+bit, c)
				}
			}
		}
		switch {
		case f[1] != "":
			part := func(i int) uint8 { return uint8((number(i)*255 + 50) / 100) }
			palette[f[1]] = color.NRGBA{part(2), part(3), part(4), 255}
		case f[5] != "":
			if c, ok = palette[f[5]]; !ok || number(5) > 255 {
				t.Fatalf("colour %s isn't known", f[5])
			}
		case f[6] != "":
			draw(number(6), f[7][0])
		case f[8] != "":
			draw(1, f[8][0])
		case f[9] != "":
			x = 0
		default:
			x, top = 0, top+6
		}
	}
	return m
}

var blockToken = regexp.MustCompile(`^(?:\x1b\[0((?:;\d+)*)m|(▀)|(▄)|( ))`)

// unblocks reads rows of half blocks.
func unblocks(t *testing.T, rows []string, indent int) image.Image {
	t.Helper()
	var pixels [2][]color.NRGBA
	m := image.NewNRGBA(image.Rect(0, 0, BlockColumns, 2*len(rows)))
	width := 0
	for y, row := range rows {
		rest, ok := strings.CutPrefix(row, strings.Repeat(" ", indent))
		if !ok || !strings.HasSuffix(row, "\x1b[0m") {
			t.Fatalf("row %q", row)
		}
		pixels[0], pixels[1] = nil, nil
		var front, back color.NRGBA
		for rest != "" {
			f := blockToken.FindStringSubmatch(rest)
			if f == nil {
				t.Fatalf("no block: %.40q", rest)
			}
			rest = rest[len(f[0]):]
			switch {
			case f[2] != "":
				pixels[0], pixels[1] = append(pixels[0], front), append(pixels[1], back)
			case f[3] != "":
				pixels[0], pixels[1] = append(pixels[0], back), append(pixels[1], front)
			case f[4] != "":
				pixels[0], pixels[1] = append(pixels[0], back), append(pixels[1], back)
			default:
				front, back = sgr(t, f[1])
			}
		}
		for i := range 2 {
			for x, c := range pixels[i] {
				m.SetNRGBA(x, 2*y+i, c)
			}
		}
		width = max(width, len(pixels[0]))
	}
	return m.SubImage(image.Rect(0, 0, width, 2*len(rows)))
}

// sgr reads the parameters behind a reset.
func sgr(t *testing.T, s string) (front, back color.NRGBA) {
	f := strings.Split(strings.TrimPrefix(s, ";"), ";")
	number := func(i int) int {
		n, err := strconv.Atoi(f[i])
		if err != nil || n < 0 || n > 255 {
			t.Fatalf("colour %q", s)
		}
		return n
	}
	for s != "" && len(f) >= 3 {
		var c color.NRGBA
		which, n := f[0], 5
		if f[1] == "2" {
			c = color.NRGBA{uint8(number(2)), uint8(number(3)), uint8(number(4)), 255}
		} else {
			c, n = xterm256(number(2)), 3
		}
		if which == "38" {
			front = c
		} else {
			back = c
		}
		f = f[n:]
	}
	return front, back
}

// xterm256 is one of the 256 colours.
func xterm256(n int) color.NRGBA {
	if n >= 232 {
		v := uint8(8 + 10*(n-232))
		return color.NRGBA{v, v, v, 255}
	}
	n -= 16
	return color.NRGBA{uint8(steps[n/36]), uint8(steps[n/6%6]), uint8(steps[n%6]), 255}
}

// unlike is the mean difference of two pictures, once both are in small.
func unlike(a, b image.Image) float64 {
	x, y := scaled(a, 20, 12), scaled(b, 20, 12)
	sum := 0
	for i := range x.Pix {
		sum += abs(int(x.Pix[i]) - int(y.Pix[i]))
	}
	return float64(sum) / float64(len(x.Pix))
}

// seen keeps a drawing as it is decoded again, to be looked at: with
// P2PCHAT_PICTURES naming a directory.
func seen(t *testing.T, m image.Image, name string) {
	dir := os.Getenv("P2PCHAT_PICTURES")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), encodedPNG(t, m), 0o600); err != nil {
		t.Error(err)
	}
}

func TestRender(t *testing.T) {
	transparent := photo(320, 240)
	for y := range 120 {
		for x := range 160 {
			transparent.SetNRGBA(x, y, color.NRGBA{})
		}
	}
	pictures := map[string]image.Image{"photo": photo(320, 240), "quarters": quarters(320, 240), "transparent": transparent}
	for name, m := range pictures {
		for _, cell := range []image.Point{{}, {10, 20}} {
			o := Options{Columns: 40, Rows: 15, CellWidth: cell.X, CellHeight: cell.Y, Colors: 1 << 24}
			for _, c := range []struct {
				mode  Mode
				color int
				most  float64
			}{{Kitty, 1 << 24, 0.1}, {ITerm, 1 << 24, 0.1}, {Sixel, 1 << 24, 4}, {Blocks, 1 << 24, 9}, {Blocks, 256, 18}} {
				o.Mode, o.Colors = c.mode, c.color
				rows := Render(m, o)
				var got image.Image
				cells := ""
				switch c.mode {
				case Kitty:
					got, cells = unkitty(t, unframed(t, rows, 0))
				case ITerm:
					got, cells = uniterm(t, unframed(t, rows, 0))
				case Sixel:
					got = unsixel(t, unframed(t, rows, 0))
				case Blocks:
					got = unblocks(t, rows, 0)
				}
				what := fmt.Sprintf("%s-%s-%d-%d", name, c.mode, c.color, cell.X)
				if d := unlike(m, got); d > c.most {
					t.Errorf("%s: the drawing differs by %.1f", what, d)
				}
				seen(t, got, what)
				switch {
				case c.mode == Kitty && cells != "c=40,r=15", c.mode == ITerm && cells != "width=40;height=15":
					t.Errorf("%s: cells %q", what, cells)
				case c.mode == Blocks && (len(rows) != 10 || got.Bounds().Dx() != 27), c.mode != Blocks && len(rows) != 15:
					t.Errorf("%s: %d rows, %v", what, len(rows), got.Bounds())
				}
				size := 0
				for _, row := range rows {
					size += len(row)
				}
				t.Logf("%s: %d bytes", what, size)
			}
		}
	}
}

// TestRenderShape: no picture is stretched, or wider or higher than it may be.
func TestRenderShape(t *testing.T) {
	for _, size := range []image.Point{{320, 240}, {320, 7}, {7, 240}, {1, 1}, {16, 16}, {320, 1}, {1, 240}, {100, 99}} {
		m := photo(size.X, size.Y)
		for _, room := range []image.Point{{40, 15}, {80, 5}, {1, 1}, {3, 50}, {90, 30}} {
			o := Options{Columns: room.X, Rows: room.Y, CellWidth: 10, CellHeight: 20, Colors: 1 << 24, Indent: 2}
			o.Mode = Kitty
			rows := Render(m, o)
			got, cells := unkitty(t, unframed(t, rows, 2))
			var c, r int
			fmt.Sscanf(cells, "c=%d,r=%d", &c, &r)
			if c < 1 || r != len(rows) || c > room.X || r > room.Y {
				t.Errorf("%v in %v: %d columns, %d rows, %d lines", size, room, c, r, len(rows))
			}
			// A pixel is as high as wide, to one pixel's rounding.
			wide, high := float64(10*c)/float64(got.Bounds().Dx()), float64(20*r)/float64(got.Bounds().Dy())
			if off := wide/high - 1; got.Bounds().Dx() > 20 && got.Bounds().Dy() > 20 && (off > 0.06 || off < -0.06) {
				t.Errorf("%v in %v: pixels of %.2f × %.2f", size, room, wide, high)
			}
			o.Mode = Sixel
			rows = Render(m, o)
			if b := unsixel(t, unframed(t, rows, 2)).Bounds(); b.Dx() > 10*room.X || b.Dy() > 20*len(rows) || len(rows) > room.Y {
				t.Errorf("%v in %v: sixels of %v in %d rows", size, room, b, len(rows))
			}
			o.Mode = Blocks
			rows = Render(m, o)
			if b := unblocks(t, rows, 2).Bounds(); b.Dx() > min(room.X, BlockColumns) || len(rows) > min(room.Y, BlockRows) {
				t.Errorf("%v in %v: blocks of %v", size, room, b)
			}
		}
	}
}

func TestRenderNothing(t *testing.T) {
	m := photo(32, 24)
	all := Options{Mode: Blocks, Columns: 10, Rows: 10, Colors: 256}
	for name, change := range map[string]func(*Options){
		"none": func(o *Options) { o.Mode = None }, "auto": func(o *Options) { o.Mode = Auto },
		"16 colours": func(o *Options) { o.Colors = 16 }, "no colours": func(o *Options) { o.Colors = 0 },
		"no columns": func(o *Options) { o.Columns = 0 }, "no rows": func(o *Options) { o.Mode, o.Rows = Kitty, 0 },
		"no such mode": func(o *Options) { o.Mode = "half" },
	} {
		o := all
		if change(&o); Render(m, o) != nil {
			t.Errorf("%s: something is shown", name)
		}
	}
	if Render(image.NewGray(image.Rect(0, 0, 0, 5)), all) != nil {
		t.Error("an empty picture is shown")
	}
	if Render(m, all) == nil {
		t.Error("nothing is shown")
	}
}

// sequences are what a mode may write besides text.
var sequences = map[Mode]*regexp.Regexp{
	Kitty:  regexp.MustCompile(`\r|\x1b[78]|\x1b\[\d+[ABC]|\x1b\[0m|\x1b_G[a-zA-Z0-9=,]*;[A-Za-z0-9+/=]*\x1b\\`),
	ITerm:  regexp.MustCompile(`\r|\x1b[78]|\x1b\[\d+[ABC]|\x1b\[0m|\x1b\]1337;File=[a-zA-Z0-9=;]*:[A-Za-z0-9+/=]*\a`),
	Sixel:  regexp.MustCompile(`\r|\x1b[78]|\x1b\[\d+[ABC]|\x1b\[0m|\x1bP0;1;0q[!-~]*\x1b\\`),
	Blocks: regexp.MustCompile(`\x1b\[0[0-9;]*m`),
}

// FuzzRender: of any preview that passes Check, every mode writes nothing but its
// own sequences, half blocks and blanks, in no more rows than it may, and resets.
func FuzzRender(f *testing.F) {
	for _, name := range []string{"photo.png", "photo.jpg", "progressive.jpg"} {
		f.Add(stored(f, name), 40, 15, 10, 20, 2, 1<<24)
	}
	f.Fuzz(func(t *testing.T, p []byte, columns, rows, cellWidth, cellHeight, indent, colors int) {
		m, err := Check(p)
		if err != nil {
			return
		}
		columns, rows, indent = columns%600, rows%300, indent%100
		for mode, allowed := range sequences {
			got := Render(m, Options{Mode: mode, Columns: columns, Rows: rows, CellWidth: cellWidth, CellHeight: cellHeight, Indent: indent, Colors: colors})
			if len(got) > max(rows, 0) {
				t.Errorf("%s: %d rows of %d", mode, len(got), rows)
			}
			if len(got) > 0 && !strings.HasSuffix(got[len(got)-1], "\x1b[0m") {
				t.Errorf("%s: no reset at the end", mode)
			}
			for _, row := range got {
				rest := allowed.ReplaceAllString(row, "")
				if strings.Trim(rest, " ▀▄") != "" || strings.ContainsFunc(rest, unicode.IsControl) {
					t.Errorf("%s: %.100q is left", mode, rest)
				}
			}
		}
	})
}
