package node

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/rooms"
)

// Link is an invite as it is passed on: p2pchat:<base32, lower case, no padding>
// of
//
//	version 1 | host key 32 | flags 1 | room 16 | secret 16 | expiry 4 |
//	count 1, then count times: length 1, multiaddr | check 4
//
// where expiry is in Unix minutes (0: never), big-endian, a hint that lets a
// client say early what only the host decides; addresses are hints as well, at
// most 6, without /p2p; and check is the beginning of
// SHA-256("p2pchat-invite-v1" ‖ everything before it), which finds typing errors.
// Neither the room's name nor who invites is in it.
type Link struct {
	Host       peer.ID
	Capability rooms.Capability
	Expires    time.Time // zero: never
	Addrs      []ma.Multiaddr
}

const (
	linkScheme    = "p2pchat:"
	linkVersion   = 1
	linkAddrs     = 6
	linkText      = 2048 // characters
	linkPayload   = 1024 // bytes
	linkCheck     = 4
	linkFixed     = 1 + 32 + 1 + 16 + 16 + 4 + 1
	linkCheckSalt = "p2pchat-invite-v1"
)

var linkCoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// IsInvite tells whether text is meant as an invite, whole or not.
func IsInvite(s string) bool {
	_, ok := linkBody(s)
	return ok
}

// linkBody finds the base32 part: behind p2pchat: or behind the # of a web
// address, whose server never sees it.
func linkBody(s string) (string, bool) {
	s = strings.TrimSpace(s)
	lower := strings.ToLower(s)
	if strings.HasPrefix(lower, linkScheme) {
		return s[len(linkScheme):], true
	}
	if strings.HasPrefix(lower, "https://") {
		if _, fragment, ok := strings.Cut(s, "/#"); ok {
			return strings.TrimPrefix(fragment, linkScheme), true
		}
	}
	return "", false
}

// String returns the link's shareable form.
func (l Link) String() string {
	key, err := l.Host.ExtractPublicKey()
	if err != nil {
		return ""
	}
	raw, err := key.Raw()
	if err != nil {
		return ""
	}
	b := append([]byte{linkVersion}, raw...)
	b = append(b, 0)
	b = append(b, l.Capability.Room[:]...)
	b = append(b, l.Capability.Secret[:]...)
	var minutes uint32
	if !l.Expires.IsZero() {
		minutes = uint32(l.Expires.Unix() / 60)
	}
	b = binary.BigEndian.AppendUint32(b, minutes)
	b = appendAddrs(b, l.Addrs)
	b = append(b, check(b)...)
	return linkScheme + strings.ToLower(linkCoding.EncodeToString(b))
}

func appendAddrs(b []byte, addrs []ma.Multiaddr) []byte {
	count := len(b)
	b = append(b, 0)
	for _, a := range addrs {
		raw := a.Bytes()
		if b[count] == linkAddrs || len(raw) > 255 || len(b)+1+len(raw)+linkCheck > linkPayload {
			break
		}
		b[count]++
		b = append(append(b, byte(len(raw))), raw...)
	}
	return b
}

func check(payload []byte) []byte {
	sum := sha256.Sum256(append([]byte(linkCheckSalt), payload...))
	return sum[:linkCheck]
}

// ParseInvite reads a link. Blanks, line breaks, quotes and invisible characters
// that copying brings along are ignored. The error wraps ErrInvite.
func ParseInvite(s string) (Link, error) {
	body, ok := linkBody(s)
	if !ok {
		return Link{}, fmt.Errorf("%w: it begins with %s", ErrInvite, linkScheme)
	}
	if len(body) > linkText {
		return Link{}, fmt.Errorf("%w: it is too long", ErrInvite)
	}
	b, err := linkCoding.DecodeString(strings.ToUpper(noise.Replace(body)))
	if err != nil {
		return Link{}, fmt.Errorf("%w: it has a character that no invite has", ErrInvite)
	}
	if len(b) > 0 && b[0] > linkVersion {
		return Link{}, fmt.Errorf("%w: it was made by a newer p2pchat", ErrInvite)
	}
	if len(b) < linkFixed+linkCheck || len(b) > linkPayload || b[0] != linkVersion {
		return Link{}, fmt.Errorf("%w: a part is missing", ErrInvite)
	}
	payload := b[:len(b)-linkCheck]
	if string(check(payload)) != string(b[len(b)-linkCheck:]) {
		return Link{}, fmt.Errorf("%w: a character is wrong or missing", ErrInvite)
	}
	return readLink(payload)
}

// noise is what chats and terminals add to a text that is copied through them.
var noise = strings.NewReplacer(" ", "", "\n", "", "\r", "", "\t", "", `"`, "", "'", "", "`", "", "<", "", ">", "",
	"\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00a0", "", "\u201c", "", "\u201d", "")

// readLink reads a payload whose check holds.
func readLink(b []byte) (Link, error) {
	key, err := crypto.UnmarshalEd25519PublicKey(b[1:33])
	if err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrInvite, err)
	}
	var l Link
	if l.Host, err = peer.IDFromPublicKey(key); err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrInvite, err)
	}
	copy(l.Capability.Room[:], b[34:50])
	copy(l.Capability.Secret[:], b[50:66])
	if minutes := binary.BigEndian.Uint32(b[66:70]); minutes != 0 {
		l.Expires = time.Unix(int64(minutes)*60, 0).UTC()
	}
	l.Addrs, err = readAddrs(int(b[70]), b[linkFixed:])
	return l, err
}

func readAddrs(count int, b []byte) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for range count {
		if len(b) == 0 || len(b) < 1+int(b[0]) || len(addrs) == linkAddrs {
			return nil, fmt.Errorf("%w: its addresses are cut", ErrInvite)
		}
		a, err := ma.NewMultiaddrBytes(b[1 : 1+int(b[0])])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvite, err)
		}
		addrs, b = append(addrs, a), b[1+int(b[0]):]
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%w: something follows its addresses", ErrInvite)
	}
	return addrs, nil
}

// Target returns where the link leads.
func (l Link) Target() Target {
	return Target{AddrInfo: peer.AddrInfo{ID: l.Host, Addrs: l.Addrs}, Invite: l.Capability}
}

// Invite returns the link for an invite that the registry made. Addresses that
// are only good inside one network are left out where there are better ones.
func (h *Host) Invite(i rooms.Invited) string {
	link := Link{Host: h.net.ID(), Capability: i.Capability, Expires: i.Invite.Expires}
	link.Addrs = h.shared()
	return link.String()
}
