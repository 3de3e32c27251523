package rooms_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"p2pchat/rooms"
)

// commands has one of every kind.
var commands = map[string]rooms.Command{
	"List": rooms.List{}, "Create": rooms.Create{}, "Join": rooms.Join{}, "Leave": rooms.Leave{}, "Who": rooms.Who{},
	"Rename": rooms.Rename{}, "Say": rooms.Say{}, "History": rooms.History{}, "Whisper": rooms.Whisper{}, "Topic": rooms.Topic{},
	"SetLimit": rooms.SetLimit{}, "Invite": rooms.Invite{}, "Invites": rooms.Invites{}, "Revoke": rooms.Revoke{},
	"Kick": rooms.Kick{}, "Ban": rooms.Ban{}, "Unban": rooms.Unban{}, "Bans": rooms.Bans{}, "Mute": rooms.Mute{}, "Op": rooms.Op{},
	"Whois": rooms.Whois{}, "Close": rooms.Close{}, "Search": rooms.Search{}, "Files": rooms.Files{}, "Redact": rooms.Redact{}, "SetRetention": rooms.SetRetention{},
	"Status": rooms.Status{}, "Ping": rooms.Ping{}, "Quit": rooms.Quit{},
	"Connect": rooms.Connect{}, "Disconnect": rooms.Disconnect{},
}

// elsewhere are the commands that a room answers, not the registry.
var elsewhere = []string{"Say", "History", "Search", "Files", "Redact"}

// sources parses the package.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	return files
}

// having lists the types that have a method.
func having(t *testing.T, method string) []string {
	t.Helper()
	var all []string
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == method {
				if name, ok := fn.Recv.List[0].Type.(*ast.Ident); ok {
					all = append(all, name.Name)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestCommandsAreDecided: no command is forgotten.
func TestCommandsAreDecided(t *testing.T) {
	kinds := having(t, "command")
	if len(kinds) != len(commands) {
		t.Errorf("the package has %d commands, this test %d", len(kinds), len(commands))
	}
	for _, kind := range kinds {
		cmd, ok := commands[kind]
		if !ok {
			t.Errorf("this test has no %s", kind)
			continue
		}
		h := newHost(t)
		_, refusal := h.connect("alice").ask(cmd)
		unknown := refusal != nil && refusal.Message == "the host doesn't know this command"
		if unknown != slices.Contains(elsewhere, kind) {
			t.Errorf("%s: %v", kind, refusal)
		}
	}
}

// TestEffectsAreKnown: the model has to be told of a new kind of effect.
func TestEffectsAreKnown(t *testing.T) {
	want := []string{"Attach", "Broadcast", "Detach", "Drop", "Ended", "Opened", "Tell"}
	if got := having(t, "effect"); !slices.Equal(got, want) {
		t.Errorf("effects %v, want %v", got, want)
	}
}

// TestCodes: the codes are stable, each listed once.
func TestCodes(t *testing.T) {
	want := "room_exists no_such_room room_full bad_name name_taken not_in_room denied banned invite_invalid rate_limited " +
		"too_long too_large quota storage no_such_member no_such_file bad_request unsupported_version unreachable identity_mismatch busy"
	var got []string
	for _, code := range rooms.Codes() {
		got = append(got, string(code))
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("codes\n got %s\nwant %s", s, want)
	}
	n := 0
	for _, f := range sources(t) {
		ast.Inspect(f, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" {
					n++
				}
			}
			return true
		})
	}
	if n != len(got) {
		t.Errorf("%d codes are declared, %d listed", n, len(got))
	}
}

// TestSentences reads every refusal in the source: whatever a test does not reach
// has a message too, which starts small and has no full stop.
func TestSentences(t *testing.T) {
	hintless := regexp.MustCompile(`^"(this session has ended|the host doesn't know|this topic is not text|an invite has 1 to|you can't ban|this is not something|%q is the owner)`)
	n := 0
	for _, f := range sources(t) {
		ast.Inspect(f, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "Refuse" || len(call.Args) < 3 {
				return true
			}
			n++
			message, ok := call.Args[2].(*ast.BasicLit)
			if !ok {
				t.Errorf("a refusal without its own message: %v", call.Args[2])
				return true
			}
			hint, _ := call.Args[1].(*ast.BasicLit)
			for _, lit := range []*ast.BasicLit{message, hint} {
				if lit != nil && regexp.MustCompile(`^"[A-Z ]|[.! ]"$`).MatchString(lit.Value) {
					t.Errorf("%s: a capital, a blank or a full stop", lit.Value)
				}
			}
			if hint != nil && hint.Value == `""` && !hintless.MatchString(message.Value) {
				t.Errorf("%s has no hint", message.Value)
			}
			return true
		})
	}
	if n < 35 {
		t.Errorf("only %d refusals were found", n)
	}
	t.Logf("%d refusals", n)
}

func TestStrings(t *testing.T) {
	for got, want := range map[string]string{
		rooms.Plain.String(): "member", rooms.Operator.String(): "op", rooms.Owner.String(): "owner",
		rooms.Text.String(): "text", rooms.Action.String(): "action", rooms.FileUp.String(): "file", rooms.Redaction.String(): "redaction", rooms.Lost.String(): "lost", rooms.Kind(0).String(): "unknown",
		rooms.MemberChange(0).String(): "", rooms.MemberUnmuted.String(): "unmuted", rooms.MemberRole.String(): "role",
		rooms.RoomEntered.String(): "entered", rooms.RoomUpdated.String(): "changed",
		rooms.ConnectionLost.String(): "lost", rooms.ConnectionGone.String(): "gone",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for n := range 256 { // what a newer host may send
		_, _, _ = rooms.MemberChange(n).String(), rooms.RoomChange(n).String(), rooms.ConnectionChange(n).String()
	}
	if got := (&rooms.Refusal{Message: "no"}).Error(); got != "no" {
		t.Errorf("a refusal without a hint: %q", got)
	}
}
