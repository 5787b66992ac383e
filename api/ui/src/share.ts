// The dialog that says how to show this map elsewhere.
import { get, save, type LayerInfo } from './api';
import { signedIn } from './account';
import { control } from './controls';
import { $, fill, h, icon } from './dom';
import { apply, currentLang, languages, onWords, t, type Key } from './i18n';
import type { Layers } from './layers';
import type { View } from './map';
import './share.css';
import { embedURL, snippet, targets, type Line, type Shared, type Target } from './snippets';
import { surfaceNames, type Surfaces } from './surfaces';

const ramps = ['viridis', 'cividis', 'inferno', 'magma', 'plasma', 'blues', 'slate'] as const;
const names: Record<Target, string> = { iframe: 'iframe', maplibre: 'MapLibre', leaflet: 'Leaflet', openlayers: 'OpenLayers', grafana: 'Grafana', qgis: 'QGIS', arcgis: 'ArcGIS' };

export class Share {
  private readonly body = h('div', { class: 'share-body' });
  private readonly dialog = h('dialog', { id: 'share', 'aria-labelledby': 'share-title' },
    h('header', {}, h('h2', { id: 'share-title', 'data-t': 'share.title' }),
      h('button', { type: 'button', class: 'icon-button', 'data-t-label': 'close', onclick: () => this.dialog.close() }, icon('close', 20))), this.body);
  private target: Target = 'iframe';
  private surface: string | null = null;
  private chosen = new Set<string>();
  private palette = '';
  private lang = '';
  private maxzoom = 14;
  private copied = '';

  constructor(private view: View, private layers: Layers, private surfaces: Surfaces) {
    document.body.append(this.dialog);
    const open = h('button', { type: 'button', id: 'open-share', onclick: () => void this.open() }, icon('share', 18));
    control(view.map, open);
    const words = (): void => { apply(this.dialog); open.title = t('share.title'); open.setAttribute('aria-label', open.title); };
    onWords(words);
    words();
    onWords(() => { if (this.dialog.open) this.render(); });
  }

  private async open(): Promise<void> {
    this.surface = this.surfaces.current;
    this.lang = currentLang();
    this.chosen = new Set(this.layers.all.filter((l) => !l.base && this.layers.isShown(l.id)).map((l) => l.id));
    this.copied = '';
    this.render();
    this.dialog.showModal();
    this.body.scrollTop = 0;
    await this.choose(this.surface);
  }

  /** Takes a surface, with how far its tiles go. */
  private async choose(surface: string | null): Promise<void> {
    this.surface = surface;
    const set = surface ? await get<{ maxzoom?: number }>(`/tiles/${surface}.json`).catch(() => null) : null;
    this.maxzoom = set?.maxzoom ?? this.maxzoom;
    this.render();
  }

  /** What is shared, as it is chosen and as the map stands. */
  private shared(): Shared {
    const { lng, lat } = this.view.map.getCenter();
    const own = this.surfaces.tileJSON?.attribution;
    return { base: location.origin, surface: this.surface, layers: this.offered().filter((l) => this.chosen.has(l.id)).map((l) => l.id), palette: this.palette, lang: this.lang,
      center: [lng, lat], zoom: this.view.map.getZoom(), maxzoom: this.maxzoom, attribution: own ?? 'sempadan', token: signedIn() };
  }

  private offered(): LayerInfo[] { return this.layers.all.filter((l) => !l.base); }

