package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	stdlog "log"
	"os"
	"path/filepath"
	"runtime"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"p2pchat/history"
)

// settings are the flags that every command has.
type settings struct {
	data     string
	logLevel string
	logFile  string
	json     bool
	color    string
	network  string
}

func (s *settings) flags(f *pflag.FlagSet) {
	f.StringVar(&s.data, "data", defaultData(), "where everything is stored")
	f.Lookup("data").DefValue = "p2pchat in XDG_DATA_HOME"
	choose(f, &s.logLevel, "log-level", "LEVEL", "what is logged", "error", "warn", "info", "debug")
	f.StringVar(&s.logFile, "log-file", "", "where to log (a host: p2pchat.log in its data)")
	f.BoolVar(&s.json, "json", false, "speak JSON, one object a line")
	choose(f, &s.color, "color", "WHEN", "colours", "auto", "always", "never")
	choose(f, &s.network, "network", "KIND", "what helps to reach others", "public", "private", "none")
	nameValues(f, "data", "DIR", "log-file", "FILE")
}

// defaultData is the XDG data directory, or what the system has in its place.
func defaultData() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "p2pchat")
	}
	if dir := os.Getenv("LOCALAPPDATA"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "p2pchat")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "p2pchat-data"
	}
	return filepath.Join(home, ".local", "share", "p2pchat")
}

func (s *settings) check() error {
	if s.data == "" {
		return usagef("--data: give it a directory")
	}
	return nil
}

// log sends every log to a file, or nowhere: a library that writes to the
// terminal would write over the prompt.
func (s *settings) log(file string) error {
	if s.logFile != "" {
		file = s.logFile
	}
	level, err := golog.LevelFromString(s.logLevel)
	if err != nil {
		return usagef("--log-level: %w", err)
	}
	stdlog.SetOutput(io.Discard) // quic-go warns there about receive buffers
	config := golog.Config{Format: golog.PlaintextOutput, Level: level}
	if file == "" {
		config.Level = golog.LevelFatal
	} else {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
		defer func() { golog.SetPrimaryCore(logCore(f)) }()
	}
	golog.SetupLogging(config)
	gologshim.SetDefaultHandler(golog.SlogHandler())
	return nil
}

// logCore writes the log to a file. Where that can't be written, it is silent: the logger
// would tell so on the terminal, in the midst of a chat.
func logCore(f *os.File) zapcore.Core {
	format := zap.NewProductionEncoderConfig()
	format.EncodeTime, format.EncodeLevel = zapcore.ISO8601TimeEncoder, zapcore.CapitalLevelEncoder
	return zapcore.NewCore(zapcore.NewConsoleEncoder(format), silentFile{f}, zap.DebugLevel)
}

// silentFile is a file that never fails.
type silentFile struct{ *os.File }

func (f silentFile) Write(b []byte) (int, error) { _, _ = f.File.Write(b); return len(b), nil }
func (f silentFile) Sync() error                 { return nil }

// makeData makes the data directory.
func (s *settings) makeData() error {
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return s.dataError(err)
	}
	return nil
}

// claim keeps hosts and other relays off the data directory until the closer is closed.
// A notebook takes the lock that a host's store takes; nothing is ever noted in this one.
func (s *settings) claim() (io.Closer, error) {
	held, err := history.OpenNotebook(s.data)
	if err != nil {
		return nil, s.dataError(err)
	}
	return held, nil
}

// dataError tells that the data directory can't be used, and which flag names
// another.
func (s *settings) dataError(err error) error {
	if inUse := (*history.InUseError)(nil); errors.As(err, &inUse) {
		who := "a relay runs there: "
		if s.hostRuns() {
			who = "a host runs there: p2pchat status --data " + s.data + " shows it, and "
		}
		return fmt.Errorf("%w; %s--data DIR gives this one a directory of its own", err, who)
	}
	if info, failed := os.Stat(s.data); failed == nil && !info.IsDir() {
		return fmt.Errorf("--data: %q is a file; name a directory", s.data)
	}
	var path *fs.PathError
	var damage *history.DamageError
	if !errors.As(err, &path) || errors.As(err, &damage) {
		return err
	}
	return fmt.Errorf("the data directory can't be used: %w; name another with --data", err)
}

// onTerminal tells whether a person sits at both ends.
func onTerminal() bool { return isTerminal(os.Stdin) && isTerminal(os.Stdout) }

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// userName is the nick of somebody who gave none.
func userName() string {
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// ownerName is what a host's owner is called on it.
func ownerName() string {
	if name := userName(); name != "" {
		return name
	}
	return "owner"
}

var errNotYet = errors.New("this is not available yet")
