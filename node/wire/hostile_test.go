package wire

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

// rawFrame is the frame of a payload that this package would not write.
func rawFrame(payload []byte) []byte {
	return append(protowire.AppendVarint(nil, uint64(len(payload))), payload...)
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// A rule is what wire.proto says about a field behind its number.
type rule struct {
	limit    int // bytes of a string
	required bool
}

// rulesOfProto reads the brackets in wire.proto, by "Message.field".
func rulesOfProto(t *testing.T) map[string]rule {
	t.Helper()
	text, err := os.ReadFile("wire.proto")
	if err != nil {
		t.Fatal(err)
	}
	message := regexp.MustCompile(`^message (\w+) \{`)
	field := regexp.MustCompile(`^  (?:repeated )?string (\w+) = \d+;(.*)`)
	bracket := regexp.MustCompile(`\[(?:\d+ × )?(\d+)( KiB)?( ASCII)?\]`)
	rules, current := map[string]rule{}, ""
	for _, l := range strings.Split(string(text), "\n") {
		if m := message.FindStringSubmatch(l); m != nil {
			current = m[1]
		}
		m := field.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		limit := bracket.FindStringSubmatch(m[2])
		if limit == nil {
			t.Fatalf("%s.%s has no limit in wire.proto", current, m[1])
		}
		n, _ := strconv.Atoi(limit[1])
		if limit[2] != "" {
			n <<= 10
		}
		rules[current+"."+m[1]] = rule{n, strings.Contains(m[2], "not empty") || strings.Contains(m[2], "none empty")}
	}
	return rules
}

// outcome is what reading a frame came to.
func outcome(err error) string {
	var malformed *MalformedError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &malformed):
		return "malformed"
	case errors.Is(err, ErrUnknown):
		return "unknown"
	case errors.Is(err, ErrTooLarge):
		return "too large"
	}
	return err.Error()
}

// A variation is a value for one field, and what becomes of the frame.
type variation struct {
	value any
	want  string
}

// variations of a field's value: one below its limits, at them, one above.
func variations(rules map[string]rule, fd protoreflect.FieldDescriptor) []variation {
	key := string(fd.Parent().Name()) + "." + string(fd.Name())
	switch fd.Kind() {
	case protoreflect.StringKind:
		r := rules[key]
		empty := map[bool]string{true: "malformed", false: "ok"}[r.required]
		of := func(n int) string { return strings.Repeat("a", n) }
		if key == "Say.file" { // with its kind only
			empty = "malformed"
		}
		return []variation{{"", empty}, {of(1), "ok"}, {of(r.limit - 1), "ok"}, {of(r.limit), "ok"}, {of(r.limit + 1), "malformed"}}
	case protoreflect.BytesKind:
		switch key {
		case "File.hash", "Ready.hash":
			return []variation{{bytes.Repeat([]byte{1}, 31), "malformed"}, {bytes.Repeat([]byte{1}, 32), "ok"}, {bytes.Repeat([]byte{1}, 33), "malformed"}, {make([]byte, 32), "malformed"}}
		case "File.preview":
			return []variation{{make([]byte, rooms.PreviewBytes), "ok"}, {make([]byte, rooms.PreviewBytes+1), "malformed"}}
		}
		return []variation{{make([]byte, 15), "malformed"}, {make([]byte, 16), "ok"}, {make([]byte, 17), "malformed"}}
	case protoreflect.Int32Kind:
		negative := "malformed"
		if key == "Create.limit" || key == "SetLimit.limit" || key == "Invite.uses" {
			negative = "ok" // package rooms refuses it, and says why
		}
		return []variation{{int32(-1), negative}, {int32(0), "ok"}, {int32(1<<31 - 1), "ok"}}
	case protoreflect.Int64Kind:
		return int64Variations(key)
	case protoreflect.Uint32Kind:
		return []variation{{uint32(0), "ok"}, {uint32(rooms.FilePixels), "ok"}, {uint32(rooms.FilePixels + 1), "malformed"}}
	case protoreflect.EnumKind:
		return enumVariations(fd)
	}
	return nil
}

