package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxArchiveEntries is how many files an archive may hold.
const maxArchiveEntries = 1000

// archive is a zip file (PKWARE APPNOTE 6.3) whose entries are read in memory,
// by name, and never written anywhere. What openArchive returns has at most
// maxArchiveEntries plain files under different names that lie in the file one
// behind the other.
type archive struct {
	ctx      context.Context
	files    []*zip.File // without folders
	limits   Limits
	unpacked int64 // of all entries read so far
}

// openArchive reads the list of entries. Errors are refusals, or those of src.
func openArchive(ctx context.Context, src io.ReaderAt, size int64, limits Limits) (*archive, error) {
	starts, err := walkDirectory(src, size)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(src, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // which is judged below
		return nil, badZip("its list of files cannot be read (%v)", err)
	}
	if len(z.File) != len(starts) {
		return nil, badZip("its list of files contradicts itself")
	}
	a := &archive{ctx: ctx, limits: limits}
	seen, declared := map[string]bool{}, uint64(0)
	var spans [][2]int64
	for i, f := range z.File {
		if err := checkEntry(f); err != nil {
			return nil, err
		}
		key := strings.ToLower(path.Clean(strings.ReplaceAll(f.Name, `\`, "/")))
		if seen[key] {
			return nil, refuse(422, "archive_duplicate", "the archive has the name %s twice", show(f.Name))
		}
		seen[key] = true
		at, err := f.DataOffset()
		if err != nil {
			return nil, badZip("the file %s in it cannot be found (%v)", show(f.Name), err)
		}
		if f.CompressedSize64 > uint64(size) {
			return nil, badZip("the file %s in it is longer than the archive", show(f.Name))
		}
		spans = append(spans, [2]int64{starts[i], at + int64(f.CompressedSize64)})
		if declared += min(f.UncompressedSize64, 1<<50); limits.UnpackedBytes > 0 && declared > uint64(limits.UnpackedBytes) {
			return nil, tooLargeUnpacked(limits.UnpackedBytes)
		}
		// Entries that are not read are judged too, by what they declare; divided, as a product could overflow.
		if n := f.UncompressedSize64; n > ratioFreeBytes && (n-1)/uint64(limits.Ratio) >= f.CompressedSize64 {
			return nil, badRatio(f, limits.Ratio)
		}
		if !f.FileInfo().IsDir() {
			a.files = append(a.files, f)
		}
	}
	slices.SortFunc(spans, func(a, b [2]int64) int { return int(min(1, max(-1, a[0]-b[0]))) })
	for i, s := range spans {
		if s[1] > size || i > 0 && s[0] < spans[i-1][1] {
			return nil, refuse(422, "archive_overlap", "files in the archive lie over one another; pack it anew")
		}
	}
	return a, nil
}

func badZip(format string, args ...any) *Refusal {
	return refuse(400, "bad_zip", "the archive is damaged or cut off: "+format+"; send it again", args...)
}

func tooLargeUnpacked(limit int64) *Refusal {
	return refuse(413, "unpacked_too_large", "the file is larger than %d bytes when unpacked; split it", limit)
}

// ratioFreeBytes may come out of an entry of any size.
const ratioFreeBytes = 1 << 20

func badRatio(f *zip.File, ratio int64) *Refusal {
	return refuse(413, "compression_ratio", "%s in the archive unpacks to more than %d times its size; pack it anew without it, or uncompressed", show(f.Name), ratio)
}

// Lengths and signatures of a zip file's records.
const (
	zipEndBytes    = 22
	zipEntryBytes  = 46
	zipEndMagic    = "PK\x05\x06"
	zipEntryMagic  = "PK\x01\x02"
	maxZipComment  = 1<<16 - 1
	maxZipNameList = maxArchiveEntries * (zipEntryBytes + 1024)
)

// walkDirectory counts the entries of the list itself, before archive/zip
// makes memory for them, and returns where each begins in the file.
func walkDirectory(src io.ReaderAt, size int64) ([]int64, error) {
	tail := make([]byte, min(size, zipEndBytes+maxZipComment))
	if _, err := src.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	k := bytes.LastIndex(tail, []byte(zipEndMagic))
	if k < 0 || len(tail)-k < zipEndBytes {
		return nil, badZip("it has no list of files at its end")
	}
	end := tail[k:]
	count := int(binary.LittleEndian.Uint16(end[10:]))
	length, offset := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	switch {
	case count > maxArchiveEntries:
		return nil, refuse(413, "archive_entries", "the archive has more than %d files; send only those of the layer", maxArchiveEntries)
	case offset+length != size-int64(len(tail)-k) || length > maxZipNameList:
		return nil, badZip("its list of files is not where it says")
	}
	list := make([]byte, length)
	if _, err := src.ReadAt(list, offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var starts []int64
	for len(list) > 0 {
		if len(list) < zipEntryBytes || string(list[:4]) != zipEntryMagic || len(starts) == count {
			return nil, badZip("its list of files contradicts itself")
		}
		n := zipEntryBytes
		for _, at := range []int{28, 30, 32} { // the lengths of name, extra field and comment
			n += int(binary.LittleEndian.Uint16(list[at:]))
		}
		if n > len(list) {
			return nil, badZip("its list of files contradicts itself")
		}
		starts = append(starts, int64(binary.LittleEndian.Uint32(list[42:])))
		list = list[n:]
	}
	if len(starts) != count {
		return nil, badZip("its list of files contradicts itself")
	}
	return starts, nil
}

// checkEntry refuses what a plain file of a layer never is.
func checkEntry(f *zip.File) error {
	name := strings.ReplaceAll(f.Name, `\`, "/")
	switch {
	case name == "" || !filepath.IsLocal(filepath.FromSlash(name)) || strings.HasPrefix(name, "/") || strings.Contains(name, ":") || strings.Contains(name, "\x00"):
		return refuse(422, "archive_path", "the archive has a file %s, which points outside it", show(f.Name))
	case !f.FileInfo().IsDir() && !f.Mode().IsRegular():
		return refuse(422, "archive_link", "%s in the archive is a link or a device, not a file", show(f.Name))
	case f.Flags&(1<<0|1<<6|1<<13) != 0:
		return refuse(422, "archive_encrypted", "%s in the archive is encrypted; pack it without a password", show(f.Name))
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return refuse(422, "archive_method", "%s in the archive is packed by a method that is not read (%d); use plain zip", show(f.Name), f.Method)
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".zip", ".kmz", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst":
		return refuse(422, "archive_nested", "the archive holds another, %s; send that by itself", show(f.Name))
	}
	return nil
}

// named returns the entries whose name ends in an extension such as ".shp",
// letter case aside, in order of name. What macOS adds for itself is not among
// them.
func (a *archive) named(ext string) []*zip.File {
	var out []*zip.File
	for _, f := range a.files {
		name := strings.ReplaceAll(f.Name, `\`, "/")
		if strings.EqualFold(path.Ext(name), ext) && !strings.HasPrefix(name, "__MACOSX/") && !strings.HasPrefix(path.Base(name), "._") {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// sibling returns the entry that has the name of f with another extension, nil
// when there is none.
func (a *archive) sibling(f *zip.File, ext string) *zip.File {
	stem := strings.TrimSuffix(f.Name, path.Ext(f.Name))
	for _, other := range a.files {
		if strings.EqualFold(other.Name, stem+ext) {
			return other
		}
	}
	return nil
}

// open returns the unpacked bytes of an entry, counted as they come out.
func (a *archive) open(f *zip.File) (io.ReadCloser, error) {
	r, err := f.Open()
	if err != nil {
		return nil, badZip("the file %s in it cannot be read (%v)", show(f.Name), err)
	}
	return &entryReader{a: a, file: f, src: r}, nil
}

// readAll returns an entry whole, which may be at most limit bytes long.
func (a *archive) readAll(f *zip.File, limit int64) ([]byte, error) {
	r, err := a.open(f)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = refuse(413, "archive_entry_too_large", "%s in the archive is larger than %d bytes", show(f.Name), limit)
	}
	return b, err
}

// entryReader counts what comes out of an entry: declared sizes are not
// believed.
type entryReader struct {
	a    *archive
	file *zip.File
	src  io.ReadCloser
	n    int64
}

func (r *entryReader) Read(p []byte) (int, error) {
	if err := r.a.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.src.Read(p)
	r.n += int64(n)
	r.a.unpacked += int64(n)
	switch limits := r.a.limits; {
	case limits.UnpackedBytes > 0 && r.a.unpacked > limits.UnpackedBytes:
		return 0, tooLargeUnpacked(limits.UnpackedBytes)
	case r.n > ratioFreeBytes && r.n > limits.Ratio*int64(r.file.CompressedSize64):
		return 0, badRatio(r.file, limits.Ratio)
	case err != nil && !errors.Is(err, io.EOF):
		return n, badZip("the file %s in it breaks off after %d bytes (%v)", show(r.file.Name), r.n, err)
	}
	return n, err
}

func (r *entryReader) Close() error { return r.src.Close() }
