// Which column of a file feeds which field: shown as it was read, and edited.
import { get, Problem, send, type ColumnUse, type Field, type Profile } from './api';
import { h, icon } from './dom';
import { known, t } from './i18n';

/** Fields that give the place of a row of a table. */
const places = ['lon', 'lat', 'latlon', 'lonlat', 'wkt'];

export class MappingEditor {
  columns: ColumnUse[] = [];
  private fields: string[] = [];
  private chosen = new Map<string, string>(); // column to field
  private fixed: { field: string; value: string }[] = [];
  private note = '';

  constructor(private changed: () => void, private redraw: () => void) {}

  /** Says whom to tell: changed after an edit, redraw when only the look of it changed. */
  onEdit(changed: () => void, redraw: () => void): void {
    this.changed = changed;
    this.redraw = redraw;
  }

  reset(): void {
    this.columns = [];
    this.chosen.clear();
    this.fixed = [];
    this.note = '';
  }

  /** Takes what the service made of the columns, and the fields of the kind. */
  async take(columns: ColumnUse[] | null | undefined, kind: string): Promise<void> {
    this.columns = columns ?? [];
    const schema = await get<{ fields: Field[] | null }>(`/v1/schemas/${encodeURIComponent(kind || 'other')}`).catch(() => null);
    this.fields = [...places, ...(schema?.fields ?? []).map((f) => f.name)];
  }

  /** The mapping as the service reads it; '' when nothing was edited. */
  param(): string {
    const parts = [...this.chosen].map(([column, field]) => `${field}:${quoted(column)}`);
    return [...parts, ...this.fixed.filter((f) => f.field && f.value.trim()).map((f) => `${f.field}:=${quoted(f.value.trim())}`)].join(',');
  }

  element(profile: { base?: Profile; kind: string; tz: string; date_order: string; crs: string }): HTMLElement {
    const options = (value: string): HTMLElement[] => this.fields.map((f) => h('option', { value: f, selected: f === value }, label(f)));
    const row = (c: ColumnUse): HTMLElement => {
      const field = this.chosen.get(c.name) ?? c.fields[0] ?? '';
      const own = field === '' || !this.fields.includes(field);
      const select = h('select', {
        'aria-label': c.name, 'data-column': c.name,
        onchange: (e: Event) => {
          const v = (e.target as HTMLSelectElement).value;
          for (const [other, f] of this.chosen) if (f === v) this.chosen.delete(other);
          if (v) this.chosen.set(c.name, v); else this.chosen.delete(c.name);
          this.changed();
        },
      }, h('option', { value: '', selected: own }, c.fields.length ? t('map.own') : t('map.not_stored')), ...options(own ? '' : field));
      return h('tr', { class: c.fields.length ? undefined : 'not-stored' }, h('th', { scope: 'row' }, c.name), h('td', {}, select));
    };
    const constant = (f: { field: string; value: string }): HTMLElement => h('div', { class: 'constant' },
      h('select', { 'aria-label': t('map.field'), onchange: (e: Event) => { f.field = (e.target as HTMLSelectElement).value; this.changed(); } }, h('option', { value: '' }, '–'), ...options(f.field)),
      h('input', { type: 'text', 'aria-label': t('map.value'), value: f.value, placeholder: t('map.value'), onchange: (e: Event) => { f.value = (e.target as HTMLInputElement).value; this.changed(); } }),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': t('map.remove'), onclick: () => { this.fixed.splice(this.fixed.indexOf(f), 1); this.changed(); } }, icon('close', 16)));
    return h('section', { class: 'mapping' },
      h('p', { class: 'small muted' }, t('map.hint')),
      h('div', { class: 'table-scroll' }, h('table', { id: 'column-table' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('map.column')), h('th', { scope: 'col' }, t('map.field')))), h('tbody', {}, ...this.columns.map(row)))),
      ...this.fixed.map(constant),
      h('button', { type: 'button', class: 'link small', onclick: () => { this.fixed.push({ field: '', value: '' }); this.redraw(); } }, t('map.constant')),
      h('form', { class: 'save-profile', onsubmit: (e: Event) => { e.preventDefault(); void this.save(new FormData(e.target as HTMLFormElement), profile); } },
        h('label', { class: 'field' }, h('span', {}, t('map.save')), h('input', { type: 'text', name: 'name', required: true, pattern: '[a-z0-9][a-z0-9_\\-]{0,63}', placeholder: 'smart-sarawak', autocomplete: 'off', spellcheck: 'false' })),
        h('button', { class: 'button ghost' }, t('map.save.go'))),
      this.note ? h('p', { class: 'small', role: 'status' }, this.note) : null);
  }

  /** Keeps the mapping in force, with clock and date order, under a name. */
  private async save(form: FormData, { base, ...rest }: Parameters<MappingEditor['element']>[0]): Promise<void> {
    const name = String(form.get('name'));
    const map: Record<string, string[]> = {};
    for (const c of this.columns) {
      const field = this.chosen.get(c.name) ?? c.fields[0];
      if (field && this.fields.includes(field)) map[field] = [...(map[field] ?? []), c.name];
    }
    for (const f of this.fixed) if (f.field && f.value.trim()) map[f.field] = [`=${f.value.trim()}`];
    for (const [field, source] of Object.entries(base?.map ?? {})) if (!(field in map) && String(source).startsWith('=')) map[field] = [String(source)];
    try {
      await send('PUT', `/v1/profiles/${encodeURIComponent(name)}`, { map, ...(base?.values ? { values: base.values } : {}), ...rest });
      this.note = t('map.saved', { name });
    } catch (e) {
      this.note = e instanceof Problem && e.status ? e.message : t('error.network');
    }
    this.redraw();
  }
}

/** A comma parts the mapping, unless it stands in quotation marks. */
const quoted = (s: string): string => (/[",]/.test(s) ? `"${s.replace(/"/g, '""')}"` : s);

const label = (field: string): string => (known('prop', field) ? `${known('prop', field)} (${field})` : field);
