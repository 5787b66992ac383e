package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is, on standard error: a bar on a
// terminal, a line now and then elsewhere.
type progress struct {
	title string
	bar   *progressbar.ProgressBar
	total int64
	last  time.Time
}

func newProgress(title string, total int64) *progress { return startProgress(title, total, total > 0) }

// newStepProgress counts steps, not bytes.
func newStepProgress(title string, steps int) *progress {
	return startProgress(title, int64(steps), false)
}

func startProgress(title string, total int64, bytes bool) *progress {
	p := &progress{title: title, total: total, last: time.Now()}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(title),
			progressbar.OptionShowBytes(bytes), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14))
	}
	return p
}

// linesEvery is how often a line is printed where there is no terminal.
const linesEvery = 5 * time.Second

func (p *progress) at(n int64, note string) {
	if p.bar != nil {
		p.bar.Describe(p.title + ", " + note)
		_ = p.bar.Set64(min(n, max(p.total, 0)))
		return
	}
	if time.Since(p.last) < linesEvery {
		return
	}
	p.last = time.Now()
	if p.total > 0 {
		note += fmt.Sprintf(", %d %%", min(100, 100*n/p.total))
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", p.title, note)
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
