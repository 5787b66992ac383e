// Where units of both countries may act: a request that the partner has answered,
// and the border that the map shows.
import type { Map as GLMap } from 'maplibre-gl';
import { isOne, signedIn } from './account';
import { get } from './api';
import { $, fill, h } from './dom';
import { num, t } from './i18n';

interface Agreed { id: string; from: string; to: string; kind: string; subject: string; status: string }
const jointKinds = ['joint_plan', 'joint_patrol'];

export class Corridor {
  private agreed: Agreed[] | null = null;
  private request = '';
  private readonly where = h('p', { class: 'small', 'aria-live': 'polite' });

  constructor(private map: GLMap, private agency: () => string) {
    map.on('moveend', () => this.say());
  }

  async load(): Promise<void> {
    if (!signedIn() || !isOne('planner')) return;
    const list = (await get<{ requests: Agreed[] }>('/v1/requests', { status: 'answered' })).requests;
    this.agreed = list.filter((q) => jointKinds.includes(q.kind));
    if (!this.agreed.some((q) => q.id === this.request)) this.request = '';
  }

  /** The part of a request for a plan that says where it is joint. */
  asked(): { joint_corridors?: { request: string; bbox: number[] }[] } {
    return this.request ? { joint_corridors: [{ request: this.request, bbox: this.box() }] } : {};
  }

  /** The field of the form; nothing where there are no two agencies. */
  field(): HTMLElement | null {
    if (!this.agreed) return null;
    this.say();
    const partner = (q: Agreed): string => (q.from === this.agency() ? q.to : q.from);
    return h('div', { class: 'plan-joint' },
      h('label', { class: 'field' }, h('span', {}, t('plans.with_whom')),
        h('select', { id: 'plan-corridor', disabled: !this.agreed.length, onchange: (e: Event) => { this.request = (e.target as HTMLSelectElement).value; this.say(); } },
          h('option', { value: '' }, t('plans.alone')),
          ...this.agreed.map((q) => h('option', { value: q.id, selected: q.id === this.request }, t('plans.joint_with', { agency: partner(q), subject: q.subject }))))),
      this.agreed.length ? this.where : h('p', { class: 'muted small' }, t('plans.ask_first')));
  }

  /** West, south, east and north of what the panel leaves free of the map. */
  private box(): number[] {
    const c = this.map.getCanvas().getBoundingClientRect();
    const d = $('#dock').getBoundingClientRect();
    const beside = d.right < c.right - 1; // on a narrow screen it lies below
    const [left, bottom] = d.width && beside ? [d.right - c.left, c.height] : [0, d.width ? d.top - c.top : c.height];
    const corners = [[left, 0], [c.width, 0], [left, bottom], [c.width, bottom]].map((p) => this.map.unproject(p as [number, number]));
    const cut = (v: number, most: number): number => Math.round(Math.min(most, Math.max(-most, v)) * 1e4) / 1e4;
    const [lng, lat] = [corners.map((x) => x.lng), corners.map((x) => x.lat)];
    return [cut(Math.min(...lng), 180), cut(Math.min(...lat), 90), cut(Math.max(...lng), 180), cut(Math.max(...lat), 90)];
  }

  private say(): void {
    const [w, s, e, n] = this.box().map((v) => num(v, 4));
    fill(this.where, this.request ? t('plans.corridor', { w: w!, s: s!, e: e!, n: n! }) : '');
    this.where.hidden = !this.request;
  }
}
