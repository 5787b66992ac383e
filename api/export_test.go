package api

import "github.com/sempadan/sempadan/geo/risk"

// Lend has a new server take over what it can from an assessment.
func (o *Options) Lend(a *risk.Assessment) { o.previous = a }
