// Plans for planners: units in, sorties on the map and by day, and how far that
// is from the best.
import type { GeoJSONSource, ExpressionSpecification } from 'maplibre-gl';
import { authHeaders, download, get, Problem, type Job } from './api';
import { alertLine, type Dock, type DockView } from './dock';
import { $, h, icon, s } from './dom';
import { boundsOf } from './geometry';
import { intervalText } from './gaps';
import { code, day, num, t, when } from './i18n';
import type { View } from './map';
import { KeptPlans } from './plans';
import type { Plan, Sortie } from './plananswer';
import { planProblem } from './planstate';

interface UnitRow { id: string; country: string; base: string; mode: string; hours: string; speed_kmh: string }

const modes = ['foot', 'motorcycle', 'vehicle', 'river_boat', 'sea_boat', 'aircraft', 'drone'];
const forms = ['gpx', 'kml', 'csv', 'geojson', 'json'] as const;
const colours = ['#0b6fa4', '#c2410c', '#15803d', '#7a0f3c', '#6d28d9', '#b07900', '#0f766e', '#be185d'];
const ids = ['plan-lines', 'plan-bases', 'plan-names'];
const emptyRow = (): UnitRow => ({ id: '', country: 'ID', base: '', mode: 'sea_boat', hours: '40', speed_kmh: '30' });

/** The body that a UNITS.json, whole or just the array, stands for. */
export function planBody(text: string): Record<string, unknown> {
  const v: unknown = JSON.parse(text);
  if (Array.isArray(v)) return { units: v };
  if (v && typeof v === 'object' && Array.isArray((v as { units?: unknown }).units)) return v as Record<string, unknown>;
  throw new SyntaxError('units');
}

export class PlanPanel implements DockView {
  private rows: UnitRow[] = [emptyRow()];
  private text = '';
  private days = '7';
  private busy = false;
  private problem = '';
  private plan: Plan | null = null;
  private unit = '';
  private work: AbortController | null = null;
  private readonly kept: KeptPlans;

  constructor(private view: View, private dock: Dock, private fly: (b: number[]) => void) {
    $('#open-plan').addEventListener('click', () => { dock.open(this); void this.kept.load(); }); // account shows it to planners
    const { map } = view;
    this.kept = new KeptPlans(map, { plan: () => this.plan, show: (p) => this.show(p), render: () => { if (dock.has(this)) dock.render(); } });
    map.addSource('plan', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    const round = { 'line-cap': 'round', 'line-join': 'round' } as const;
    const colour: ExpressionSpecification = ['get', 'colour'];
    map.addLayer({ id: 'plan-lines', type: 'line', source: 'plan', filter: ['==', ['geometry-type'], 'LineString'], layout: round, paint: { 'line-color': colour, 'line-width': 3, 'line-opacity': 0.85 } }, 'slot-top');
    map.addLayer({ id: 'plan-bases', type: 'circle', source: 'plan', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 6, 'circle-color': colour, 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 } }, 'slot-top');
    map.addLayer({ id: 'plan-names', type: 'symbol', source: 'plan', filter: ['==', ['geometry-type'], 'Point'], layout: { 'text-field': ['get', 'unit'], 'text-font': ['sans-serif'], 'text-size': 12, 'text-offset': [0, 1.2] }, paint: { 'text-color': '#10243a', 'text-halo-color': '#fff', 'text-halo-width': 1.5 } }, 'slot-top');
  }

  title(): string { return t('plan.title'); }
  opened(): void { this.draw(); }
  closed(): void { this.work?.abort(); this.busy = false; this.put([]); this.kept.corridor.show(false); }

  body(): (Node | null)[] {
    const asking = this.kept.listing ? this.kept.body() : [h('p', { class: 'muted small lead' }, t('plan.lead')), this.form()];
    return [this.kept.tabs(), ...asking, alertLine(this.problem), ...(this.busy ? [h('p', { class: 'muted', role: 'status' }, t('plan.busy'))] : []),
      ...(this.plan ? [...this.kept.card(), ...this.answer(this.plan), ...this.kept.unitFiles(this.plan), ...this.kept.changes(this.plan)] : [])];
  }

  actions(): (Node | null)[] {
    if (this.kept.listing) return [h('button', { type: 'button', class: 'button ghost', onclick: () => this.dock.close(this) }, t('close'))];
    return [h('button', { type: 'button', class: 'button primary', id: 'plan-go', disabled: this.busy, onclick: () => void this.make() }, t('plan.go'))];
  }

