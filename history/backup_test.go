package history

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"p2pchat/rooms"
)

var hostFiles = []string{"identity.key", "known_hosts"}

var options = BackupOptions{Files: hostFiles, Program: "1.2.3", Created: noon}

// manyLocks is a file system in memory with a lock for every name.
type manyLocks struct {
	*memory
	held map[string]bool
}

func locks(m *memory) manyLocks { return manyLocks{m, map[string]bool{}} }

func (m manyLocks) Lock(name string) (io.Closer, error) {
	if m.held[name] {
		return nil, &InUseError{Dir: filepath.Dir(name), PID: 1}
	}
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	m.held[name] = true
	return manyLock{f, m, name}, nil
}

type manyLock struct {
	file
	m    manyLocks
	name string
}

func (l manyLock) Close() error {
	delete(l.m.held, l.name)
	return l.file.Close()
}

// smallHost makes a host with two rooms, a state and a key, on a file system in memory.
func smallHost(t testing.TB) *memory {
	t.Helper()
	m, _ := smallRoom(t)
	s, err := openMemory(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Room(rooms.RoomKey{7}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Compact(someChanges(1, 5)), s.Record(someChanges(6, 9)...), s.Close()); err != nil {
		t.Fatal(err)
	}
	putFile(t, m, "/data/identity.key", []byte("secret"))
	return m.clone()
}

func backupFrom(t testing.TB, m *memory) ([]byte, BackupInfo) {
	t.Helper()
	var b bytes.Buffer
	info, err := backupOf(m, &b, "/data", options)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), info
}

// expectCopy compares what was restored to /copy with the room of smallHost.
func expectCopy(t testing.TB, m *memory, last rooms.Seq, epoch uint64) {
	t.Helper()
	s := newStore(m, "/copy")
	l := openRoom(t, s)
	expectAll(t, l, last)
	expectWhole(t, s, last)
	expectChanges(t, s, someChanges(1, 9))
	if l.Epoch() == epoch {
		t.Error("the copy has the same epoch")
	}
	if string(mustFind(t, m, "/copy/identity.key").data) != "secret" {
		t.Error("the key is another one")
	}
	if mustFind(t, m, "/copy").names[markerName] != nil {
		t.Error("the copy is still being restored")
	}
}

func TestBackupAndRestore(t *testing.T) {
	m := smallHost(t)
	host, err := openMemory(m) // it is running
	if err != nil {
		t.Fatal(err)
	}
	l := openRoom(t, host)
	b, made := backupFrom(t, m)
	info, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles)
	if err != nil {
		t.Fatal(err)
	}
	expectCopy(t, m, l.Head(), l.Epoch())
	if made.Rooms != 2 || made.Messages != int64(l.Head()) || !reflect.DeepEqual(made.Files, hostFiles[:1]) || made.Damaged != nil {
		t.Errorf("backup: %+v", made)
	}
	if !reflect.DeepEqual(info.BackupInfo, made) || info.Repairs != nil || info.State.Done() {
		t.Errorf("restored: %+v\nwant %+v", info, made)
	}
	if _, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a second restore: %v", err)
	}
	if again, _ := backupFrom(t, m); !bytes.Equal(again, b) {
		t.Error("a second backup is another one")
	}
	if _, err := backupOf(m, io.Discard, "/none", options); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a backup of nothing: %v", err)
	}
}

// TestBackupOfDamage restores what was damaged when it was copied.
func TestBackupOfDamage(t *testing.T) {
	m := smallHost(t)
	n := segmentsOf(t, m)[1]
	lost := framesOf(t, n)[1]
	n.data[lost.off+20] ^= 1
	state := mustFind(t, m, "/data/state/"+stateName(2))
	state.data[headerSize+30] ^= 1
	b, made := backupFrom(t, m)
	if len(made.Damaged) != 3 {
		t.Errorf("damaged: %v", made.Damaged)
	}
	info, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Repairs) != 1 || !reflect.DeepEqual(info.Repairs[0].Lost, []Range{{lost.seq, lost.seq}}) || !info.State.Done() {
		t.Errorf("restored: %+v", info)
	}
	if l := openRoom(t, newStore(m, "/copy")); l.Damage() != nil {
		t.Error(l.Damage())
	}
}

