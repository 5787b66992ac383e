package gpkg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// readOnlyDisk returns a folder and how to make it read-only and writable: by
// its mode, or as root, whom modes do not stop, as a file system in memory.
func readOnlyDisk(t *testing.T) (dir string, set func(readOnly bool)) {
	t.Helper()
	dir = t.TempDir()
	if os.Geteuid() != 0 {
		set = func(readOnly bool) {
			file, folder := os.FileMode(0o600), os.FileMode(0o700)
			if readOnly {
				file, folder = 0o400, 0o500
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			err := os.Chmod(dir, folder)
			for _, name := range files {
				err = errors.Join(err, os.Chmod(name, file))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { set(false) })
		return dir, set
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("root, who may not mount here, cannot have a read-only disk: %v; see asNobody", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir, func(readOnly bool) {
		flags := uintptr(syscall.MS_REMOUNT)
		if readOnly {
			flags |= syscall.MS_RDONLY
		}
		if err := syscall.Mount("none", dir, "tmpfs", flags, "size=64m"); err != nil {
			t.Fatal(err)
		}
	}
}

// asNobody runs a test in a process of somebody whom modes do stop, where this
// one is root and may not mount. It reports whether it did.
func asNobody(t *testing.T) bool {
	t.Helper()
	probe := t.TempDir()
	if os.Geteuid() != 0 {
		return false
	}
	if syscall.Mount("none", probe, "tmpfs", 0, "size=64k") == nil {
		if err := syscall.Unmount(probe, syscall.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		return false
	}
	const nobody = 65534
	home, err := os.MkdirTemp("/tmp", "nobody-*") // every folder above t.TempDir may be closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(home, "test")
	if err := errors.Join(os.WriteFile(program, readFile(t, self), 0o700), os.Chown(program, nobody, nobody), os.Chown(home, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	c.Dir, c.Env = home, append(os.Environ(), "TMPDIR="+home)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}

// TestStartReadOnly: on a disk that cannot be written a store opens for reading,
// after a clean end and after a kill, refuses changes, and takes them as soon as
// it can.
func TestStartReadOnly(t *testing.T) {
	if asNobody(t) {
		return
	}
	for _, name := range []string{"closed", "killed"} {
		t.Run(name, func(t *testing.T) {
			dir, readOnly := readOnlyDisk(t)
			path := filepath.Join(dir, "s.gpkg")
			l := storetest.Random(3, "a", 300)
			first := storetest.Random(2, "a", 100)
			s, err := Open(t.Context(), filepath.Join(t.TempDir(), "s.gpkg"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			mustCommit(t, s, data.Replace, first)
			if name == "closed" {
				mustCommit(t, s, data.Replace, l)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				writeFile(t, path, readFile(t, s.path))
			} else { // a process that is killed leaves its log and the index of it
				defer s.Close()
				mustCommit(t, s, data.Replace, l)
				for _, suffix := range []string{"", "-wal", "-shm", ".commits"} {
					writeFile(t, path+suffix, readFile(t, s.path+suffix))
				}
			}
			readOnly(true)
			var told []string
			s = openTest(t, path, Options{Notify: func(m string) { told = append(told, m) }})
			if !s.ReadOnly() || !strings.Contains(strings.Join(told, " "), "cannot be written") {
				t.Fatalf("told %q", told)
			}
			storetest.Equal(t, mustLoad(t, s, "a"), l)
			for range 2 {
				if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: first}); !errors.Is(err, data.ErrReadOnly) {
					t.Fatalf("Commit: %v", err)
				}
				storetest.Equal(t, mustLoad(t, s, "a"), l)
			}
			if written, err := s.Snapshot(t.Context(), nil); written || err != nil {
				t.Errorf("Snapshot: %v, %v", written, err)
			}
			readOnly(false)
			info := mustCommit(t, s, data.Replace, first)
			if info.Version != 3 || s.ReadOnly() {
				t.Errorf("version %d, read-only %v", info.Version, s.ReadOnly())
			}
			storetest.Equal(t, mustLoad(t, s, "a"), first)
			if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "has the store open") {
				t.Errorf("the lock is not held: %v", err)
			}
		})
	}
}

// TestThawChanged: a store that somebody else changed while it could not be
// written here does not take changes on top of what was never seen.
func TestThawChanged(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir, readOnly := readOnlyDisk(t)
	path := filepath.Join(dir, "s.gpkg")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, data.Replace, storetest.Random(2, "a", 100))
	s.Close()
	readOnly(true)
	s = openTest(t, path, Options{})
	readOnly(false)
	other, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, other, data.Replace, storetest.Random(3, "a", 50))
	other.Close()
	if _, err := s.Commit(t.Context(), data.Change{Info: geo.LayerInfo{ID: "a"}, Mode: data.Replace}); !errors.Is(err, data.ErrReadOnly) || !strings.Contains(err.Error(), "start the service again") {
		t.Errorf("%v", err)
	}
}