  private form(): HTMLElement {
    const cell = (row: UnitRow, name: keyof UnitRow, i: number, hint = ''): HTMLElement => h('td', {}, h('input', { type: 'text', value: row[name], 'data-cell': `${name}${i}`, 'aria-label': t(`plan.${name}` as 'plan.id'), placeholder: hint, oninput: (e: Event) => { row[name] = (e.target as HTMLInputElement).value; } }));
    const choice = (row: UnitRow, name: keyof UnitRow, i: number, list: string[], label: (x: string) => string): HTMLElement => h('td', {}, h('select', { 'data-cell': `${name}${i}`, 'aria-label': t(`plan.${name}` as 'plan.id'), onchange: (e: Event) => { row[name] = (e.target as HTMLSelectElement).value; } }, ...list.map((x) => h('option', { value: x, selected: x === row[name] }, label(x)))));
    const columns: (keyof UnitRow)[] = ['id', 'country', 'base', 'mode', 'hours', 'speed_kmh'];
    const table = h('div', { class: 'table-scroll' }, h('table', { class: 'plan-units' },
      h('thead', {}, h('tr', {}, ...columns.map((c) => h('th', {}, t(`plan.${c}` as 'plan.id'))))),
      h('tbody', {}, ...this.rows.map((r, i) => h('tr', {}, cell(r, 'id', i), choice(r, 'country', i, ['ID', 'MY'], (x) => x), cell(r, 'base', i, '117.65, 3.30'), choice(r, 'mode', i, modes, (x) => code('mode', x)), cell(r, 'hours', i), cell(r, 'speed_kmh', i))))));
    const area = h('textarea', { id: 'plan-json', rows: 4, spellcheck: 'false', placeholder: '{"units":[{"id":"KP-1","country":"ID","base":[117.65,3.3],"mode":"sea_boat","hours":40,"speed_kmh":30}]}', oninput: (e: Event) => { this.text = (e.target as HTMLTextAreaElement).value; } });
    area.value = this.text;
    area.addEventListener('dragover', (e) => e.preventDefault());
    area.addEventListener('drop', (e) => {
      const file = e.dataTransfer?.files[0];
      if (!file) return;
      e.preventDefault();
      e.stopPropagation();
      $('#drop-veil').hidden = true;
      void file.text().then((text) => { this.text = text; this.dock.render(); });
    });
    return h('div', { class: 'plan-form' },
      h('label', { class: 'field' }, h('span', {}, t('plan.days')), h('input', { type: 'number', min: 1, max: 14, value: this.days, id: 'plan-days', oninput: (e: Event) => { this.days = (e.target as HTMLInputElement).value; } })),
      this.kept.corridor.field(),
      table,
      h('button', { type: 'button', class: 'button small ghost', id: 'plan-add', onclick: () => { this.rows.push(emptyRow()); this.dock.render(); } }, t('plan.add')),
      h('label', { class: 'field' }, h('span', {}, t('plan.paste')), area));
  }

  private asked(): Record<string, unknown> {
    const start = { window_days: Number(this.days) || 7, ...this.kept.corridor.asked() };
    if (this.text.trim()) return { ...start, ...planBody(this.text) };
    const units = this.rows.filter((r) => r.id.trim()).map((r) => ({ id: r.id.trim(), country: r.country, base: r.base.split(/[,\s]+/).filter(Boolean).map(Number), mode: r.mode, hours: Number(r.hours) || 0, speed_kmh: Number(r.speed_kmh) || 0 }));
    return { ...start, units };
  }

  private async make(): Promise<void> {
    let body: Record<string, unknown>;
    this.problem = '';
    try { body = this.asked(); } catch { this.problem = t('plan.bad_json'); return this.dock.render(); }
    const { signal } = this.work = new AbortController();
    this.busy = true;
    this.kept.fresh();
    this.show(null);
    let made: Plan | null = null;
    try {
      made = await makePlan(body, signal);
    } catch (e) {
      if (signal.aborted) return;
      this.problem = planProblem(e);
    }
    this.busy = false;
    this.show(made);
    if (made) void this.kept.load().then(() => this.kept.reveal());
  }

  /** For those who are told when the page has loaded. */
  load(): Promise<void> { return this.kept.load(); }