// expectRefused restores what is no whole backup: the error says so, and nothing is left.
func expectRefused(t testing.TB, m *memory, b []byte) error {
	t.Helper()
	before := sortedNames(m.root.names)
	_, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles)
	if !errors.Is(err, ErrBackup) {
		t.Fatalf("restored with %v", err)
	}
	if left := sortedNames(m.root.names); !reflect.DeepEqual(left, before) {
		t.Fatalf("left: %v", left)
	}
	return err
}

func TestRestoreTruncatedAndChanged(t *testing.T) {
	m := smallHost(t)
	l := openRoom(t, newStore(m, "/data"))
	b, _ := backupFrom(t, m)
	end := bytes.LastIndex(b, []byte(sumsName)) // the header of the last entry
	for size := 0; size <= end; size += 61 {
		expectRefused(t, m, b[:size])
		if size%512 > 512-61 {
			expectRefused(t, m, b[:size/512*512])
		}
	}
	rnd := rand.New(rand.NewPCG(4, 4))
	for at := 0; at < len(b); at += 1 + rnd.IntN(40) {
		changed := slices.Clone(b)
		changed[at] ^= 1 << rnd.IntN(8)
		m := m.clone()
		_, err := restoreOn(locks(m), bytes.NewReader(changed), "/copy", hostFiles)
		if err == nil { // it was between two files
			expectCopy(t, m, l.Head(), l.Epoch())
		} else if left := sortedNames(m.root.names); !errors.Is(err, ErrBackup) || len(left) != 1 {
			t.Fatalf("byte %d changed: %v; left: %v", at, err, left)
		}
	}
}

