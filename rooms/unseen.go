package rooms

import "unicode"

// Unseen reports whether r shows nothing, or nothing but a blank, although it is no space:
// format characters, what Unicode calls default ignorable, and letters and signs that are
// drawn empty. A name that holds one looks like another name. Some have a job between
// letters of certain scripts, and in emoji; that is for the caller to know.
func Unseen(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, blank)
}

// blank are signs that are drawn empty, beside those that Unicode ignores by default.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}}, // braille without a dot
	R32: []unicode.Range32{
		{Lo: 0x16FE4, Hi: 0x16FE4, Stride: 1}, // the filler of Khitan
		{Lo: 0x1D159, Hi: 0x1D159, Stride: 1}, // a note without a head
	},
}
