// Files dropped on the page: checked first, looked at row by row and on the
// map, then stored. Nothing is stored before that.
import { get, Problem, upload, type Profile, type UploadReport } from './api';
import type { DiffMap } from './diff';
import type { Dock } from './dock';
import { $, fill, h, icon } from './dom';
import { code, known, num, onWords, t } from './i18n';
import type { Layers } from './layers';
import { MappingEditor } from './mapping';
import { Progress } from './progress';
import { Review } from './review';
import { faultTable, warningList } from './rowreport';

const kinds = ['incident', 'crossing', 'water_crossing', 'illegal_port', 'patrol_track', 'post', 'boundary', 'area', 'other'];
const modes = ['new', 'append', 'replace', 'upsert'];
const clocks = [['Asia/Jakarta', 'WIB'], ['Asia/Makassar', 'WITA'], ['Asia/Kuala_Lumpur', 'MYT'], ['UTC', 'UTC']] as const;

/** What the service reads, by the endings of file names. */
export const accept = '.geojson,.json,.geojsonl,.geojsonseq,.ndjson,.csv,.tsv,.txt,.gpx,.kml,.kmz,.zip,.gpkg,.fgb,.parquet,.geoparquet,.gz';

/** A layer id from a file name: lower case, digits, _ and -. */
export function layerId(filename: string): string {
  const base = filename.replace(/\.(gz|zip)$/i, '').replace(/\.[^.]+$/, '');
  return base.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 60) || 'layer';
}

/** The kind that a file name suggests. */
export function guessKind(filename: string): string {
  const n = filename.toLowerCase();
  if (/track|patrol|patroli|rondaan|\.gpx/.test(n)) return 'patrol_track';
  if (/post|pos_/.test(n)) return 'post';
  if (/water|river|sungai/.test(n)) return 'water_crossing';
  if (/port|jeti|jetty|pelabuhan/.test(n)) return 'illegal_port';
  if (/cross|plbn|icqs/.test(n)) return 'crossing';
  if (/area|district|jurisd|zone/.test(n)) return 'area';
  return 'incident';
}

/** A file with the way it is to be read. */
export interface Asked { id: string; file: File; params: Record<string, string>; headers: Record<string, string> }

export class Uploader {
  private file: File | null = null;
  private abort: AbortController | null = null;
  private profiles: Profile[] = [];
  private problem: unknown = null;
  private readonly dialog = $<HTMLDialogElement>('#upload');
  private readonly body = $('#upload-body');
  private readonly mapping = new MappingEditor(() => this.showMapping(), () => this.showMapping());
  private review: Review | null = null;

