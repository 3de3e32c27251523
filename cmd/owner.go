package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// askHost asks the host that runs on the data directory, as its owner.
func (s *settings) askHost(ctx context.Context, cmd rooms.Command) (rooms.Event, error) {
	if err := s.log(""); err != nil {
		return nil, err
	}
	path, err := ownerSocket(s.data)
	if err != nil {
		return nil, err
	}
	client, err := node.DialOwner(ctx, path, node.ClientConfig{Nick: ownerName(), Version: version})
	if no := (*rooms.Refusal)(nil); errors.As(err, &no) && no.Code == rooms.Unreachable {
		return nil, rooms.Refuse(no.Code, "p2pchat host starts one; --data names the directory of another", "%s", no.Message)
	}
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Do(ctx, cmd)
}

func statusCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "show the host that runs on this data: rooms, members, disk",
		Args:  takes(),
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := s.askHost(c.Context(), rooms.Status{})
			if err != nil {
				return s.explain(err)
			}
			status := e.(rooms.HostStatus)
			if s.json {
				newReporter(true, stdout, os.Stderr).line(statusFields(status))
				return nil
			}
			printStatus(stdout, status)
			return nil
		},
	}
}

func statusFields(h rooms.HostStatus) map[string]any {
	list := make([]map[string]any, 0, len(h.Rooms))
	for _, r := range h.Rooms {
		list = append(list, map[string]any{
			"room": r.Room, "members": r.Members, "limit": r.Limit, "topic": r.Topic, "private": r.Private,
		})
	}
	members := make([]map[string]any, 0, len(h.Members))
	for _, m := range h.Members {
		members = append(members, map[string]any{
			"nick": m.Nick, "peer": m.Peer, "role": m.Role.String(), "room": m.Room, "path": m.Path,
			"since": m.Since.UTC().Format(time.RFC3339),
		})
	}
	words, _ := node.Words(h.Peer)
	return map[string]any{
		"type": "status", "words": words, "version": h.Version, "peer": h.Peer, "name": h.Name, "join": joinWords + h.Target,
		"addrs": h.Addrs, "started": h.Started.UTC().Format(time.RFC3339), "rooms": list, "members": members, "disk": h.Disk,
	}
}

func printStatus(out io.Writer, h rooms.HostStatus) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "host\t%s (%s), p2pchat %s, since %s\n", ui.Sanitize(h.Name), h.Peer, h.Version, h.Started.Local().Format(time.DateTime))
	if words, err := node.Words(h.Peer); err == nil {
		fmt.Fprintf(w, "key\t%s\n", strings.Join(words, " "))
	}
	fmt.Fprintf(w, "join\tp2pchat join %s\n", h.Target)
	fmt.Fprintf(w, "addresses\t%s\n", strings.Join(h.Addrs, "\n\t"))
	fmt.Fprintf(w, "on disk\t%s\n", rooms.ByteCount(h.Disk))
	fmt.Fprintf(w, "rooms\t%d\n", len(h.Rooms))
	for _, r := range h.Rooms {
		seats := strconv.Itoa(r.Members)
		if r.Limit > 0 {
			seats += "/" + strconv.Itoa(r.Limit)
		}
		private := ""
		if r.Private {
			private = "private"
		}
		fmt.Fprintf(w, "\t#%s\t%s\t%s\t%s\n", ui.Sanitize(string(r.Room)), seats, private, ui.Sanitize(r.Topic))
	}
	fmt.Fprintf(w, "connected\t%d\n", len(h.Members))
	for _, m := range h.Members {
		room := "no room"
		if m.Room != "" {
			room = "#" + ui.Sanitize(string(m.Room))
		}
		fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\n", ui.SanitizeNick(m.Nick), room, m.Path, m.Peer)
	}
}

func inviteCommand(s *settings) *cobra.Command {
	c := &cobra.Command{Use: "invite", Short: "create, list or revoke invites of the host that runs on this data"}
	c.AddCommand(inviteCreate(s), inviteList(s), inviteRevoke(s))
	return c
}

