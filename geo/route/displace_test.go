package route_test

import (
	"errors"
	"testing"

	"github.com/sempadan/sempadan/geo/route"
)

// Ends that nothing joins have no displacement, which is no fault of the service.
func TestDisplaceOfNothing(t *testing.T) {
	m := &route.Matrix{Pairs: 1}
	if _, err := route.Displace(m, m, 0.1); !errors.Is(err, route.ErrNoPath) {
		t.Errorf("%v", err)
	}
}
