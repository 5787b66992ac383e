package tiles

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// PNG returns the legend as a picture, scale times as large as the SVG: 1 for
// a plain screen, 2 for a fine one.
func (l Legend) PNG(scale int) ([]byte, error) {
	if scale < 1 || scale > 4 {
		return nil, fmt.Errorf("legend: scale %d; give 1 to 4", scale)
	}
	lines, top, height := l.layout()
	img := image.NewNRGBA(image.Rect(0, 0, legendWidth*scale, height*scale))
	draw.Draw(img, img.Rect, image.NewUniform(color.NRGBA{213, 219, 227, 255}), image.Point{}, draw.Src)
	draw.Draw(img, img.Rect.Inset(scale), image.White, image.Point{}, draw.Src)

	p := pen{img: img, scale: scale}
	dark, soft := color.NRGBA{31, 42, 55, 255}, color.NRGBA{82, 96, 109, 255}
	for _, h := range lines {
		ttf, size, c := goregular.TTF, textSize, soft
		if h.title {
			ttf, size, c = gobold.TTF, titleSize, dark
		}
		if err := p.face(ttf, size); err != nil {
			return nil, err
		}
		p.text(legendMargin, h.y, c, h.text)
	}
	if err := p.face(goregular.TTF, textSize); err != nil {
		return nil, err
	}
	for i, r := range l.rows() {
		y := top + i*rowHeight
		p.swatch(legendMargin, y, r)
		p.text(legendMargin+swatchWidth+10, y+swatchHeight-3, dark, r.label)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("legend: %w", err)
	}
	return b.Bytes(), nil
}

// pen draws on a picture in unscaled pixels.
type pen struct {
	img   *image.NRGBA
	scale int
	font  font.Face
}

func (p *pen) face(ttf []byte, size int) error {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return fmt.Errorf("legend font: %w", err)
	}
	p.font, err = opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size * p.scale), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return fmt.Errorf("legend font: %w", err)
	}
	return nil
}

func (p *pen) text(x, y int, c color.NRGBA, s string) {
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: p.font, Dot: fixed.P(x*p.scale, y*p.scale)}
	d.DrawString(s)
}

// swatch draws a colour as it looks on the map, on white.
func (p *pen) swatch(x, y int, r legendRow) {
	w, h := swatchWidth*p.scale, swatchHeight*p.scale
	box := image.Rect(0, 0, w, h).Add(image.Pt(x*p.scale, y*p.scale))
	edge := r.fill
	edge.A = 130
	for py := box.Min.Y; py < box.Max.Y; py++ {
		for px := box.Min.X; px < box.Max.X; px++ {
			i, j := px-box.Min.X, py-box.Min.Y
			border := i < p.scale || j < p.scale || i >= w-p.scale || j >= h-p.scale
			switch {
			case !r.hatch:
				p.blend(px, py, r.fill)
			case border:
				p.blend(px, py, edge)
			case onHatch(px/p.scale, py/p.scale, 256):
				p.blend(px, py, r.fill)
			}
		}
	}
}

func (p *pen) blend(x, y int, c color.NRGBA) {
	draw.Draw(p.img, image.Rect(x, y, x+1, y+1), image.NewUniform(c), image.Point{}, draw.Over)
}
