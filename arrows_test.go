package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says what each package may import: packages of this program by their
// path behind "p2pchat/", others by the beginning of their path. The standard
// library is allowed except for what is named behind "no ".
var arrows = map[string][]string{
	"rooms":   {"golang.org/x/text", "github.com/ergochat/confusables", "no net", "no os", "no sync", "no context"},
	"history": {"rooms"},
	"relay": {
		"relay/internal/pb", "github.com/libp2p", "github.com/multiformats", "google.golang.org/protobuf",
		"github.com/ipfs/go-log", "github.com/ipfs/go-cid", // the directory names keys by CID
	},
	"node/wire": {"rooms", "node/wire/internal/pb", "google.golang.org/protobuf"},
	"node": {
		"rooms", "node/wire", "relay", "github.com/libp2p", "github.com/multiformats", "github.com/ipfs/go-log",
		"github.com/tyler-smith/go-bip39/wordlists", // of fingerprints
	},
	"ui": {
		"rooms", "ui/picture", "github.com/chzyer/readline", "github.com/rivo/uniseg", "github.com/mdp/qrterminal",
		"golang.org/x/term", "golang.org/x/sys", "golang.org/x/text/width", "no net", "net/url", // of dragged files
	},
	"ui/picture": {"golang.org/x/image", "no net"},
	"files":      {"rooms", "ui/picture", "golang.org/x/text", "golang.org/x/sys", "no net"},
	"cmd":        {"rooms", "history", "files", "relay", "node", "ui", "ui/picture", "github.com", "golang.org", "go.uber.org/zap"}, // which go-log writes with
}

// TestArrows keeps the arrows between the packages: what a package may import.
func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		allowed, ok := arrows[strings.TrimPrefix(p.ImportPath, "p2pchat/")]
		if !ok {
			continue
		}
		seen++
		for _, path := range p.Imports {
			if !mayImport(allowed, path) {
				t.Errorf("%s must not import %s", p.ImportPath, path)
			}
		}
	}
	if seen != len(arrows) {
		t.Errorf("%d packages were looked at, %d have arrows", seen, len(arrows))
	}
}

func mayImport(allowed []string, path string) bool {
	if own, ok := strings.CutPrefix(path, "p2pchat/"); ok {
		return slices.Contains(allowed, own)
	}
	top, _, _ := strings.Cut(path, "/")
	if slices.Contains(allowed, path) {
		return true
	}
	if !strings.Contains(top, ".") {
		return !slices.Contains(allowed, "no "+top)
	}
	return slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}
