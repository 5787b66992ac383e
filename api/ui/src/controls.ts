// Buttons of our own on the map, below those for its zoom.
import type { Map as GLMap } from 'maplibre-gl';
import { h } from './dom';

/** Puts a button in the upper right corner of the map. */
export function control(map: GLMap, button: HTMLButtonElement): void {
  map.addControl({ onAdd: () => h('div', { class: 'maplibregl-ctrl maplibregl-ctrl-group page-control' }, button), onRemove: () => button.remove() }, 'top-right');
}
