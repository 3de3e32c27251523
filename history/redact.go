package history

import (
	"errors"
	"fmt"
	"io"
	"os"

	"p2pchat/rooms"
)

// Redact appends m, a rooms.Redaction, and takes what its target said out of the
// disk: the text, and the description of an attachment. It returns nil when the
// message is durable and no file of the room holds the text any more, except what a
// repair has set aside. Hash, author and time of the target stay, and so does the
// chain. The segment that holds it, at most some MiB, is written anew.
//
// The error matches ErrNoMessage when there is nothing to take out; it is a
// *DamageError when the target's segment is damaged. Nothing was written then. All
// other errors are those of Append; where m is durable all the same, readers do not
// see the text, and the disk loses it when the log is opened or revived.
func (l *Log) Redact(m rooms.Message) error {
	if l.failed != nil {
		return l.failed
	}
	now := l.view.Load()
	if m.Target < now.segments[0] || m.Target > now.head() {
		return fmt.Errorf("message %d: %w", m.Target, ErrNoMessage)
	}
	_, said, err := l.without(now, m.Target)
	if err == nil && !said {
		err = fmt.Errorf("message %d: %w", m.Target, ErrNoMessage)
	}
	if err == nil {
		err = l.dropTorn()
	}
	if err != nil {
		return err
	}
	m.Kind = rooms.Redaction
	return l.Append([]rooms.Message{m})
}

// carryOut takes out what open redactions named. Where this fails, they stay open.
func (l *Log) carryOut() error {
	for now := l.view.Load(); len(now.open) > 0; now = l.view.Load() {
		target := now.open[0]
		if target >= now.segments[0] && target <= now.head() {
			content, _, err := l.without(now, target)
			if err == nil {
				err = l.install(now, now.holder(target), content)
			}
			if err == nil {
				err = l.detach(target, target)
			}
			if err != nil {
				return err
			}
		}
		next := *l.view.Load()
		next.open = next.open[1:]
		l.view.Store(&next)
	}
	return nil
}

// openRedactions returns those targets of redactions that still say something, as far
// as damage lets it see them.
func (l *Log) openRedactions(redactions []rooms.Seq) ([]rooms.Seq, error) {
	var open []rooms.Seq
	for _, seq := range redactions {
		msgs, err := l.page(seq-1, 1, nil)
		if err != nil {
			return nil, err
		}
		if len(msgs) == 0 || msgs[0].Target == 0 {
			continue
		}
		target, said := msgs[0].Target, false
		_, err = l.page(target-1, 1, func(rec *record) bool {
			said = rec.said()
			return true
		})
		var damage *DamageError
		if err != nil && !errors.As(err, &damage) {
			return nil, err
		}
		if said && target >= l.First() {
			open = append(open, target)
		}
	}
	return open, nil
}

// without returns the file of the segment that holds target, as it is without what
// target said, and whether it said something.
func (l *Log) without(now *view, target rooms.Seq) (content []byte, said bool, err error) {
	i := now.holder(target)
	if i < len(now.segments)-1 {
		f, e, err := l.scanClosed(now.segments[i], now.segments[i+1])
		if err != nil {
			return nil, false, err
		}
		defer f.Close()
		return rewrite(f, e.index, target)
	}
	f, err := l.store.fs.OpenFile(l.tailPath(), os.O_RDONLY)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	return rewrite(f, now.last, target)
}

// rewrite copies a segment. Only the block that holds target is encoded again.
func rewrite(f file, x index, target rooms.Seq) (content []byte, said bool, err error) {
	x.rewrites++
	content = append(make([]byte, 0, x.end), x.header.encode(logMagic)...)
	r := frameReader{f: f, salt: x.salt, off: headerSize, end: x.end}
	var block int64 // where the block begins, in f and, so far, in content
	for {
		fr, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return content, said, nil
		case err != nil:
			return nil, false, err
		case fr.flags&flagRestart != 0:
			block = fr.off
		}
		if fr.seq != target {
			content = appendFrame(content, x.salt, fr.flags, fr.seq, fr.payload)
			continue
		}
		r.off = block
		content, said, err = rewriteBlock(content[:block], &r, target)
		if err != nil {
			return nil, false, err
		}
	}
}

// rewriteBlock adds the block that begins at r to content. Later programs may need a
// byte more for a block: then it becomes two.
func rewriteBlock(content []byte, r *frameReader, target rooms.Seq) (_ []byte, said bool, err error) {
	var in blockReader
	var out blockWriter
	for first := true; ; first = false {
		fr, err := r.next()
		if err == nil && !first && fr.flags&flagRestart != 0 {
			r.off = fr.off
			err = io.EOF
		}
		if errors.Is(err, io.EOF) {
			return append(content, out.buf...), said, nil
		}
		if err != nil {
			return nil, false, err
		}
		var rec record
		if err := in.decode(fr, &rec); err != nil {
			return nil, false, fmt.Errorf("message %d: %w", fr.seq, err)
		}
		if fr.seq == target {
			said = rec.said()
			rec.takeOut()
		}
		if _, err := out.add(r.salt, fr.flags&^flagRestart, fr.seq, &rec); err != nil {
			return nil, false, err
		}
	}
}
