// The report of a file, row by row: faults, warnings, and both as a table to keep.
import { save, type DiffRow, type RowFault, type RowWarning, type UploadReport } from './api';
import { h, icon } from './dom';
import { faultText } from './faults';
import { count, t } from './i18n';

type Rows = { rows?: RowFault[] | null; warnings?: RowWarning[] | null; rows_truncated?: boolean };

/** A table with a line for each faulty row. */
export function faultTable(r: Rows): HTMLElement {
  if (!r.rows?.length) return h('p', { class: 'notice ok' }, icon('check'), h('span', {}, t('report.no_faults')));
  return h('section', { class: 'rows' },
    h('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': t('report.rows') }, h('table', { id: 'fault-table' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('report.row')), h('th', { scope: 'col' }, t('report.field')), h('th', { scope: 'col' }, t('report.problem')))),
      h('tbody', {}, ...r.rows.map((f) => h('tr', {}, h('th', { scope: 'row' }, f.row), h('td', {}, f.field || '–'), h('td', { title: f.message }, faultText(f), h('code', {}, f.code))))))),
    r.rows_truncated ? h('p', { class: 'small muted' }, t('report.truncated')) : null);
}

/** What the file is warned of, with the lines that a warning names. */
export function warningList(list: RowWarning[] | null | undefined): HTMLElement {
  if (!list?.length) return h('p', { class: 'notice ok' }, icon('check'), h('span', {}, t('report.no_warnings')));
  return h('ul', { class: 'warnings' }, ...list.map((w) => h('li', {},
    h('p', {}, w.message), h('p', { class: 'small muted' }, h('code', {}, w.code), (w.count ?? 0) > 1 ? ` × ${count(w.count!)}` : '', w.rows?.length ? ` · ${lines(w)}` : ''))));
}

function lines(w: RowWarning): string {
  const named = w.rows!.map((n) => count(n)).join(', ');
  return t('report.lines', { rows: (w.count ?? 0) > w.rows!.length ? `${named} …` : named });
}

const header = ['what', 'line', 'field', 'code', 'message', 'id'];

/** The report as CSV: faults, warnings with the lines they name, and the features that change. */
export function reportCSV(r: Pick<UploadReport, 'rows' | 'warnings'> & { diff?: { rows: DiffRow[] } }): string {
  const out: unknown[][] = [header];
  for (const f of r.rows ?? []) out.push(['kept_out', f.row, f.field, f.code, f.message, '']);
  for (const w of r.warnings ?? []) for (const line of w.rows?.length ? w.rows : ['']) out.push(['warning', line, '', w.code, w.message, '']);
  for (const d of r.diff?.rows ?? []) out.push([d.change, '', (d.fields ?? []).join(' '), '', '', d.id ?? d.fid]);
  return '\ufeff' + out.map((cells) => cells.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** A cell that no spreadsheet takes for a formula. */
function cell(v: unknown): string {
  const s = v === undefined || v === null ? '' : String(v);
  const safe = typeof v === 'string' && /^[=+\-@\t\r]/.test(s) ? `'${s}` : s;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** A button that saves the report. */
export function csvButton(r: UploadReport, name: string): HTMLElement {
  return h('button', { type: 'button', class: 'button ghost small', id: 'report-csv', onclick: () => save(new Blob([reportCSV(r)], { type: 'text/csv' }), `${name}-report.csv`) }, icon('download', 14), t('report.csv'));
}
