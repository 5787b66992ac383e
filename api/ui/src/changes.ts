// What opened, closed and moved between the gap reports of two dates.
import type { ExpressionSpecification, GeoJSONSource } from 'maplibre-gl';
import type { View } from './map';
import { get, Problem, type GapChange, type GapDiff } from './api';
import { fill, h } from './dom';
import { code, count, currentLang, date, expected, num, onWords, t, type Key } from './i18n';
import { levelChip } from './level';
import { sectionName } from './section';
import { swatch } from './symbols';

const kinds = ['opened', 'closed', 'moved'] as const;
const colours: Record<(typeof kinds)[number], string> = { opened: '#b3261e', closed: '#1f7a4d', moved: '#5b4fa3' };
const FEW = 12; // of one kind, before one asks for more
const DAY_MS = 86_400_000;
const layers = ['change-glow', 'change-casing', 'change-line', 'change-closed'];

export class Changes {
  private diff: GapDiff | null = null;
  private from = '';
  private to = '';
  private newest = '';
  private compared: [string, string] = ['', ''];
  private all = new Set<string>(); // kinds that are listed in full
  private chosen = '';
  private problem = '';
  private shown = false;
  private busy: AbortController | null = null;

  constructor(private view: View, private panel: HTMLElement, private fly: (b: number[]) => void) {
    const { map } = view;
    map.addSource('changes', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    const line = { 'line-cap': 'round', 'line-join': 'round', visibility: 'none' } as const;
    const colour = ['match', ['get', 'change'], ...Object.entries(colours).flat(), '#4a5568'] as unknown as ExpressionSpecification;
    const closed: ExpressionSpecification = ['==', ['get', 'change'], 'closed'];
    map.addLayer({ id: 'change-glow', type: 'line', source: 'changes', filter: ['==', ['get', 'id'], ''], layout: line, paint: { 'line-color': '#12b5d6', 'line-width': 20, 'line-opacity': 0.7, 'line-blur': 3 } }, 'slot-gap');
    map.addLayer({ id: 'change-casing', type: 'line', source: 'changes', layout: line, paint: { 'line-color': '#fff', 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 6, 9, 10] } }, 'slot-gap');
    map.addLayer({ id: 'change-line', type: 'line', source: 'changes', filter: ['!', closed], layout: line, paint: { 'line-color': colour, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 3.4, 9, 6] } }, 'slot-gap');
    map.addLayer({ id: 'change-closed', type: 'line', source: 'changes', filter: closed, layout: { ...line, 'line-cap': 'butt' }, paint: { 'line-color': colour, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 3.4, 9, 6], 'line-dasharray': [1.4, 0.8] } }, 'slot-gap');
    for (const id of ['change-line', 'change-closed']) {
      map.on('click', id, (e) => {
        const section = e.features?.[0]?.properties['id'] as string | undefined;
        if (section) this.choose(section);
      });
    }
    onWords(() => { if (this.diff) void this.compare(); else this.render(); });
  }

  /** Says up to when there are data; the dates that nobody chose follow. */
  set asOf(iso: string) {
    const last = iso.slice(0, 10);
    if (last === this.newest) return;
    if (!this.to || this.to === this.newest) this.to = last;
    if (!this.from) this.from = new Date(Date.parse(`${last}T00:00:00Z`) - 30 * DAY_MS).toISOString().slice(0, 10);
    this.newest = last;
    this.render();
  }

  /** Draws the changes, or not. */
  show(on: boolean): void {
    this.shown = on;
    for (const id of layers) this.view.map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none');
    if (on && !this.diff && !this.busy && !this.problem) void this.compare();
  }

  takesClick(point: { x: number; y: number }): boolean {
    return this.view.map.queryRenderedFeatures([point.x, point.y], { layers: ['change-line', 'change-closed'] }).length > 0;
  }

  /** Compares anew what is in view; else when it comes into view. */
  async load(): Promise<void> {
    if (this.shown) await this.compare();
    else if (this.diff) this.put(null);
  }

  private async compare(): Promise<void> {
    this.busy?.abort();
    this.problem = !this.from || !this.to ? t('changes.dates') : this.from >= this.to ? t('changes.order') : '';
    if (this.problem) return this.put(null);
    const work = this.busy = new AbortController();
    const dates: [string, string] = [this.from, this.to];
    this.render();
    try {
      // The newest report is that of the data, not of the end of their last day.
      const to = this.to === this.newest ? undefined : this.to;
      const diff = await get<GapDiff>('/v1/gaps/diff', { from: this.from, to, lang: currentLang() }, work.signal);
      if (this.busy !== work) return;
      this.busy = null;
      this.compared = dates;
      this.put(diff);
    } catch (e) {
      if (this.busy !== work) return;
      this.busy = null;
      this.problem = e instanceof Problem && e.status ? t('changes.failed', { why: e.message }) : t('error.network');
      this.put(null);
    }
  }

  private put(diff: GapDiff | null): void {
    this.diff = diff;
    this.all.clear();
    this.chosen = '';
    const features = (diff?.changes ?? []).filter((c) => c.geometry).reverse()
      .map((c): GeoJSON.Feature => ({ type: 'Feature', properties: { id: c.section_id, change: c.change }, geometry: c.geometry! }));
    void this.view.map.getSource<GeoJSONSource>('changes')?.setData({ type: 'FeatureCollection', features });
    this.view.map.setFilter('change-glow', ['==', ['get', 'id'], '']);
    this.render();
  }

  private choose(id: string): void {
    const change = this.diff?.changes.find((c) => c.section_id === id);
    if (!change) return;
    this.chosen = id;
    this.all.add(change.change);
    this.view.map.setFilter('change-glow', ['==', ['get', 'id'], id]);
    this.fly(change.bounds);
    this.render();
    this.panel.querySelector('.change.chosen')?.scrollIntoView({ block: 'nearest' });
  }

  private render(): void {
    const field = (label: Key, value: string, set: (v: string) => void): HTMLElement =>
      h('label', { class: 'field' }, h('span', {}, t(label)), h('input', { type: 'date', value, max: this.newest, required: true, onchange: (e: Event) => set((e.target as HTMLInputElement).value) }));
    fill(this.panel,
      h('form', { class: 'dates', onsubmit: (e: Event) => { e.preventDefault(); void this.compare(); } },
        field('changes.from', this.from, (v) => { this.from = v; }), field('changes.to', this.to, (v) => { this.to = v; }),
        h('button', { class: 'button primary', disabled: !!this.busy }, t('changes.go'))),
      this.problem ? h('p', { class: 'notice bad', role: 'alert' }, this.problem) : null,
      this.busy ? h('p', { class: 'muted lead', role: 'status' }, t('changes.busy')) : null,
      ...(this.diff && !this.busy ? this.lists(this.diff) : []));
  }

  private lists(d: GapDiff): (HTMLElement | null)[] {
    const summary = h('ul', { class: 'change-counts' }, ...kinds.map((k) => h('li', {},
      swatch({ shape: k === 'closed' ? 'line' : 'stroke', colour: colours[k] }), h('b', {}, count(d[k])), h('span', {}, code('change', k)))));
    return [
      h('p', { class: 'lead' }, h('strong', {}, `${date(this.compared[0])} → ${date(this.compared[1])}`)), summary,
      ...kinds.map((k) => this.list(k, d.changes.filter((c) => c.change === k))),
      h('p', { class: 'muted small lead' }, t('changes.unchanged', { n: count(d.unchanged) }), ' ', d.note, '.'),
    ];
  }

  private list(kind: (typeof kinds)[number], changes: GapChange[]): HTMLElement | null {
    if (!changes.length) return null;
    const shown = this.all.has(kind) ? changes : changes.slice(0, FEW);
    return h('section', { class: `changes ${kind}` }, h('h3', {}, h('span', { class: 'first-capital' }, code('change', kind)), h('span', { class: 'muted' }, count(changes.length))),
      h('ol', { class: 'gap-list' }, ...shown.map((c) => this.row(c))),
      shown.length < changes.length ? h('button', { type: 'button', class: 'link small', onclick: () => { this.all.add(kind); this.render(); } }, t('changes.more', { n: count(changes.length - shown.length) })) : null);
  }

  private row(c: GapChange): HTMLElement {
    const facts = [
      c.from.rank && c.to.rank && c.from.rank !== c.to.rank ? t('changes.rank', { from: count(c.from.rank), to: count(c.to.rank) }) : '',
      c.from.class !== c.to.class ? `${code('class', c.from.class)} → ${code('class', c.to.class)}` : code('class', c.to.class),
      c.from.level !== c.to.level ? `${t('section.level')}: ${code('level', c.from.level)} → ${code('level', c.to.level)}` : '',
      because(c.because_of_incidents, c.because_of_coverage),
    ].filter(Boolean);
    return h('li', { class: `change${this.chosen === c.section_id ? ' chosen' : ''}` },
      h('button', { type: 'button', class: 'gap-head', 'data-section': c.section_id, onclick: () => this.choose(c.section_id) },
        h('span', { class: 'change-mark', 'aria-hidden': 'true' }),
        h('span', { class: 'gap-body' },
          h('span', { class: 'gap-name' }, h('strong', {}, sectionName(c.section_id, c.name)), levelChip(c.to.level)),
          h('span', { class: 'gap-figure' }, h('b', {}, `${expected(c.from.residual_30d.mean)} → ${expected(c.to.residual_30d.mean)}`), h('span', { class: 'muted small' }, t('changes.unit'))),
          ...facts.map((f) => h('span', { class: 'muted small' }, f)))));
  }
}

/** What the change comes from; a part that is nothing beside the other is 0. */
function because(incidents: number, coverage: number): string {
  const least = 0.02 * Math.max(Math.abs(incidents), Math.abs(coverage));
  const part = (v: number): string => (Math.abs(v) <= least ? '0' : signed(v));
  return t('changes.because', { incidents: part(incidents), coverage: part(coverage) });
}

/** A difference with its sign, the minus as wide as the plus. */
function signed(v: number): string {
  return v > 0 ? `+${num(v, 2)}` : v < 0 ? `−${num(-v, 2)}` : '0';
}
