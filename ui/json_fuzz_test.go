package ui

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"p2pchat/rooms"
)

func TestJSONEscapesForATerminal(t *testing.T) {
	text := "a\x7f\u009b\u202e\u200b\U000e0041é你"
	for _, escape := range []bool{false, true} {
		line, err := encodeLine(noticeEvent{head{V: 1, Type: "notice"}, text}, escape)
		if err != nil {
			t.Fatal(err)
		}
		var back noticeEvent
		if err := json.Unmarshal(line, &back); err != nil || back.Text != text {
			t.Errorf("%s reads as %q, %v", line, back.Text, err)
		}
		if want := `"a\u007f\u009b\u202e\u200b\udb40\udc41é你"`; escape != strings.Contains(string(line), want) {
			t.Errorf("escape %v: %q", escape, line)
		}
	}
}

// FuzzJSONRequest: no line makes the reader panic; it is refused as a bad
// request or means the same after its fields were written out again; and a ref
// comes back as one line with the same value.
func FuzzJSONRequest(f *testing.F) {
	for name := range requests() {
		f.Add(`{"do":"` + name + `","ref":1,"room":"dev","text":"t","after":3,"expires":"24h","invite":"p2pchat:good"}`)
	}
	f.Add(`{"do":"line","text":"/kick bob","ref":{"a":[1,"\u2028"]}}`)
	f.Add(`{"do":"say","limit":"x"}`)
	f.Fuzz(func(t *testing.T, line string) {
		r, no := readRequest(line)
		object, err := encodeLine(errorObject(r.Ref, lost()), true)
		if err != nil || bytes.Count(object, []byte("\n")) != 1 || !utf8.Valid(object) {
			t.Fatalf("%q: ref %q becomes %q, %v", line, r.Ref, object, err)
		}
		var back struct{ Ref json.RawMessage } // a number may be too large for Go
		if err := json.Unmarshal(object, &back); err != nil {
			t.Fatalf("%q: %v", object, err)
		}
		if ref, value := valueOf(r.Ref), valueOf(back.Ref); ref != nil && !reflect.DeepEqual(ref, value) {
			t.Fatalf("ref %s came back as %s", r.Ref, object)
		}
		if no != nil {
			if no.Code != rooms.BadRequest {
				t.Fatalf("%q is refused with %s", line, no.Code)
			}
			return
		}
		build, ok := requests()[r.Do]
		if !ok {
			return
		}
		cmd, _ := build(testParser(), r)
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		r2, no := readRequest(string(again))
		if no != nil {
			t.Fatalf("%q became %q: %v", line, again, no)
		}
		if cmd2, _ := build(testParser(), r2); !reflect.DeepEqual(cmd, cmd2) {
			t.Fatalf("%q is %#v, %q is %#v", line, cmd, again, cmd2)
		}
	})
}

// valueOf decodes a value, its numbers as they are written; nil: there is none.
func valueOf(raw json.RawMessage) (value any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil
	}
	return value
}
