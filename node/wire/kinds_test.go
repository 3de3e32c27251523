package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"p2pchat/node/wire/internal/pb"
)

// TestEveryKindHasItsForm compares three lists: the kinds that package rooms
// declares, the fields of the oneof, and the examples.
func TestEveryKindHasItsForm(t *testing.T) {
	local := map[string]bool{"connect": true, "disconnect": true, "spoke": true, "answered": true, "connection": true, "path": true}
	for _, tt := range []struct {
		method   string
		frame    protoreflect.Message
		examples map[string]any
	}{
		{"command", (&pb.ClientFrame{}).ProtoReflect(), anyMap(commandExamples)},
		{"event", (&pb.HostFrame{}).ProtoReflect(), anyMap(eventExamples)},
	} {
		declared := slices.DeleteFunc(kindsOfRooms(t, tt.method), func(kind string) bool { return local[kind] })
		var wired []string
		fields := tt.frame.Descriptor().Oneofs().ByName("body").Fields()
		for i := range fields.Len() {
			wired = append(wired, string(fields.Get(i).Name()))
		}
		seen := map[string]bool{}
		for name, value := range tt.examples {
			kind, _, _ := strings.Cut(name, "-")
			seen[kind] = true
			if got := snake(reflect.Indirect(reflect.ValueOf(value)).Type().Name()); got != kind {
				t.Errorf("example %q is a %s", name, got)
			}
		}
		slices.Sort(declared)
		slices.Sort(wired)
		if !slices.Equal(declared, wired) {
			t.Errorf("%ss of package rooms: %v\nin wire.proto: %v", tt.method, declared, wired)
		}
		if shown := slices.Sorted(maps.Keys(seen)); !slices.Equal(shown, wired) {
			t.Errorf("%ss with an example: %v\nin wire.proto: %v", tt.method, shown, wired)
		}
	}
}

// kindsOfRooms returns the types of package rooms that have the sealing method,
// in the form of a protobuf field's name.
func kindsOfRooms(t *testing.T, method string) (kinds []string) {
	t.Helper()
	paths, err := filepath.Glob("../../rooms/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != method {
				continue
			}
			receiver := fn.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			kinds = append(kinds, snake(receiver.(*ast.Ident).Name))
		}
	}
	return kinds
}

func snake(camel string) string {
	var out strings.Builder
	for i, r := range camel {
		if i > 0 && r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteString(strings.ToLower(string(r)))
	}
	return out.String()
}
