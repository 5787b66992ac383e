package gpkg

import "syscall"

// networkFS names the network file system that a folder is on, "" when it is
// on none that is known. SQLite's write-ahead log needs memory shared between
// processes, which these do not give. The numbers are those of statfs(2).
func networkFS(dir string) string {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return ""
	}
	return map[uint32]string{
		0x6969:     "NFS",
		0x517b:     "SMB",
		0xff534d42: "CIFS",
		0xfe534d42: "SMB2",
		0x5346414f: "AFS",
		0x73757245: "Coda",
		0x564c:     "NCP",
	}[uint32(st.Type)]
}
