package cmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// shells are those that can complete our command line.
var shells = []string{"bash", "zsh", "fish", "powershell"}

// addHelp gives the root its help, which ends with what holds for all commands.
func addHelp(root *cobra.Command) {
	var codes strings.Builder
	for code, meaning := range exitCodes {
		fmt.Fprintf(&codes, "  %d  %s\n", code, meaning)
	}
	root.SetHelpTemplate(root.HelpTemplate() + "{{if not .HasParent}}\nExit codes:\n" + codes.String() +
		"\nEvery flag has a variable: P2PCHAT_LOG_LEVEL=info means --log-level info.\n{{end}}")
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "explain a command",
		RunE: func(c *cobra.Command, args []string) error {
			topic, rest, err := c.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if len(rest) > 0 {
				return known(topic, rest)
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	})
}

// completionCommand prints a script that teaches a shell our command line.
func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "print a script that lets a shell complete p2pchat",
		Long: `Print a script that lets a shell complete the commands, flags and saved hosts.
SHELL is bash, zsh, fish or powershell. To have it now and in every new shell:
  bash         put into ~/.bashrc: source <(p2pchat completion bash)
  zsh          p2pchat completion zsh > "${fpath[1]}/_p2pchat"
  fish         p2pchat completion fish > ~/.config/fish/completions/p2pchat.fish
  powershell   put into $PROFILE: p2pchat completion powershell | Out-String | iex`,
		Args:      takes("SHELL"),
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(stdout, true)
			case "zsh":
				return root.GenZshCompletion(stdout)
			case "fish":
				return root.GenFishCompletion(stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(stdout)
			}
			return usagef("there is no completion for %q: SHELL is %s", args[0], either(shells))
		},
	}
}
