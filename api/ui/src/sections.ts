// The border in sections, coloured by what is known of each: the overview that
// a narrow surface cannot give from far away.
import type { ExpressionSpecification, GeoJSONSource } from 'maplibre-gl';
import type { View } from './map';
import { get, type Section } from './api';
import { fill, h } from './dom';
import { code, count, onWords, t } from './i18n';
import { swatch } from './symbols';

/** The colours of the classes, those of the surface `gaps`. Blind spots are dashed: unknown is not safe. */
const classes: Record<string, string> = {
  gap: '#8a1538', blind_spot_priority: '#c44e16', fading: '#c98d1b', mismatch: '#7a5ca8', no_report: '#2e5c96', blind_spot: '#4a5568', quiet: '#6f97bd',
};
const dashed = ['blind_spot_priority', 'blind_spot', 'no_report'];

/** Colour of a line with the property `class`. */
export const classColour: ExpressionSpecification = ['match', ['get', 'class'], ...Object.entries(classes).flat(), '#4a5568'] as unknown as ExpressionSpecification;

export class Sections {
  private all: Section[] = [];
  private on = true;
  private readonly layers = ['sections-casing', 'sections-known', 'sections-blind'];

  constructor(private view: View, private panel: HTMLElement) {
    const { map } = view;
    map.addSource('sections', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    const width: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 4, 2, 8, 3, 12, 4];
    const blind: ExpressionSpecification = ['in', ['get', 'class'], ['literal', dashed]];
    map.addLayer({ id: 'sections-casing', type: 'line', source: 'sections', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#fff', 'line-opacity': 0.75, 'line-width': ['interpolate', ['linear'], ['zoom'], 4, 3.4, 8, 5, 12, 7] } }, 'slot-line');
    map.addLayer({ id: 'sections-blind', type: 'line', source: 'sections', filter: blind, paint: { 'line-color': classColour, 'line-width': width, 'line-dasharray': [1.6, 0.9] } }, 'slot-line');
    map.addLayer({ id: 'sections-known', type: 'line', source: 'sections', filter: ['!', blind], layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': classColour, 'line-width': width } }, 'slot-line');
    onWords(() => this.render());
  }

  async load(): Promise<void> {
    this.all = (await get<{ sections: Section[] | null }>('/v1/sections').catch(() => ({ sections: [] }))).sections ?? [];
    const features = this.all.filter((x) => x.geometry).map((x): GeoJSON.Feature => ({ type: 'Feature', properties: { id: x.id, class: x.class ?? '' }, geometry: x.geometry! }));
    void this.view.map.getSource<GeoJSONSource>('sections')?.setData({ type: 'FeatureCollection', features });
    this.render();
  }

  private toggle(on: boolean): void {
    this.on = on;
    for (const id of this.layers) this.view.map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none');
  }

  private render(): void {
    if (!this.all.length) return fill(this.panel);
    const present = Object.keys(classes).filter((c) => this.all.some((x) => x.class === c));
    const number = (c: string): string => count(this.all.filter((x) => x.class === c).length);
    fill(this.panel,
      h('div', { class: 'layer' },
        h('label', {}, h('input', { type: 'checkbox', role: 'switch', checked: this.on, onchange: (e: Event) => this.toggle((e.target as HTMLInputElement).checked) }),
          h('span', { class: 'switch', 'aria-hidden': 'true' }), h('span', { class: 'layer-name' }, t('sections.title'))),
        h('span', { class: 'muted count' }, count(this.all.length))),
      h('ul', { class: 'legend-classes' }, ...present.map((c) => h('li', {},
        swatch({ shape: dashed.includes(c) ? 'line' : 'stroke', colour: classes[c]! }), h('span', {}, code('class', c)), h('span', { class: 'muted' }, number(c))))));
  }
}
