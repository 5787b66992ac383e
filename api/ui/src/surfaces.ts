// The surfaces: risk, coverage, density. One at a time, below borders and names.
import type { View } from './map';
import { reducedMotion } from './map';
import { get, type Legend, type TileJSON } from './api';
import { fill, h } from './dom';
import { currentLang, onWords, t, type Key } from './i18n';
import { renderLegend } from './legend';

const main = ['risk', 'coverage', 'density'] as const;
const more = ['gaps', 'hotspots', 'hazard', 'knowledge'] as const;
const classes: readonly string[] = ['gaps', 'hotspots']; // their edges stay sharp
export const surfaceNames = [...main, ...more] as const;
export type Surface = (typeof surfaceNames)[number];
const ID = 'surface';

export interface SurfaceUI { picker: HTMLElement | null; opacity: HTMLInputElement | null; legend: HTMLElement | null }

export class Surfaces {
  current: Surface | null = null;
  /** The tile set on show. */
  tileJSON: TileJSON | null = null;
  version: string | number | undefined;
  asOf: string | undefined;
  private opacity = 0.9;
  private turn = 0;
  private legends = new Map<string, Promise<Legend | null>>();
  private watchers = new Set<() => void>();

  constructor(private view: View, private ui: SurfaceUI, private failed: (e: unknown) => void, private token?: () => string | undefined, private palette?: string) {
    this.renderPicker();
    ui.opacity?.addEventListener('input', () => this.setOpacity(Number(ui.opacity!.value) / 100));
    onWords(() => { this.renderPicker(); void this.drawLegend(); });
  }

  onChange(f: () => void): void { this.watchers.add(f); }

  /** Shows a surface, or none; draws it anew when it is shown already. */
  async show(name: Surface | null): Promise<void> {
    const turn = ++this.turn;
    this.current = name;
    this.mark();
    void this.drawLegend();
    let tj: TileJSON | null = null;
    try {
      if (name) tj = await get<TileJSON>(`/tiles/${name}.json`, { token: this.token?.(), palette: this.palette });
    } catch (e) {
      this.failed(e);
    }
    if (turn !== this.turn) return; // a later choice has overtaken this one
    this.tileJSON = tj;
    const { map } = this.view;
    if (map.getLayer(ID)) map.removeLayer(ID);
    if (map.getSource(ID)) map.removeSource(ID);
    if (tj) {
      this.version = tj.v ?? this.version;
      this.asOf = tj.as_of ?? this.asOf;
      map.addSource(ID, {
        type: 'raster', tiles: tj.tiles.map((u) => (devicePixelRatio > 1 ? u.replace(/\.png(?=$|\?)/, '@2x.png') : u)), tileSize: 256,
        minzoom: tj.minzoom ?? 0, maxzoom: tj.maxzoom ?? 14, ...(tj.bounds ? { bounds: tj.bounds } : {}), attribution: tj.attribution ?? '',
      });
      map.addLayer({ id: ID, type: 'raster', source: ID, paint: { 'raster-opacity': this.opacity, 'raster-resampling': classes.includes(name!) ? 'nearest' : 'linear', 'raster-fade-duration': reducedMotion() ? 0 : 250 } }, this.view.surfaceSlot);
    }
    for (const f of this.watchers) f();
  }

  /** Asks whether there is a new assessment and draws it; true when there was. */
  async refresh(): Promise<boolean> {
    const name = this.current ?? 'risk';
    const { v } = await get<TileJSON>(`/tiles/${name}.json`, { token: this.token?.(), palette: this.palette });
    if (v === undefined || v === this.version) return false;
    this.version = v;
    await this.show(this.current);
    return true;
  }

  setOpacity(share: number): void {
    this.opacity = share;
    if (this.view.map.getLayer(ID)) this.view.map.setPaintProperty(ID, 'raster-opacity', share);
  }

  private async drawLegend(): Promise<void> {
    const { legend } = this.ui;
    if (!legend) return;
    const name = this.current;
    if (!name) return renderLegend(legend, null);
    const lang = currentLang();
    const l = await this.legendOf(name);
    if (name === this.current && lang === currentLang()) renderLegend(legend, l);
  }

  /** A legend, asked for once a language and assessment. */
  private legendOf(name: Surface): Promise<Legend | null> {
    const lang = currentLang();
    const key = [name, lang, this.version].join();
    let found = this.legends.get(key);
    if (!found) {
      found = get<Legend>(`/tiles/${name}/legend.json`, { lang, token: this.token?.(), palette: this.palette }).catch(() => null);
      this.legends.set(key, found);
    }
    return found;
  }

  private renderPicker(): void {
    const { picker } = this.ui;
    if (!picker) return;
    const option = (name: Surface | null): HTMLElement => {
      const key = name ?? 'none';
      const ramp = h('span', { class: 'ramp', 'aria-hidden': 'true' });
      if (name) void this.legendOf(name).then((l) => l && ramp.style.setProperty('--ramp', `linear-gradient(90deg, ${l.classes.map((c) => c.colour).join(', ')})`));
      return h('label', { class: `surface-card ${key}` },
        h('input', { type: 'radio', name: 'surface', value: key, checked: this.current === name, onchange: () => void this.show(name) }),
        ramp,
        h('span', { class: 'surface-text' }, h('strong', {}, t(`surface.${key}` as Key)), h('span', { class: 'muted small' }, t(`surface.${key}.hint` as Key))));
    };
    const small = (name: Surface): HTMLElement => h('label', { class: 'surface-chip', title: t(`surface.${name}.hint` as Key) },
      h('input', { type: 'radio', name: 'surface', value: name, checked: this.current === name, onchange: () => void this.show(name) }), h('span', {}, t(`surface.${name}` as Key)));
    fill(picker, ...main.map(option), option(null), h('div', { class: 'surface-more' }, ...more.map(small)));
  }

  private mark(): void {
    for (const input of this.ui.picker?.querySelectorAll<HTMLInputElement>('input') ?? []) input.checked = input.value === (this.current ?? 'none');
  }
}