  constructor(private layers: Layers, private dock: Dock, private diffs: DiffMap, private loaded: (r: UploadReport) => Promise<void>) {
    const input = $<HTMLInputElement>('#file-input');
    input.accept = accept;
    input.addEventListener('change', () => { if (input.files?.[0]) this.open(input.files[0]); input.value = ''; });
    $('#choose-file').addEventListener('click', () => input.click());
    $('#upload-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.abort?.abort());
    this.acceptDrops();
    onWords(() => { if (this.file && this.dialog.open) this.form(this.values()); });
  }

  /** A file anywhere on the page opens the dialog. */
  private acceptDrops(): void {
    const veil = $('#drop-veil');
    let depth = 0;
    const files = (e: DragEvent): boolean => !!e.dataTransfer?.types.includes('Files');
    addEventListener('dragenter', (e) => { if (files(e)) { depth++; veil.hidden = false; } });
    addEventListener('dragleave', (e) => { if (files(e) && --depth <= 0) { depth = 0; veil.hidden = true; } });
    addEventListener('dragover', (e) => { if (files(e)) e.preventDefault(); });
    addEventListener('drop', (e) => {
      if (!files(e)) return;
      e.preventDefault();
      depth = 0;
      veil.hidden = true;
      const f = e.dataTransfer?.files[0];
      if (f && !this.dock.takesFile(f)) this.open(f);
    });
  }

  open(file: File): void {
    if (this.review) this.dock.close(this.review);
    this.file = file;
    this.problem = null;
    this.mapping.reset();
    this.form({});
    this.show();
    void get<{ profiles: Profile[] }>('/v1/profiles').then((r) => { this.profiles = r.profiles; if (this.file === file) this.form(this.values()); }, () => undefined);
  }

  private show(): void {
    if (!this.dialog.open) this.dialog.showModal();
    $('#upload-go').focus();
  }

  /** What the form says now. */
  private values(): Record<string, string> {
    return Object.fromEntries([...new FormData($<HTMLFormElement>('#upload-form'))].map(([k, v]) => [k, String(v).trim()]));
  }

  private form(v: Record<string, string>): void {
    const file = this.file!;
    const id = v['id'] ?? layerId(file.name);
    const existing = this.layers.info(id);
    const kind = v['kind'] ?? existing?.kind ?? guessKind(file.name);
    const field = (label: string, control: HTMLElement, hint?: string): HTMLElement => h('label', { class: 'field' }, h('span', {}, label), control, hint ? h('small', { class: 'muted' }, hint) : null);
    const select = (name: string, values: readonly (readonly [string, string])[], chosen: string, onchange?: (e: Event) => void): HTMLElement =>
      h('select', { name, ...(onchange ? { onchange } : {}) }, ...values.map(([x, label]) => h('option', { value: x, selected: x === chosen }, label)));
    const coded = (words: string, values: string[]): [string, string][] => values.map((x) => [x, code(words, x)]);
    const profile = this.profiles.find((p) => p.name === v['profile']);
    fill(this.body,
      h('p', { class: 'file-line' }, icon('file'), h('strong', {}, file.name), h('span', { class: 'muted' }, size(file.size))),
      h('form', { id: 'upload-form', onsubmit: (e: Event) => { e.preventDefault(); void this.check(); } },
        h('div', { class: 'fields' },
          field(t('upload.id'), h('input', { type: 'text', name: 'id', value: id, required: true, pattern: '[a-z0-9][a-z0-9_\\-]*', list: 'layer-ids', autocomplete: 'off', spellcheck: 'false' }), existing ? t('upload.exists', { title: this.layers.title(existing) }) : t('upload.is_new')),
          field(t('upload.kind'), select('kind', coded('layerkind', kinds), kind)),
          field(t('upload.mode'), select('mode', coded('mode_upload', modes), v['mode'] ?? (existing ? 'replace' : 'new'))),
          field(t('upload.profile'), select('profile', [['', t('upload.profile.none')], ...this.profiles.map((p): [string, string] => [p.name, p.title || p.name])], v['profile'] ?? '', (e) => this.useProfile((e.target as HTMLSelectElement).value)), profile?.note && !known('profile', profile.name) ? profile.note : known('profile', profile?.name ?? '')),
          field(t('upload.tz'), select('tz', [['', t('upload.tz.none')], ...clocks], v['tz'] ?? ''), t('upload.tz.hint')),
          field(t('upload.date_order'), select('date_order', coded('date_order', ['', 'dmy', 'mdy', 'ymd']), v['date_order'] ?? ''), t('upload.date_order.hint'))),
        h('details', { open: !!v['crs'] }, h('summary', {}, t('upload.more')),
          h('div', { class: 'fields' }, field(t('upload.crs'), h('input', { type: 'text', name: 'crs', value: v['crs'] ?? '', placeholder: 'EPSG:4326', autocomplete: 'off', spellcheck: 'false' }), t('upload.crs.hint')))),
        h('datalist', { id: 'layer-ids' }, ...this.layers.all.filter((l) => !l.base).map((l) => h('option', { value: l.id })))),
      h('div', { id: 'upload-progress' }),
      h('div', { id: 'upload-report', 'aria-live': 'polite' }),
      h('div', { id: 'upload-mapping' }),
      h('div', { class: 'actions' },
        h('span', { class: 'small muted' }, t('upload.nothing_yet')),
        h('button', { type: 'submit', class: 'button primary', id: 'upload-go', form: 'upload-form' }, t('upload.check'))));
    $('[name=id]', this.body).addEventListener('change', () => {
      const now = this.values();
      const known_ = this.layers.info(now['id'] ?? '');
      this.form({ ...now, kind: known_?.kind ?? now['kind']!, mode: known_ ? (now['mode'] === 'new' ? 'replace' : now['mode']!) : 'new' });
    });
    if (this.problem) { fill($('#upload-report'), problemView(this.problem)); this.showMapping(); }
  }

  private useProfile(name: string): void {
    const p = this.profiles.find((x) => x.name === name);
    const v = this.values();
    this.form({ ...v, kind: p?.kind ?? v['kind']!, tz: p?.tz || v['tz']!, date_order: p?.date_order || v['date_order']! });
    $('[name=profile]', this.body).focus();
  }

  /** After a refusal the columns are there to be mapped otherwise. */
  private showMapping(): void {
    const box = this.body.querySelector('#upload-mapping');
    if (box) fill(box, this.problem && this.mapping.columns.length ? this.mapping.element(this.reading()) : null);
  }

  /** How the file is read, as a profile keeps it. */
  private reading(): { base?: Profile; kind: string; tz: string; date_order: string; crs: string } {
    const v = this.values();
    const base = this.profiles.find((p) => p.name === v['profile']);
    return { ...(base ? { base } : {}), kind: v['kind'] ?? '', tz: v['tz'] ?? '', date_order: v['date_order'] ?? '', crs: v['crs'] ?? '' };
  }

  private asked(): Asked {
    const { id = 'layer', mode = '', ...rest } = this.values();
    const now = this.layers.info(id);
    return {
      id, file: this.file!, params: { ...rest, mode: mode === 'new' ? 'replace' : mode, map: this.mapping.param() },
      headers: now ? { 'If-Match': `"${now.version}"` } : { 'If-None-Match': '*' },
    };
  }

  /** The dry run: what the file would do, and nothing stored. */
  private async check(): Promise<void> {
    const form = $<HTMLFormElement>('#upload-form');
    if (!form.reportValidity()) return;
    const asked = this.asked();
    const v = this.values();
    this.problem = null;
    if (v['mode'] === 'new' && this.layers.info(asked.id)) return this.refused(new Problem(409, { detail: t('upload.taken', { id: asked.id }) }));
    const go = $<HTMLButtonElement>('#upload-go');
    go.disabled = true;
    fill($('#upload-report'));
    fill($('#upload-mapping'));
    const abort = this.abort = new AbortController();
    const progress = new Progress(() => abort.abort());
    fill($('#upload-progress'), progress.element);
    try {
      const r = await upload({ ...asked, params: { ...asked.params, dry_run: 'true' }, onProgress: (p) => progress.show(p), signal: abort.signal });
      await this.mapping.take(r.columns, v['kind']!);
      if (abort.signal.aborted) return; // cancelled as it ended
      this.abort = null;
      this.dialog.close();
      this.look(asked, r);
    } catch (e) {
      if ((e as Error).name === 'AbortError') return;
      if (e instanceof Problem) await this.mapping.take(e.body.columns, v['kind']!);
      this.refused(e);
    } finally {
      progress.show(null);
      go.disabled = false;
    }
  }

  private refused(e: unknown): void {
    this.problem = e;
    fill($('#upload-report'), problemView(e));
    this.showMapping();
    $('#upload-report').scrollIntoView({ block: 'nearest' });
  }

  private look(asked: Asked, report: UploadReport): void {
    this.mapping.onEdit(() => this.review?.mappingChanged(), () => this.dock.render());
    this.review = new Review({
      asked, report, dock: this.dock, diffs: this.diffs, title: this.layers.titleOf(asked.id),
      mapping: () => this.mapping.element(this.reading()),
      back: () => { this.mapping.onEdit(() => this.showMapping(), () => this.showMapping()); this.form(this.values()); this.show(); },
      again: () => { this.form(this.values()); this.show(); void this.check(); },
      loaded: this.loaded,
    });
    this.dock.open(this.review);
  }
}

export function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? `${num(bytes / 1024)} KiB` : `${num(bytes / (1 << 20))} MiB`;
}

/** Why a file was not taken, with the rows and warnings found up to then. */
export function problemView(e: unknown): HTMLElement {
  const body = e instanceof Problem ? e.body : {};
  const plain = e instanceof Problem && e.status === 412 ? t('upload.moved_on') : known('problem', body.code ?? '');
  const detail = e instanceof Problem && e.status ? plain ?? e.message : t('error.network');
  return h('div', { class: 'report' },
    h('p', { class: 'notice bad', role: 'alert' }, icon('warn'), h('span', {}, h('strong', {}, t('report.refused')), ' ', detail)),
    body.warnings?.length ? h('section', {}, h('h3', {}, t('report.warnings')), warningList(body.warnings)) : null,
    body.rows?.length ? h('section', {}, h('h3', {}, t('report.rows')), faultTable(body)) : null);
}
