// The versions of a layer: what each was, what changed between two, and back to one.
import type { MapMouseEvent } from 'maplibre-gl';
import { get, Problem, send, type Diff, type LayerInfo, type Version } from './api';
import { DiffView, type DiffMap } from './diff';
import { alertLine, type Dock, type DockView } from './dock';
import { h, icon } from './dom';
import { code, count, t, when } from './i18n';

export class Versions implements DockView {
  private list: Version[] | null = null;
  private from = 0;
  private to = 0;
  private view: DiffView | null = null;
  private back = 0; // the version to go back to, while that is being asked
  private problem = '';
  private note = '';
  private busy = false;

  constructor(private layer: LayerInfo, private name: string, private dock: Dock, private diffs: DiffMap, private changed: (id: string) => Promise<void>) {
    void this.load();
  }

  title(): string { return t('versions.title', { layer: this.name }); }

  private async load(): Promise<void> {
    try {
      const { versions } = await get<{ versions: Version[] }>(`/v1/layers/${encodeURIComponent(this.layer.id)}/versions`);
      this.list = [...versions].sort((a, b) => b.version - a.version);
      this.to = this.list[0]?.version ?? 0;
      this.from = this.list[1]?.version ?? 0;
    } catch (e) { this.failed(e); }
    this.dock.render();
  }

  body(): (Node | null)[] {
    const note = this.note ? h('p', { class: 'notice ok', role: 'status' }, icon('check'), h('span', {}, this.note)) : null;
    if (!this.list) return [alertLine(this.problem) ?? h('p', { class: 'muted' }, t('versions.busy'))];
    if (!this.list.length) return [h('p', { class: 'muted' }, t('versions.shipped'))];
    return [alertLine(this.problem), note, this.list.length > 1 && !this.back ? this.compareForm() : null,
      this.view ? h('section', { class: 'version-diff' },
        h('h3', {}, this.back ? t('versions.back_title', { n: this.back }) : t('versions.diff_title', { from: this.from, to: this.to })),
        this.back ? h('p', { class: 'small' }, t('versions.back_text', { n: this.back, next: (this.list[0]?.version ?? 0) + 1 })) : null,
        this.view.counts(), this.view.table()) : null,
      this.view ? null : h('ol', { class: 'version-list' }, ...this.list.map((v) => this.card(v)))];
  }

  private compareForm(): HTMLElement {
    const pick = (label: string, value: number, set: (v: number) => void): HTMLElement => h('label', { class: 'field' }, h('span', {}, label),
      h('select', { onchange: (e: Event) => set(Number((e.target as HTMLSelectElement).value)) }, ...this.list!.map((v) => h('option', { value: v.version, selected: v.version === value }, t('versions.number', { n: v.version })))));
    return h('form', { class: 'dates', id: 'version-compare', onsubmit: (e: Event) => { e.preventDefault(); void this.compare(this.from, this.to); } },
      pick(t('versions.from'), this.from, (v) => { this.from = v; }), pick(t('versions.to'), this.to, (v) => { this.to = v; }),
      h('button', { class: 'button ghost', disabled: this.busy }, t('changes.go')));
  }

  private card(v: Version): HTMLElement {
    const p = v.provenance;
    const newest = v.version === this.list![0]!.version;
    const map = Object.entries(p.mapping ?? {});
    const older = this.list![this.list!.findIndex((x) => x.version === v.version) + 1];
    const fact = (name: string, value: string | undefined | false): HTMLElement[] => (value ? [h('dt', {}, name), h('dd', {}, value)] : []);
    return h('li', { class: 'version', 'data-version': v.version },
      h('header', {}, h('strong', {}, t('versions.number', { n: v.version })), h('span', { class: 'muted' }, code('version_action', p.action)),
        newest ? h('span', { class: 'badge ok' }, t('versions.now')) : null),
      h('dl', { class: 'facts' },
        ...fact(t('versions.when'), when(p.at)),
        ...fact(t('versions.who'), p.user === 'local' ? t('versions.local') : p.user),
        ...fact(t('versions.file'), [p.filename, p.format].filter(Boolean).join(' · ')),
        ...fact(t('versions.digest'), p.sha256 && `SHA-256 ${p.sha256.slice(0, 16)}…`),
        ...fact(t('versions.mapping'), map.map(([f, c]) => `${f} ← ${c.replace(/^=/, '= ')}`).join(', ')),
        ...fact(t('versions.rows'), `${count(v.features)}  (+${count(v.added)} −${count(v.removed)})`),
        ...fact(t('versions.reason'), p.reason)),
      h('div', { class: 'version-tools' },
        older ? h('button', { type: 'button', class: 'button ghost small', 'data-do': 'compare', onclick: () => void this.compare(older.version, v.version) }, t('versions.compare')) : null,
        newest ? null : h('button', { type: 'button', class: 'button ghost small', 'data-do': 'back', onclick: () => void this.compare(this.list![0]!.version, v.version, v.version) }, t('versions.back'))));
  }

  actions(): (Node | null)[] {
    if (!this.view) return [h('button', { type: 'button', class: 'button ghost', onclick: () => this.dock.close(this) }, t('close'))];
    const list = h('button', { type: 'button', class: 'button ghost', onclick: () => { this.leave(); this.dock.render(); } }, icon('chevron', 14), t('versions.all'));
    return this.back ? [list, h('button', { type: 'button', class: 'button primary', id: 'roll-back', disabled: this.busy, onclick: () => void this.rollBack() }, t('versions.back_go', { n: this.back }))] : [list];
  }

  private leave(): void {
    this.view = null;
    this.back = 0;
    this.problem = '';
    this.diffs.clear();
  }

  private async compare(from: number, to: number, back = 0): Promise<void> {
    this.leave();
    this.note = '';
    if (!back) [this.from, this.to] = [from, to];
    this.busy = true;
    this.dock.render();
    try {
      const diff = await get<Diff>(`/v1/layers/${encodeURIComponent(this.layer.id)}/versions/${to}/diff`, { from });
      if (!this.dock.has(this)) return;
      this.view = new DiffView(diff, this.diffs, () => this.dock.render()).zoom();
      this.back = back;
    } catch (e) { this.failed(e); }
    this.busy = false;
    this.dock.render();
  }

  private async rollBack(): Promise<void> {
    const target = this.back;
    this.busy = true;
    this.dock.render();
    try {
      const r = await send<{ version: number }>('POST', `/v1/layers/${encodeURIComponent(this.layer.id)}/rollback`, { version: target }, { 'If-Match': `"${this.list![0]!.version}"` });
      this.leave();
      await this.changed(this.layer.id);
      this.note = t('versions.went_back', { n: target, version: r.version });
      await this.load();
    } catch (e) { this.failed(e); }
    this.busy = false;
    this.dock.render();
  }

  private failed(e: unknown): void {
    this.problem = !(e instanceof Problem) || !e.status ? t('error.network') : e.status === 412 ? t('upload.moved_on') : e.message;
  }

  closed(): void { this.diffs.clear(); }
  click(e: MapMouseEvent): void { this.view?.click(e.point); }
}
