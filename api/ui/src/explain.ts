// "What is here": the numbers under a click, why they are so, and the features.
import { Marker, type GeoJSONSource, type MapGeoJSONFeature } from 'maplibre-gl';
import { position, type View } from './map';
import { circle } from './geometry';
import { get, Problem, type Because, type HotSpot, type Interval, type LayerInfo, type Risk } from './api';
import { fill, h, s } from './dom';
import { code, known, num, onWords, percent, t, type Key } from './i18n';
import { featureCard, precisionOf } from './feature';
import { intervalBar, intervalText } from './gaps';
import { levelChip } from './level';
import { bar, sectionDetail, sectionName } from './section';
import { onSigned } from './sign';
import type { Layers } from './layers';

interface Here { lon: number; lat: number; features: MapGeoJSONFeature[]; risk?: Risk; problem?: string; busy: boolean }

export class Explain {
  private here: Here | null = null;
  private marker: Marker;
  private abort: AbortController | null = null;

  constructor(private view: View, private layers: Layers, private panel: HTMLElement, private reveal: () => void,
    private correct: (layer: LayerInfo, fid: number) => void) {
    const { map } = view;
    map.addSource('precision', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    map.addLayer({ id: 'precision-fill', type: 'fill', source: 'precision', paint: { 'fill-color': '#0a5a73', 'fill-opacity': 0.1 } }, 'slot-line');
    map.addLayer({ id: 'precision-line', type: 'line', source: 'precision', paint: { 'line-color': '#0a5a73', 'line-width': 1.6, 'line-dasharray': [3, 2] } }, 'slot-line');
    const pin = h('div', { class: 'pin', 'aria-hidden': 'true' }, s('svg', { viewBox: '0 0 24 34', width: 26, height: 36 },
      s('path', { d: 'M12 33C12 33 23 20 23 12A11 11 0 1 0 1 12C1 20 12 33 12 33Z', class: 'pin-body' }), s('circle', { cx: 12, cy: 12, r: 4, fill: '#fff' })));
    this.marker = new Marker({ element: pin, anchor: 'bottom' });
    onWords(() => this.render());
    onSigned((x) => {
      const { risk } = this.here ?? {};
      if (!risk || risk.section_id !== x.id) return;
      risk.level = x.level ?? null;
      this.panel.querySelector('.verdict-head .chip')?.replaceWith(levelChip(x.level));
    });
    this.render();
  }

  /** Explains a place; features are those drawn under the pointer. */
  async at(lon: number, lat: number, point: { x: number; y: number }): Promise<void> {
    this.abort?.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    const here: Here = { lon, lat, features: this.under(point), busy: true };
    this.here = here;
    this.marker.setLngLat([lon, lat]).addTo(this.view.map);
    this.drawPrecision();
    this.render();
    this.reveal();
    const q = { lon: lon.toFixed(6), lat: lat.toFixed(6) };
    try {
      here.risk = await get<Risk>('/v1/risk', q, signal);
    } catch (e) {
      here.problem = e instanceof Problem ? e.message : t('error.network');
    }
    if (this.here !== here) return; // a later click has overtaken this one
    here.busy = false;
    this.render();
  }

  clear(): void {
    this.abort?.abort();
    this.here = null;
    this.marker.remove();
    this.drawPrecision();
    this.render();
  }

  /** Distinct features within six pixels, nearest layer first. */
  private under({ x, y }: { x: number; y: number }): MapGeoJSONFeature[] {
    const seen = new Set<string>();
    const found = this.view.map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers: this.layers.clickable() });
    return found.filter((f) => {
      const k = `${f.source}/${f.id ?? JSON.stringify(f.properties)}`;
      return !seen.has(k) && seen.add(k);
    }).slice(0, 12);
  }

  private drawPrecision(): void {
    const features: GeoJSON.Feature[] = [];
    for (const f of this.here?.features ?? []) {
      const r = precisionOf(f.properties);
      if (f.geometry.type === 'Point' && r) {
        const [lon, lat] = f.geometry.coordinates as [number, number];
        features.push({ type: 'Feature', properties: {}, geometry: circle(lon, lat, r) });
      }
    }
    void this.view.map.getSource<GeoJSONSource>('precision')?.setData({ type: 'FeatureCollection', features });
  }

  private render(): void {
    const { here } = this;
    if (!here) return fill(this.panel, h('p', { class: 'empty' }, t('here.empty')));
    const { risk } = here;
    fill(this.panel,
      h('p', { class: 'place' }, position(here.lon, here.lat)),
      here.busy && h('p', { class: 'muted', role: 'status' }, t('here.busy')),
      here.problem && h('p', { class: 'notice warn' }, here.problem),
      risk && this.verdict(risk),
      risk && this.figures(risk),
      risk?.hotspot?.class ? hotSpot(risk.hotspot) : null,
      risk?.because?.length ? h('section', {}, h('h3', {}, t('here.because')), h('ul', { class: 'bars' }, ...risk.because.map(reasonRow))) : null,
      this.featureList(here.features));
  }

  private verdict(r: Risk): HTMLElement {
    const cls = r.class ?? 'no_report';
    const box = h('section', { class: `verdict class-${cls}` },
      h('div', { class: 'verdict-head' }, h('strong', {}, code('class', cls)), r.level ? levelChip(r.level) : null),
      h('p', { class: 'small' }, known('class', `${cls}.hint`) ?? ''));
    if (r.section_id) {
      const more = h('div');
      box.append(h('button', {
        type: 'button', class: 'link small',
        onclick: (e: Event) => { (e.target as HTMLElement).remove(); void sectionDetail(r.section_id!).then((el) => fill(more, el ?? t('here.no_section'))); },
      }, t('here.section', { name: sectionName(r.section_id) })), more);
    }
    return box;
  }

  private figures(r: Risk): HTMLElement {
    const row = (key: Key, unit: string, value: string, visual: HTMLElement | null): HTMLElement =>
      h('li', {}, h('span', { class: 'figure-name' }, t(key)), h('span', { class: 'figure-value' }, value), h('span', { class: 'figure-unit muted small' }, unit), visual);
    const interval = (key: Key, unit: Key, i?: Interval | null): HTMLElement | null =>
      i ? row(key, t(unit), intervalText(i), i.hi80 ? intervalBar(i, i.hi80 * 1.15) : null) : null;
    const share = (key: Key, unit: Key, v?: number | null): HTMLElement | null => {
      if (v === null || v === undefined) return null;
      const f = h('span', { class: 'bar-fill' });
      f.style.width = `${Math.min(1, v) * 100}%`;
      return row(key, t(unit), percent(v), h('span', { class: 'bar', 'aria-hidden': 'true' }, f));
    };
    return h('section', {}, h('h3', {}, t('here.numbers')), h('ul', { class: 'figures' },
      interval('here.residual', 'here.residual.unit', r.residual),
      interval('here.hazard', 'here.hazard.unit', r.hazard),
      typeof r.density === 'number' ? interval('here.density', 'here.density.unit', { mean: r.density }) : null,
      share('here.coverage', 'here.coverage.unit', r.search_coverage),
      share('here.pod', 'here.pod.unit', r.interception_pod),
      share('here.knowledge', 'here.knowledge.unit', r.knowledge)),
    h('p', { class: 'muted small' }, t('here.interval_note')));
  }

  private featureList(features: MapGeoJSONFeature[]): HTMLElement {
    const cards = features.map((f) => {
      const l = this.layers.info(this.layers.idOf(f.source));
      const card = featureCard(f, l, l ? this.layers.title(l) : this.layers.idOf(f.source));
      if (l && !l.base && typeof f.id === 'number') {
        const fid = f.id;
        card.append(h('button', { type: 'button', class: 'button ghost small correct-open', onclick: () => this.correct(l, fid) }, t('correct.open')));
      }
      return card;
    });
    return h('section', {}, h('h3', {}, t('here.features')), cards.length ? h('div', { class: 'features' }, ...cards) : h('p', { class: 'muted small' }, t('here.no_features')));
  }
}

