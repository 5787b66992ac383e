// How the layers look: one shape and colour each, so that they can be told
// apart without colour as well. Icons are drawn here; there is no sprite.
import type { LayerSpecification, Map as GLMap } from 'maplibre-gl';
import type { Slot } from './map';
import { s } from './dom';

export type Shape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'post' | 'line' | 'stroke' | 'area' | 'track';
export interface Look { shape: Shape; colour: string }

const byId: Record<string, Look> = {
  official_crossings: { shape: 'square', colour: '#0b4f6c' },
  illegal_ports: { shape: 'triangle', colour: '#b0125b' },
  water_crossings: { shape: 'diamond', colour: '#00695c' },
  informal_paths: { shape: 'cross', colour: '#6a3d1f' },
  reported_incidents: { shape: 'circle', colour: '#1c2733' },
  demo_patrols: { shape: 'track', colour: '#1764ab' },
  demo_posts: { shape: 'post', colour: '#1764ab' },
  land_border: { shape: 'line', colour: '#41505e' },
  coastline: { shape: 'line', colour: '#8fa9b8' },
  rivers: { shape: 'line', colour: '#8db5cf' },
  land: { shape: 'area', colour: '#d9d2bf' },
  territorial_waters: { shape: 'area', colour: '#b8d0dd' },
  places: { shape: 'circle', colour: '#8794a0' },
};
const byKind: Record<string, Look> = {
  crossing: { shape: 'square', colour: '#0b4f6c' },
  water_crossing: { shape: 'diamond', colour: '#00695c' },
  illegal_port: { shape: 'triangle', colour: '#b0125b' },
  patrol_track: { shape: 'track', colour: '#1764ab' },
  post: { shape: 'post', colour: '#1764ab' },
  boundary: { shape: 'line', colour: '#41505e' },
  area: { shape: 'area', colour: '#5b7f95' },
};
const palette = ['#c2410c', '#6d28d9', '#0e7490', '#a16207', '#be123c', '#3f6212'];

/** The look of a layer; uploaded ones get a colour of their own from their name. */
export function look(id: string, kind: string): Look {
  const fixed = byId[id] ?? byKind[kind];
  if (fixed) return fixed;
  let hash = 0;
  for (const c of id) hash = (hash * 31 + c.charCodeAt(0)) >>> 0;
  return { shape: 'circle', colour: palette[hash % palette.length]! };
}

const trackColour = ['match', ['get', 'country'], 'ID', '#1764ab', 'MY', '#1b7a4b', '#5b6b7a'] as unknown as string;

/** The map layers that draw a vector source, with the slot each belongs to. */
export function mapLayers(source: string, id: string, kind: string): { slot: Slot; layer: LayerSpecification }[] {
  const { shape, colour } = look(id, kind);
  const common = { source, 'source-layer': id };
  const is = (type: string): ['==', ['geometry-type'], string] => ['==', ['geometry-type'], type];
  const lineColour = shape === 'track' ? trackColour : colour;
  const out: { slot: Slot; layer: LayerSpecification }[] = [
    { slot: 'slot-area', layer: { ...common, id: `${source}-fill`, type: 'fill', filter: is('Polygon'), paint: { 'fill-color': colour, 'fill-opacity': 0.13 } } },
    { slot: 'slot-line', layer: { ...common, id: `${source}-outline`, type: 'line', filter: is('Polygon'), paint: { 'line-color': colour, 'line-width': 1.2, 'line-opacity': 0.7 } } },
    {
      slot: 'slot-line',
      layer: {
        ...common, id: `${source}-line`, type: 'line', filter: is('LineString'), layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': lineColour, 'line-opacity': shape === 'track' ? 0.55 : 0.9, 'line-width': ['interpolate', ['linear'], ['zoom'], 5, 0.8, 9, 1.8, 13, 3] },
      },
    },
  ];
  const point = { ...common, filter: is('Point') };
  if (shape === 'circle' || shape === 'track' || shape === 'line' || shape === 'area') {
    out.push({
      slot: 'slot-point',
      layer: {
        ...point, id: `${source}-point`, type: 'circle',
        paint: { 'circle-color': lineColour, 'circle-radius': ['interpolate', ['linear'], ['zoom'], 4, 2.6, 8, 5, 12, 7], 'circle-stroke-color': '#fff', 'circle-stroke-width': 1.2, 'circle-opacity': 0.9 },
      },
    });
  } else {
    out.push({
      slot: 'slot-point',
      layer: {
        ...point, id: `${source}-point`, type: 'symbol',
        layout: { 'icon-image': `${shape}:${colour}`, 'icon-size': ['interpolate', ['linear'], ['zoom'], 4, 0.62, 8, 0.9, 12, 1.15], 'icon-allow-overlap': true, 'icon-ignore-placement': true },
      },
    });
  }
  return out;
}

const corners: Partial<Record<Shape, [number, number][]>> = {
  square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  triangle: [[0, -1.15], [1.15, 0.95], [-1.15, 0.95]],
  diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  post: [[0, -1.25], [1.1, -0.3], [1.1, 1.05], [-1.1, 1.05], [-1.1, -0.3]],
  cross: [[-1.1, -0.55], [-0.55, -1.1], [0, -0.55], [0.55, -1.1], [1.1, -0.55], [0.55, 0], [1.1, 0.55], [0.55, 1.1], [0, 0.55], [-0.55, 1.1], [-1.1, 0.55], [-0.55, 0]],
};

/** Draws a layer's icon on first need. */
export function provideIcons(map: GLMap): void {
  map.setMissingStyleImageResolver((id) => {
    const [shape, colour] = id.split(':') as [Shape, string];
    const points = corners[shape];
    if (!points || !colour || map.hasImage(id)) return;
    const size = 44;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const g = canvas.getContext('2d')!;
    g.translate(size / 2, size / 2);
    g.beginPath();
    for (const [x, y] of points) g.lineTo(x * 11, y * 11);
    g.closePath();
    g.lineJoin = 'round';
    g.strokeStyle = '#fff';
    g.lineWidth = 8;
    g.stroke();
    g.fillStyle = colour;
    g.fill();
    map.addImage(id, g.getImageData(0, 0, size, size), { pixelRatio: 2 });
  });
}

/** The same mark for the panel. */
export function swatch({ shape, colour }: Look): SVGElement {
  const svg = s('svg', { viewBox: '-10 -10 20 20', width: 20, height: 20, class: 'swatch', 'aria-hidden': 'true' });
  const points = corners[shape];
  if (points) svg.append(s('polygon', { points: points.map(([x, y]) => `${x * 5.4},${y * 5.4}`).join(' '), fill: colour }));
  else if (shape === 'circle') svg.append(s('circle', { r: 5, fill: colour }));
  else if (shape === 'area') svg.append(s('rect', { x: -8, y: -6, width: 16, height: 12, rx: 2, fill: colour, 'fill-opacity': 0.35, stroke: colour }));
  else if (shape === 'track') svg.append(s('path', { d: 'M-8 4C-3 -7 0 7 8 -5', fill: 'none', stroke: colour, 'stroke-width': 2.4, 'stroke-linecap': 'round' }));
  else if (shape === 'stroke') svg.append(s('path', { d: 'M-8 0H8', stroke: colour, 'stroke-width': 3, 'stroke-linecap': 'round' }));
  else svg.append(s('path', { d: 'M-8 0H8', stroke: colour, 'stroke-width': 2.4, 'stroke-dasharray': '5 2.5' }));
  return svg;
}