  /** Shows a plan, or none. */
  private show(p: Plan | null): void {
    this.plan = p;
    this.unit = '';
    this.dock.render();
    this.draw();
    if (p) this.zoom();
  }

  private answer(p: Plan): (Node | null)[] {
    const sorties = p.sorties.filter((x) => !this.unit || x.unit === this.unit);
    const days = [...new Set(sorties.map((x) => day(x.departs)))];
    const names = [...new Set(p.sorties.map((x) => x.unit))];
    return [
      h('h3', {}, t('plan.result')),
      p.partial ? h('div', { class: 'notice warn' }, h('span', {}, t('plan.partial'), ' ', ...p.because.map((b) => becauseText(b)))) : null,
      h('dl', { class: 'facts' },
        h('dt', {}, t('plan.before')), h('dd', {}, intervalText(p.residual_before)),
        h('dt', {}, t('plan.after')), h('dd', {}, intervalText(p.residual_after)),
        h('dt', {}, t('plan.met')), h('dd', {}, num(p.expected_met, 3)),
        h('dt', {}, t('plan.gap')), h('dd', { id: 'plan-gap' }, p.expected_met > 0 ? t('plan.gap_text', { percent: num(p.gap_percent), bound: num(p.upper_bound, 3) }) : '–'),
        h('dt', {}, t('plan.exploration')), h('dd', {}, t('plan.exploration_text', { hours: num(p.exploration.hours), wanted: num(p.exploration.hours_wanted) }), explored(p))),
      h('h3', {}, t('plan.curve')), curve(p),
      h('div', { class: 'plan-form' }, h('label', { class: 'field' }, h('span', {}, t('plan.unit')),
        h('select', { id: 'plan-unit', onchange: (e: Event) => { this.unit = (e.target as HTMLSelectElement).value; this.dock.render(); this.draw(); this.zoom(); } },
          h('option', { value: '' }, t('plan.all')), ...names.map((n) => h('option', { value: n, selected: n === this.unit }, n)))),
        h('div', { class: 'plan-files' }, ...forms.map((f) => h('button', { type: 'button', class: 'button small ghost', 'data-form': f, onclick: () => void this.file(f) }, icon('download', 14), f === 'geojson' ? 'GeoJSON' : f.toUpperCase())))),
      ...days.flatMap((d) => [h('h4', {}, d), h('ul', { class: 'plan-list' }, ...sorties.filter((x) => day(x.departs) === d).map((x) => this.line(x, names)))]),
      p.unused.length ? h('h3', {}, t('plan.unused')) : null,
      p.unused.length ? h('ul', { class: 'small' }, ...p.unused.map((u) => h('li', {}, h('strong', {}, u.unit), ': ', code('unused', u.reason)))) : null,
    ];
  }

