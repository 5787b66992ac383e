// What a change does to a layer: counts, a table of the features and the
// features on the map, each sort with its own colour and mark.
import type { ExpressionSpecification, GeoJSONSource, Map as GLMap, PointLike } from 'maplibre-gl';
import type { Diff, DiffRow, Sort } from './api';
import { h, icon, s } from './dom';
import { anchor, boundsOf } from './geometry';
import { code, count, known, num, t, when } from './i18n';

export const sorts: Sort[] = ['added', 'changed', 'removed'];
const colours: Record<Sort, string> = { added: '#12724a', changed: '#8a5a00', removed: '#b3261e' };
const marks: Record<Sort, string> = { added: 'M-4.6 0H4.6M0 -4.6V4.6', changed: 'M-3.6 3.6 3.2 -3.2M-.8 -3.6H3.6V.8', removed: 'M-3.6 -3.6 3.6 3.6M3.6 -3.6-3.6 3.6' };
const touchable = ['diff-point', 'diff-line', 'diff-removed-line', 'diff-fill'];
const SHOWN = 60; // rows of the table, before one asks for more

/** The mark of a sort, as on the map. */
export function mark(sort: Sort, size = 18): SVGElement {
  return s('svg', { viewBox: '-9 -9 18 18', width: size, height: size, class: 'diff-mark', 'aria-hidden': 'true' },
    s('circle', { r: 8.4, fill: colours[sort] }), s('path', { d: marks[sort], stroke: '#fff', 'stroke-width': 2.4, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', fill: 'none' }));
}

/** Draws a Diff on the map; one at a time. */
export class DiffMap {
  private rows: DiffRow[] = [];

  constructor(private map: GLMap, private fly: (b: number[]) => void) {
    map.addSource('diff', { type: 'geojson', data: empty });
    const colour = ['match', ['get', 'change'], ...Object.entries(colours).flat(), '#4a5568'] as unknown as ExpressionSpecification;
    const is = (type: string): ExpressionSpecification => ['==', ['geometry-type'], type];
    const now: ExpressionSpecification = ['==', ['get', 'role'], 'now'];
    const removed: ExpressionSpecification = ['==', ['get', 'change'], 'removed'];
    const none: ExpressionSpecification = ['==', ['get', 'n'], -1];
    const line = { 'line-cap': 'round', 'line-join': 'round' } as const;
    const flat: ExpressionSpecification = ['any', is('LineString'), is('Polygon')];
    // What is on the map steps back behind what would change.
    map.addLayer({ id: 'diff-veil', type: 'background', layout: { visibility: 'none' }, paint: { 'background-color': '#fff', 'background-opacity': 0.5 } }, 'slot-top');
    map.addLayer({ id: 'diff-fill', type: 'fill', source: 'diff', filter: ['all', now, is('Polygon')], paint: { 'fill-color': colour, 'fill-opacity': 0.18 } }, 'slot-top');
    map.addLayer({ id: 'diff-move', type: 'line', source: 'diff', filter: ['==', ['get', 'role'], 'move'], layout: line, paint: { 'line-color': colour, 'line-width': 2.4, 'line-dasharray': [1.2, 1.6] } }, 'slot-top');
    map.addLayer({ id: 'diff-was', type: 'circle', source: 'diff', filter: ['all', ['==', ['get', 'role'], 'was'], is('Point')], paint: { 'circle-color': '#fff', 'circle-radius': 6, 'circle-stroke-color': colour, 'circle-stroke-width': 2.4 } }, 'slot-top');
    map.addLayer({ id: 'diff-casing', type: 'line', source: 'diff', filter: ['all', now, flat], layout: line, paint: { 'line-color': '#fff', 'line-width': 6.5, 'line-opacity': 0.9 } }, 'slot-top');
    map.addLayer({ id: 'diff-line', type: 'line', source: 'diff', filter: ['all', now, flat, ['!', removed]], layout: line, paint: { 'line-color': colour, 'line-width': 3.4 } }, 'slot-top');
    map.addLayer({ id: 'diff-removed-line', type: 'line', source: 'diff', filter: ['all', now, flat, removed], paint: { 'line-color': colour, 'line-width': 3.4, 'line-dasharray': [1.6, 1] } }, 'slot-top');
    map.addLayer({ id: 'diff-glow', type: 'circle', source: 'diff', filter: none, paint: { 'circle-color': '#12b5d6', 'circle-radius': 19, 'circle-blur': 0.3, 'circle-opacity': 0.75 } }, 'slot-top');
    map.addLayer({ id: 'diff-point', type: 'symbol', source: 'diff', filter: ['all', now, is('Point')], layout: { 'icon-image': ['concat', 'diff-', ['get', 'change']], 'icon-size': ['interpolate', ['linear'], ['zoom'], 4, 0.72, 8, 1], 'icon-allow-overlap': true, 'icon-ignore-placement': true } }, 'slot-top');
    for (const sort of sorts) map.addImage(`diff-${sort}`, image(sort), { pixelRatio: 2 });
  }

  /** Draws rows whose sort is among those shown. */
  draw(rows: DiffRow[], shown: (sort: Sort) => boolean = () => true): void {
    this.rows = rows;
    const features: GeoJSON.Feature[] = [];
    rows.forEach((r, n) => {
      if (!shown(r.change)) return;
      const put = (role: string, geometry: GeoJSON.Geometry | null | undefined): void => { if (geometry) features.push({ type: 'Feature', properties: { n, role, change: r.change }, geometry }); };
      const was = r.before?.geometry;
      const now = r.feature?.geometry ?? was;
      if (r.change === 'changed' && r.fields?.includes('geometry')) {
        const [a, b] = [anchor(was), anchor(now)];
        if (a && b) put('move', { type: 'LineString', coordinates: [a, b] });
        put('was', was);
      }
      put('now', now);
    });
    void this.map.getSource<GeoJSONSource>('diff')?.setData({ type: 'FeatureCollection', features });
    this.map.setLayoutProperty('diff-veil', 'visibility', rows.length ? 'visible' : 'none');
    this.glow(-1);
  }

  clear(): void { this.draw([]); }

  /** Brings one row, or all of them, into view. */
  zoom(n?: number): void {
    const b: [number, number, number, number] = [180, 90, -180, -90];
    for (const r of n === undefined ? this.rows : this.rows.slice(n, n + 1)) {
      for (const f of [r.feature, r.before]) {
        const box = boundsOf(f?.geometry);
        if (box) [b[0], b[1], b[2], b[3]] = [Math.min(b[0], box[0]), Math.min(b[1], box[1]), Math.max(b[2], box[2]), Math.max(b[3], box[3])];
      }
    }
    if (b[0] <= b[2]) this.fly(b);
  }

  glow(n: number): void { this.map.setFilter('diff-glow', ['all', ['==', ['get', 'n'], n], ['==', ['geometry-type'], 'Point']]); }

  /** The row under a point of the screen, -1 for none. */
  at({ x, y }: { x: number; y: number }): number {
    const box: [PointLike, PointLike] = [[x - 5, y - 5], [x + 5, y + 5]];
    const f = this.map.queryRenderedFeatures(box, { layers: touchable })[0];
    return f ? Number(f.properties['n']) : -1;
  }
}

const empty: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** The mark of a sort as an image of 44 pixels for a 22-pixel icon. */
function image(sort: Sort): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 44;
  const g = canvas.getContext('2d')!;
  g.translate(22, 22);
  g.scale(2, 2);
  g.beginPath();
  g.arc(0, 0, 9, 0, 7);
  g.fillStyle = colours[sort];
  g.fill();
  g.lineWidth = 1.6;
  g.strokeStyle = '#fff';
  g.stroke();
  g.lineWidth = 2.2;
  g.lineCap = g.lineJoin = 'round';
  g.stroke(new Path2D(marks[sort]));
  return g.getImageData(0, 0, 44, 44);
}

/** Counts and table of a Diff, tied to the map. */
export class DiffView {
  private shown = new Set<Sort>(sorts);
  private chosen = -1;
  private limit = SHOWN;

  constructor(readonly diff: Diff, private map: DiffMap, private changed: () => void) {
    this.diff.rows = [...diff.rows].sort((a, b) => order.indexOf(a.change) - order.indexOf(b.change));
    this.draw();
  }

  zoom(): this {
    this.map.zoom();
    return this;
  }

  get total(): number { return this.diff.added + this.diff.changed + this.diff.removed; }

  draw(): void { this.map.draw(this.diff.rows, (sort) => this.shown.has(sort)); this.map.glow(this.chosen); }

  click(point: { x: number; y: number }): void {
    const n = this.map.at(point);
    if (n >= 0) this.choose(n, false);
  }

  private choose(n: number, zoom: boolean): void {
    this.chosen = n;
    this.limit = Math.max(this.limit, n + 1);
    this.map.glow(n);
    if (zoom) this.map.zoom(n);
    this.changed();
    document.querySelector('.diff-table .chosen')?.scrollIntoView({ block: 'nearest' });
  }

  /** Buttons that count each sort and show or hide it. */
  counts(): HTMLElement {
    const tile = (sort: Sort): HTMLElement => h('button', {
      type: 'button', class: `diff-count ${sort}`, 'aria-pressed': String(this.shown.has(sort)), title: t('diff.toggle'), disabled: !this.diff[sort],
      onclick: () => { if (!this.shown.delete(sort)) this.shown.add(sort); this.draw(); this.changed(); },
    }, mark(sort), h('b', {}, count(this.diff[sort])), h('span', {}, t(`diff.${sort}`)));
    return h('div', { class: 'diff-counts' }, ...sorts.map(tile));
  }

  table(): HTMLElement {
    const { diff } = this;
    if (!this.total) return h('p', { class: 'muted' }, t('diff.none'));
    const rows = diff.rows.map((r, n) => ({ r, n })).filter(({ r }) => this.shown.has(r.change));
    return h('div', { class: 'diff-rows' },
      h('div', { class: 'row-tools' },
        h('span', { class: 'muted small' }, t('diff.unchanged', { n: count(diff.unchanged) }), diff.rows_truncated ? ` ${t('diff.truncated')}` : ''),
        h('button', { type: 'button', class: 'button ghost small', onclick: () => { this.chosen = -1; this.map.glow(-1); this.map.zoom(); this.changed(); } }, icon('zoom', 14), t('diff.zoom_all'))),
      h('ol', { class: 'diff-table' }, ...rows.slice(0, this.limit).map(({ r, n }) => this.row(r, n))),
      rows.length > this.limit ? h('button', { type: 'button', class: 'link small', onclick: () => { this.limit += 300; this.changed(); } }, t('changes.more', { n: count(rows.length - this.limit) })) : null);
  }

  private row(r: DiffRow, n: number): HTMLElement {
    const f = r.feature ?? r.before;
    return h('li', { class: n === this.chosen ? 'chosen' : undefined },
      h('button', { type: 'button', 'data-row': n, title: t('diff.zoom'), onclick: () => this.choose(n, true) },
        mark(r.change),
        h('span', { class: 'diff-what' }, h('strong', {}, titleOf(f, r.fid)), h('span', { class: 'visually-hidden' }, t(`diff.${r.change}`)),
          h('span', { class: 'muted small' }, summary(f)),
          ...(r.change === 'changed' ? (r.fields ?? []).map((field) => edit(field, r)) : []))));
  }
}
const order: Sort[] = ['changed', 'removed', 'added'];

type Props = Record<string, unknown>;
const propsOf = (f: GeoJSON.Feature | undefined): Props => f?.properties ?? {};
const text = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v));

