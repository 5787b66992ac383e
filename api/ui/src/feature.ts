// One feature in words: what it is, how sure its place is, who said so.
import type { MapGeoJSONFeature } from 'maplibre-gl';
import type { LayerInfo } from './api';
import { h } from './dom';
import { day, known, month, num, t, when } from './i18n';

type Props = Record<string, unknown>;

/** Properties that stand elsewhere on the card or say nothing to a reader. */
const hidden = new Set(['id', 'name', 'synthetic', 'verified', 'location_precision_m', 'precision_m', 'accuracy_m', 'source', 'sources', 'note', 'external_id', 'source_system',
  'release', 'handling', 'retention_class', 'valid_until', 'date_precision', 'date_basis', 'coord_source', 'stroke', 'fill']);
const order = ['kind', 'status', 'place', 'admin', 'region', 'country', 'occurred', 'occurred_from', 'occurred_to', 'direction', 'medium', 'stage', 'discovery', 'persons_total', 'deaths', 'missing', 'agency', 'mode'];
/** Properties whose values are codes of a list in the word files. */
export const lists: Record<string, string> = { kind: 'kind', status: 'status', country: 'country', direction: 'direction', medium: 'medium', discovery: 'discovery', mode: 'mode', stage: 'stage', kind_confidence: 'confidence', status_id: 'assessed', status_my: 'assessed', nationality_group: 'country' };

/** The radius in metres within which a point really lies; undefined when nobody said. */
export function precisionOf(p: Props): number | undefined {
  for (const name of ['location_precision_m', 'precision_m', 'accuracy_m', 'radius_m']) {
    const v = Number(p[name]);
    if (p[name] !== null && p[name] !== undefined && v > 0) return v;
  }
  return undefined;
}

/** A card for one feature of a layer. */
export function featureCard(f: MapGeoJSONFeature, layer: LayerInfo | undefined, layerTitle: string): HTMLElement {
  const p = f.properties as Props;
  const kind = text(p['kind']);
  const title = text(p['name']) || text(p['place']) || (kind && (known('kind', kind) ?? kind)) || text(p['track_id']) || text(p['id']) || layerTitle;
  const synthetic = p['synthetic'] === true || layer?.synthetic;
  return h('article', { class: 'feature' },
    h('header', {}, h('strong', {}, title), h('span', { class: 'muted small' }, layerTitle)),
    h('p', { class: 'badges' },
      synthetic && h('span', { class: 'badge synthetic' }, t('badge.synthetic')),
      layer?.builtin && !synthetic ? h('span', { class: 'badge public' }, t('badge.public')) : null,
      verified(p['verified']),
      precision(p, f.geometry.type)),
    h('dl', { class: 'facts' }, ...rows(p)),
    text(p['note']) && h('p', { class: 'small' }, text(p['note'])),
    ...sources(p, layer));
}

const text = (v: unknown): string => (v === null || v === undefined ? '' : String(v));

function verified(v: unknown): HTMLElement | null {
  if (v === true || v === 'true') return h('span', { class: 'badge ok' }, t('feature.verified'));
  if (v === false || v === 'false') return h('span', { class: 'badge estimate' }, t('feature.estimate'));
  return null;
}

function precision(p: Props, geometry: string): HTMLElement | null {
  const r = precisionOf({ ...p, radius_m: undefined });
  if (!r || geometry !== 'Point') return null;
  return h('span', { class: 'badge' }, `± ${r >= 1000 ? `${num(r / 1000)} km` : `${num(r)} m`}`);
}

/**
 * When something happened, no finer than it is known: an interval of a day or
 * a month is named by its middle, which is that day or month in every clock here.
 */
function dated(p: Props): Props {
  const from = Date.parse(text(p['occurred_from']));
  const to = Date.parse(text(p['occurred_to']));
  const grain = text(p['date_precision']);
  if (!['day', 'month'].includes(grain) || Number.isNaN(from)) return p;
  const middle = new Date(Number.isNaN(to) ? from + 12 * 3600e3 : (from + to) / 2).toISOString();
  return { ...p, occurred_from: undefined, occurred_to: undefined, occurred: grain === 'day' ? day(middle) : month(middle) };
}

function rows(raw: Props): HTMLElement[] {
  const p = dated(raw);
  const rank = (k: string): number => { const i = order.indexOf(k); return i < 0 ? order.length : i; };
  const keys = Object.keys(p).filter((k) => !hidden.has(k) && text(p[k]) !== '').sort((a, b) => rank(a) - rank(b));
  return keys.slice(0, 24).flatMap((k) => [h('dt', {}, known('prop', k) ?? k.replace(/_/g, ' ')), h('dd', {}, value(k, p[k]))]);
}

function value(key: string, v: unknown): string {
  const s = text(v);
  const list = lists[key];
  if (list) return known(list, s) ?? s.replace(/_/g, ' ');
  if (typeof v === 'number') return key.includes('year') || /^first_/.test(key) ? String(v) : num(v, 6);
  if (typeof v === 'boolean') return v ? t('yes') : t('no');
  if (/^\d{4}-\d\d-\d\dT/.test(s)) return when(s);
  return s;
}

interface Source { publisher?: string; date?: string; title?: string; url?: string }

/** Where it comes from, as text: a link would lead out of this network. */
function sources(p: Props, layer: LayerInfo | undefined): HTMLElement[] {
  let list: Source[] = [];
  try {
    const parsed: unknown = JSON.parse(text(p['sources']) || '[]');
    if (Array.isArray(parsed)) list = parsed as Source[];
  } catch { /* not a list: shown below as it is */ }
  const lines: (string | HTMLElement)[] = list.map((s) => h('span', {}, [s.publisher, s.date, s.title].filter(Boolean).join(', '), s.url ? h('span', { class: 'url' }, s.url) : null));
  if (!lines.length && text(p['sources'])) lines.push(text(p['sources']));
  if (text(p['source'])) lines.push(text(p['source']));
  if (!lines.length && layer?.source) lines.push([layer.source, layer.licence].filter(Boolean).join(' · '));
  return lines.length ? [h('div', { class: 'sources small muted' }, h('span', { class: 'sources-head' }, t('feature.sources')), ...lines.map((l) => h('p', {}, l)))] : [];
}
