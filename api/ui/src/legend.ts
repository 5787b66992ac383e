// The legend of the surface that is shown: fixed classes, the same at every zoom.
import type { Legend } from './api';
import { fill, h } from './dom';
import { t } from './i18n';

/** Draws a legend; el is emptied when there is none. */
export function renderLegend(el: HTMLElement, legend: Legend | null): void {
  if (!legend) return fill(el);
  const rows = legend.classes.map((c) => h('li', {}, chip(c.colour, c.hatch), h('span', {}, c.label)));
  if (legend.nodata) {
    rows.push(h('li', { class: 'nodata' }, chip(legend.nodata.colour, legend.nodata.hatch), h('span', {}, legend.nodata.label)));
  }
  fill(el,
    h('p', { class: 'legend-title' }, h('strong', {}, legend.title), ' ', h('span', { class: 'muted' }, legend.unit)),
    h('ul', { class: 'legend-classes' }, ...rows),
    legend.nodata && h('p', { class: 'muted small' }, t('legend.nodata_note')));
}

function chip(colour: string, hatch?: boolean): HTMLElement {
  const el = h('span', { class: hatch ? 'chip-colour hatched' : 'chip-colour', 'aria-hidden': 'true' });
  // Through the CSSOM, which a strict style-src allows; an attribute would not be.
  el.style.setProperty('--c', colour);
  return el;
}
