package history

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"p2pchat/rooms"
)

// twoGenerations makes a state of two generations: both say changes 1 to 5, and the
// newest goes on with 6 to 11. It returns the newest one's file.
func twoGenerations(t testing.TB) (*memory, *node) {
	t.Helper()
	m := newMemory()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Record(someChanges(1, 5)...); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(someChanges(1, 5)); err != nil {
		t.Fatal(err)
	}
	for n := 6; n < 12; n += 2 {
		if err := s.Record(someChanges(n, n+1)...); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	m.reboot(false, nil)
	return m, mustFind(t, m, "/data/state/"+stateName(2))
}

// expectState repairs the state: what is kept are the changes from 1 to 11 without some of
// those that were hit, and the state takes changes again.
func expectState(t *testing.T, m *memory, mayMiss map[rooms.Seq]bool) StateRepair {
	t.Helper()
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.RepairState()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Changes()
	if err != nil || len(got) != r.Kept {
		t.Fatalf("%d changes, %v; %v", len(got), err, r)
	}
	torn := !r.Done() && s.Repaired() != ""
	for seq := rooms.Seq(1); seq <= 11; seq++ {
		if len(got) > 0 && equalChange(got[0], someChange(int(seq))) {
			got = got[1:]
		} else if !mayMiss[seq] && !torn {
			t.Fatalf("change %d is missing: %v", seq, r)
		}
	}
	if len(got) > 0 {
		t.Fatalf("%d changes that nobody made: %+v", len(got), got)
	}
	before := bytesOf(m.root, "", map[string]string{})
	if again, err := s.RepairState(); err != nil || again.Done() || !reflect.DeepEqual(before, bytesOf(m.root, "", map[string]string{})) {
		t.Fatalf("the second repair: %v, %v", again, err)
	}
	if err := s.Record(someChange(99)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRepairStateEveryFlippedBit(t *testing.T) {
	m, n := twoGenerations(t)
	frames := stateFrames(t, n)
	for bit := 0; bit < len(n.data)*8; bit += 3 {
		m := m.clone()
		n := mustFind(t, m, "/data/state/"+stateName(2))
		n.data[bit/8] ^= 1 << (bit % 8)
		lost := hit(frames, int64(bit/8), int64(bit/8)+1)
		for seq := range lost {
			if seq <= 5 {
				delete(lost, seq) // the generation before has it
			}
		}
		r := expectState(t, m, lost)
		if !r.Done() || r.Lost != len(lost) || r.End || len(r.Aside) != 1 {
			t.Fatalf("bit %d: %+v, %d were hit", bit, r, len(lost))
		}
	}
}

func stateFrames(t *testing.T, n *node) []placed {
	t.Helper()
	h, err := decodeHeader(n.data[:headerSize], stateMagic, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []placed
	r := frameReader{f: &memoryFile{newMemory(), n, ""}, salt: h.salt, off: headerSize, end: int64(len(n.data))}
	for fr, err := r.next(); err == nil; fr, err = r.next() {
		all = append(all, placed{fr.off, fr.next(), fr.seq})
	}
	return all
}

// TestRepairStateWithoutSnapshot spoils the header and the snapshot, and cuts the file.
func TestRepairStateWithoutSnapshot(t *testing.T) {
	m, n := twoGenerations(t)
	frames := stateFrames(t, n)
	clear(n.data[headerSize : frames[2].off+5])
	if r := expectState(t, m.clone(), nil); r.Lost != 0 || !r.Older || r.End {
		t.Errorf("without a part of the snapshot: %+v", r)
	}
	n.data = n.data[:frames[3].off]
	if r := expectState(t, m.clone(), hit(frames, frames[5].off, 1<<20)); !r.Older || r.Kept != 5 {
		t.Errorf("cut in the snapshot: %+v", r)
	}

	m, n = twoGenerations(t)
	clear(n.data[:headerSize])
	if r := expectState(t, m.clone(), nil); r.Lost != 0 || r.Kept != 11 {
		t.Errorf("without a header: %+v", r)
	}
	n.data = nil
	if r := expectState(t, m, hit(frames, frames[5].off, 1<<20)); r.Kept != 5 || !r.End {
		t.Errorf("an empty file: %+v", r)
	}
}

// TestRepairStateCutShort ends a repair at every call.
func TestRepairStateCutShort(t *testing.T) {
	whole, n := twoGenerations(t)
	frames := stateFrames(t, n)
	rnd := rand.New(rand.NewPCG(8, 9))
	for _, power := range []bool{true, false} {
		for call, done := 1, false; !done; call++ {
			m := whole.clone()
			n := mustFind(t, m, "/data/state/"+stateName(2))
			n.data[frames[6].off+3] ^= 1
			n.durable = slices.Clone(n.data)
			s, err := openMemory(m)
			if err != nil {
				t.Fatal(err)
			}
			if power {
				m.stop = m.calls + call
			} else {
				m.nth = m.calls + call
			}
			_, err = s.RepairState()
			done = err == nil && m.calls < max(m.stop, m.nth)
			if err != nil && !power {
				if rerr := s.Record(someChange(1)); !errors.Is(rerr, ErrReadOnly) {
					t.Fatalf("call %d: after %v a record: %v", call, err, rerr)
				}
			}
			m.reboot(power, rnd)
			expectState(t, m, map[rooms.Seq]bool{frames[6].seq: true})
		}
	}
}

// FuzzRepair repairs a room whose first segment holds any bytes: it ends up whole, with
// the second segment as it was.
func FuzzRepair(f *testing.F) {
	addGolden(f, "rooms/*/seg-0000000000000001.log")
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		m := newMemory()
		putFile(t, m, roomPath+"/"+segmentName(1), fuzzFile(data, mode, logMagic, lobby))
		h := header{salt: 5, room: lobby, first: 21, epoch: 9}
		b := h.encode(logMagic)
		var w blockWriter
		m21 := said(21)
		rec, _ := newRecord(&m21, chainSum{})
		if _, err := w.add(h.salt, flagBegin|flagEnd, 21, &rec); err != nil {
			t.Fatal(err)
		}
		putFile(t, m, roomPath+"/"+segmentName(21), append(b, w.buf...))
		s, err := openMemory(m)
		if err != nil {
			t.Fatal(err)
		}
		var r Repair
		expectLittleMemory(t, func() { r, err = s.Repair(lobby) })
		var later *VersionError
		if errors.As(err, &later) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Report.Problems {
			if !strings.HasSuffix(p.Text, "does not continue the chain") {
				t.Fatalf("still: %v", p)
			}
		}
		l := openRoom(t, s)
		if l.Damage() != nil || l.Head() < 21 {
			t.Fatalf("head %d, %v", l.Head(), l.Damage())
		}
		if got, err := l.After(20, 1); err != nil || len(got) != 1 || !equalMessage(got[0], said(21)) {
			t.Fatalf("message 21: %+v, %v", got, err)
		}
	})
}

// TestDefinitionsOfAnotherProcess decodes a record that has lost its block and was written
// under another number of its type.
func TestDefinitionsOfAnotherProcess(t *testing.T) {
	m := said(3)
	want, _ := newRecord(&m, chainSum{1})
	var w blockWriter
	for range 2 { // the second one is alone
		w.reset()
		if _, err := w.add(0, 0, 3, &want); err != nil {
			t.Fatal(err)
		}
	}
	_, value, _ := splitPayload(w.buf[frameHead:])
	_, fields := splitValue(value)
	own := ownDefinitions(&record{})
	for _, number := range []uint64{2 * 64, 2 * 65, 2 * 66, 2 * 5000} {
		b := appendGobUint(nil, number)
		payload := append(appendGobUint(nil, uint64(len(b)+len(fields))), append(b, fields...)...)
		var got record
		if err := own.decode(payload, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("type number %d: %+v, %v", number, got, err)
		}
		if err := own.decode(payload[:len(payload)-2], &got); err == nil {
			t.Error("a part of a record was decoded")
		}
	}
}