  private line(x: Sortie, names: string[]): HTMLElement {
    const dot = s('svg', { viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true' }, s('circle', { cx: 5, cy: 5, r: 5, fill: colourOf(x.unit, names) }));
    return h('li', { class: 'small' }, dot, ' ', h('strong', {}, x.unit), ` ${when(x.departs)} – ${when(x.returns)} `,
      h('span', { class: 'muted' }, [x.visits.length > 1 ? '' : x.sections.join(' '), x.explores && t('plan.explores'), x.joint && t('plan.joint')].filter(Boolean).join(' · ')),
      x.visits.length > 1 ? h('ol', { class: 'plan-visits muted' }, ...x.visits.map((v) => h('li', {}, `${when(v.arrives)} – ${when(v.leaves)} ${v.sections.map((y) => `${y.section_id} ${num(y.hours, 1)} h`).join(', ')}`))) : null);
  }

  private async file(form: string): Promise<void> {
    const unit = this.unit ? `&unit=${encodeURIComponent(this.unit)}` : '';
    try {
      await download(`/v1/plans/${this.plan!.id}?format=${form}${unit}`, `plan${this.unit ? `-${this.unit.replace(/\W+/g, '_')}` : ''}.${form}`);
    } catch (e) {
      this.problem = (e as Error).message;
      this.dock.render();
    }
  }

  private shown(): Sortie[] { return this.plan?.sorties.filter((x) => !this.unit || x.unit === this.unit) ?? []; }

  private zoom(): void {
    const b = boundsOf({ type: 'MultiLineString', coordinates: this.shown().map((x) => x.track.coordinates) });
    if (b) this.fly(b);
  }

  private draw(): void {
    const names = [...new Set(this.plan?.sorties.map((x) => x.unit))];
    const lines: GeoJSON.Feature[] = this.shown().map((x) => ({ type: 'Feature', properties: { unit: x.unit, colour: colourOf(x.unit, names) }, geometry: x.track }));
    const used = new Set(this.shown().map((x) => x.unit));
    const bases: GeoJSON.Feature[] = (this.plan?.units_as_planned ?? []).filter((u) => used.has(u.id)).map((u) => ({ type: 'Feature', properties: { unit: u.id, colour: colourOf(u.id, names) }, geometry: { type: 'Point', coordinates: u.base } }));
    this.put([...lines, ...bases]);
  }

  private put(features: GeoJSON.Feature[]): void {
    void this.view.map.getSource<GeoJSONSource>('plan')?.setData({ type: 'FeatureCollection', features });
    for (const id of ids) this.view.map.setLayoutProperty(id, 'visibility', features.length ? 'visible' : 'none');
  }
}

const colourOf = (unit: string, names: string[]): string => colours[Math.max(0, names.indexOf(unit)) % colours.length]!;

/** What could not be done, in the reader's language by its code. */
function becauseText(b: Plan['because'][number]): HTMLElement {
  const known = ['units_unused', 'hours_too_many', 'exploration_short', 'nothing_expected'].includes(b.code);
  return h('span', { 'data-because': b.code }, known ? t(`because.${b.code}` as 'because.units_unused', { count: num(b.count), of: num(b.of) }) : b.text, ' ');
}

/** Which sections are explored, and why. */
function explored(p: Plan): HTMLElement | null {
  const list = p.exploration.visited;
  if (!list.length) return null;
  return h('details', { class: 'small muted' }, h('summary', {}, t('plan.explored')), h('ul', {}, ...list.map((x) => h('li', {}, `${x.section_id} · ${num(x.hours, 1)} h · ${code('explored', x.why)}`))));
}

/** What is met against the hours spent. */
function curve(p: Plan): HTMLElement {
  const before = p.residual_before.mean ?? 0;
  const points = p.cost_curve.map((c) => ({ hours: c.hours, met: Math.max(0, before - c.residual) }));
  const top = Math.max(...points.map((c) => c.met));
  const hours = Math.max(1, ...points.map((c) => c.hours));
  const label = (x: number, y: number, anchor: string, text: string): SVGElement => s('text', { x, y, 'text-anchor': anchor, 'font-size': 9, fill: '#557083' }, text);
  const says = t('plan.curve_text', { hours: num(hours), met: num(top, 3), before: num(before, 3) });
  return h('figure', { class: 'plan-curve' },
    s('svg', { viewBox: '0 0 300 104', role: 'img', 'aria-label': says },
      s('path', { d: 'M46 6V84H292', fill: 'none', stroke: '#b9c6d1' }), s('polyline', { points: points.map((c) => `${46 + 240 * c.hours / hours},${84 - 72 * c.met / (top || 1)}`).join(' '), fill: 'none', stroke: '#0b6fa4', 'stroke-width': 2 }),
      label(42, 15, 'end', num(top, 2)), label(42, 84, 'end', '0'), label(46, 97, 'middle', '0 h'), label(290, 97, 'end', `${num(hours)} h`)),
    h('figcaption', { class: 'muted small' }, says));
}

/** Makes a plan; waits where the service makes a job of it. */
async function makePlan(body: unknown, signal: AbortSignal): Promise<Plan> {
  const res = await fetch('/v1/plans', { method: 'POST', signal, headers: { Accept: 'application/json', 'Content-Type': 'application/json', ...authHeaders() }, body: JSON.stringify(body) });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  if (res.status !== 202) return res.json() as Promise<Plan>;
  for (let job = await res.json() as Job & { plan?: string }; ; job = await get<Job & { plan?: string }>(`/v1/jobs/${encodeURIComponent(job.id)}`, {}, signal)) {
    if (job.status === 'done') return get<Plan>(job.plan!, {}, signal);
    if (job.status === 'failed' || job.status === 'cancelled') throw new Problem(job.problem?.status ?? 500, job.problem ?? {});
    await new Promise((done) => setTimeout(done, 500));
  }
}
