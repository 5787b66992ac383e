// One record put right: a field or its place corrected, the record withdrawn,
// or erased for good; each with its reason.
import { Marker, type MapMouseEvent } from 'maplibre-gl';
import { get, Problem, send, type Diff, type Field, type LayerInfo } from './api';
import { DiffView, fieldName, titleOf, type DiffMap } from './diff';
import { alertLine, type Dock, type DockView } from './dock';
import { h, icon } from './dom';
import { lists } from './feature';
import { sendHeld } from './held';
import { known, t } from './i18n';
import type { View } from './map';

const ways = ['correct', 'withdraw', 'erase'] as const;
type Way = (typeof ways)[number];
/** Properties that the store sets by itself. */
const fixed = new Set(['id', 'synthetic']);

export interface CorrectionOf { layer: LayerInfo; fid: number; view: View; dock: Dock; diffs: DiffMap; changed: (id: string) => Promise<void> }

export class Correction implements DockView {
  private way: Way = 'correct';
  private record: GeoJSON.Feature | null = null;
  private schema = new Map<string, Field>();
  private version = 0;
  private edits = new Map<string, string>(); // as typed
  private place: [string, string] | null = null; // longitude, latitude as typed
  private reason = '';
  private sure = false;
  private picking = false;
  private checked: DiffView | null = null;
  private done = '';
  private problem = '';
  private busy = false;
  private marker = new Marker({ element: h('div', { class: 'place-pick', 'aria-hidden': 'true' }) });

  constructor(private of: CorrectionOf) { void this.load(); }

  private get path(): string { return `/v1/layers/${encodeURIComponent(this.of.layer.id)}/features/fid:${this.of.fid}`; }

  private async load(): Promise<void> {
    try {
      const [record, layer] = await Promise.all([get<GeoJSON.Feature>(this.path), get<{ version: number; schema?: Field[] }>(`/v1/layers/${encodeURIComponent(this.of.layer.id)}`)]);
      this.record = record;
      this.version = layer.version;
      for (const f of layer.schema ?? []) this.schema.set(f.name, f);
    } catch (e) { this.failed(e); }
    this.of.dock.render();
  }

  title(): string { return t('correct.title', { name: this.record ? titleOf(this.record, this.of.fid) : '…' }); }

  body(): (Node | null)[] {
    if (this.done) return [h('p', { class: 'notice ok', id: 'correct-done' }, icon('check'), h('span', {}, this.done))];
    if (!this.record) return [alertLine(this.problem) ?? h('p', { class: 'muted' }, t('versions.busy'))];
    if (this.checked) return [h('p', { class: 'notice ok' }, icon('check'), h('span', {}, t('correct.checked'))), this.checked.table(), h('p', { class: 'small' }, h('span', { class: 'muted' }, `${t('correct.reason')}: `), this.reason), alertLine(this.problem)];
    const builtin = !!this.of.layer.builtin;
    return [
      h('fieldset', { class: 'choice ways' }, h('legend', { class: 'visually-hidden' }, t('correct.way')), ...ways.map((w) => h('label', { class: `way-${w}` },
        h('input', { type: 'radio', name: 'way', value: w, checked: w === this.way, onchange: () => { this.way = w; this.problem = ''; this.of.dock.render(); } }), t(`correct.${w}`)))),
      h('p', { class: `notice ${this.way === 'erase' ? 'bad' : this.way === 'withdraw' ? 'warn' : 'plain'}`, id: 'consequence' }, h('span', {}, t(`correct.${this.way}.text`))),
      this.way === 'erase' && builtin ? alertLine(t('correct.erase.builtin')) : null,
      this.way === 'correct' ? this.fields() : null,
      h('label', { class: 'field reason' }, h('span', {}, t('correct.reason')),
        h('textarea', { name: 'reason', rows: 2, maxlength: 500, placeholder: t('correct.reason.hint'), oninput: (e: Event) => { this.reason = (e.target as HTMLTextAreaElement).value; } }, this.reason),
        h('small', { class: 'muted' }, t('correct.reason.note'))),
      this.way === 'erase' && !builtin ? h('label', { class: 'tick' }, h('input', { type: 'checkbox', name: 'sure', checked: this.sure, onchange: (e: Event) => { this.sure = (e.target as HTMLInputElement).checked; } }), h('span', {}, t('correct.sure'))) : null,
      alertLine(this.problem),
    ];
  }

