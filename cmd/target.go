package cmd

import (
	"errors"
	"os"
	"strings"

	"p2pchat/node"
	"p2pchat/rooms"
)

// joinWords are what stands before a target in what p2pchat host prints.
const joinWords = "p2pchat join "

// target reads TARGET.
func (s *settings) target(arg string) (node.Target, error) {
	if arg == "-" {
		line, err := firstLine(os.Stdin)
		if err != nil {
			return node.Target{}, usagef("reading TARGET from standard input: %w", err)
		}
		arg = line
	}
	arg = strings.TrimPrefix(strings.TrimSpace(arg), joinWords)
	if saved, ok, err := s.savedHost(arg); err != nil || ok {
		return saved, err
	}
	t, err := node.ParseTarget(arg)
	if _, refusal := rooms.DefaultLimits().ParseRoomID(arg); err != nil && refusal == nil && !strings.HasPrefix(arg, "12D3") {
		return t, s.notSaved(arg)
	}
	switch {
	case errors.Is(err, node.ErrInvite):
		return t, brokenInvite(err)
	case err != nil:
		return t, usageError{err}
	case len(t.Addrs) == 0:
		t.Addrs, err = s.addrsOf(t.ID)
	}
	return t, err
}

// firstLine reads up to the first line end and not a byte further: what follows
// belongs to the chat.
func firstLine(f *os.File) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 4096; {
		n, err := f.Read(b)
		if n == 1 && b[0] == '\n' || n == 0 && len(line) > 0 {
			return strings.TrimSpace(string(line)), nil
		}
		if err != nil {
			return "", err
		}
		line = append(line, b[:n]...)
	}
	return "", errors.New("the line is too long")
}

// notSaved tells that nothing was saved under a name, and what was.
func (s *settings) notSaved(name string) error {
	names, err := s.savedNames()
	if err != nil {
		return err
	}
	if near := nearest(name, names); near != "" {
		return usagef("no host is saved as %q; did you mean %q?", name, near)
	}
	const paste = "paste what p2pchat host printed there"
	if len(names) > 0 {
		return usagef("no host is saved as %q; %s, or one of the saved names: %s", name, paste, strings.Join(names, ", "))
	}
	return usagef("no host is saved as %q; %s (join --save NAME saves a host)", name, paste)
}
