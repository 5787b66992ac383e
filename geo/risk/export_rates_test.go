package risk

// FreshRates are rates of which nothing is made yet.
func (a *Assessment) FreshRates() *Rates { return a.newRates() }
