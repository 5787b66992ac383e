package geo

import "math"

// The series of Karney (2013) to sixth order, where ε and the third flattening
// n count as equally small. Equation numbers are those of the paper. The
// tests hold each of them to its integral.

// series holds the coefficients of Σ c[l-1] sin 2lσ.
type series [6]float64

// sine sums the series by Clenshaw's method.
func (c *series) sine(σ angle) float64 {
	x := 2 * (σ.cos - σ.sin) * (σ.cos + σ.sin) // 2 cos 2σ
	y0, y1 := 0.0, 0.0
	for i := len(c) - 1; i >= 0; i-- {
		y0, y1 = x*y0-y1+c[i], y0
	}
	return 2 * σ.sin * σ.cos * y0
}

// cosineOdd sums Σ c[l] cos (2l+1)σ.
func (c *series) cosineOdd(σ angle) float64 {
	x := 2 * (σ.cos - σ.sin) * (σ.cos + σ.sin)
	y0, y1 := 0.0, 0.0
	for i := len(c) - 1; i >= 0; i-- {
		y0, y1 = x*y0-y1+c[i], y0
	}
	return σ.cos * (y0 - y1)
}

// epsilon is the expansion parameter of a geodesic, from k² = e'² cos²α0
// (equations 9 and 16).
func epsilon(α0 angle) float64 {
	k2 := ep2 * α0.cos * α0.cos
	return k2 / (2*(1+math.Sqrt(1+k2)) + k2)
}

// a1 and c1 give the distance, I1(σ) = A1 (σ + Σ C1 sin 2lσ) (15, 17, 18).
func a1(ε float64) float64 {
	q := ε * ε
	return (1 + q*(1.0/4+q*(1.0/64+q/256))) / (1 - ε)
}

func c1(ε float64) series {
	q := ε * ε
	d := ε * q
	return series{
		ε * (-1.0/2 + q*(3.0/16-q/32)),
		q * (-1.0/16 + q*(1.0/32-q*9/2048)),
		d * (-1.0/48 + q*3/256),
		q * q * (-5.0/512 + q*3/512),
		d * q * -7 / 1280,
		d * d * -7 / 2048,
	}
}

// c1Reverted turns distance into arc, σ = τ + Σ C1' sin 2lτ (20, 21).
func c1Reverted(ε float64) series {
	q := ε * ε
	d := ε * q
	return series{
		ε * (1.0/2 + q*(-9.0/32+q*205/1536)),
		q * (5.0/16 + q*(-37.0/96+q*1335/4096)),
		d * (29.0/96 - q*75/128),
		q * q * (539.0/1536 - q*2391/2560),
		d * q * 3467 / 7680,
		d * d * 38081 / 61440,
	}
}

// a2 and c2 give I2(σ) = A2 (σ + Σ C2 sin 2lσ) of the reduced length (41-43).
func a2(ε float64) float64 {
	q := ε * ε
	return (1 + q*(1.0/4+q*(9.0/64+q*25/256))) * (1 - ε)
}

func c2(ε float64) series {
	q := ε * ε
	d := ε * q
	return series{
		ε * (1.0/2 + q*(1.0/16+q/32)),
		q * (3.0/16 + q*(1.0/32+q*35/2048)),
		d * (5.0/48 + q*5/256),
		q * q * (35.0/512 + q*7/512),
		d * q * 63 / 1280,
		d * d * 77 / 2048,
	}
}

// a3 and c3 give the longitude, I3(σ) = A3 (σ + Σ C3 sin 2lσ) (23-25).
func a3(ε float64) float64 {
	const n = third
	return 1 - ε*((1-n)/2+ε*((2+n-3*n*n)/8+ε*((1+3*n+n*n)/16+ε*((3+2*n)/64+ε*3/128))))
}

func c3(ε float64) series {
	const n = third
	q := ε * ε
	d := ε * q
	return series{
		ε * ((1-n)/4 + ε*((1-n*n)/8+ε*((3+3*n-n*n)/64+ε*((5+2*n)/128+ε*3/128)))),
		q * ((2-3*n+n*n)/32 + ε*((3-2*n-3*n*n)/64+ε*((3+n)/128+ε*5/256))),
		d * ((5-9*n+5*n*n)/192 + ε*((9-10*n)/384+ε*7/512)),
		q * q * ((7-14*n)/512 + ε*7/512),
		d * q * 21 / 2560,
	}
}

// c4 gives the area, I4(σ) = Σ C4 cos (2l+1)σ (62), its coefficients in n and ε as
// in the addenda to the paper, which converge better than those of (63).
func c4(ε float64) series {
	const (
		n  = third
		n2 = n * n
		n3 = n2 * n
		n4 = n3 * n
		n5 = n4 * n
	)
	q := ε * ε
	d := ε * q
	return series{
		(2.0/3 - n*4/15 + n2*8/105 + n3*4/315 + n4*16/3465 + n5*20/9009) +
			ε*(-1.0/5+n*16/35-n2*32/105+n3*16/385+n4*64/15015) +
			q*(-2.0/105-n*32/315+n2*1088/3465-n3*1184/5005) +
			d*(11.0/315-n*368/3465-n2*32/6435) +
			q*q*(4.0/1155+n*1088/45045) + d*q*97/15015,
		ε*(1.0/45-n*16/315+n2*32/945-n3*16/3465-n4*64/135135) +
			q*(-2.0/105+n*64/945-n2*128/1485+n3*1984/45045) +
			d*(-1.0/105+n*16/2079+n2*5792/135135) +
			q*q*(4.0/1155-n*2944/135135) + d*q/9009,
		q*(4.0/525-n*32/1575+n2*64/3465-n3*32/5005) +
			d*(-8.0/1575+n*128/5775-n2*256/6825) +
			q*q*(-8.0/1925+n*1856/225225) + d*q*8/10725,
		d*(8.0/2205-n*256/24255+n2*512/45045) +
			q*q*(-16.0/8085+n*1024/105105) - d*q*136/63063,
		q*q*(64.0/31185-n*512/81081) - d*q*128/135135,
		d * q * 128 / 99099,
	}
}
