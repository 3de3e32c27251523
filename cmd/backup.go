package cmd

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/rooms"
)

// backupFiles are what a backup holds beside the history. What was typed, the log and
// the socket belong to the machine.
var backupFiles = []string{identityFile, selfFile, savedFile}

func backupCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "write the host's data to a new file, host running or not",
		Long: `Write the host's key, its rooms, members, bans and invites, and all that was said
and shared on it to one new file. The host may be running. FILE is a tar archive, packed with
gzip if its name ends in .gz or .tgz; - writes to standard output.

Whoever has the file can be this host and read everything: keep it safe.`,
		Args:              takes("FILE"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := backupTo(s, args[0])
			if err != nil {
				return err
			}
			out := os.Stdout
			if args[0] == "-" {
				out = os.Stderr
			}
			tellBackup(newReporter(s.json, out, os.Stderr), args[0], info)
			if len(info.Damaged) > 0 {
				return silentError{&history.DamageError{}}
			}
			return nil
		},
	}
}

// backupTo writes the backup. Of one that fails, no file is left.
func backupTo(s *settings, file string) (info history.BackupInfo, err error) {
	if err := s.log(""); err != nil {
		return info, err
	}
	if file == "-" {
		if isTerminal(os.Stdout) {
			return info, usagef("a backup can't be shown on a terminal; name a file")
		}
		return writeBackup(s, os.Stdout, false)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return info, fmt.Errorf("%w; a backup is written to a new file", err)
	}
	if err != nil {
		return info, err
	}
	info, err = writeBackup(s, out, strings.HasSuffix(file, ".gz") || strings.HasSuffix(file, ".tgz"))
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return info, errors.Join(err, os.Remove(file))
	}
	return info, nil
}

func writeBackup(s *settings, out io.Writer, packed bool) (history.BackupInfo, error) {
	w := bufio.NewWriterSize(out, 1<<20)
	end := func() error { return nil }
	var to io.Writer = w
	if packed {
		z := gzip.NewWriter(w)
		to, end = z, z.Close
	}
	info, err := history.Backup(to, s.data, history.BackupOptions{Files: backupFiles, Program: version, Created: time.Now()})
	if errors.Is(err, os.ErrNotExist) {
		return info, fmt.Errorf("nothing is stored in %s yet; --data names another directory", s.data)
	}
	if err != nil {
		return info, err
	}
	return info, errors.Join(end(), w.Flush())
}

func tellBackup(r *reporter, file string, info history.BackupInfo) {
	if r.json {
		r.line(backupFields("backup", file, info))
		return
	}
	r.say(fmt.Sprintf("written to %s: %s with %s and %s, %s; and %s", file, plural(info.Rooms, "room"), plural(info.Messages, "message"),
		plural(info.Shared, "file"), rooms.ByteCount(info.Bytes), strings.Join(info.Files, ", ")))
	if len(info.Damaged) > 0 {
		r.say(fmt.Sprintf("DAMAGED, and in the backup as they are: %s; p2pchat history repair mends what can be mended, and so does restore",
			strings.Join(info.Damaged, ", ")))
	}
	r.say("it holds the host's key and all that was said on it: keep it where nobody else can read it")
}

func backupFields(what, file string, info history.BackupInfo) map[string]any {
	return map[string]any{
		"type": what, "file": file, "created": info.Created.Format(time.RFC3339), "program": info.Program,
		"rooms": info.Rooms, "messages": info.Messages, "shared": info.Shared, "bytes": info.Bytes, "files": orNone(info.Files), "damaged": orNone(info.Damaged),
	}
}

// orNone makes an empty list of a missing one.
func orNone(list []string) []string { return append([]string{}, list...) }

func restoreCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "make a host's data of a backup",
		Long: `Make the data directory of a host from a backup. The directory must not exist, or
be empty: nothing is ever overwritten. FILE may be packed with gzip; - reads
standard input.

The host is then the one that the backup was made of, with the same key: never run
both. Its members are told that this is another copy of the history.`,
		Args:              takes("FILE"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := restoreFrom(s, args[0])
			if errors.Is(err, history.ErrNotEmpty) {
				return fmt.Errorf("%s holds something already, and nothing is overwritten; name a new directory with --data, or move it elsewhere", s.data)
			}
			if errors.Is(err, history.ErrBackup) {
				return fmt.Errorf("nothing was restored: %s is %w; use another copy of the file", args[0], err)
			}
			if err != nil {
				return err
			}
			tellRestored(newReporter(s.json, stdout, os.Stderr), s, args[0], info)
			return nil
		},
	}
}

func restoreFrom(s *settings, file string) (info history.RestoreInfo, err error) {
	if err := s.log(""); err != nil {
		return info, err
	}
	in := os.Stdin
	if file != "-" {
		if in, err = os.Open(file); err != nil {
			return info, err
		}
		defer in.Close()
	}
	r := bufio.NewReaderSize(in, 1<<20)
	if magic, _ := r.Peek(2); string(magic) != "\x1f\x8b" {
		return history.Restore(r, s.data, backupFiles)
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return info, fmt.Errorf("%w: %s", history.ErrBackup, err)
	}
	return history.Restore(z, s.data, backupFiles)
}

func tellRestored(r *reporter, s *settings, file string, info history.RestoreInfo) {
	if r.json {
		r.line(backupFields("restore", file, info.BackupInfo))
	} else {
		r.say(fmt.Sprintf("restored to %s: %s with %s and %s, as of %s", s.data, plural(info.Rooms, "room"), plural(info.Messages, "message"), plural(info.Shared, "file"),
			info.Created.Local().Format(time.DateTime)))
	}
	if info.State.Done() {
		tellState(r, info.State)
	}
	for _, repair := range info.Repairs {
		tellRepair(r, nameOf(s, repair.Report.Room), repair)
	}
	if !r.json {
		r.say("never run it beside the host that it was copied from: both have the same key")
		r.say("to start it: p2pchat host --data " + s.data)
	}
}

// nameOf returns the name of a stored room, or that of its directory.
func nameOf(s *settings, key rooms.RoomKey) string {
	name := hex.EncodeToString(key[:])
	_ = withArchive(s, func(a *archive) error {
		return a.each(name, func(r storedRoom) error { name = string(r.id); return nil })
	})
	return name
}