func TestHostileBackups(t *testing.T) {
	manifest := func(text string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Linkname: text}
	}
	good := manifest(`{"format":1,"history":1}`)
	plain := func(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeReg, Name: name} }
	room := "rooms/" + strings.Repeat("0a", 16)
	for name, entries := range map[string][]*tar.Header{
		"nothing":           {},
		"no manifest":       {plain("identity.key")},
		"a broken manifest": {manifest("{")},
		"an absolute name":  {good, plain("/etc/passwd")},
		"a name above":      {good, plain("../identity.key")},
		"a name around":     {good, plain("state/../identity.key")},
		"a room above":      {good, plain("rooms/../" + segmentName(1))},
		"a dot":             {good, plain("./identity.key")},
		"two slashes":       {good, plain("state//" + stateName(1))},
		"a backslash":       {good, plain(`state\` + stateName(1))},
		"an unknown name":   {good, plain("typed")},
		"an unknown file":   {good, plain("state/new.tmp")},
		"a socket's name":   {good, plain("host.sock")},
		"segment 0":         {good, plain(room + "/" + segmentName(0))},
		"large letters":     {good, plain(strings.ToUpper(room) + "/" + segmentName(1))},
		"a deeper name":     {good, plain(room + "/lost/" + segmentName(1))},
		"a directory":       {good, {Typeflag: tar.TypeDir, Name: "state/"}},
		"a link":            {good, {Typeflag: tar.TypeSymlink, Name: "identity.key", Linkname: "/etc/passwd"}},
		"a hard link":       {good, {Typeflag: tar.TypeLink, Name: "identity.key", Linkname: "/etc/passwd"}},
		"a device":          {good, {Typeflag: tar.TypeChar, Name: "identity.key"}},
		"a fifo":            {good, {Typeflag: tar.TypeFifo, Name: "identity.key"}},
		"a file twice":      {good, plain("identity.key"), plain("identity.key")},
		"two manifests":     {good, good},
		"records":           {good, {Typeflag: tar.TypeReg, Name: "identity.key", PAXRecords: map[string]string{"p2p.x": "y"}}},
		"only a manifest":   {good},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range entries {
			h := *h
			text := ""
			if h.Name == manifestName {
				text, h.Linkname = h.Linkname, ""
			}
			h.Size = int64(len(text))
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(name, err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(name, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { t.Log(expectRefused(t, smallHost(t), b.Bytes())) })
	}
}

// TestHugeBackups have sizes and numbers that are refused before they cost anything.
func TestHugeBackups(t *testing.T) {
	for name, write := range map[string]func(w *tar.Writer){
		"a huge key": func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "identity.key", Size: maxExtra + 1})
		},
		"a huge segment": func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "state/" + stateName(1), Size: 1 << 40})
		},
		"many files": func(w *tar.Writer) {
			for n := range 100_000 {
				_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "state/" + stateName(uint64(n)+1)})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "many files" {
				t.Skip("it takes some seconds")
			}
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			text := `{"format":1,"history":1}`
			_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: int64(len(text))})
			_, _ = io.WriteString(w, text)
			write(w)
			_ = w.Flush()
			t.Log(expectRefused(t, newMemory(), b.Bytes()))
		})
	}
	m := smallHost(t)
	b, _ := backupFrom(t, m)
	var later *VersionError
	b = bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1)
	if _, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles); !errors.As(err, &later) {
		t.Errorf("a backup of a later version: %v", err)
	}
}

// TestBackupOfAHugeFile looks at the header of a file that is too large for plain tar.
func TestBackupOfAHugeFile(t *testing.T) {
	name := blobName(rooms.Hash{1})
	for _, size := range []int64{maxPlain, maxPlain + 1, maxBlob} {
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader((&backup{}).header(name, size)); err != nil {
			t.Fatal(err)
		}
		h, err := (&restore{}).next(tar.NewReader(&b))
		if err != nil || h.Size != size || h.Name != name {
			t.Errorf("%d bytes: %v, %v", size, h, err)
		}
	}
}

// TestRestoreCutShort ends a restore at every call, by a power cut or a failure: the copy
// is there as a whole, or another restore makes it.
func TestRestoreCutShort(t *testing.T) {
	whole := smallHost(t)
	l := openRoom(t, newStore(whole, "/data"))
	b, _ := backupFrom(t, whole)
	rnd := rand.New(rand.NewPCG(6, 6))
	for _, power := range []bool{true, false} {
		for call, done := 1, false; !done; call++ {
			m := whole.clone()
			if power {
				m.stop = call
			} else {
				m.nth = call
			}
			_, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles)
			done = err == nil && m.calls < max(m.stop, m.nth)
			if err != nil && !power && m.name != "remove" && len(m.root.names) != 1 {
				t.Fatalf("call %d (%s) failed: %v; left: %v", call, m.name, err, sortedNames(m.root.names))
			}
			m.reboot(power, rnd)
			if m.root.names["copy"] == nil {
				if _, err := restoreOn(locks(m), bytes.NewReader(b), "/copy", hostFiles); err != nil {
					t.Fatalf("after call %d (power cut %t): %v", call, power, err)
				}
			} else if c := m.root.names["copy"]; c.names[markerName] != nil {
				delete(c.names, markerName)
			}
			expectCopy(t, m, l.Head(), l.Epoch())
		}
	}
}

// TestRestoreNextToOthers leaves alone what it did not make.
func TestRestoreNextToOthers(t *testing.T) {
	dir := t.TempDir()
	m := smallHost(t)
	b, _ := backupFrom(t, m)
	target := filepath.Join(dir, "a", "b")
	foreign := filepath.Join(target+".restoring", "letters")
	if err := errors.Join(os.MkdirAll(filepath.Dir(foreign), 0o700), os.WriteFile(foreign, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(bytes.NewReader(b), target, hostFiles); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("restored over somebody's directory: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(target + ".restoring"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(target, 0o755); err != nil { // an empty one is fine
		t.Fatal(err)
	}
	if _, err := Restore(bytes.NewReader(b), target, hostFiles); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	openStore(t, target)
}

// TestBackupOfARunningHost makes backups while a host says, records, compacts, begins
// segments, removes the oldest and rewrites others. Each holds what was acknowledged
// before it began.
func TestBackupOfARunningHost(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	s.segment = 6 << 10
	l := openRoom(t, s)
	var acked, recorded atomic.Int64
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- busyHost(s, l, &acked, &recorded, stop) }()
	backups := 12
	if testing.Short() || raceDetector {
		backups = 4
	}
	for n := range backups {
		head, changes := acked.Load(), recorded.Load()
		var b bytes.Buffer
		info, err := Backup(&b, dir, options)
		if err != nil || info.Damaged != nil {
			t.Fatalf("backup %d: %+v, %v", n, info, err)
		}
		target := filepath.Join(t.TempDir(), "copy")
		restored, err := Restore(&b, target, hostFiles)
		if err != nil || len(restored.Repairs) > 0 || restored.State.Done() {
			t.Fatalf("restore %d: %+v, %v", n, restored, err)
		}
		expectBusyCopy(t, target, head, changes)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func expectBusyCopy(t *testing.T, dir string, head, changes int64) {
	t.Helper()
	s := openStore(t, dir)
	l := openRoom(t, s)
	if int64(l.Head()) < head {
		t.Fatalf("%d messages were acknowledged, the copy has %d", head, l.Head())
	}
	got, err := all(l, 100)
	if err != nil || len(got) == 0 && head > 0 {
		t.Fatal(len(got), err)
	}
	for i, m := range got {
		if m.Seq != l.First()+rooms.Seq(i) || m.Kind != rooms.Redaction && !m.Redacted && !equalMessage(m, said(m.Seq)) {
			t.Fatalf("place %d: %+v", i, m)
		}
	}
	state, err := s.Changes()
	if err != nil || int64(len(state)) < changes {
		t.Fatalf("%d changes were acknowledged, the copy has %d, %v", changes, len(state), err)
	}
	if v, err := s.Verify(lobby); err != nil || !v.Whole() {
		t.Fatalf("%+v, %v", v, err)
	}
	s.Close()
}

// busyHost works until it is stopped.
func busyHost(s *Store, l *Log, acked, recorded *atomic.Int64, stop chan struct{}) error {
	rnd := rand.New(rand.NewPCG(1, 2))
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := l.Append(run(l.Head()+1, l.Head()+rooms.Seq(rnd.IntN(9)+1))); err != nil {
			return err
		}
		acked.Store(int64(l.Head()))
		n := int(recorded.Load())
		var err error
		switch rnd.IntN(12) {
		case 0:
			err = s.Compact(someChanges(1, n))
		case 1:
			if err = s.Record(someChange(n + 1)); err == nil {
				recorded.Add(1)
			}
		case 2:
			m := said(l.Head() + 1)
			m.Target = l.Head() - rooms.Seq(rnd.IntN(int(min(l.Head(), 200))))
			if err = l.Redact(m); errors.Is(err, ErrNoMessage) {
				err = nil
			}
			acked.Store(int64(l.Head()))
		case 3:
			_, err = l.Retain(rooms.Retention{Messages: 300}, noon)
		}
		if err != nil {
			return fmt.Errorf("the host: %w", err)
		}
	}
}

// FuzzRestore restores any bytes, and any change of a backup: it is there as a whole, or
// not at all, and nothing is written elsewhere.
func FuzzRestore(f *testing.F) {
	m := smallHost(f)
	b, _ := backupFrom(f, m)
	l := openRoom(f, newStore(m, "/data"))
	f.Add(b, uint16(0), byte(0))
	f.Add(b[:len(b)/2], uint16(700), byte(1))
	f.Add([]byte("no backup"), uint16(3), byte(255))
	before := bytesOf(m.root, "", map[string]string{})
	f.Fuzz(func(t *testing.T, data []byte, at uint16, change byte) {
		for _, data := range [][]byte{data, b} {
			if len(data) > 0 {
				data = slices.Clone(data)
				data[int(at)%len(data)] ^= change
			}
			m := m.clone()
			_, err := restoreOn(locks(m), bytes.NewReader(data), "/copy", hostFiles)
			if err == nil && m.root.names["copy"] == nil || err != nil && len(m.root.names) != 1 {
				t.Fatalf("%v; there is %v", err, sortedNames(m.root.names))
			}
			if err == nil && bytes.Equal(data, b) {
				expectCopy(t, m, l.Head(), l.Epoch())
			}
			delete(m.root.names, "copy")
			if !reflect.DeepEqual(before, bytesOf(m.root, "", map[string]string{})) {
				t.Fatal("something else was changed")
			}
		}
	})
}