  private fields(): HTMLElement {
    const p = this.record!.properties ?? {};
    const names = Object.keys(p).filter((k) => !fixed.has(k) && (typeof p[k] !== 'object' || p[k] === null));
    for (const k of this.edits.keys()) if (!names.includes(k)) names.push(k);
    const rest = [...this.schema.keys()].filter((k) => !names.includes(k) && !fixed.has(k));
    const at = this.at();
    return h('div', { class: 'correct-fields' },
      at ? h('div', { class: 'place-fields' },
        ...(['lon', 'lat'] as const).map((k, i) => h('label', { class: 'field' }, h('span', {}, t(`correct.${k}`)), h('input', { type: 'text', inputmode: 'decimal', name: k, value: at[i], oninput: (e: Event) => this.move(i, (e.target as HTMLInputElement).value) }))),
        h('button', { type: 'button', class: 'button ghost', id: 'pick-place', 'aria-pressed': String(this.picking), onclick: () => { this.picking = !this.picking; this.of.view.map.getCanvas().style.cursor = this.picking ? 'crosshair' : ''; this.of.dock.render(); } }, icon('here', 15), t(this.picking ? 'correct.picking' : 'correct.pick'))) : null,
      h('div', { class: 'fields' }, ...names.map((k) => this.input(k, this.edits.get(k) ?? text(p[k])))),
      rest.length ? h('label', { class: 'field add-field' }, h('span', {}, t('correct.add')), h('select', { onchange: (e: Event) => { this.edits.set((e.target as HTMLSelectElement).value, ''); this.of.dock.render(); } },
        h('option', { value: '' }, '–'), ...rest.map((k) => h('option', { value: k }, fieldName(k))))) : null);
  }

  private input(name: string, value: string): HTMLElement {
    const codes = this.schema.get(name)?.type === 'code' ? this.schema.get(name)!.codes ?? [] : [];
    const set = (e: Event): void => { this.edits.set(name, (e.target as HTMLInputElement).value); };
    const word = (c: string): string => known(lists[name] ?? name, c) ?? (c === 'unknown' ? t('correct.unknown') : c);
    return h('label', { class: 'field' }, h('span', {}, fieldName(name)), codes.length
      ? h('select', { name, onchange: set }, ...(codes.includes(value) ? [] : [h('option', { value, selected: true }, value || '–')]), ...codes.map((c) => h('option', { value: c, selected: c === value }, word(c))))
      : h('input', { type: 'text', name, value, oninput: set, autocomplete: 'off' }));
  }

  /** The place as it is typed, or as it was; null for what is not a point. */
  private at(): [string, string] | null {
    const g = this.record?.geometry;
    return this.place ?? (g?.type === 'Point' ? [String(g.coordinates[0]), String(g.coordinates[1])] : null);
  }

  private move(i: number, value: string): void {
    const at: [string, string] = [...this.at()!];
    at[i] = value;
    this.place = at;
    const [lon, lat] = at.map(Number) as [number, number];
    if (at.every((v) => v.trim()) && Math.abs(lon) <= 180 && Math.abs(lat) <= 90) this.marker.setLngLat([lon, lat]).addTo(this.of.view.map);
  }

  click(e: MapMouseEvent): void {
    if (!this.picking) return;
    this.picking = false;
    this.of.view.map.getCanvas().style.cursor = '';
    this.place = [e.lngLat.lng.toFixed(6), e.lngLat.lat.toFixed(6)];
    this.marker.setLngLat(e.lngLat).addTo(this.of.view.map);
    this.of.dock.render();
  }

  actions(): (Node | null)[] {
    const close = h('button', { type: 'button', class: 'button ghost', onclick: () => this.of.dock.close(this) }, t(this.done ? 'close' : 'correct.cancel'));
    if (this.done || !this.record) return [close];
    if (this.checked) {
      return [h('button', { type: 'button', class: 'button ghost', onclick: () => { this.checked = null; this.of.diffs.clear(); this.of.dock.render(); } }, icon('chevron', 14), t('review.back')),
        h('button', { type: 'button', class: 'button primary', id: 'correct-store', disabled: this.busy, onclick: () => void this.correct(false) }, t('correct.store'))];
    }
    const go = this.way === 'correct' ? (): void => void this.correct(true) : (): void => void this.takeOut();
    return [close, h('button', { type: 'button', class: `button primary${this.way === 'erase' ? ' danger' : ''}`, id: 'correct-go', disabled: this.busy || (this.way === 'erase' && !!this.of.layer.builtin), onclick: go }, t(`correct.${this.way}.go`))];
  }

