// The risk of a route: drawn by clicks on the map or read from a file, with its
// legs, its worst parts and its profile; for planners the ways from the fastest to
// the one that is met least.
import type { GeoJSONSource, Map as GLMap, MapMouseEvent } from 'maplibre-gl';
import { isOne } from './account';
import { authHeaders, contentType, post, Problem, type Interval } from './api';
import { alertLine, type Dock, type DockView } from './dock';
import { $, h, s } from './dom';
import { boundsOf } from './geometry';
import { num, percent, t, type Key } from './i18n';
import { bar } from './section';

interface Carried { length_m: number; p_incident: number; p_incident_interval: Interval; p_detected: number }
interface Step { from_m: number; to_m: number; share: number; rank: number; unknown_share: number; p_incident: number; p_detected: number }
interface Score extends Carried {
  corridor_m: number; period_days: number; speed_kmh: number; hours: number; unknown_share: number;
  legs: Carried[] | null;
  jurisdictions: { agency: string; country: string; length_share: number; hazard_share: number }[] | null;
  nearest_crossing: { name: string; distance_m: number; along_m: number } | null;
}
interface Way { kind: string; line: [number, number][]; length_m: number; hours: number; p_detected: { mean: number }; p_incident: number | null }
type Point = [number, number];

const LEGS = 40; // that are listed
const colours = ['#7f1d4f', '#c2410c', '#d98a00'];
const none: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
const line = (c: Point[], properties: GeoJSON.GeoJsonProperties = {}): GeoJSON.Feature => ({ type: 'Feature', properties, geometry: { type: 'LineString', coordinates: c } });

export class Routes implements DockView {
  private points: Point[] = [];
  private name = '';
  private score: Score | null = null;
  private steps: GeoJSON.Feature<GeoJSON.Geometry, Step>[] = [];
  private ways: Way[] = [];
  private chosen = -1;
  private problem = '';
  private busy = false;
  private turn = 0;

  constructor(private map: GLMap, private dock: Dock, private fly: (b: number[]) => void) {
    map.addSource('route', { type: 'geojson', data: none });
    const rounded = { 'line-cap': 'round', 'line-join': 'round' } as const;
    map.addLayer({ id: 'route-ways', type: 'line', source: 'route', filter: ['==', ['get', 'role'], 'way'], layout: rounded,
      paint: { 'line-color': '#10243a', 'line-width': ['case', ['get', 'chosen'], 3, 1.8], 'line-opacity': ['case', ['get', 'chosen'], 1, 0.75] } }, 'slot-top');
    map.addLayer({ id: 'route-casing', type: 'line', source: 'route', filter: ['match', ['get', 'role'], ['step', 'drawn'], true, false], layout: rounded, paint: { 'line-color': '#fff', 'line-width': 8 } }, 'slot-top');
    map.addLayer({ id: 'route-drawn', type: 'line', source: 'route', filter: ['==', ['get', 'role'], 'drawn'], layout: rounded, paint: { 'line-color': '#0a5a73', 'line-width': 3.5, 'line-dasharray': [1, 1.6] } }, 'slot-top');
    map.addLayer({ id: 'route-step', type: 'line', source: 'route', filter: ['==', ['get', 'role'], 'step'], layout: rounded,
      paint: { 'line-width': 4.6, 'line-color': ['match', ['get', 'rank'], 1, colours[0]!, 2, colours[1]!, 3, colours[2]!, '#3d7f99'] } }, 'slot-top');
    map.addLayer({ id: 'route-end', type: 'circle', source: 'route', filter: ['==', ['get', 'role'], 'point'], paint: { 'circle-radius': 5.5, 'circle-color': '#fff', 'circle-stroke-color': '#10243a', 'circle-stroke-width': 2.5 } }, 'slot-top');
    $('#open-routes').addEventListener('click', () => this.dock.open(this));
  }

  title(): string { return t('routes.title'); }

  closed(): void { this.clear(); this.draw(); }

  /** A file that is dropped while the panel is open is a route, not a layer. */
  drop(file: File): void { void this.read(file); }

  click(e: MapMouseEvent): void {
    const p: Point = [Number(e.lngLat.lng.toFixed(6)), Number(e.lngLat.lat.toFixed(6))];
    if (this.name || this.ways.length) this.clear();
    this.points.push(p);
    this.changed();
  }

  private clear(): void {
    Object.assign(this, { points: [], name: '', score: null, steps: [], ways: [], chosen: -1, problem: '', busy: false });
    this.turn++;
  }

  /** Scores the points as they are. */
  private changed(): void {
    this.ways = [];
    this.chosen = -1;
    if (this.points.length > 1) void this.carry(JSON.stringify({ type: 'LineString', coordinates: this.points }), 'application/geo+json');
    else Object.assign(this, { score: null, steps: [], problem: '' });
    this.show();
  }

  private async read(file: File): Promise<void> {
    this.clear();
    this.name = file.name;
    if (await this.carry(file, contentType(file.name))) {
      const b = boundsOf({ type: 'GeometryCollection', geometries: this.steps.map((f) => f.geometry) });
      if (b) this.fly(b);
    }
  }

