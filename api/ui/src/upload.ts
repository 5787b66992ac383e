// Files dropped on the page: check first, read the report row by row, then load.
import { Problem, upload, type UploadReport } from './api';
import { $, fill, h, icon } from './dom';
import { code, count, num, onWords, t } from './i18n';
import type { Layers } from './layers';

const kinds = ['incident', 'crossing', 'water_crossing', 'illegal_port', 'patrol_track', 'post', 'boundary', 'area', 'other'];
const modes = ['replace', 'append', 'upsert'];

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

export class Uploader {
  private file: File | null = null;
  private checked = false;
  private abort: AbortController | null = null;
  private readonly dialog = $<HTMLDialogElement>('#upload');
  private readonly body = $('#upload-body');

  constructor(private layers: Layers, private loaded: (r: UploadReport) => Promise<void>) {
    const input = $<HTMLInputElement>('#file-input');
    input.addEventListener('change', () => { if (input.files?.[0]) this.open(input.files[0]); input.value = ''; });
    $('#choose-file').addEventListener('click', () => input.click());
    $('#upload-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.abort?.abort());
    this.acceptDrops();
    onWords(() => { if (this.file && this.dialog.open) this.form(); });
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
      if (f) this.open(f);
    });
  }

  open(file: File): void {
    this.file = file;
    this.form();
    if (!this.dialog.open) this.dialog.showModal();
    $('#upload-go').focus();
  }

  private form(): void {
    const file = this.file!;
    this.checked = false;
    const id = layerId(file.name);
    const guessed = this.layers.info(id)?.kind ?? guessKind(file.name);
    const field = (label: string, control: HTMLElement, hint?: string): HTMLElement => h('label', { class: 'field' }, h('span', {}, label), control, hint ? h('small', { class: 'muted' }, hint) : null);
    const select = (name: string, values: string[], chosen: string, words: string): HTMLElement =>
      h('select', { name }, ...values.map((v) => h('option', { value: v, selected: v === chosen }, code(words, v))));
    const text = (name: string, placeholder = ''): HTMLElement => h('input', { type: 'text', name, placeholder, autocomplete: 'off', spellcheck: 'false' });
    fill(this.body,
      h('p', { class: 'file-line' }, icon('file'), h('strong', {}, file.name), h('span', { class: 'muted' }, size(file.size))),
      h('form', { id: 'upload-form', onsubmit: (e: Event) => { e.preventDefault(); void this.send(!this.checked); }, oninput: () => this.setChecked(false) },
        h('div', { class: 'fields' },
          field(t('upload.id'), h('input', { type: 'text', name: 'id', value: id, required: true, pattern: '[a-z0-9][a-z0-9_\\-]*', autocomplete: 'off', spellcheck: 'false' })),
          field(t('upload.kind'), select('kind', kinds, guessed, 'layerkind')),
          field(t('upload.mode'), select('mode', modes, 'replace', 'mode_upload'))),
        h('details', {}, h('summary', {}, t('upload.more')),
          h('div', { class: 'fields' },
            field(t('upload.map'), text('map', 'occurred_from:date,deaths:dead'), t('upload.map.hint')),
            field(t('upload.tz'), h('select', { name: 'tz' }, ...[['', t('upload.tz.none')], ['Asia/Jakarta', 'WIB'], ['Asia/Makassar', 'WITA'], ['Asia/Kuala_Lumpur', 'MYT'], ['UTC', 'UTC']].map(([v, l]) => h('option', { value: v }, l))), t('upload.tz.hint')),
            field(t('upload.date_order'), select('date_order', ['', 'dmy', 'mdy', 'ymd'], '', 'date_order')),
            field(t('upload.crs'), text('crs', 'EPSG:4326'))))),
      h('div', { id: 'upload-progress', class: 'progress', role: 'progressbar', 'aria-label': t('upload.sending'), hidden: true }, h('span')),
      h('div', { id: 'upload-report', 'aria-live': 'polite' }),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'button ghost', id: 'upload-now', onclick: () => void this.send(false) }, t('upload.direct')),
        h('button', { type: 'submit', class: 'button primary', id: 'upload-go', form: 'upload-form' }, t('upload.check'))));
  }

  private setChecked(on: boolean, rows = 0): void {
    this.checked = on;
    fill($('#upload-go'), on ? t('upload.commit', { n: count(rows) }) : t('upload.check'));
    $('#upload-now').hidden = on;
  }

  private async send(dry: boolean): Promise<void> {
    const form = $<HTMLFormElement>('#upload-form');
    if (!form.reportValidity()) return;
    const data = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, String(v).trim()]));
    const { id = 'layer', ...params } = data;
    const buttons = this.body.querySelectorAll<HTMLButtonElement>('.actions button');
    buttons.forEach((b) => { b.disabled = true; });
    const report = $('#upload-report');
    fill(report);
    this.progress(0);
    this.abort = new AbortController();
    try {
      const r = await upload({ id, file: this.file!, params: { ...params, dry_run: dry ? 'true' : '' }, onProgress: (v) => this.progress(v), signal: this.abort.signal });
      fill(report, reportView(r, dry));
      if (dry) this.setChecked(r.accepted > 0, r.accepted);
      else {
        await this.loaded({ ...r, layer: r.layer || id });
        this.finished();
      }
    } catch (e) {
      if ((e as Error).name !== 'AbortError') fill(report, problemView(e));
    } finally {
      this.progress(null);
      buttons.forEach((b) => { b.disabled = false; });
    }
  }

  /** After a load only the report stays, with a way back to the map. */
  private finished(): void {
    $('#upload-form').hidden = true;
    fill($('.actions', this.body), h('button', { type: 'button', class: 'button primary', id: 'upload-done', onclick: () => this.dialog.close() }, t('upload.done')));
  }

  private progress(share: number | null): void {
    const el = this.body.querySelector<HTMLElement>('#upload-progress');
    if (!el) return;
    el.hidden = share === null;
    el.classList.toggle('waiting', share === 1);
    (el.firstElementChild as HTMLElement).style.width = `${(share ?? 0) * 100}%`;
    el.setAttribute('aria-valuenow', String(Math.round((share ?? 0) * 100)));
  }
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? `${num(bytes / 1024)} KiB` : `${num(bytes / (1 << 20))} MiB`;
}

