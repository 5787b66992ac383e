// Where units of both countries may act: a request that the partner has answered,
// and the border in a box, which the map showed when it was chosen.
import type { GeoJSONSource, Map as GLMap } from 'maplibre-gl';
import { isOne, signedIn } from './account';
import { get } from './api';
import { $, fill, h } from './dom';
import { num, t } from './i18n';

interface Agreed { id: string; from: string; to: string; kind: string; subject: string; status: string }
const jointKinds = ['joint_plan', 'joint_patrol'];

export class Corridor {
  private agreed: Agreed[] | null = null;
  private request = '';
  private box: [number, number, number, number] = [0, 0, 0, 0];
  private readonly where = h('span', { 'aria-live': 'polite' });

  constructor(private map: GLMap, private agency: () => string) {
    map.addSource('corridor', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    map.addLayer({ id: 'corridor', type: 'line', source: 'corridor', paint: { 'line-color': '#10243a', 'line-width': 2.5, 'line-dasharray': [3, 2] } }, 'slot-top');
  }

  async load(): Promise<void> {
    if (!signedIn() || !isOne('planner')) return;
    const list = (await get<{ requests: Agreed[] }>('/v1/requests', { status: 'answered' })).requests;
    this.agreed = list.filter((q) => jointKinds.includes(q.kind));
    if (!this.agreed.some((q) => q.id === this.request)) this.request = '';
  }

  /** The part of a request for a plan that says where it is joint. */
  asked(): { joint_corridors?: { request: string; bbox: number[] }[] } {
    return this.request ? { joint_corridors: [{ request: this.request, bbox: this.box }] } : {};
  }

  private readonly line = h('p', { class: 'small', hidden: true }, this.where, ' ', h('button', { type: 'button', class: 'link', id: 'plan-take-view', onclick: () => this.take() }));

  /** The field of the form; nothing where there are no two agencies. */
  field(): HTMLElement | null {
    if (!this.agreed) return null;
    this.say();
    const partner = (q: Agreed): string => (q.from === this.agency() ? q.to : q.from);
    return h('div', { class: 'plan-joint' },
      h('label', { class: 'field' }, h('span', {}, t('plans.with_whom')),
        h('select', { id: 'plan-corridor', disabled: !this.agreed.length, onchange: (e: Event) => { this.request = (e.target as HTMLSelectElement).value; this.take(); } },
          h('option', { value: '' }, t('plans.alone')),
          ...this.agreed.map((q) => h('option', { value: q.id, selected: q.id === this.request }, t('plans.joint_with', { agency: partner(q), subject: q.subject }))))),
      this.agreed.length ? this.line : h('p', { class: 'muted small' }, t('plans.ask_first')));
  }

  /** Takes what the panel leaves free of the map. */
  private take(): void {
    const c = this.map.getCanvas().getBoundingClientRect();
    const d = $('#dock').getBoundingClientRect();
    const beside = d.right < c.right - 1; // on a narrow screen it lies below
    const [left, bottom] = d.width && beside ? [d.right - c.left, c.height] : [0, d.width ? d.top - c.top : c.height];
    const corners = [[left, 0], [c.width, 0], [left, bottom], [c.width, bottom]].map((p) => this.map.unproject(p as [number, number]));
    const cut = (v: number, most: number): number => Math.round(Math.min(most, Math.max(-most, v)) * 1e4) / 1e4;
    const [lng, lat] = [corners.map((x) => x.lng), corners.map((x) => x.lat)];
    this.box = [cut(Math.min(...lng), 180), cut(Math.min(...lat), 90), cut(Math.max(...lng), 180), cut(Math.max(...lat), 90)];
    this.say();
  }

  private say(): void {
    const [w, s, e, n] = this.box.map((v) => num(v, 4));
    this.line.hidden = !this.request;
    fill(this.where, t('plans.corridor', { w: w!, s: s!, e: e!, n: n! }));
    fill(this.line.querySelector('button')!, t('plans.take_view'));
    this.show(true);
  }

  /** Draws the box on the map while its form is shown. */
  show(on: boolean): void {
    const [w, s, e, n] = this.box;
    const line: GeoJSON.Geometry = { type: 'LineString', coordinates: on && this.request ? [[w, s], [e, s], [e, n], [w, n], [w, s]] : [] };
    void this.map.getSource<GeoJSONSource>('corridor')?.setData({ type: 'Feature', properties: {}, geometry: line });
  }
}