  /** Asks what a line carries; false when that failed, or was overtaken. */
  private async carry(body: BodyInit, type: string): Promise<boolean> {
    const turn = ++this.turn;
    this.busy = true;
    this.show();
    try {
      const res = await fetch('/v1/routes/score?format=geojson&step_m=2500', { method: 'POST', body, headers: { 'Content-Type': type, ...authHeaders() } });
      const answer = await res.json() as GeoJSON.FeatureCollection & Problem['body'];
      if (!res.ok) throw new Problem(res.status, answer);
      if (turn !== this.turn) return false;
      const of = (kind: string): GeoJSON.Feature[] => answer.features.filter((f) => f.properties?.['kind'] === kind && f.properties['route'] === 0);
      this.score = (of('route')[0]?.properties?.['score'] ?? null) as Score | null;
      this.steps = of('step') as typeof this.steps;
      this.problem = this.score ? '' : String(of('unscored')[0]?.properties?.['error'] ?? '');
    } catch (e) {
      if (turn !== this.turn) return false;
      Object.assign(this, { score: null, steps: [], problem: e instanceof Problem ? e.message : t('error.network') });
    }
    this.busy = false;
    this.show();
    return this.score !== null;
  }

  /** Asks for the ways between the first point and the last. */
  private async find(): Promise<void> {
    const turn = ++this.turn;
    this.busy = true;
    this.show();
    try {
      const found = await post<{ ways: Way[] }>('/v1/routes/find', { from: this.points[0], to: this.points.at(-1), front: true });
      if (turn !== this.turn) return;
      Object.assign(this, { ways: found.ways, chosen: -1, problem: '' });
    } catch (e) {
      if (turn !== this.turn) return;
      this.problem = e instanceof Problem ? (e.status === 403 ? t('routes.planners') : e.message) : t('error.network');
    }
    this.busy = false;
    this.show();
  }

  private choose(n: number): void {
    this.chosen = n;
    void this.carry(JSON.stringify({ type: 'LineString', coordinates: this.ways[n]!.line }), 'application/geo+json');
  }

  private show(): void {
    this.draw();
    if (this.dock.has(this)) this.dock.render();
  }

  private draw(): void {
    const features: GeoJSON.Feature[] = this.ways.map((w, n) => line(w.line, { role: 'way', chosen: n === this.chosen }));
    if (!this.steps.length && this.points.length > 1 && !this.ways.length) features.push(line(this.points, { role: 'drawn' }));
    // The worst parts are drawn last.
    for (const f of [...this.steps].sort((a, b) => b.properties.rank - a.properties.rank)) features.push({ type: 'Feature', geometry: f.geometry, properties: { role: 'step', rank: f.properties.rank } });
    for (const p of this.points) features.push({ type: 'Feature', properties: { role: 'point' }, geometry: { type: 'Point', coordinates: p } });
    void this.map.getSource<GeoJSONSource>('route')?.setData({ type: 'FeatureCollection', features });
  }

  actions(): (Node | null)[] {
    if (!this.points.length && !this.name) return [];
    return [
      h('button', { type: 'button', class: 'button ghost', 'data-act': 'clear', onclick: () => { this.clear(); this.show(); } }, t('routes.clear')),
      this.points.length > 1 && isOne('planner') ? h('button', { type: 'button', class: 'button primary', 'data-act': 'find', disabled: this.busy, onclick: () => void this.find() }, t('routes.find')) : null,
    ];
  }

  body(): (Node | null)[] {
    const file = h('input', { type: 'file', id: 'route-file', class: 'visually-hidden', accept: '.geojson,.json,.gpx,.kml,.kmz', 'aria-label': t('routes.choose'),
      onchange: (e: Event) => { const f = (e.target as HTMLInputElement).files?.[0]; if (f) void this.read(f); } });
    return [
      h('p', { class: 'muted small' }, t('routes.hint')),
      h('p', {}, h('button', { type: 'button', class: 'button ghost small', 'data-act': 'choose', onclick: () => file.click() }, t('routes.choose')), file, this.name ? ` ${this.name}` : null),
      alertLine(this.problem),
      this.busy ? h('p', { class: 'muted', role: 'status' }, t('routes.busy')) : null,
      this.ways.length ? this.wayList() : null,
      ...(this.score ? this.figures(this.score) : []),
    ];
  }

  private wayList(): HTMLElement {
    return h('section', { class: 'route-ways' }, h('h3', { class: 'sub' }, t('routes.ways')), h('p', { class: 'muted small' }, t('routes.ways.hint')),
      h('ol', { class: 'route-list' }, ...this.ways.map((w, n) => h('li', {},
        h('button', { type: 'button', class: 'route-way', 'data-way': n, 'aria-pressed': String(n === this.chosen), onclick: () => this.choose(n) },
          h('b', {}, t('routes.way', { km: num(w.length_m / 1000), hours: num(w.hours) })),
          h('span', { class: 'muted small' }, t('routes.met', { p: percent(w.p_detected.mean) })))))));
  }

