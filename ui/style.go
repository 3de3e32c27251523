package ui

import (
	"hash/fnv"
	"strings"

	"p2pchat/rooms"
)

// style is how a piece of text looks: the parameters of an SGR sequence.
type style string

// The styles, quiet ones first.
const (
	plain     style = ""
	dim       style = "2"
	strong    style = "1"
	cited     style = "3"
	code      style = "36"
	link      style = "4"
	oldLink   style = "2;4"
	alarming  style = "31"
	mentioned style = "1;7"
)

// nickColors are 12 of the 256 colours that can be read on black and on white.
var nickColors = [12]style{
	"38;5;31", "38;5;35", "38;5;64", "38;5;69", "38;5;98", "38;5;130",
	"38;5;136", "38;5;161", "38;5;166", "38;5;170", "38;5;172", "38;5;37",
}

// fewColors stand in for them on a terminal that has only 16.
var fewColors = [6]style{"31", "32", "33", "34", "35", "36"}

// nickStyle returns the colour of a member: of its key and not of its name, so
// that somebody who takes another's name does not get the colour with it.
func (p *page) nickStyle(peer rooms.PeerID) style {
	h := fnv.New32a()
	h.Write([]byte(peer))
	switch {
	case p.color >= 256:
		return nickColors[h.Sum32()%uint32(len(nickColors))]
	case p.color > 0:
		return fewColors[h.Sum32()%uint32(len(fewColors))]
	}
	return plain
}

// run is a piece of text in one style.
type run struct {
	style style
	text  string
}

// paint writes a row of runs with the sequences that style them.
func (p *page) paint(row []run) string {
	var b strings.Builder
	for _, r := range row {
		if p.color == 0 || r.style == plain || r.text == "" {
			b.WriteString(p.linked(r))
			continue
		}
		b.WriteString("\x1b[" + string(r.style) + "m" + p.linked(r) + "\x1b[0m")
	}
	return b.String()
}

// faded puts runs in the background, as a whole.
func faded(runs []run) []run {
	out := make([]run, len(runs))
	for i, r := range runs {
		out[i] = run{dim, r.text}
		if r.style == link {
			out[i].style = oldLink
		}
	}
	return out
}
