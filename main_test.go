package main

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be p2pchat itself, for the scripts to start.
// Those in the lab mostly wait, so three run at a time even on two cores.
func TestMain(m *testing.M) {
	if runtime.GOMAXPROCS(0) < 3 {
		_ = flag.Set("test.parallel", "3")
	}
	testscript.Main(m, map[string]func(){"p2pchat": main, "crowd": crowd})
}

// TestScripts drives the built program from outside, as its users do. Each file
// in testdata/script keeps one promise; those in testdata/script/planned are what
// the program will have to do next and are not run.
//
// Nothing leaves the machine: every process has --network none, listens on a free
// port of the loopback and has its data in the script's own directory. Beside the
// commands of testscript, a script has these. None takes longer than patience;
// all end with the whole transcript when they fail.
//
//	host NAME [FLAG…]           start p2pchat host --json on its own data; $NAME is where to join it
//	restart NAME [FLAG…]        start that host again: same data, same ports, same flags and these
//	client NAME TARGET [FLAG…]  start p2pchat join --json with this nick and wait for the welcome
//	start NAME [K=V…] PROGRAM [ARG…]        start anything, with its input kept open
//	exits CODE [K=V…] [<FILE] PROGRAM [ARG…]  run to the end; then: stdout, stderr, cmp, clean
//	tell NAME TEXT              write a line to its input
//	flood NAME FROM TO          say the lines NAME-FROM to NAME-TO without waiting for answers
//	expect NAME REGEX…          wait for a line, behind the last one expected, that matches all
//	sees NAME REGEX…            the same, but the next expect begins at the same place
//	never NAME REGEX…           no line until now matches all
//	count NAME N REGEX…         exactly N lines until now match all
//	ordered NAME                its messages of a room are numbered without gap or double
//	again NAME TEXT ANSWER WANTED  tell it TEXT until the line that matches ANSWER matches WANTED, too
//	eof NAME [CODE]             close its input and wait for the exit code, 0 if not given
//	interrupt NAME [CODE]       as Ctrl-C does, and wait
//	kill9 NAME                  kill it without a chance to tidy up, and wait
//	ended NAME [CODE]           wait for it to end by itself
//	clean stdout|stderr|NAME|FILE  nothing in it could steer a terminal
//	acked FILE NAME…            what was acknowledged in a flood is in the JSON lines of FILE, once each
//	fill VAR N TEXT             set VAR to TEXT, N times; TEXT may hold \n, \t, \x1b and the like
//	replace VAR OLD NEW         replace text in a variable
//	same TEXT TEXT              both are the same
//	write FILE TEXT             write a file; TEXT as for fill
//	damage FILE OFFSET          change one byte; counted from the end if negative
//
// A named group in a REGEX, such as (?P<seq>\d+), sets the variable of its name.
// NAME:err is what a process writes to its standard error.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup:              setUp,
		Cmds:               scriptCommands(),
	})
}

// TestPlanned runs the scripts of what is not built yet. It is for whoever builds
// it: P2PCHAT_PLANNED=1 go test -run TestPlanned .
func TestPlanned(t *testing.T) {
	if os.Getenv("P2PCHAT_PLANNED") == "" {
		t.Skip("set P2PCHAT_PLANNED to run the scripts of what is not built yet")
	}
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script", "planned"),
		Setup: setUp,
		Cmds:  scriptCommands(),
	})
}
