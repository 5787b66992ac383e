package data

import "time"

// Recovery tells what a store did at its opening about damage that it found.
type Recovery struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"` // what was found
	// Kept names the files that were set aside, for a person to look at.
	Kept []string `json:"kept,omitempty"`
	// LostCommits is how many acknowledged changes are missing, -1 when that
	// cannot be known; LastCommit is when the newest of them was made.
	LostCommits int64     `json:"lost_commits"`
	LastCommit  time.Time `json:"last_commit,omitzero"`
	// Older are the layers that are back as the last snapshot had them,
	// without their earlier versions; Whole those of which it had the newest,
	// by its checksums; Unverified those that were read from the damaged file
	// without a fault, which does not prove their values; Lost those that are
	// gone.
	Older      []string `json:"older,omitempty"`
	Whole      []string `json:"whole,omitempty"`
	Unverified []string `json:"unverified,omitempty"`
	Lost       []string `json:"lost,omitempty"`
}
