package files

import (
	"errors"
	"testing"
)

func TestOpenRefusesWhatIsNotOnlyShown(t *testing.T) {
	for name, content := range map[string]string{
		"a.sh": "echo", "cat.png": "#!/bin/sh\nrm -rf /", "x.desktop": "[Desktop Entry]", "photo.jpg": "\x7fELF\x02\x01\x01", "a.exe": "MZ",
		"a.html": "<html>", "a.txt": "<html>", "a.svg": "<svg/>", "a.doc": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.docm": "PK\x03\x04",
		"a.rdp": "full address:s:evil", "a": "plain", "b.html": "\x89PNG\r\n\x1a\n", "c.png": "",
	} {
		var no *NotViewableError
		if err := Open(put(t, name, []byte(content))); !errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Open(t.TempDir()); err == nil {
		t.Error("opened a folder")
	}
}