/** What came of a file: counts, warnings and a line for each faulty row. */
function reportView(r: UploadReport, dry: boolean): HTMLElement {
  const tile = (n: number, label: string, cls: string): HTMLElement => h('li', { class: `${cls}${n ? '' : ' zero'}` }, h('b', {}, count(n)), h('span', {}, label));
  const clean = !r.quarantined && !r.rejected;
  return h('div', { class: 'report' },
    h('p', { class: `notice ${clean ? 'ok' : 'warn'}` }, icon(clean ? 'check' : 'warn'), h('span', {}, dry ? t(clean ? 'report.dry_clean' : 'report.dry_faults') : t('report.loaded', { layer: r.layer ?? '' }))),
    h('ul', { class: 'tiles' }, tile(r.accepted, t('report.accepted'), 'ok'), tile(r.quarantined, t('report.quarantined'), 'warn'), tile(r.rejected, t('report.rejected'), 'bad')),
    warnings(r.warnings), faults(r.rows, r.rows_truncated),
    r.defaults?.length ? h('p', { class: 'small muted' }, `${t('report.defaults')}: ${r.defaults.join(', ')}`) : null,
    h('p', { class: 'small muted' }, [r.format && `${t('report.format')} ${r.format}`, r.took_ms !== undefined && `${num(r.took_ms)} ms`].filter(Boolean).join(' · ')));
}

function problemView(e: unknown): HTMLElement {
  const body = e instanceof Problem ? e.body : {};
  const detail = e instanceof Problem && e.status ? e.message : t('error.network');
  return h('div', { class: 'report' },
    h('p', { class: 'notice bad', role: 'alert' }, icon('warn'), h('span', {}, h('strong', {}, t('report.refused')), ' ', detail)),
    body.code ? h('p', { class: 'small muted' }, body.code) : null, warnings(body.warnings), faults(body.rows, false));
}

function warnings(list: UploadReport['warnings']): HTMLElement | null {
  if (!list?.length) return null;
  return h('section', {}, h('h3', {}, t('report.warnings')), h('ul', { class: 'warnings small' }, ...list.map((w) => h('li', {}, w.message, (w.count ?? 0) > 1 ? h('span', { class: 'muted' }, ` × ${count(w.count!)}`) : null))));
}

function faults(rows: UploadReport['rows'], truncated?: boolean): HTMLElement | null {
  if (!rows?.length) return null;
  return h('section', {}, h('h3', {}, t('report.rows')),
    h('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': t('report.rows') }, h('table', { id: 'fault-table' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('report.row')), h('th', { scope: 'col' }, t('report.field')), h('th', { scope: 'col' }, t('report.problem')))),
      h('tbody', {}, ...rows.map((f) => h('tr', {}, h('th', { scope: 'row' }, f.row), h('td', {}, f.field || '–'), h('td', {}, f.message, h('code', {}, f.code))))))),
    truncated ? h('p', { class: 'small muted' }, t('report.truncated')) : null);
}
