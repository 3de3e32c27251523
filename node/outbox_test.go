package node

import (
	"bytes"
	"testing"

	"p2pchat/node/wire"
	"p2pchat/rooms"
)

// frames reads what an outbox gives out.
func frames(t *testing.T, b []byte) (refs []uint64, events []rooms.Event) {
	t.Helper()
	for r := wire.NewReader(bytes.NewReader(b)); ; {
		ref, ev, err := r.Event()
		if err != nil {
			return refs, events
		}
		refs, events = append(refs, ref), append(events, ev)
	}
}

// Whoever has the answer to a line has been given the line, also who lags: their
// answer waits until they have caught up with their own line.
func TestReceiptBehindItsLine(t *testing.T) {
	r, o := &room{id: "lobby"}, newOutbox()
	o.expect(r)
	o.enter(r, 1, rooms.Entered{Room: rooms.RoomInfo{Room: "lobby"}, From: rooms.Cursor{Seq: 3}, Head: 7})
	if b, _, _ := o.take(nil); len(b) == 0 {
		t.Fatal("no answer to the entry")
	}
	o.post(r, 8, 8, []byte("not taken, 4 to 7 are to be read first"))
	o.confirm(r, 2, 8)
	o.confirm(r, 3, 2) // said long ago
	for _, page := range []rooms.Seq{6, 8} {
		b, lag, _ := o.take(nil)
		if refs, _ := frames(t, b); page == 6 && (len(refs) != 1 || refs[0] != 3) {
			t.Fatalf("answers before the line was given: %v, want that of an earlier line alone", refs)
		}
		if page == 6 {
			_, lag, _ = o.take(nil)
		}
		if lag == nil || !o.filled(lag, page) {
			t.Fatalf("no gap to be filled up to %d", page)
		}
	}
	b, _, _ := o.take(nil)
	refs, events := frames(t, b)
	if len(refs) != 1 || refs[0] != 2 || events[0] != (rooms.Said{Seq: 8}) {
		t.Fatalf("after the line: %v %v", refs, events)
	}
}

// Who leaves the room, or is put out, is not given the line any more, but told that the
// host has it.
func TestReceiptWithoutItsLine(t *testing.T) {
	for _, end := range []func(*outbox, *room){(*outbox).leave, func(o *outbox, _ *room) { o.finish() }} {
		r, o := &room{id: "lobby"}, newOutbox()
		o.expect(r)
		o.enter(r, 1, rooms.Entered{Room: rooms.RoomInfo{Room: "lobby"}, From: rooms.Cursor{Seq: 3}, Head: 7})
		o.confirm(r, 2, 8)
		end(o, r)
		b, _, _ := o.take(nil)
		if refs, _ := frames(t, b); len(refs) != 2 || refs[1] != 2 {
			t.Fatalf("after the end: %v", refs)
		}
	}
}