func int64Variations(key string) []variation {
	switch key {
	case "File.size", "HostStatus.disk", "Retention.bytes", "Retention.messages":
		return []variation{{int64(-1), "malformed"}, {int64(0), "ok"}, {int64(1<<63 - 1), "ok"}}
	case "File.duration":
		most := rooms.FileDuration.Milliseconds()
		return []variation{{int64(-1), "malformed"}, {int64(0), "ok"}, {most, "ok"}, {most + 1, "malformed"}}
	case "Refusal.retry", "Retention.age":
		return []variation{{int64(-1), "malformed"}, {int64(lastLife), "ok"}, {int64(lastLife + 1), "malformed"}}
	case "Invite.life", "Ban.life":
		return []variation{
			{int64(-lastLife - 1), "malformed"},
			{int64(-lastLife), "ok"},
			{int64(lastLife), "ok"},
			{int64(lastLife + 1), "malformed"},
		}
	}
	return []variation{
		{int64(firstMilli - 1), "malformed"},
		{int64(firstMilli), "ok"},
		{int64(0), "ok"},
		{int64(-1), "ok"},
		{int64(lastMilli), "ok"},
		{int64(lastMilli + 1), "malformed"},
	}
}

func enumVariations(fd protoreflect.FieldDescriptor) []variation {
	values := fd.Enum().Values()
	zero := "ok"
	if strings.HasSuffix(string(values.Get(0).Name()), "_UNSPECIFIED") {
		zero = "malformed"
	}
	return []variation{
		{protoreflect.EnumNumber(-1), "malformed"},
		{protoreflect.EnumNumber(0), zero},
		{protoreflect.EnumNumber(values.Len()), "unknown"},
		{protoreflect.EnumNumber(1 << 20), "unknown"},
	}
}

// visit calls f for every populated field below m, and for an element of every list.
// Afterwards the field has its value again.
func visit(m protoreflect.Message, f func(fd protoreflect.FieldDescriptor, set func(protoreflect.Value))) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList() && fd.Message() != nil:
			for i := range v.List().Len() {
				visit(v.List().Get(i).Message(), f)
			}
		case fd.IsList():
			before := v.List().Get(0)
			f(fd, func(value protoreflect.Value) { v.List().Set(0, value) })
			v.List().Set(0, before)
		case fd.Message() != nil:
			visit(v.Message(), f)
		default:
			f(fd, func(value protoreflect.Value) { m.Set(fd, value) })
			m.Set(fd, v)
		}
		return true
	})
}

// TestEveryFieldIsChecked sets every field of every golden frame to values around
// its limits. So wire.proto's comments and the checks cannot part.
func TestEveryFieldIsChecked(t *testing.T) {
	rules := rulesOfProto(t)
	tried := map[string]bool{}
	frames := map[string]func() proto.Message{
		"hello":   func() proto.Message { return new(pb.Hello) },
		"command": func() proto.Message { return new(pb.ClientFrame) },
		"event":   func() proto.Message { return new(pb.HostFrame) },

		"file_request": func() proto.Message { return new(pb.FileRequest) },
		"file_answer":  func() proto.Message { return new(pb.FileAnswer) },
	}
	for _, d := range directions() {
		for name, golden := range goldenFrames(t, d.name) {
			_, n := protowire.ConsumeVarint(golden)
			m := frames[d.name]()
			if err := proto.Unmarshal(golden[n:], m); err != nil {
				t.Fatal(err)
			}
			visit(m.ProtoReflect(), func(fd protoreflect.FieldDescriptor, set func(protoreflect.Value)) {
				key := string(fd.Parent().Name()) + "." + string(fd.Name())
				tried[key] = true
				for _, v := range variations(rules, fd) {
					set(protoreflect.ValueOf(v.value))
					_, err := d.read(NewReader(bytes.NewReader(rawFrame(marshal(t, m)))))
					// A message's kind and its file belong together: another test.
					if got := outcome(err); got != v.want && !strings.HasSuffix(key, ".kind") {
						t.Errorf("%s/%s: %s = %.20v: %s (%v), want %s", d.name, name, key, v.value, got, err, v.want)
					}
				}
			})
		}
	}
	for key := range rules {
		if !tried[key] {
			t.Errorf("no golden frame has a %s", key)
		}
	}
}
