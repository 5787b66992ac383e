package route

import (
	"context"
	"fmt"

	"github.com/sempadan/sempadan/geo/risk"
)

// WhatIfOptions say what else is compared.
type WhatIfOptions struct {
	// Graph, when not nil, is laid over the assessment, and Ways are the ends whose
	// displacement is told, with Spread as in Displace.
	Graph  *Graph
	Ways   MatrixQuery
	Spread float64
	// Before, when not nil, is the matrix of Ways as it is.
	Before *Matrix
}

// SectionChange is a section before and after.
type SectionChange struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	ResidualBefore risk.Estimate `json:"residual_before"` // expected undetected incidents in 30 days
	ResidualAfter  risk.Estimate `json:"residual_after"`
	SearchBefore   float64       `json:"search_coverage_before"`
	SearchAfter    float64       `json:"search_coverage_after"`
	LevelBefore    risk.Level    `json:"level_before"`
	LevelAfter     risk.Level    `json:"level_after"`
	ClassBefore    risk.Class    `json:"class_before"`
	ClassAfter     risk.Class    `json:"class_after"`
	IndexBefore    float64       `json:"index_before"`
	IndexAfter     float64       `json:"index_after"`
}

// Comparison is the border as it is and as it would be.
type Comparison struct {
	// ResidualBefore and ResidualAfter are means over the whole border.
	ResidualBefore float64 `json:"residual_before"`
	ResidualAfter  float64 `json:"residual_after"`
	// Sections are those of which anything changes. The index ranks sections among
	// each other, so that a level may change where no patrol did.
	Sections     []SectionChange  `json:"sections"`
	Displacement *Displacement    `json:"displacement,omitempty"`
	Crossings    []MatrixCrossing `json:"crossings,omitempty"`
	// After is the assessment as it would be.
	After *risk.Assessment `json:"-"`
}

// WhatIf compares an assessment with what it would be after a change of posts,
// patrols and sensors, side by side.
func WhatIf(ctx context.Context, a *risk.Assessment, c risk.Change, o WhatIfOptions) (*Comparison, error) {
	b, err := a.WithPatrols(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &Comparison{After: b, Sections: []SectionChange{}}
	for i := range a.Sections {
		p, q := &a.Sections[i], &b.Sections[i]
		out.ResidualBefore += p.Undetected.Mean
		out.ResidualAfter += q.Undetected.Mean
		if p.Undetected != q.Undetected || p.Level != q.Level || p.Class != q.Class || p.SearchPOD != q.SearchPOD {
			out.Sections = append(out.Sections, SectionChange{
				p.ID, p.Name, p.Undetected, q.Undetected, p.SearchPOD, q.SearchPOD, p.Level, q.Level, p.Class, q.Class, p.Index, q.Index,
			})
		}
	}
	if o.Graph == nil {
		return out, nil
	}
	before := o.Before
	if before == nil {
		if before, err = o.Graph.Matrix(ctx, o.Ways); err != nil {
			return nil, fmt.Errorf("displacement before: %w", err)
		}
	}
	after, err := o.Graph.WithAssessment(b).Matrix(ctx, o.Ways)
	if err != nil {
		return nil, fmt.Errorf("displacement after: %w", err)
	}
	out.Crossings = before.Crossings
	out.Displacement, err = Displace(before, after, o.Spread)
	return out, err
}
