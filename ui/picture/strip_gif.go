package picture

// Blocks of GIF.
const (
	gifImage       = 0x2c
	gifExtension   = 0x21
	gifTrailer     = 0x3b
	gifComment     = 0xfe
	gifApplication = 0xff
)

// stripGIF keeps the pictures, how they are shown, how often, and their colour
// profile; comments and what other applications left are taken out.
func (f *file) stripGIF(e *edits) error {
	head, err := f.bytes(0, 13)
	if err != nil {
		return err
	}
	off := 13 + gifTable(head[10])
	if off > f.size {
		return malformed("it ends too early")
	}
	e.keep(0, off)
	for pictures := 0; ; {
		if err := f.step(); err != nil {
			return err
		}
		h, err := f.bytes(off, 2)
		if err != nil && off == f.size-1 {
			h, err = f.bytes(off, 1)
		}
		if err != nil {
			return err
		}
		start, kept := off, true
		switch {
		case h[0] == gifTrailer:
			if pictures == 0 {
				return malformed("no picture in it")
			}
			e.keep(off, off+1)
			return nil
		case h[0] == gifImage:
			pictures++
			h, err := f.bytes(off, 10)
			if err != nil {
				return err
			}
			off += 10 + gifTable(h[9]) + 1 // and the code size
		case h[0] == gifExtension && len(h) == 2:
			if kept, err = f.gifKept(h[1], off); err != nil {
				return err
			}
			off += 2
		default:
			return malformed("no block where one has to be")
		}
		if off, err = f.gifBlocksEnd(off); err != nil {
			return err
		}
		if kept {
			e.keep(start, off)
		}
	}
}

// gifTable is the length of the colour table that the flags announce.
func gifTable(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// gifKept reports whether the extension that begins at off stays.
func (f *file) gifKept(label byte, off int64) (bool, error) {
	if label == gifComment {
		return false, nil
	}
	if label != gifApplication {
		return true, nil
	}
	h, err := f.bytes(off, 14)
	if err != nil {
		return false, err
	}
	name := string(h[3:])
	return name == "NETSCAPE2.0" || name == "ANIMEXTS1.0" || name == "ICCRGBG1012", nil
}

// gifBlocksEnd is where the blocks of data that begin at off end.
func (f *file) gifBlocksEnd(off int64) (int64, error) {
	if f.buf == nil {
		f.buf = make([]byte, 32<<10)
	}
	buf, from := f.buf[:0], off
	for {
		if off < from || off >= from+int64(len(buf)) {
			n := min(int64(cap(buf)), f.size-off)
			if n <= 0 {
				return 0, malformed("it ends too early")
			}
			buf, from = buf[:n], off
			if k, err := f.r.ReadAt(buf, off); k < len(buf) {
				return 0, err
			}
		}
		n := int64(buf[off-from])
		if off += 1 + n; n == 0 {
			return off, nil
		}
	}
}
