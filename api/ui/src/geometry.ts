// Geometry for display: rings, boxes and places for labels.

/**
 * A ring of 72 points radiusM metres around a place, by the ellipsoid's radii
 * of curvature at that latitude (WGS 84).
 */
export function circle(lon: number, lat: number, radiusM: number): GeoJSON.Polygon {
  const a = 6378137;
  const e2 = 0.00669437999014;
  const rad = Math.PI / 180;
  const w = 1 - e2 * Math.sin(lat * rad) ** 2;
  const m = (a * (1 - e2)) / w ** 1.5;
  const n = a / Math.sqrt(w);
  const ring: [number, number][] = [];
  for (let i = 0; i <= 72; i++) {
    const az = (i / 72) * 2 * Math.PI;
    ring.push([lon + (radiusM * Math.sin(az)) / (n * Math.cos(lat * rad)) / rad, lat + (radiusM * Math.cos(az)) / m / rad]);
  }
  return { type: 'Polygon', coordinates: [ring] };
}

/** West, south, east, north of a geometry; null when it is empty. */
export function boundsOf(g: GeoJSON.Geometry | null | undefined): [number, number, number, number] | null {
  const b: [number, number, number, number] = [180, 90, -180, -90];
  const walk = (c: unknown): void => {
    if (!Array.isArray(c)) return;
    if (typeof c[0] === 'number' && typeof c[1] === 'number') {
      b[0] = Math.min(b[0], c[0]); b[1] = Math.min(b[1], c[1]);
      b[2] = Math.max(b[2], c[0]); b[3] = Math.max(b[3], c[1]);
    } else c.forEach(walk);
  };
  const each = (x: GeoJSON.Geometry): void => (x.type === 'GeometryCollection' ? x.geometries.forEach(each) : walk(x.coordinates));
  if (g) each(g);
  return b[0] > b[2] ? null : b;
}

/** Middle vertex of a geometry's longest part, a place to hang a label on. */
export function anchor(g: GeoJSON.Geometry | null | undefined): [number, number] | null {
  if (g?.type === 'LineString') return g.coordinates[g.coordinates.length >> 1] as [number, number];
  if (g?.type === 'MultiLineString') {
    const longest = g.coordinates.reduce((a, b) => (b.length > a.length ? b : a), []);
    return (longest[longest.length >> 1] as [number, number] | undefined) ?? null;
  }
  if (g?.type === 'Point') return g.coordinates as [number, number];
  const b = boundsOf(g);
  return b && [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2];
}
