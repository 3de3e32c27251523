package picture

import (
	"strings"
)

// kindOfExtension is what a name claims to be.
var kindOfExtension = map[string]string{
	"png": mimePNG, "jpg": mimeJPEG, "jpeg": mimeJPEG, "jpe": mimeJPEG, "gif": mimeGIF, "webp": mimeWebP,
	"bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "avif": mimeAVIF,
	"heic": mimeHEIC, "heif": mimeHEIC, "ico": "image/x-icon", "svg": mimeXML,
	"mp4": mimeMP4, "m4v": mimeMP4, "mov": mimeMOV, "webm": mimeWebM, "mkv": mimeMKV, "avi": mimeAVI,
	"mp3": "audio/mpeg", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "flac": mimeFLAC,
	"wav": mimeWAV, "m4a": "audio/mp4",
	"pdf": "application/pdf", "zip": mimeZip, "gz": "application/gzip", "tgz": "application/gzip",
	"bz2": "application/x-bzip2", "xz": "application/x-xz", "zst": "application/zstd",
	"7z": "application/x-7z-compressed", "rar": "application/vnd.rar", "tar": "application/x-tar",
	"docx": mimeZip, "xlsx": mimeZip, "pptx": mimeZip, "odt": mimeZip, "ods": mimeZip, "odp": mimeZip, "epub": mimeZip,
	"txt": mimeText, "md": mimeText, "log": mimeText, "csv": mimeText, "json": mimeText,
	"html": "text/html", "htm": "text/html", "xml": mimeXML,
}

// sameFamily are kinds between which a name may err without lying: containers
// that hold the same, and text of any sort.
var sameFamily = map[string]string{
	mimeMOV: mimeMP4, "audio/mp4": mimeMP4, mimeWebM: mimeMKV,
	mimeXML: mimeText, "text/html": mimeText, mimeScript: mimeText, "application/x-desktop": mimeText,
}

// shortKind is how a kind is called where the part behind the slash reads badly.
var shortKind = map[string]string{
	mimeText: "text", mimeScript: "a script", mimeMOV: "mov", mimeMKV: "mkv", mimeAVI: "avi",
	mimeOctets: "other data", "audio/mpeg": "mp3", "audio/mp4": "m4a", "application/x-desktop": "a desktop entry",
	"application/vnd.microsoft.portable-executable": "a Windows program", "application/x-elf": "a program",
	"application/x-mach-binary": "a program", "application/x-ms-shortcut": "a Windows shortcut",
	"application/x-ole-storage": "an old Office file", "application/x-7z-compressed": "7z", "application/vnd.rar": "rar",
	"application/x-tar": "tar", "application/x-bzip2": "bzip2", "application/x-xz": "xz", "application/vnd.sqlite3": "sqlite",
	"image/x-icon": "ico",
}

// Kind is a short word for a MIME type that [Sniff] or [Claims] gave, such as
// "png" or "a script".
func Kind(mime string) string {
	if word := shortKind[mime]; word != "" {
		return word
	}
	_, word, _ := strings.Cut(mime, "/")
	return word
}

// Claims tells of a name that lies: "says png, looks like zip". It is empty when
// name and content agree, and when the name claims nothing that is known. Mime is
// what [Sniff] said of the content.
func Claims(name, mime string) string {
	says, known := kindOfExtension[extension(name)]
	if !known || family(says) == family(mime) {
		return ""
	}
	return "says " + Kind(says) + ", looks like " + Kind(mime)
}

func family(mime string) string {
	if f := sameFamily[mime]; f != "" {
		return f
	}
	return mime
}

// extension is the last ending of a name in small letters, without the dot.
// Windows drops dots and blanks from the end of a name, so they don't count.
func extension(name string) string {
	name = strings.TrimRight(name, ". ")
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

// executableExtensions are what some desktop starts, installs or obeys when it is
// opened, and documents that may hold macros or scripts.
var executableExtensions = set(`
	exe com scr pif cpl msi msp mst msu dll sys drv ocx appx appxbundle msix msixbundle appinstaller application gadget
	bat cmd ps1 ps1xml psm1 psd1 vbs vbe vb js jse mjs ws wsf wsh wsc sct hta msc inf reg rgs scf url lnk library-ms
	search-ms searchconnector-ms settingcontent-ms theme themepack cab diagcab chm hlp rdp xll iqy slk website appref-ms
	doc dot docm dotm xls xlt xlsb xlsm xltm xla xlam ppt pot pps pptm potm ppam ppsm sldm one mdb mde accdb accde
	html htm xhtml xht shtml mht mhtml svg svgz iso img vhd vhdx
	app command tool workflow action scpt scptd applescript pkg mpkg dmg terminal inetloc fileloc webloc mobileconfig prefpane kext
	sh bash zsh fish csh ksh dash desktop directory run bin elf appimage flatpakref flatpak snap deb rpm apk xapk service
	py pyw pyc pyz pl pm cgi rb php lua tcl awk jar jnlp class war so dylib ko out crx xpi vsix`)

var executableKinds = map[string]bool{
	"application/x-elf": true, "application/x-mach-binary": true, "application/x-ms-shortcut": true,
	"application/vnd.microsoft.portable-executable": true, mimeScript: true, "application/x-desktop": true,
}

// Executable reports whether opening the file could run it or something that it
// holds or names: a program, script, shortcut, installer, disk image, web page, or a
// document with macros, by its name or by its content. Mime is what [Sniff] said. It
// knows what is known, and is good for a warning; for what is safe, see [Viewable].
func Executable(name, mime string) bool {
	return executableExtensions[extension(name)] || executableKinds[mime]
}

// viewableExtensions are what viewers show and play without obeying it: no svg, html
// or csv, and no playlists.
var viewableExtensions = set(`
	png jpg jpeg jpe gif webp bmp tif tiff avif heic heif ico
	mp4 m4v mov webm mkv avi mp3 ogg oga opus flac wav m4a pdf txt log`)

// Viewable reports whether a file can be handed to the system's viewer: it is a
// picture, a film, sound, a PDF or plain text, by its content, and its name, by which
// the system chooses the viewer, says the same. Mime is what [Sniff] said.
func Viewable(name, mime string) bool {
	ext := extension(name)
	if !viewableExtensions[ext] {
		return false
	}
	says := kindOfExtension[ext]
	return says == mime || says != mimeText && family(says) == family(mime)
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
