package node

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/tyler-smith/go-bip39/wordlists"

	"p2pchat/rooms"
)

// A fingerprint is a key in a form that two people can read to each other: words of
// the English list of BIP-39, which no two of begin with the same four letters. Words
// and the bits that they carry are fixed: people may have written them down.
const (
	fingerprintWords  = 12
	fingerprintBits   = 11 // a word; 132 in all
	fingerprintDomain = "p2pchat-fp-v1"
)

// Words returns the twelve words of a key: the first 132 bits of the SHA-256 of
// "p2pchat-fp-v1" and the raw public key, which the peer ID holds. It fails where the ID
// is not one of an ed25519 key.
func Words(id rooms.PeerID) ([]string, error) {
	decoded, err := peer.Decode(string(id))
	if err != nil {
		return nil, fmt.Errorf("reading a peer ID: %w", err)
	}
	key, err := decoded.ExtractPublicKey()
	if err != nil || key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("%s is not the ID of an ed25519 key", id)
	}
	raw, err := key.Raw()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(fingerprintDomain), raw...))
	return wordsOf(sum), nil
}

// wordsOf writes the first bits of a hash as words.
func wordsOf(sum [sha256.Size]byte) []string {
	rest := new(big.Int).SetBytes(sum[:])
	rest.Rsh(rest, uint(8*len(sum)-fingerprintWords*fingerprintBits))
	words, mask := make([]string, fingerprintWords), big.NewInt(1<<fingerprintBits-1)
	for i := len(words) - 1; i >= 0; i-- {
		words[i] = wordlists.English[new(big.Int).And(rest, mask).Int64()]
		rest.Rsh(rest, fingerprintBits)
	}
	return words
}

// otherHost says that another key answers than a target names, and what to do.
func otherHost(expected, actual peer.ID) *rooms.Refusal {
	return rooms.Refuse(rooms.IdentityMismatch,
		"Don't go on, unless the person who runs the host tells you, by another way than this, that its key is new. There, "+
			"p2pchat id shows its words. Then take the new address from that person, and save it under another name.",
		"this is not the host that was meant: another one answers at its address\nmeant: %s\nfound: %s", withWords(expected), withWords(actual))
}

func withWords(id peer.ID) string {
	words, err := Words(rooms.PeerID(id.String()))
	if err != nil {
		return id.String()
	}
	return fmt.Sprintf("%s (%s)", id, strings.Join(words, " "))
}