  private figures(x: Score): HTMLElement[] {
    const { lo90, hi90 } = x.p_incident_interval;
    const chosen = this.ways[this.chosen];
    const fact = (key: Key, value: string): HTMLElement[] => [h('dt', {}, t(key)), h('dd', {}, value)];
    const out = [
      h('div', { class: 'route-figures' },
        h('p', {}, h('b', { id: 'route-incident' }, percent(x.p_incident)), h('span', { class: 'muted small' }, t('routes.incident', { days: num(x.period_days), m: num(x.corridor_m), lo: percent(lo90), hi: percent(hi90) }))),
        chosen
          ? h('p', {}, h('b', {}, percent(chosen.p_detected.mean)), h('span', { class: 'muted small' }, t('routes.detected.way')))
          : h('p', {}, h('b', {}, percent(x.p_detected)), h('span', { class: 'muted small' }, t('routes.detected', { kmh: num(x.speed_kmh) })))),
      h('dl', { class: 'facts' }, ...fact('routes.length', `${num(x.length_m / 1000)} km`),
        ...(x.unknown_share > 0 ? fact('routes.unknown', percent(x.unknown_share)) : []),
        ...(x.nearest_crossing ? fact('routes.crossing', `${x.nearest_crossing.name}, ${num(x.nearest_crossing.distance_m / 1000)} km`) : [])),
      h('h3', { class: 'sub' }, t('routes.profile')), this.profile(),
      h('h3', { class: 'sub' }, t('routes.top')), this.top(),
    ];
    if (x.jurisdictions?.length) out.push(h('h3', { class: 'sub' }, t('routes.jurisdictions')), h('ul', { class: 'bars' }, ...x.jurisdictions.map((j) => bar([j.agency, j.country].filter(Boolean).join(', '), j.length_share))));
    if (x.legs && x.legs.length > 1) out.push(h('h3', { class: 'sub' }, t('routes.legs')), this.legs(x.legs));
    return out;
  }

  private top(): HTMLElement {
    const worst = [...this.steps].sort((a, b) => a.properties.rank - b.properties.rank).slice(0, 3);
    return h('ol', { class: 'route-list' }, ...worst.map((f, n) => h('li', {},
      h('button', { type: 'button', class: 'route-way', 'data-top': n, onclick: () => { const b = boundsOf(f.geometry); if (b) this.fly(b); } },
        h('b', {}, s('svg', { viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true' }, s('circle', { cx: 5, cy: 5, r: 5, fill: colours[n] })), ` km ${num(f.properties.from_m / 1000)} – ${num(f.properties.to_m / 1000)}`),
        h('span', { class: 'muted small' }, t('routes.share', { share: percent(f.properties.share) }))))));
  }

  private legs(legs: Carried[]): HTMLElement {
    const row = (l: Carried, n: number): HTMLElement => h('tr', {}, h('td', {}, n + 1), h('td', {}, num(l.length_m / 1000)), h('td', {}, percent(l.p_incident)), h('td', {}, percent(l.p_detected)));
    return h('table', { class: 'route-legs' },
      h('thead', {}, h('tr', {}, ...(['routes.leg', 'routes.km', 'routes.col.incident', 'routes.col.detected'] as const).map((k) => h('th', { scope: 'col' }, t(k))))),
      h('tbody', {}, ...legs.slice(0, LEGS).map(row)));
  }

  /** Bars of hazard for each kilometre along the line; grey where nothing is known. */
  private profile(): HTMLElement {
    const width = 320, height = 84, base = 66;
    const steps = [...this.steps].sort((a, b) => a.properties.from_m - b.properties.from_m).map((f) => f.properties);
    const end = steps.at(-1)?.to_m ?? 1;
    const dense = steps.map((p) => p.share / Math.max(1e-9, p.to_m - p.from_m));
    const peak = Math.max(1e-30, ...dense);
    const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, class: 'route-profile', role: 'img', 'aria-label': t('routes.profile') });
    steps.forEach((p, i) => {
      const x = (p.from_m / end) * width;
      const bar = Math.max(1, (dense[i]! / peak) * (base - 4));
      svg.append(s('rect', { x: x.toFixed(2), y: (base - bar).toFixed(2), width: Math.max(0.6, ((p.to_m - p.from_m) / end) * width - 0.5).toFixed(2), height: bar.toFixed(2),
        fill: p.unknown_share > 0.5 ? '#b9c6d0' : colours[p.rank - 1] ?? '#3d7f99' }));
    });
    svg.append(s('path', { d: `M0 ${base + 0.5}H${width}`, stroke: '#52667a', 'stroke-width': 1 }));
    for (const [x, anchor] of [[0, 'start'], [width / 2, 'middle'], [width, 'end']] as const) svg.append(s('text', { x, y: height - 5, 'text-anchor': anchor }, `${num((x / width) * end / 1000)} km`));
    return h('div', {}, svg);
  }
}
