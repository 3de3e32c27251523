package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	stillTime  = 2 * time.Second // that ffmpeg gets
	maxStill   = 1 << 20         // bytes of the picture that it writes
	stillAfter = 3 * time.Second // into the film at most: the first frame is often black
)

// demuxers are ffmpeg's names for what is in the file. It is told, for left to
// find out it would also take a text for a playlist, and read what that names.
var demuxers = map[string]string{mimeMP4: "mov", mimeMOV: "mov", mimeWebM: "matroska", mimeMKV: "matroska", mimeAVI: "avi"}

// Still makes a preview of a film, one frame near its beginning, with ffmpeg. The
// error is [ErrNoPreview] if mime, which [Sniff] said, is no film's or there is no
// ffmpeg on the PATH. Ffmpeg gets the path as one argument, reads only this file,
// as the kind that it is, and is killed after two seconds; its own memory is not
// bounded, but by the size of a frame, [MaxPixels].
func Still(ctx context.Context, path, mime string) ([]byte, error) {
	demuxer := demuxers[mime]
	if demuxer == "" {
		return nil, ErrNoPreview
	}
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, ErrNoPreview
	}
	at, err := stillAt(path, mime)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, stillTime)
	defer cancel()
	scale := fmt.Sprintf("scale=%d:%d:force_original_aspect_ratio=decrease", PreviewWidth, PreviewHeight)
	cmd := exec.CommandContext(ctx, ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1",
		"-max_pixels", strconv.Itoa(MaxPixels), "-protocol_whitelist", "file", "-f", demuxer, "-ss", at, "-i", "file:"+path,
		"-map", "0:v:0", "-frames:v", "1", "-vf", scale, "-map_metadata", "-1", "-c:v", "png", "-f", "image2pipe", "pipe:1")
	out := &bounded{max: maxStill}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("no still of the film: %w", err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(out.buf.Bytes()))
	if err != nil || config.Width > PreviewWidth || config.Height > PreviewHeight {
		return nil, errors.Join(malformed("ffmpeg made no picture"), err)
	}
	m, err := png.Decode(bytes.NewReader(out.buf.Bytes()))
	if err != nil {
		return nil, err
	}
	return encode(m, upright)
}

// stillAt is the second at which the still is taken: a tenth into the film.
func stillAt(path, mime string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", ErrNoPreview
	}
	at := min(Look(f, info.Size(), mime).Duration/10, stillAfter)
	return strconv.FormatFloat(at.Seconds(), 'f', 3, 64), nil
}

// bounded keeps what is written, and refuses more than max bytes. The buffer is not
// embedded, or its ReadFrom would go past the bound.
type bounded struct {
	buf bytes.Buffer
	max int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > b.max {
		return 0, io.ErrShortBuffer
	}
	return b.buf.Write(p)
}
