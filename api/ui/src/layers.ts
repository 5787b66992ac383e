// The layers: what there is, what is shown, and the list in the panel.
import type { View } from './map';
import { get, type LayerInfo } from './api';
import { fill, h, icon } from './dom';
import { count, known, onWords, t, type Key } from './i18n';
import { look, mapLayers, swatch } from './symbols';

/** Shown on the first visit; a newly uploaded layer is shown as well. */
const shownAtFirst = new Set(['official_crossings', 'illegal_ports', 'reported_incidents']);

const groups: { key: Key; has: (l: LayerInfo) => boolean }[] = [
  { key: 'layers.yours', has: (l) => !l.builtin && !l.base && !l.synthetic },
  { key: 'layers.public', has: (l) => !!l.builtin && !l.base && !l.synthetic },
  { key: 'layers.synthetic', has: (l) => !!l.synthetic && !l.base },
  { key: 'layers.base', has: (l) => !!l.base },
];

export class Layers {
  all: LayerInfo[] = [];
  private shown = new Set<string>();
  private hiddenBase = new Set<string>();
  private added = new Map<string, string[]>();
  private watchers = new Set<() => void>();

  constructor(private view: View, private panel: HTMLElement | null, private fly: (b: number[]) => void, private history: (l: LayerInfo) => void = () => undefined) {
    onWords(() => this.render());
  }

  /** Calls f when layers come, go, are shown or hidden. */
  onChange(f: () => void): void { this.watchers.add(f); }

  /** Reads the list of layers anew; those in show are switched on and drawn from fresh tiles. */
  async load(show: string[] = []): Promise<void> {
    const before = new Map(this.all.map((l) => [l.id, l.version]));
    this.all = (await get<{ layers: LayerInfo[] | null }>('/v1/layers')).layers ?? [];
    for (const l of this.all) {
      const isNew = !before.has(l.id);
      const wanted = before.size === 0 ? shownAtFirst.has(l.id) || (!l.builtin && !l.synthetic) : isNew;
      if ((wanted && !l.base) || show.includes(l.id)) this.shown.add(l.id);
      if (show.includes(l.id) || (!isNew && before.get(l.id) !== l.version)) this.remove(l.id);
    }
    const present = new Set(this.all.map((l) => l.id));
    for (const id of this.added.keys()) if (!present.has(id)) this.remove(id);
    for (const l of this.all) if (this.shown.has(l.id)) this.add(l);
    this.render();
    this.tell();
  }

  info(id: string): LayerInfo | undefined { return this.all.find((l) => l.id === id); }

  /** The name of a layer in the reader's language where the word list has it. */
  /** The title of a layer by its id; the id of one that is not there. */
  titleOf(id: string): string {
    const l = this.info(id);
    return l ? this.title(l) : id;
  }
  title(l: LayerInfo): string { return known('layer', l.id) ?? l.title ?? l.id; }

  isShown(id: string): boolean {
    return this.view.base.has(id) && !this.added.has(id) ? !this.hiddenBase.has(id) : this.shown.has(id);
  }

  toggle(id: string, on: boolean): void {
    const l = this.info(id);
    const baseLayers = this.view.base.get(id);
    if (baseLayers) {
      if (on) this.hiddenBase.delete(id); else this.hiddenBase.add(id);
      for (const b of baseLayers) this.view.map.setLayoutProperty(b, 'visibility', on ? 'visible' : 'none');
    } else if (on && l) {
      this.shown.add(id);
      this.add(l);
    } else {
      this.shown.delete(id);
      this.remove(id);
    }
    this.tell();
  }

  /** Map layers that answer to a click, topmost last. */
  clickable(): string[] {
    return [...this.added.values()].flat().filter((id) => this.view.map.getLayer(id) && !id.endsWith('-outline'));
  }

  /** The layer id that a map source stands for. */
  idOf(source: string): string { return source.replace(/^layer-/, ''); }

  private add(l: LayerInfo): void {
    if (this.added.has(l.id) || this.view.base.has(l.id)) return;
    const { map } = this.view;
    const source = `layer-${l.id}`;
    map.addSource(source, { type: 'vector', url: new URL(`/tiles/layers/${encodeURIComponent(l.id)}.json`, location.origin).href });
    const ids: string[] = [];
    for (const { slot, layer } of mapLayers(source, l.id, l.kind)) {
      map.addLayer(layer, slot);
      ids.push(layer.id);
    }
    this.added.set(l.id, ids);
  }

  private remove(id: string): void {
    const { map } = this.view;
    for (const layer of this.added.get(id) ?? []) if (map.getLayer(layer)) map.removeLayer(layer);
    if (map.getSource(`layer-${id}`)) map.removeSource(`layer-${id}`);
    this.added.delete(id);
  }

  private tell(): void { for (const f of this.watchers) f(); }

  private render(): void {
    if (!this.panel) return;
    const sections = groups.map(({ key, has }) => {
      const mine = this.all.filter(has);
      if (!mine.length) return null;
      const rows = h('ul', { class: 'layer-list' }, ...mine.map((l) => this.row(l)));
      const head = h('summary', {}, h('span', {}, t(key)), h('span', { class: 'muted' }, String(mine.length)));
      return h('details', { class: 'group', open: key !== 'layers.base' }, head, rows);
    });
    fill(this.panel, ...sections);
  }

  private row(l: LayerInfo): HTMLElement {
    const input = h('input', {
      type: 'checkbox', role: 'switch', checked: this.isShown(l.id), 'data-layer': l.id,
      onchange: (e: Event) => this.toggle(l.id, (e.target as HTMLInputElement).checked),
    });
    const zoomTo = l.bounds?.length === 4 && h('button', {
      type: 'button', class: 'icon-button small', 'aria-label': t('layers.zoom', { name: this.title(l) }), title: t('layers.zoom', { name: this.title(l) }),
      onclick: () => this.fly(l.bounds!),
    }, icon('zoom', 15));
    const notes = [l.note, l.licence && `${t('layers.licence')}: ${l.licence}`].filter(Boolean).join('\n');
    return h('li', { class: 'layer', title: notes || undefined },
      h('label', {}, input, h('span', { class: 'switch', 'aria-hidden': 'true' }), swatch(look(l.id, l.kind)),
        h('span', { class: 'layer-name' }, this.title(l), l.synthetic && h('span', { class: 'badge synthetic' }, t('badge.synthetic')))),
      h('span', { class: 'muted count' }, count(l.features)),
      l.base ? null : h('button', {
        type: 'button', class: 'icon-button small', 'data-history': l.id, 'aria-label': t('versions.title', { layer: this.title(l) }), title: t('versions.title', { layer: this.title(l) }),
        onclick: () => this.history(l),
      }, icon('clock', 15)),
      zoomTo || null);
  }
}
