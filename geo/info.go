package geo

// WithInfo returns the same features under another description.
func (l *Layer) WithInfo(info LayerInfo) *Layer {
	c := *l
	c.Info = info
	return &c
}
