// The official crossings, ranked among all places where the border is crossed.
import { get, type Crossing, type CrossingReport } from './api';
import { fill, h } from './dom';
import { code, count, expected, num, onWords, t } from './i18n';

const LIMIT = 15;
const around = 0.06; // degrees of map round a crossing

export class Crossings {
  private report: CrossingReport | null = null;

  constructor(private box: HTMLDetailsElement, private list: HTMLElement, private fly: (b: number[]) => void) {
    box.addEventListener('toggle', () => { if (box.open && !this.report) void this.load(); });
    onWords(() => this.render());
  }

  /** Reads the crossings again where they are in view. */
  async load(): Promise<void> {
    this.report = null;
    if (!this.box.open) return;
    try {
      this.report = await get<CrossingReport>('/v1/crossings', { official: 'true', limit: LIMIT });
    } catch (e) {
      return fill(this.list, h('p', { class: 'empty' }, t('crossings.failed'), ' ', (e as Error).message));
    }
    this.render();
  }

  private render(): void {
    if (!this.report) return;
    const { crossings, radius_m: radius, collusion_by_country: collusion } = this.report;
    const counts = collusion.map((c) => `${code('country', c.country)} ${c.count === 'suppressed' ? t('crossings.suppressed') : c.count}`);
    fill(this.list,
      h('p', { class: 'muted small lead' }, t('crossings.lead', { km: num(radius / 1000) })),
      h('ol', { class: 'gap-list' }, ...crossings.map((c) => this.row(c))),
      h('p', { class: 'muted small lead' }, `${t('crossings.collusion')}: ${counts.join('; ')}`));
  }

  private row(c: Crossing): HTMLElement {
    const [lon, lat] = c.geometry.coordinates as [number, number];
    const rate = c.incidents_per_year;
    const families = t('crossings.families', { refused: count(c.incidents.refused_departures), documents: count(c.incidents.document_fraud), other: count(c.incidents.other) });
    return h('li', { class: 'gap' },
      h('button', { type: 'button', class: 'gap-head crossing', onclick: () => this.fly([lon - around, lat - around, lon + around, lat + around]) },
        h('span', { class: 'rank' }, c.rank),
        h('span', { class: 'gap-body' },
          h('span', { class: 'gap-name' }, h('strong', {}, c.name)),
          h('span', { class: 'gap-figure' }, h('b', {}, expected(rate.mean)), h('span', { class: 'muted small' }, t('crossings.rate', { lo: (rate.lo80 ?? 0) < 0.001 ? '0' : expected(rate.lo80), hi: expected(rate.hi80) }))),
          h('span', { class: 'gap-facts muted small' }, families))));
  }
}
