// The ranked patrol-gap list, its marks on the map and the flight to a gap.
import type { GeoJSONSource, ExpressionSpecification } from 'maplibre-gl';
import type { View } from './map';
import { anchor, boundsOf } from './geometry';
import { accessKey, download, get, type Gap, type GapReport, type Interval, type Section } from './api';
import { fill, h, icon } from './dom';
import { code, count, currentLang, expected, num, onWords, percent, t } from './i18n';
import { levelChip, levelStatus } from './level';
import { sectionDetail, sectionName } from './section';
import { classColour } from './sections';
import { onSigned } from './sign';

const LIMIT = 50;
const formatNames = { pdf: 'PDF', html: 'HTML', csv: 'CSV', geojson: 'GeoJSON' };
const formats = ['pdf', 'html', 'csv', 'geojson'] as const;
const levelColour: ExpressionSpecification = ['match', ['get', 'level'], 'critical', '#7a0f3c', 'high', '#c2410c', 'medium', '#b07900', '#557083'];

/** A mean with its 80 % interval as a bar on a scale 0..max. */
export function intervalBar(i: Interval, max: number): HTMLElement {
  const at = (v: number | null | undefined): string => `${Math.max(0, Math.min(1, (v ?? 0) / (max || 1))) * 100}%`;
  const range = h('span', { class: 'range' });
  range.style.left = at(i.lo80);
  range.style.right = `calc(100% - ${at(i.hi80)})`;
  const dot = h('span', { class: 'dot' });
  dot.style.left = at(i.mean);
  return h('span', { class: 'interval', 'aria-hidden': 'true' }, range, dot);
}

/** "1.2 (0.6–2.1)" */
export function intervalText(i: Interval | null | undefined): string {
  if (!i) return '–';
  return i.lo80 === undefined || i.lo80 === null ? num(i.mean) : `${num(i.mean)} (${num(i.lo80, 2)}–${num(i.hi80, 2)})`;
}

export class Gaps {
  report: GapReport | null = null;
  private selected: string | null = null;
  private max = 0; // of the bars