  /** What differs from the record; throws the words for what cannot be meant. */
  private patch(): { geometry?: GeoJSON.Geometry; properties?: Record<string, unknown> } {
    const properties: Record<string, unknown> = {};
    const p = this.record!.properties ?? {};
    for (const [k, v] of this.edits) if (v !== text(p[k])) properties[k] = typed(v.trim(), p[k], this.schema.get(k)?.type);
    const out: ReturnType<Correction['patch']> = Object.keys(properties).length ? { properties } : {};
    if (this.place) {
      const at = this.place.map((v) => (v.trim() ? Number(v.replace(',', '.')) : NaN));
      if (at.some(Number.isNaN)) throw new Error(t('correct.bad_place'));
      const g = this.record!.geometry;
      if (g?.type === 'Point' && (g.coordinates[0] !== at[0] || g.coordinates[1] !== at[1])) out.geometry = { type: 'Point', coordinates: at };
    }
    if (!out.properties && !out.geometry) throw new Error(t('correct.nothing'));
    return out;
  }

  /** The change looked at (dry), then made. */
  private correct(dry: boolean): Promise<void> {
    return this.work(async () => {
      const body = { ...this.patch(), reason: this.reason.trim() };
      const r = await send<{ version?: number; diff?: Diff }>('PATCH', `${this.path}${dry ? '?dry_run=true' : ''}`, body, this.match());
      if (dry) {
        this.marker.remove();
        this.checked = new DiffView(r.diff!, this.of.diffs, () => this.of.dock.render()).zoom();
      } else await this.finish(t('correct.done', { n: r.version ?? 0 }));
    });
  }

  private takeOut(): Promise<void> {
    return this.work(async () => {
      const erase = this.way === 'erase';
      if (erase && !this.sure) throw new Error(t('correct.not_sure'));
      const q = new URLSearchParams({ reason: this.reason.trim(), ...(erase ? { erase: 'true' } : {}) });
      const title = t('correct.title', { name: titleOf(this.record!, this.of.fid) });
      const r = await sendHeld<{ version: number; erased?: number }>({ method: 'DELETE', path: `${this.path}?${q}`, headers: this.match(), title });
      if (r.held) {
        this.done = t('approval.asked');
        this.of.diffs.clear();
        return;
      }
      await this.finish(erase ? t('correct.erased', { n: r.body.erased ?? 1 }) : t('correct.withdrawn', { n: r.body.version }));
    });
  }

  private match(): Record<string, string> { return { 'If-Match': `"${this.version}"` }; }

  private async finish(words: string): Promise<void> {
    this.done = words;
    this.checked = null;
    this.of.diffs.clear();
    this.marker.remove();
    await this.of.changed(this.of.layer.id);
  }

  private async work(f: () => Promise<void>): Promise<void> {
    this.problem = this.reason.trim() ? '' : t('correct.no_reason');
    if (!this.problem) {
      this.busy = true;
      this.of.dock.render();
      try { await f(); } catch (e) { this.failed(e); }
      this.busy = false;
    }
    this.of.dock.render();
    document.querySelector('#dock-body [role=alert]')?.scrollIntoView({ block: 'nearest' });
  }

  private failed(e: unknown): void {
    if (!(e instanceof Problem)) this.problem = (e as Error).message;
    else if (!e.status) this.problem = t('error.network');
    else if (e.status === 412) this.problem = t('correct.moved_on');
    else if (e.status === 404) this.problem = t('correct.gone');
    else {
      const fault = e.body.rows?.[0];
      this.problem = fault ? `${fieldName(fault.field ?? '')}: ${fault.message}` : known('problem', e.body.code ?? '') ?? e.message;
    }
  }

  closed(): void {
    this.marker.remove();
    this.of.diffs.clear();
    this.of.view.map.getCanvas().style.cursor = '';
  }
}

const text = (v: unknown): string => (v === null || v === undefined ? '' : String(v));

/** A typed text as the value it stands for; empty takes the field out. */
function typed(v: string, was: unknown, type?: string): unknown {
  if (v === '') return null;
  const number = typeof was === 'number' || type === 'integer' || type === 'number';
  if (number && /^-?\d+([.,]\d+)?$/.test(v)) return Number(v.replace(',', '.'));
  if ((typeof was === 'boolean' || type === 'boolean') && /^(true|false)$/.test(v)) return v === 'true';
  return v;
}

