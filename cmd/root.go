// Package cmd answers: which parts are wired together for this command?
//
// One file a command: it reads flags, makes the parts and hands them to each
// other. Nothing in it loops over a chat or decides about one.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// The exit codes, as the contract has them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitRefused     = 4
	exitOtherHost   = 5
	exitInvite      = 6
	exitInUse       = 7
	exitDamaged     = 8
)

// exitCodes say what each exit code means.
var exitCodes = [...]string{
	exitDone:        "done",
	exitFailed:      "failed",
	exitUsage:       "the command line can't be meant",
	exitUnreachable: "the host can't be reached",
	exitRefused:     "refused: full, banned, denied",
	exitOtherHost:   "the host is not the one that TARGET names",
	exitInvite:      "the invite is not valid",
	exitInUse:       "another process uses the data directory",
	exitDamaged:     "stored data is damaged",
}

// usageError is a command line that can't be meant.
type usageError struct{ error }

// ownError is a refusal that comes from here: no host has said no.
type ownError struct{ error }

// silentError has been told to the person already; only its exit code is left.
type silentError struct{ error }

func (e silentError) Unwrap() error { return e.error }
func (e usageError) Unwrap() error  { return e.error }
func (e ownError) Unwrap() error    { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Main runs the command line and returns the exit code.
func Main() int {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is under nohup
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	c := root()
	if len(os.Args) == 2 && os.Args[1] == "--version" { // as many programs have it
		c.SetArgs([]string{"version"})
	}
	c.SetOut(stdout)
	err := c.ExecuteContext(ctx)
	var silent silentError
	told := errors.As(err, &silent)
	if failed := stdout.failed(); failed != nil {
		told = false // as far as it was told there
		if err == nil {
			err = failed
		}
	}
	if err != nil && !told {
		text := "p2pchat: " + ui.SanitizeBody(err.Error()) + damageHint(err)
		if isTerminal(os.Stderr) {
			text = ui.Wrap(text, ui.TerminalWidth(os.Stderr))
		}
		fmt.Fprintln(os.Stderr, text)
	}
	return exitCode(err)
}

// damageHint is the next step where stored data is damaged.
func damageHint(err error) string {
	damage := (*history.DamageError)(nil)
	if !errors.As(err, &damage) || strings.Contains(err.Error(), "history repair") {
		return ""
	}
	return "; with the host stopped, p2pchat history repair keeps what is whole"
}

// exitCode maps what went wrong to the contract's exit codes.
func exitCode(err error) int {
	var usage usageError
	var own ownError
	var inUse *history.InUseError
	var damage *history.DamageError
	var refusal *rooms.Refusal
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &own):
		return exitFailed
	case errors.As(err, &inUse):
		return exitInUse
	case errors.As(err, &damage), errors.Is(err, node.ErrDamagedKey):
		return exitDamaged
	case errors.Is(err, node.ErrInvite):
		return exitInvite
	case errors.As(err, &refusal):
		return refusalExit(refusal.Code)
	}
	return exitFailed
}

func refusalExit(code rooms.Code) int {
	switch code {
	case rooms.Unreachable:
		return exitUnreachable
	case rooms.IdentityMismatch:
		return exitOtherHost
	case rooms.InviteInvalid:
		return exitInvite
	case rooms.Storage, rooms.BadRequest, rooms.UnsupportedVersion:
		return exitFailed
	}
	return exitRefused
}

// root makes the command tree. It is made anew for each call, so that tests can
// run it twice.
func root() *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "p2pchat",
		Short: "a chat server that lives on your own machine",
		Long: `p2pchat is a chat server that lives on your own machine.

  p2pchat host           turn this machine into a chat server, and chat on it
  p2pchat join TARGET    chat on somebody's; TARGET is what their host printed

No account, no rented server. The host's owner can read everything that is said
on the host; nobody between the host and its members can.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := fromEnvironment(c.Flags()); err != nil {
				return err
			}
			return s.check()
		},
	}
	c.SetFlagErrorFunc(flagError)
	s.flags(c.PersistentFlags())
	c.AddCommand(
		hostCommand(s), joinCommand(s), sendCommand(s), tailCommand(s), relayCommand(s), doctorCommand(s),
		statusCommand(s), inviteCommand(s), historyCommand(s), backupCommand(s), restoreCommand(s),
		idCommand(s), versionCommand(s), completionCommand(), manCommand(),
	)
	c.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	askWhich(c)
	offer(c)
	addHelp(c)
	return c
}
