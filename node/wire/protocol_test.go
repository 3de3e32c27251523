package wire

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"p2pchat/node/wire/internal/pb"
	"p2pchat/rooms"
)

func protocolText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func section(t *testing.T, text, title string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n## "+title+"\n")
	if !ok {
		t.Fatalf("PROTOCOL.md has no section %q", title)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

func TestProtocolNamesEveryCode(t *testing.T) {
	var want, got []string
	for _, code := range rooms.Codes() {
		want = append(want, string(code))
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")
	for _, row := range rows.FindAllStringSubmatch(section(t, protocolText(t), "Codes"), -1) {
		got = append(got, row[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("PROTOCOL.md %v\nrooms.Codes %v", got, want)
	}
}

func TestProtocolNamesEveryMessage(t *testing.T) {
	var want, got []string
	messages := pb.File_wire_proto.Messages()
	for i := range messages.Len() {
		want = append(want, string(messages.Get(i).Name()))
	}
	names := regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	for _, name := range names.FindAllStringSubmatch(protocolText(t), -1) {
		got = append(got, name[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("PROTOCOL.md %v\nwire.proto %v", got, want)
	}
}

// TestProtocolNamesEveryAnswer compares the tables of PROTOCOL.md with what the
// comments of wire.proto say.
func TestProtocolNamesEveryAnswer(t *testing.T) {
	proto, err := os.ReadFile("wire.proto")
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	comment := regexp.MustCompile(`(?m)^// (\w+) .*Answer: (\w+)`)
	for _, m := range comment.FindAllStringSubmatch(string(proto), -1) {
		answers[m[1]] = m[2]
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `(\\w+)` \\|")
	found := rows.FindAllStringSubmatch(section(t, protocolText(t), "Commands and answers"), -1)
	for _, row := range found {
		if answers[row[1]] != row[2] {
			t.Errorf("%s: PROTOCOL.md %s, wire.proto %s", row[1], row[2], answers[row[1]])
		}
	}
	if commands := (&pb.ClientFrame{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields().Len(); len(found) != commands {
		t.Errorf("%d commands in PROTOCOL.md, %d in wire.proto", len(found), commands)
	}
}

func TestProtocolNamesTheConstants(t *testing.T) {
	text := protocolText(t)
	for _, want := range []string{Protocol, "4,096 bytes", "65,536 bytes", "4,194,304 bytes", "16,384 items"} {
		if !strings.Contains(text, want) {
			t.Errorf("PROTOCOL.md does not name %s", want)
		}
	}
	if HelloLimit != 4096 || FrameLimit != 65536 || AnswerLimit != 4194304 || AnswerItems != 16384 {
		t.Error("a constant of version 1 has changed")
	}
}
