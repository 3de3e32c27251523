package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// fromLater is a frame with a body that this version does not know.
func fromLater(ref uint64) []byte {
	payload := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), ref)
	payload = protowire.AppendBytes(protowire.AppendTag(payload, 1000, protowire.BytesType), []byte("later"))
	return rawFrame(payload)
}

func TestKindsOfLaterVersionsAreSkipped(t *testing.T) {
	r := NewReader(bytes.NewReader(append(fromLater(9), AppendCommand(nil, 10, rooms.Ping{})...)))
	if ref, cmd, err := r.Command(); ref != 9 || cmd != nil || !errors.Is(err, ErrUnknown) {
		t.Errorf("ref %d, %v, %v", ref, cmd, err)
	}
	if ref, cmd, err := r.Command(); ref != 10 || cmd != (rooms.Ping{}) || err != nil {
		t.Errorf("then ref %d, %v, %v", ref, cmd, err)
	}
	r = NewReader(bytes.NewReader(append(fromLater(9), AppendEvent(nil, 0, rooms.Done{})...)))
	if ref, ev, err := r.Event(); ref != 9 || ev != nil || !errors.Is(err, ErrUnknown) {
		t.Errorf("ref %d, %v, %v", ref, ev, err)
	}
	if ref, ev, err := r.Event(); ref != 0 || ev != (rooms.Done{}) || err != nil {
		t.Errorf("then ref %d, %v, %v", ref, ev, err)
	}
}

func TestFieldsOfLaterVersionsAreIgnored(t *testing.T) {
	for _, d := range directions() {
		for name, golden := range goldenFrames(t, d.name) {
			_, n := protowire.ConsumeVarint(golden)
			payload := protowire.AppendBytes(protowire.AppendTag(golden[n:], 1000, protowire.BytesType), []byte("later"))
			got, err := d.read(NewReader(bytes.NewReader(rawFrame(payload))))
			if err != nil || !reflect.DeepEqual(got, d.examples[name]) {
				t.Errorf("%s/%s: %+v, %v", d.name, name, got, err)
			}
		}
	}
}

func TestCommandsNeedARef(t *testing.T) {
	frame := AppendCommand(nil, 0, rooms.Ping{})
	if _, _, err := NewReader(bytes.NewReader(frame)).Command(); outcome(err) != "malformed" {
		t.Errorf("%v", err)
	}
	if _, _, err := NewReader(bytes.NewReader([]byte{0})).Command(); outcome(err) != "malformed" {
		t.Errorf("empty frame: %v", err)
	}
}

func TestAFileBelongsToItsKind(t *testing.T) {
	for _, tt := range []struct {
		kind pb.Kind
		file *pb.File
		want string
	}{
		{pb.Kind_KIND_TEXT, nil, "ok"},
		{pb.Kind_KIND_TEXT, &pb.File{Id: "f"}, "malformed"},
		{pb.Kind_KIND_FILE, nil, "malformed"},
		{pb.Kind_KIND_FILE, &pb.File{Id: "f"}, "ok"},
		{pb.Kind_KIND_UNSPECIFIED, nil, "malformed"},
		{-1, nil, "malformed"},
		{6, nil, "unknown"},
		{6, &pb.File{Id: "f"}, "unknown"},
	} {
		m := &pb.Message{Room: "lobby", Seq: 1, Kind: tt.kind, Peer: "p", Nick: "n", File: tt.file}
		frame := rawFrame(marshal(t, &pb.HostFrame{Body: &pb.HostFrame_Posted{Posted: m}}))
		if _, _, err := NewReader(bytes.NewReader(frame)).Event(); outcome(err) != tt.want {
			t.Errorf("kind %d, file %v: %v, want %s", tt.kind, tt.file, err, tt.want)
		}
		if tt.file != nil {
			continue
		}
		want := tt.want
		if tt.kind == pb.Kind_KIND_FILE { // comes over another stream
			want = "malformed"
		}
		frame = rawFrame(marshal(t, &pb.ClientFrame{Ref: 1, Body: &pb.ClientFrame_Say{Say: &pb.Say{Kind: tt.kind}}}))
		if _, _, err := NewReader(bytes.NewReader(frame)).Command(); outcome(err) != want {
			t.Errorf("say of kind %d: %v, want %s", tt.kind, err, want)
		}
	}
}

func TestRequiredPartsAreThere(t *testing.T) {
	noSeq := &pb.Message{Room: "lobby", Kind: pb.Kind_KIND_TEXT, Peer: "p", Nick: "n"}
	for name, m := range map[string]*pb.HostFrame{
		"message without seq":    {Body: &pb.HostFrame_Posted{Posted: noSeq}},
		"entered without a room": {Body: &pb.HostFrame_Entered{Entered: &pb.Entered{}}},
		"invited without invite": {Body: &pb.HostFrame_Invited{Invited: &pb.Invited{}}},
		"change without member":  {Body: &pb.HostFrame_MemberChanged{MemberChanged: &pb.MemberChanged{What: 1}}},
		"change without room":    {Body: &pb.HostFrame_RoomChanged{RoomChanged: &pb.RoomChanged{What: 1}}},
		"whisper from nobody":    {Body: &pb.HostFrame_Whispered{Whispered: &pb.Whispered{To: &pb.Author{Nick: "n"}}}},
		"whisper to nobody":      {Body: &pb.HostFrame_Whispered{Whispered: &pb.Whispered{From: &pb.Author{Nick: "n"}}}},
		"peer ID with a space":   {Body: &pb.HostFrame_Member{Member: &pb.Member{Peer: "a b"}}},
		"code with a space":      {Body: &pb.HostFrame_Refusal{Refusal: &pb.Refusal{Code: "no way"}}},
	} {
		_, _, err := NewReader(bytes.NewReader(rawFrame(marshal(t, m)))).Event()
		if outcome(err) != "malformed" || err.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	var nested []byte
	for range 5000 {
		nested = append(nested, 100<<3&0x7f|3|0x80, 100>>4) // a group that opens and never ends
	}
	for _, d := range directions() {
		if _, err := d.read(NewReader(bytes.NewReader(rawFrame(nested[:HelloLimit])))); outcome(err) != "malformed" {
			t.Errorf("%s: %v", d.name, err)
		}
	}
}

func TestOneEventGivesTheSameBytes(t *testing.T) {
	for name, ev := range eventExamples {
		first := AppendEvent(nil, 0, ev)
		for range 20 {
			if again := AppendEvent([]byte("x"), 0, ev); !bytes.Equal(again[1:], first) {
				t.Fatalf("%s: %x, then %x", name, first, again[1:])
			}
		}
	}
}
