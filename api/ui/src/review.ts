// The look at a checked file before it is stored: what it adds, changes and
// removes, on the map and in rows, what is kept out and why.
import type { MapMouseEvent } from 'maplibre-gl';
import { Problem, upload, type Diff, type UploadReport } from './api';
import { DiffView, type DiffMap } from './diff';
import type { Dock, DockView } from './dock';
import { h, icon } from './dom';
import { count, t } from './i18n';
import { Progress } from './progress';
import { csvButton, faultTable, warningList } from './rowreport';
import { problemView, type Asked } from './upload';

const tabs = ['changes', 'faults', 'warnings', 'columns'] as const;
type Tab = (typeof tabs)[number];
const nothing: Diff = { added: 0, changed: 0, removed: 0, unchanged: 0, rows: [], rows_truncated: false };

export interface Reviewed {
  asked: Asked;
  report: UploadReport;
  dock: Dock;
  diffs: DiffMap;
  title: string;
  mapping: () => HTMLElement;
  back: () => void;
  again: () => void;
  loaded: (r: UploadReport) => Promise<void>;
}

export class Review implements DockView {
  private tab: Tab;
  private readonly view: DiffView;
  private edited = false;
  private stored: UploadReport | null = null;
  private problem: unknown = null;
  private abort: AbortController | null = null;
  private progress: Progress | null = null;
  private readonly key = crypto.getRandomValues(new Uint32Array(4)).join('-'); // a repeated commit stores once

  constructor(private r: Reviewed) {
    this.view = new DiffView({ ...(r.report.diff ?? nothing) }, r.diffs, () => r.dock.render());
    this.tab = r.report.quarantined && !this.view.total ? 'faults' : 'changes';
  }

  opened(): void { this.view.zoom(); }

  title(): string { return t(this.stored ? 'review.done' : 'review.title', { layer: this.r.title }); }

  body(): (Node | null)[] {
    const { report } = this.r;
    if (this.stored) return this.doneBody(this.stored);
    const clean = !report.quarantined;
    return [
      h('p', { class: `notice ${clean ? 'ok' : 'warn'}`, id: 'review-verdict' }, icon(clean ? 'check' : 'warn'),
        h('span', {}, h('strong', {}, clean ? t('review.clean', { n: count(report.accepted) }) : t('review.faults', { n: count(report.quarantined), good: count(report.accepted) })), ' ', t('review.not_stored'))),
      this.view.counts(),
      h('div', { class: 'row-tools' }, h('p', { class: 'small muted file-facts' }, [this.r.asked.file.name, report.format && `${t('report.format')} ${report.format}`].filter(Boolean).join(' · ')),
        csvButton({ ...report, diff: this.view.diff }, this.r.asked.id)),
      this.tabBar(),
      h('div', { class: 'review-tab' }, this.tabBody()),
      this.problem ? problemView(this.problem) : null,
    ];
  }

  private tabBar(): HTMLElement {
    const { report } = this.r;
    const n: Record<Tab, number> = { changes: this.view.total, faults: report.quarantined, warnings: report.warnings?.length ?? 0, columns: report.columns?.length ?? 0 };
    return h('div', { class: 'segments tab-bar', role: 'group', 'aria-label': t('review.views') }, ...tabs.map((x) =>
      h('button', { type: 'button', 'data-tab': x, 'aria-pressed': String(x === this.tab), onclick: () => { this.tab = x; this.r.dock.render(); } }, `${t(`review.tab.${x}`)} ${count(n[x])}`)));
  }

  private tabBody(): HTMLElement {
    const { report } = this.r;
    if (this.tab === 'faults') return faultTable(report);
    if (this.tab === 'columns') return this.r.mapping();
    if (this.tab === 'changes') return this.view.table();
    return h('div', { class: 'report' }, warningList(report.warnings),
      report.defaults?.length ? h('p', { class: 'small muted' }, `${t('report.defaults')}: ${report.defaults.join(', ')}`) : null);
  }

  private doneBody(r: UploadReport): (Node | null)[] {
    return [
      h('p', { class: 'notice ok', id: 'review-stored' }, icon('check'), h('span', {}, h('strong', {}, t('report.loaded', { layer: this.r.title })), ' ', t('review.version', { n: count(r.version ?? 1), rows: count(r.accepted) }))),
      r.quarantined ? h('div', { class: 'row-tools' }, h('h3', {}, t('report.rows')), csvButton(r, this.r.asked.id)) : null,
      r.quarantined ? faultTable(r) : null,
      h('p', { class: 'small muted' }, t('review.undo')),
    ];
  }

  actions(): (Node | null)[] {
    if (this.stored) return [h('button', { type: 'button', class: 'button primary', id: 'upload-done', onclick: () => this.r.dock.close(this) }, t('upload.done'))];
    if (this.progress) return [this.progress.element];
    const commit = this.edited
      ? h('button', { type: 'button', class: 'button primary', id: 'review-again', onclick: () => { this.r.dock.close(this); this.r.again(); } }, t('review.again'))
      : h('button', { type: 'button', class: 'button primary', id: 'upload-commit', disabled: !this.view.total, onclick: () => void this.commit() }, t('review.commit', { n: count(this.view.total) }));
    return [
      h('button', { type: 'button', class: 'button ghost', id: 'review-back', onclick: () => { this.r.dock.close(this); this.r.back(); } }, icon('chevron', 14), t('review.back')), commit];
  }

  closed(): void {
    this.abort?.abort();
    this.r.diffs.clear();
  }

  click(e: MapMouseEvent): void { if (!this.stored && this.tab === 'changes') this.view.click(e.point); }

  /** The mapping was edited: what was checked is no longer what would be stored. */
  mappingChanged(): void {
    this.edited = true;
    this.r.dock.render();
  }

  private async commit(): Promise<void> {
    const { asked, dock, diffs } = this.r;
    const abort = this.abort = new AbortController();
    const progress = this.progress = new Progress(() => abort.abort());
    this.problem = null;
    progress.show({ share: 0, phase: 'sending' });
    dock.render();
    try {
      const r = await upload({ ...asked, headers: { ...asked.headers, 'Idempotency-Key': this.key }, onProgress: (p) => progress.show(p), signal: abort.signal });
      this.stored = r;
      diffs.clear();
      await this.r.loaded({ ...r, layer: r.layer || asked.id });
    } catch (e) {
      if (!(e instanceof DOMException && e.name === 'AbortError')) this.problem = e instanceof Problem ? e : new Problem(0, {});
    } finally {
      this.progress = this.abort = null;
      dock.render();
    }
  }
}
