package cmd

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// named is a flag's value with the name that --help gives it: --data DIR.
type named struct {
	pflag.Value
	name string
}

// Type is what --help shows behind the flag.
func (v named) Type() string { return v.name }

// nameValues names the values of flags: pairs of a flag and its value's name.
func nameValues(fl *pflag.FlagSet, pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		f := fl.Lookup(pair[0])
		f.Value = named{f.Value, pair[1]}
		if f.DefValue == "[]" {
			f.DefValue = "" // or --help shows it
		}
	}
}

// choice is a flag's value that is one of a few words.
type choice struct {
	to   *string
	name string
	of   []string
}

// choose adds a flag that takes one of a few words; the first is the default.
func choose(fl *pflag.FlagSet, to *string, flag, name, usage string, of ...string) {
	*to = of[0]
	fl.Var(choice{to, name, of}, flag, usage+": "+either(of))
}

func (c choice) String() string { return *c.to }
func (c choice) Type() string   { return c.name }

// Set takes one of the words.
func (c choice) Set(s string) error {
	if !slices.Contains(c.of, s) {
		return errors.New("it is " + either(c.of))
	}
	*c.to = s
	return nil
}

// either lists words: a, b or c.
func either(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// flagError says what is wrong with a flag, and what it takes.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &invalid):
		return usagef("--%s %q: %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid))
	case errors.As(err, &missing):
		return usagef("--%s needs a value: --%[1]s %s", missing.GetFlag().Name, missing.GetFlag().Value.Type())
	}
	return usagef("%w; see %s --help", err, c.CommandPath())
}

// wanted tells what a flag takes that was given something else.
func wanted(err *pflag.InvalidValueError) string {
	value := err.GetFlag().Value
	if v, ok := value.(named); ok {
		value = v.Value
	}
	switch value.Type() {
	case "bool":
		return "it is true or false"
	case "int":
		return "it takes a whole number"
	case "float64":
		return "it takes a number, like 2 or 0.5"
	}
	return err.Unwrap().Error()
}

// fromEnvironment gives every flag that is not on the command line the value of
// its environment variable: --log-level is P2PCHAT_LOG_LEVEL.
func fromEnvironment(flags *pflag.FlagSet) error {
	var first error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "P2PCHAT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if f.Changed || !ok || value == "" || f.Name == "help" {
			return
		}
		err := flags.Set(f.Name, value)
		if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) {
			err = usagef("%s %q: %s", name, value, wanted(invalid))
		}
		if err != nil && first == nil {
			first = err
		}
	})
	return first
}

// offer lets the shell complete the values of every flag below a command.
func offer(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		words, directive := []string(nil), cobra.ShellCompDirectiveNoFileComp
		switch v := f.Value.(type) {
		case choice:
			words = v.of
		default:
			switch v.Type() {
			case "DIR":
				directive = cobra.ShellCompDirectiveFilterDirs
			case "FILE", "PATH":
				directive = cobra.ShellCompDirectiveDefault
			}
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, directive)) // twice for a flag of all
	})
	for _, sub := range c.Commands() {
		offer(sub)
	}
}

// offerSaved completes TARGET: the names of saved hosts.
func (s *settings) offerSaved(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 && fromEnvironment(c.Flags()) == nil {
		names, _ = s.savedNames()
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