/** Whether more incidents lie around than chance explains, with the numbers. */
function hotSpot(spot: HotSpot): HTMLElement {
  const p = spot.p < 0.001 ? '< ' + num(0.001) : num(spot.p);
  return h('section', { class: `hotspot hotspot-${spot.class}` }, h('h3', {}, t('here.hotspot')),
    h('p', {}, h('strong', {}, known('hotspot', spot.class) ?? spot.class)),
    h('p', { class: 'muted small' }, spot.class === 'not_enough_data'
      ? t('here.hotspot.few', { n: spot.incidents_in_domain })
      : t('here.hotspot.numbers', { n: num(spot.incidents_in_band), km: num(spot.band_m / 1000), expected: num(spot.expected_in_band, 2), z: num(spot.z), p })));
}

/** A share of the number as a bar; what multiplies it as a factor. */
function reasonRow(b: Because): HTMLElement {
  if (b.factor === undefined) return bar(reasonLabel(b), b.share);
  return h('li', {}, h('span', { class: 'bar-label' }, reasonLabel(b)), h('span', { class: 'bar-value' }, `× ${num(b.factor, 3)}`));
}

/** A reason in the reader's language: what, when, how far. */
function reasonLabel(b: Because): string {
  if (b.type === 'others') return t('because.others', { n: /\d+/.exec(b.label)?.[0] ?? '' });
  if (b.type === 'surroundings' || b.type === 'access' || b.type === 'detection') return t(`because.${b.type}`);
  if (b.type === 'coverage') return t('because.patrols', { side: b.id ?? '' });
  if (!b.kind) return known('because', b.type) ? `${known('because', b.type)}: ${b.label}` : b.label;
  const rest = b.label.replace(b.kind, '').trim();
  return [known('kind', b.kind) ?? b.kind, rest, b.km !== undefined && `${num(b.km, 2)} km`].filter(Boolean).join(', ');
}
