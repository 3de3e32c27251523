package cmd

import (
	"context"
	"fmt"
	"os"

	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// listLAN lists the hosts that answer in this network, with the command that joins
// each.
func (s *settings) listLAN(ctx context.Context) error {
	if relay.Network(s.network) == relay.None {
		return usagef("join needs a TARGET: %s", meanings["TARGET"])
	}
	if err := s.log(""); err != nil {
		return err
	}
	if isTerminal(os.Stderr) {
		fmt.Fprintln(os.Stderr, "looking for hosts in this network …")
	}
	report, told := newReporter(s.json, stdout, os.Stderr), map[string]bool{}
	for h := range relay.BrowseLAN(ctx) {
		target := h.Addrs[0].String() + "/p2p/" + h.ID.String()
		if told[target] {
			continue
		}
		told[target] = true
		if s.json {
			report.line(map[string]any{"type": "host", "name": h.Name, "peer": h.ID.String(), "addrs": texts(h.Addrs), "join": joinWords + target})
			continue
		}
		fmt.Fprintln(os.Stderr, ui.Sanitize(h.Name)+":")
		fmt.Fprintln(stdout, joinWords+target)
	}
	if len(told) == 0 {
		return ownError{rooms.Refuse(rooms.Unreachable, "p2pchat host starts one, and p2pchat join TARGET joins one elsewhere",
			"no host answers in this network")}
	}
	return nil
}
