// One border section: its level by agreement, its trend, coverage by country and the week in hours.
import { get, type Section, type Trend } from './api';
import { h, s } from './dom';
import { code, count, currentLang, num, percent, t, weekdays } from './i18n';
import { SignOff } from './sign';

/** The detail of a section, or null when the service has none. */
export async function sectionDetail(id: string): Promise<HTMLElement | null> {
  const section = await get<Section>(`/v1/sections/${encodeURIComponent(id)}`, { lang: currentLang() }).catch(() => null);
  if (!section) return null;
  const el = h('div', { class: 'section-detail' });
  el.append(new SignOff(section).el);
  if (section.insufficient_knowledge) el.append(h('p', { class: 'notice warn small' }, t('section.insufficient')));
  el.append(...[trendFacts(section)].filter((x) => x !== null));
  const coverage = Object.entries(section.coverage_by_country ?? section.coverage ?? {}).filter(([c, v]) => typeof v === 'number' && (v > 0 || c !== 'other'));
  if (coverage.length) {
    el.append(h('h3', { class: 'sub' }, t('section.coverage')), h('ul', { class: 'bars' }, ...coverage.map(([c, v]) => bar(code('country', c), v as number))));
  }
  const week = profile(section.profile?.incidents, section.profile?.coverage, section.profile?.no_data);
  if (week) {
    el.append(h('h3', { class: 'sub' }, t('section.week'), clockName(section.profile?.utc_offset_h)), week, h('p', { class: 'week-key muted small' },
      h('span', { class: 'key-incident' }), t('section.incidents'), h('span', { class: 'key-patrol' }), t('section.patrols'), h('span', { class: 'key-silent' }), t('section.no_data')));
  }
  return el.childElementCount ? el : null;
}

/** The trend of a section and what asks for a level. */
function trendFacts(x: Section): HTMLElement | null {
  const list = h('dl', { class: 'facts trend-facts' });
  const fact = (label: string, value: string): void => list.append(h('dt', {}, label), h('dd', {}, value));
  if (x.critical_signs?.length) fact(t('section.signs'), x.critical_signs.map((c) => code('sign', c)).join(', '));
  if (x.trend) fact(t('section.trend'), trendText(x.trend));
  return list.childElementCount ? list : null;
}

/** "rising, 31 incidents, p 0.01, +120% against the half before" */
function trendText(trend: Trend): string {
  const parts = [code('trend', trend.class)];
  if (typeof trend.p === 'number') parts.push(t('trend.numbers', { n: count(trend.incidents), p: num(trend.p, 2) }));
  if (typeof trend.change_percent === 'number') parts.push(t('trend.change', { change: `${trend.change_percent > 0 ? '+' : ''}${percent(trend.change_percent / 100)}` }));
  return parts.join(', ');
}

/** The clock of the section's hours. */
function clockName(offset?: number): string {
  if (offset === undefined) return '';
  return offset === 7 ? ' (WIB)' : offset === 8 ? ' (WITA, MYT)' : ` (UTC+${offset})`;
}

/** The name of a section in the reader's language: "Coast 135, near Sabak Bernam" or, from its id alone, "Land border 12". */
export function sectionName(id: string, name?: string): string {
  const given = /^(Land border|Water border|Coast) (\d+)(?:, near (.+))?$/.exec(name ?? '');
  const [, letter, number] = /^([LWC])0*(\d+)$/.exec(id) ?? [];
  if (name && !given) return name;
  const n = given?.[2] ?? number;
  if (!n) return t('gaps.section', { id });
  const short = t(given?.[1] === 'Coast' || letter === 'C' ? 'section.coast' : given?.[1] === 'Water border' || letter === 'W' ? 'section.water' : 'section.land', { n });
  return given?.[3] ? t('section.near', { section: short, place: given[3] }) : short;
}

/** A labelled share as a bar. */
export function bar(label: string, share: number): HTMLElement {
  const fillEl = h('span', { class: 'bar-fill' });
  fillEl.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h('li', {}, h('span', { class: 'bar-label' }, label), h('span', { class: 'bar-value' }, percent(share)), h('span', { class: 'bar', 'aria-hidden': 'true' }, fillEl));
}

/**
 * Seven days by 24 hours: the shade of a cell says how many incidents, the dot
 * in it how much patrol, a ring that a device was silent and nobody is known to
 * have been there. Dark cells without a dot are what to look for.
 */
function profile(incidents?: number[][], coverage?: number[][], noData?: number[][]): SVGElement | null {
  if (incidents?.length !== 7 && coverage?.length !== 7) return null;
  const peak = (m?: number[][]): number => Math.max(0, ...(m ?? []).flat().filter(Number.isFinite));
  const maxI = peak(incidents);
  const maxC = peak(coverage);
  if (!maxI && !maxC && !peak(noData)) return null;
  const cell = 12;
  const left = 34;
  const svg = s('svg', { viewBox: `0 0 ${left + 24 * cell} ${7 * cell + 16}`, class: 'week', role: 'img', 'aria-label': t('section.week') });
  weekdays().forEach((name, d) => {
    svg.append(s('text', { x: left - 5, y: d * cell + 9.5, 'text-anchor': 'end' }, name));
    for (let hour = 0; hour < 24; hour++) {
      const i = maxI ? (incidents?.[d]?.[hour] ?? 0) / maxI : 0;
      const c = maxC ? (coverage?.[d]?.[hour] ?? 0) / maxC : 0;
      svg.append(s('rect', { x: left + hour * cell, y: d * cell, width: cell - 1, height: cell - 1, rx: 1.5, class: 'week-cell', 'fill-opacity': (0.06 + 0.94 * i).toFixed(2) }));
      const middle = { cx: left + hour * cell + (cell - 1) / 2, cy: d * cell + (cell - 1) / 2 };
      if (c > 0.02) svg.append(s('circle', { ...middle, r: (0.8 + 3.2 * Math.sqrt(c)).toFixed(2), class: 'week-dot' }));
      else if (noData?.[d]?.[hour]) svg.append(s('circle', { ...middle, r: 2.6, class: 'week-ring' }));
    }
  });
  for (const hour of [0, 6, 12, 18, 23]) svg.append(s('text', { x: left + hour * cell + cell / 2, y: 7 * cell + 11, 'text-anchor': 'middle' }, String(hour).padStart(2, '0')));
  return svg;
}