  constructor(private view: View, private panel: HTMLElement, private tools: HTMLElement, private fly: (b: number[]) => void) {
    const empty = { type: 'FeatureCollection', features: [] } as GeoJSON.FeatureCollection;
    const { map } = view;
    map.addSource('gaps', { type: 'geojson', data: empty });
    map.addSource('gap-badges', { type: 'geojson', data: empty });
    const line = { 'line-cap': 'round', 'line-join': 'round' } as const;
    const chosen: ExpressionSpecification = ['==', ['get', 'id'], ''];
    map.addLayer({ id: 'gap-glow', type: 'line', source: 'gaps', filter: chosen, layout: line, paint: { 'line-color': '#12b5d6', 'line-width': 20, 'line-opacity': 0.7, 'line-blur': 3 } }, 'slot-gap');
    map.addLayer({ id: 'gap-casing', type: 'line', source: 'gaps', layout: line, paint: { 'line-color': '#fff', 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 5, 9, 8] } }, 'slot-gap');
    map.addLayer({ id: 'gap-line', type: 'line', source: 'gaps', layout: line, paint: { 'line-color': classColour, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 2.6, 9, 4.5] } }, 'slot-gap');
    map.addLayer({ id: 'gap-disc', type: 'circle', source: 'gap-badges', paint: { 'circle-radius': 10, 'circle-color': levelColour, 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 } }, 'slot-top');
    map.addLayer({ id: 'gap-rank', type: 'symbol', source: 'gap-badges', layout: { 'text-field': ['to-string', ['get', 'rank']], 'text-font': ['sans-serif'], 'text-size': 12, 'text-allow-overlap': true, 'text-ignore-placement': true }, paint: { 'text-color': '#fff' } }, 'slot-top');
    map.on('click', 'gap-disc', (e) => {
      const id = e.features?.[0]?.properties['id'] as string | undefined;
      if (id) this.select(id);
    });
    onWords(() => void this.load());
    onSigned((x) => this.signed(x));
  }

  /** Draws the lines and numbers, or not. */
  show(on: boolean): void {
    for (const id of ['gap-glow', 'gap-casing', 'gap-line', 'gap-disc', 'gap-rank']) this.view.map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none');
  }

  /** Shows the level that a section has now; what is open stays open. */
  private signed(x: Section): void {
    const gap = this.report?.gaps.find((g) => g.section_id === x.id);
    if (!gap) return;
    Object.assign(gap, { level: x.level, level_status: x.level_status, level_in_force: x.level_in_force, level_signatures: x.level_signatures });
    this.draw();
    this.panel.querySelector(`[data-section="${CSS.escape(x.id)}"]`)?.replaceWith(this.head(gap));
  }

  /** True when a click at that point is on a gap's number. */
  takesClick(point: { x: number; y: number }): boolean {
    return this.view.map.queryRenderedFeatures([point.x, point.y], { layers: ['gap-disc'] }).length > 0;
  }

  async load(): Promise<void> {
    try {
      this.report = await get<GapReport>('/v1/gaps', { limit: LIMIT, lang: currentLang() });
    } catch (e) {
      fill(this.panel, h('p', { class: 'empty' }, t('gaps.failed'), ' ', (e as Error).message));
      return;
    }
    this.draw();
    this.render();
  }

  select(id: string): void {
    const gap = this.report?.gaps.find((g) => g.section_id === id);
    if (!gap) return;
    this.selected = this.selected === id ? null : id;
    this.view.map.setFilter('gap-glow', ['==', ['get', 'id'], this.selected ?? '']);
    const b = boundsOf(gap.geometry);
    if (this.selected && b) this.fly(b);
    this.render();
    this.panel.querySelector('[aria-expanded="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  private draw(): void {
    const gaps = this.report?.gaps ?? [];
    const lines: GeoJSON.Feature[] = [];
    const badges: GeoJSON.Feature[] = [];
    // Worst last, so that it lies on top.
    for (const g of [...gaps].reverse()) {
      const properties = { id: g.section_id, rank: g.rank, level: g.level, class: g.class };
      if (!g.geometry) continue;
      lines.push({ type: 'Feature', properties, geometry: g.geometry });
      const at = anchor(g.geometry);
      if (at && g.rank <= 15) badges.push({ type: 'Feature', properties, geometry: { type: 'Point', coordinates: at } });
    }
    const put = (id: string, features: GeoJSON.Feature[]): void => { void this.view.map.getSource<GeoJSONSource>(id)?.setData({ type: 'FeatureCollection', features }); };
    put('gaps', lines);
    put('gap-badges', badges);
  }

  private render(): void {
    const gaps = this.report?.gaps ?? [];
    fill(this.tools, ...formats.map((f) => this.link(f)));
    if (!gaps.length) return fill(this.panel, h('p', { class: 'empty' }, t('gaps.none')));
    this.max = Math.max(...gaps.map((g) => g.residual_30d?.hi80 ?? g.residual_30d?.mean ?? 0));
    fill(this.panel, h('p', { class: 'muted small lead' }, t('gaps.lead')), h('ol', { class: 'gap-list' }, ...gaps.map((g) => this.card(g))));
  }

  /** The report in a form: data as a download, what people read in a tab of its own. */
  private link(format: keyof typeof formatNames): HTMLElement {
    const href = `/v1/gaps?format=${format}&lang=${currentLang()}`;
    const name = `sempadan-gaps.${format}`;
    const read = format === 'html' || format === 'pdf';
    return h('a', {
      class: 'button ghost', href, ...(read ? { target: '_blank', rel: 'noopener' } : { download: name }),
      onclick: (e: Event) => { if (accessKey()) { e.preventDefault(); void download(href, name); } },
    }, icon('download', 15), formatNames[format]);
  }

  private card(g: Gap): HTMLElement {
    const open = this.selected === g.section_id;
    const item = h('li', { class: `gap${open ? ' open' : ''}` }, this.head(g));
    if (open) item.append(this.more(g));
    return item;
  }

  private head(g: Gap): HTMLElement {
    const open = this.selected === g.section_id;
    const facts = [
      `${num(g.km)} km`,
      (g.countries ?? []).join('–'),
      presence(g.days_since_presence),
      levelStatus(g),
    ].filter(Boolean);
    return h('button', { type: 'button', class: 'gap-head', 'aria-expanded': open ? 'true' : 'false', 'data-section': g.section_id, onclick: () => this.select(g.section_id) },
      h('span', { class: `rank level-${g.level}` }, g.rank),
      h('span', { class: 'gap-body' },
        h('span', { class: 'gap-name' }, h('strong', {}, sectionName(g.section_id, g.name)), levelChip(g.level)),
        h('span', { class: 'gap-figure' }, h('b', {}, expected(g.residual_30d?.mean)), h('span', { class: 'muted small' }, t('gaps.interval', { lo: expected(g.residual_30d?.lo80), hi: expected(g.residual_30d?.hi80) })), intervalBar(g.residual_30d ?? { mean: null }, this.max)),
        h('span', { class: 'gap-facts muted small' }, facts.join('  ·  '))));
  }

  private more(g: Gap): HTMLElement {
    const box = h('div', { class: 'gap-more' },
      g.reason && h('p', {}, g.reason),
      h('dl', { class: 'facts' },
        ...fact(t('gaps.class'), code('class', g.class)),
        ...fact(t('gaps.agencies'), (g.agencies ?? []).join(', ')),
        ...fact(t('gaps.crossing'), g.nearest_crossing ? `${g.nearest_crossing.name}, ${num(g.nearest_crossing.km)} km` : ''),
        ...fact(t('gaps.hours'), hours(g.hours)),
        ...fact(t('gaps.effect'), effect(g.effect_of_one_patrol))));
    void sectionDetail(g.section_id).then((el) => el && box.append(el));
    return box;
  }
}

function fact(label: string, value: string): (HTMLElement | null)[] {
  return value ? [h('dt', {}, label), h('dd', {}, value)] : [];
}

/** How many hours of the week see no patrol; which ones, the week's picture shows. */
function hours(spans: Gap['hours']): string {
  if (!Array.isArray(spans)) return '';
  const n = spans.reduce((sum, x) => sum + (x.to - x.from), 0);
  return n > 0 ? t('gaps.hours_without', { n: count(n) }) : '';
}

function presence(days: number | null | undefined): string {
  if (days === null || days === undefined) return t('gaps.never');
  return days < 1 ? t('gaps.today') : t('gaps.days', { n: count(Math.round(days)) });
}

/** What one more patrol along the section would change. */
function effect(e: Gap['effect_of_one_patrol']): string {
  const { residual_30d_before: before, residual_30d_after: after } = e ?? {};
  if (before === undefined || after === undefined) return '';
  const how = [e?.mode && code('mode', e.mode), e?.track_km !== undefined && `${num(e.track_km)} km`].filter(Boolean).join(', ');
  const parts = [how];
  if (num(before) !== num(after)) parts.push(t('gaps.effect_text', { from: num(before), to: num(after) }));
  if (e?.search_coverage_after !== undefined) parts.push(t('gaps.effect_search', { from: percent(e.search_coverage_before), to: percent(e.search_coverage_after) }));
  return parts.filter(Boolean).join('; ');
}
