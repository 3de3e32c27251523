package node

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/tyler-smith/go-bip39/wordlists"

	"p2pchat/rooms"
)

// TestWords has answers that another program made (a few lines of Python with the
// list that BIP-39 publishes).
func TestWords(t *testing.T) {
	for id, want := range map[rooms.PeerID]string{
		"12D3KooWEyopopk1x5tqPSQQJQmQX4tGCsZeXTRVxJqbPjQqLPyo": "still mercy divorce heart amazing month element fall hybrid try tooth ability",
		"12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq": "pioneer brown angle topple mimic genuine oblige enjoy sound truly spawn certain",
		"12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN": "brief dish consider festival capital tissue symbol cross repair unhappy digital spider",
	} {
		got, err := Words(id)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", id, got, err, want)
		}
	}
	for _, id := range []rooms.PeerID{"", "nobody", "12D3KooW", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"} {
		if got, err := Words(id); err == nil {
			t.Errorf("%q has the words %q", id, got)
		}
	}
}

// TestWordList: the list is the published one, whatever becomes of the library.
func TestWordList(t *testing.T) {
	sum := sha256.Sum256([]byte(strings.Join(wordlists.English, "\n") + "\n"))
	if got := fmt.Sprintf("%x", sum); got != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("the SHA-256 of the list is %s", got)
	}
	var ones [sha256.Size]byte
	for i := range ones {
		ones[i] = 0xff
	}
	if words := strings.Join(wordsOf(ones), " "); words != strings.TrimSpace(strings.Repeat("zoo ", 12)) {
		t.Errorf("all ones are %q", words)
	}
	// Beyond the 132nd bit nothing counts.
	var a, b [sha256.Size]byte
	b[16], b[31] = 0x0f, 1
	if x, y := wordsOf(a), wordsOf(b); strings.Join(x, " ") != strings.Join(y, " ") || x[0] != "abandon" {
		t.Errorf("%q, %q", x, y)
	}
	b[16] = 0x10
	if x := wordsOf(b); x[11] != "ability" {
		t.Errorf("the last bit makes %q", x)
	}
}
