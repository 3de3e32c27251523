package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/ui"
)

func historyRepair(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "repair [ROOM]",
		Short: "keep what is whole of damaged rooms, and say what is lost",
		Long: `Make damaged rooms whole again, and without ROOM the host's state, too. The host
must not be running. Every whole message is kept; a placeholder stands for each one
that is lost. The damaged files are copied to a directory called lost first.`,
		Args: takes("[ROOM]"),
		RunE: func(_ *cobra.Command, args []string) error { return repair(s, strings.Join(args, "")) },
	}
}

// repair repairs one room, or without a name everything.
func repair(s *settings, name string) error {
	if err := s.log(""); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.data, "rooms")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("nothing is stored in %s yet; --data names another directory", s.data)
	}
	store, err := history.Open(s.data)
	if inUse := (*history.InUseError)(nil); errors.As(err, &inUse) {
		return fmt.Errorf("%w; stop the host first, its members will come back", err)
	} else if err != nil {
		return s.dataError(err)
	}
	return errors.Join(repairIn(store, newReporter(s.json, stdout, stdout), name), store.Close())
}

func repairIn(store *history.Store, r *reporter, name string) error {
	changed := false
	if name == "" {
		state, err := store.RepairState()
		if err != nil {
			return err
		}
		if changed = state.Done(); changed {
			tellState(r, state)
		}
	}
	a := &archive{store: store}
	if err := a.find(); err != nil {
		return err
	}
	if a.damage != nil {
		return fmt.Errorf("%w; p2pchat history repair, without a room, repairs that first", a.damage)
	}
	whole := true
	err := a.each(name, func(room storedRoom) error {
		done, err := store.Repair(room.key)
		if err != nil {
			return err
		}
		changed, whole = changed || done.Done(), whole && done.Report.Whole()
		if done.Done() || name != "" || r.json {
			tellRepair(r, string(room.id), done)
		}
		return nil
	})
	if err == nil && !changed && name == "" && !r.json {
		fmt.Fprintln(r.out, "nothing is damaged")
	}
	if err == nil && !whole {
		return silentError{&history.DamageError{}}
	}
	return err
}

// tellRepair tells what was done to a room, in one line and one for each file.
func tellRepair(r *reporter, room string, done history.Repair) {
	problems := make([]string, 0, len(done.Report.Problems))
	for _, p := range done.Report.Problems {
		problems = append(problems, p.String())
	}
	if r.json {
		lost := make([][2]uint64, 0, len(done.Lost))
		for _, l := range done.Lost {
			lost = append(lost, [2]uint64{uint64(l.First), uint64(l.Last)})
		}
		r.line(map[string]any{
			"type": "repair", "room": room, "kept": done.Kept(), "recovered": done.Recovered, "lost": lost,
			"aside": orNone(done.Aside), "renewed": done.Renewed, "problems": problems,
		})
		return
	}
	fmt.Fprintf(r.people, "#%s: %s\n", ui.Sanitize(room), done)
	tellAside(r, done.Aside)
	for _, p := range problems {
		fmt.Fprintf(r.people, "  still: %s\n", p)
	}
}

// tellState tells what was done to the state.
func tellState(r *reporter, done history.StateRepair) {
	if r.json {
		r.line(map[string]any{
			"type": "repair_state", "kept": done.Kept, "lost": done.Lost, "end": done.End, "aside": orNone(done.Aside),
		})
		return
	}
	fmt.Fprintf(r.people, "the host's rooms, roles, bans and invites: %s\n", done)
	tellAside(r, done.Aside)
	if done.Lost > 0 || done.End {
		fmt.Fprintln(r.people, "  a ban, a role or an invite may be among them: check them once the host runs")
	}
}

func tellAside(r *reporter, paths []string) {
	for _, path := range paths {
		fmt.Fprintf(r.people, "  the damaged file is kept as %s\n", path)
	}
}