/** A feature's name, or what it is. */
export function titleOf(f: GeoJSON.Feature | undefined, fid: number): string {
  const p = propsOf(f);
  const kind = text(p['kind']);
  return text(p['name']) || text(p['place']) || (kind && code('kind', kind)) || text(p['track_id']) || text(p['external_id']) || t('diff.feature', { n: fid });
}

function summary(f: GeoJSON.Feature | undefined): string {
  const p = propsOf(f);
  const at = f?.geometry?.type === 'Point' ? f.geometry.coordinates : null;
  const from = text(p['occurred_from'] ?? p['from']);
  return [from && when(from), at && `${at[1]!.toFixed(4)}, ${at[0]!.toFixed(4)}`, p['external_id'] && text(p['external_id'])].filter(Boolean).join(' · ');
}

/** One field of a changed feature, as it was and as it is. */
function edit(field: string, r: DiffRow): HTMLElement {
  const value = (f: GeoJSON.Feature | undefined): string => {
    if (field === 'geometry') { const a = anchor(f?.geometry); return a ? `${a[1].toFixed(5)}, ${a[0].toFixed(5)}` : '–'; }
    const p = propsOf(f);
    if (field === 'times') return [p['occurred_from'] ?? p['from'], p['occurred_to'] ?? p['to']].map(text).filter(Boolean).map((x) => when(x)).join(' – ') || '–';
    const v = p[field];
    return v === undefined || v === null ? '–' : typeof v === 'number' ? num(v, 6) : known(field, text(v)) ?? text(v);
  };
  return h('span', { class: 'diff-edit small' }, h('span', { class: 'muted' }, `${fieldName(field)}:`), ' ', h('del', {}, value(r.before)), ' → ', h('ins', {}, value(r.feature)));
}

/** The words for a field, else its name. */
export function fieldName(field: string): string {
  if (field === 'geometry') return t('diff.place');
  if (field === 'times') return t('prop.occurred');
  return known('prop', field) ?? field;
}