  private render(): void {
    const s = this.shared();
    const focus = document.activeElement?.id;
    const select = (id: string, label: Key, value: string, options: [string, string][], set: (v: string) => void): HTMLElement =>
      h('label', { class: 'field' }, h('span', {}, t(label)), h('select', { id, onchange: (e: Event) => { set((e.target as HTMLSelectElement).value); this.render(); } },
        ...options.map(([v, text]) => h('option', { value: v, selected: v === value }, text))));
    fill(this.body,
      h('p', { class: 'muted' }, t('share.lead')),
      h('div', { class: 'fields' },
        select('share-surface', 'surface.title', s.surface ?? '', [['', t('surface.none')], ...surfaceNames.map((n): [string, string] => [n, t(`surface.${n}` as Key)])], (v) => void this.choose(v || null)),
        select('share-palette', 'share.palette', this.palette, [['', t('share.palette.own')], ...ramps.map((r): [string, string] => [r, r])], (v) => { this.palette = v; }),
        select('share-lang', 'app.language', this.lang, languages.map((l): [string, string] => [l, l.toUpperCase()]), (v) => { this.lang = v; })),
      h('details', { class: 'share-layers', open: (this.body.querySelector('details') as HTMLDetailsElement | null)?.open ?? false },
        h('summary', {}, `${t('layers.title')} (${s.layers.length})`),
        h('div', { class: 'ticks' }, ...this.offered().map((l) => h('label', { class: 'tick' }, h('input', { type: 'checkbox', id: `share-layer-${l.id}`, checked: this.chosen.has(l.id),
          onchange: (e: Event) => { if ((e.target as HTMLInputElement).checked) this.chosen.add(l.id); else this.chosen.delete(l.id); this.render(); } }), h('span', {}, this.layers.title(l)))))),
      this.notes(s),
      h('div', { class: 'segments targets', role: 'group', 'aria-label': t('share.target') }, ...targets.map((n) =>
        h('button', { type: 'button', id: `share-${n}`, 'aria-pressed': String(n === this.target), onclick: () => { this.target = n; this.copied = ''; this.render(); } }, names[n]))),
      h('p', { class: 'small muted' }, t(`share.hint.${this.target}` as Key)),
      ...this.code(s));
    if (focus && this.body.querySelector(`#${CSS.escape(focus)}`)) $(`#${CSS.escape(focus)}`).focus();
  }

  /** What stands in the way of pages elsewhere. */
  private notes(s: Shared): HTMLElement | null {
    if (s.token) return h('p', { class: 'notice warn', id: 'share-token' }, icon('warn', 17), h('span', {}, t('share.token')));
    const closed = this.layers.all.filter((l) => l.classification !== 'public' && !l.origins?.length);
    return closed.length ? h('p', { class: 'notice warn', id: 'share-closed' }, icon('warn', 17), h('span', {}, t('share.closed', { names: closed.map((l) => this.layers.title(l)).join(', ') }))) : null;
  }

  private code(s: Shared): (HTMLElement | null)[] {
    const made = snippet(this.target, s);
    if (typeof made !== 'string') return [h('dl', { class: 'share-lines' }, ...made.flatMap((line: Line, i) => [h('dt', {}, line.label), h('dd', {}, h('code', {}, line.text), this.copy(line.text, String(i)))]))];
    return [h('pre', { class: `share-code ${this.target}`, tabindex: 0, 'aria-label': names[this.target] }, h('code', {}, made)),
      h('div', { class: 'actions' },
        this.target === 'iframe' && !s.token ? h('a', { class: 'button ghost', href: embedURL(s), target: '_blank', rel: 'noopener' }, t('share.preview')) : null,
        this.target === 'iframe' ? null : h('button', { type: 'button', class: 'button ghost', onclick: () => save(new Blob([made], { type: 'text/html' }), `sempadan-${this.target}.html`) }, icon('download', 15), 'HTML'),
        this.copy(made, 'code', 'button primary'))];
  }

  private copy(text: string, key: string, look = 'button ghost small'): HTMLElement {
    return h('button', { type: 'button', class: look, id: `copy-${key}`, onclick: () => void this.toClipboard(text, key) }, t(this.copied === key ? 'share.copied' : 'share.copy'));
  }

  private async toClipboard(text: string, key: string): Promise<void> {
    await navigator.clipboard.writeText(text).then(() => { this.copied = key; }, () => {
      // Without leave to write, the text is marked, to be copied by hand.
      const code = this.body.querySelector(`#copy-${key}`)?.closest('dd, .share-body')?.querySelector('code');
      if (code) getSelection()?.selectAllChildren(code);
    });
    if (this.copied === key) this.render();
  }
}