func inviteCreate(s *settings) *cobra.Command {
	var ask rooms.Invite
	var expires string
	c := &cobra.Command{
		Use:   "create --room ID",
		Short: "print a new invite to a room",
		Long: `Print a new invite to a room. Whoever has it can enter, so pass it on as you would
a key. It carries the addresses of this host.`,
		Args: takes(),
		RunE: func(c *cobra.Command, _ []string) error {
			if ask.Room == "" {
				return usagef("--room: say which room")
			}
			if most := rooms.DefaultLimits().InviteUses; ask.Uses < 1 || ask.Uses > most {
				return usagef("--uses %d: it is a number from 1 to %d", ask.Uses, most)
			}
			life, err := ui.ParseLife(expires)
			if err != nil {
				return usagef("--expires %q: say a time like 30m, 24h or 7d, or never", expires)
			}
			ask.Life = life
			e, err := s.askHost(c.Context(), ask)
			if err != nil {
				return s.explain(err)
			}
			made := e.(rooms.Invited)
			if s.json {
				fields := inviteFields(made.Invite)
				fields["type"], fields["invite"] = "ok", made.Link
				newReporter(true, stdout, os.Stderr).line(fields)
				return nil
			}
			fmt.Fprintln(stdout, made.Link)
			if isTerminal(os.Stderr) {
				fmt.Fprintln(os.Stderr, "whoever you pass this line to can enter with: p2pchat join LINE")
			}
			return nil
		},
	}
	c.Flags().StringVar(&ask.Room, "room", "", "the room")
	c.Flags().IntVar(&ask.Uses, "uses", rooms.DefaultInviteUses, "how many people can use it")
	c.Flags().StringVar(&expires, "expires", "24h", "how long it can be used: 90m, 24h, 7d or never")
	nameValues(c.Flags(), "room", "ID", "uses", "N", "expires", "TIME")
	return c
}

// inviteFields are named as a JSON client has them: uses are those allowed.
func inviteFields(i rooms.InviteInfo) map[string]any {
	fields := map[string]any{"id": i.ID, "room": i.Room, "by": i.By, "uses": i.MaxUses, "used": i.Uses}
	if !i.Expires.IsZero() {
		fields["expires"] = i.Expires.UTC().Format(time.RFC3339)
	}
	return fields
}

func inviteList(s *settings) *cobra.Command {
	var ask rooms.Invites
	c := &cobra.Command{
		Use:   "list",
		Short: "show the live invites",
		Args:  takes(),
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := s.askHost(c.Context(), ask)
			if err != nil {
				return s.explain(err)
			}
			list := e.(rooms.InviteList)
			if s.json {
				all := make([]map[string]any, 0, len(list.Invites))
				for _, i := range list.Invites {
					all = append(all, inviteFields(i))
				}
				newReporter(true, stdout, os.Stderr).line(map[string]any{"type": "ok", "invites": all})
				return nil
			}
			w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
			for _, i := range list.Invites {
				until := "never expires"
				if !i.Expires.IsZero() {
					until = "until " + i.Expires.Local().Format(time.DateTime)
				}
				fmt.Fprintf(w, "%s\t#%s\tused %d of %d\t%s\tby %s\n", i.ID, ui.Sanitize(string(i.Room)), i.Uses, i.MaxUses, until, ui.SanitizeNick(i.By))
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&ask.Room, "room", "", "only those of this room")
	nameValues(c.Flags(), "room", "ID")
	return c
}

func inviteRevoke(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "end an invite; whoever has used it stays",
		Args:  takes("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			_, err := s.askHost(c.Context(), rooms.Revoke{ID: args[0]})
			if err != nil {
				return s.explain(err)
			}
			if s.json {
				newReporter(true, stdout, os.Stderr).line(map[string]any{"type": "ok", "id": args[0]})
			}
			return nil
		},
	}
}
