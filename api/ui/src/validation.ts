// How well the forecast and the hazard did on the incidents that are loaded.
import { authHeaders, get, Problem, type ForecastValidation, type HazardResult, type HazardValidation, type Lead, type ModelReport, type Running } from './api';
import { $, fill, h } from './dom';
import { code, count, currentLang, day, num, onWords, percent, t, when, type Key } from './i18n';

const shares = ['1', '5', '10', '20'] as const;
const PAUSE_MS = 1500;
const FEW = 30; // judged incidents below which a difference is likely chance

export class Validation {
  private readonly dialog = $<HTMLDialogElement>('#validation');
  private readonly body = $('#validation-body');
  private work: AbortController | null = null;
  private charts: string[] = [];

  constructor(private layerTitle: (id: string) => string) {
    $('#open-validation').addEventListener('click', () => this.open());
    $('#validation-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => { this.work?.abort(); this.forget(); });
    onWords(() => { if (this.dialog.open) this.fill(); });
  }

  private open(): void {
    this.dialog.showModal();
    this.fill();
  }

  private forget(): void {
    for (const url of this.charts.splice(0)) URL.revokeObjectURL(url);
  }

  private fill(): void {
    this.work?.abort();
    this.forget();
    const { signal } = this.work = new AbortController();
    const forecast = h('section', { 'data-judges': 'forecast' });
    const hazard = h('section', { 'data-judges': 'hazard' });
    fill(this.body, h('p', {}, t('validation.lead')), hazard, forecast);
    void this.judge(hazard, 'hazard', signal, (v: HazardValidation) => this.hazard(v));
    void this.judge(forecast, 'forecast', signal, (v: ForecastValidation) => this.forecast(v, signal));
  }

  /** Asks until the back-test is made, and says how far it is. */
  private async judge<T>(box: HTMLElement, of: 'forecast' | 'hazard', signal: AbortSignal, show: (v: T) => (Node | null)[]): Promise<void> {
    const head = [h('h3', {}, t(`validation.${of}` as Key)), h('p', { class: 'muted small' }, t(`validation.${of}.hint` as Key))];
    const bar = h('span');
    const progress = h('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': t('validation.busy') }, bar);
    fill(box, ...head, h('p', { class: 'muted', role: 'status' }, t('validation.busy')), progress);
    try {
      for (;;) {
        const v = await get<T | Running>('/v1/validation', { of, lang: currentLang() }, signal);
        if (!running(v)) return fill(box, ...head, ...show(v));
        bar.style.width = `${v.progress * 100}%`;
        progress.setAttribute('aria-valuenow', String(Math.round(v.progress * 100)));
        await new Promise((done) => setTimeout(done, PAUSE_MS));
      }
    } catch (e) {
      if (signal.aborted) return;
      fill(box, ...head, h('p', { class: 'notice bad', role: 'alert' }, e instanceof Problem && e.status ? t('validation.failed', { why: e.message }) : t('error.network')));
    }
  }

  private forecast(v: ForecastValidation, signal: AbortSignal): (Node | null)[] {
    const { result: r, parameters: p } = v;
    if (!r) {
      return [tooFew(p), this.facts(v)];
    }
    const chart = h('div', { class: 'chart' });
    void this.chart(chart, signal);
    return [
      few(r.judged),
      table(['count', 'kde', 'count2kde', 'sempadan'], r.models, 'sempadan'),
      r.best_simple ? h('p', {}, verdict(r.lead?.['mean'], code('model', r.best_simple))) : null,
      this.facts(v, r.judged, r.from, r.until, p.folds, t('validation.cells', { n: count(r.cells), km: num(p.cell_m / 1000) })),
      chart,
    ];
  }

  private hazard(v: HazardValidation): (Node | null)[] {
    if (!v.all) return [tooFew(), this.facts(v)];
    const one = (r: HazardResult): (Node | null)[] => [table(['records', 'hazard'], r.models, 'hazard'), h('p', {}, verdict(r.lead?.['mean'], code('model', 'records')))];
    return [
      few(v.all.judged), ...one(v.all),
      ...(v.reported ? [h('h4', {}, t('validation.reported', { n: count(v.reported.judged) })), ...one(v.reported)] : [h('p', { class: 'muted small' }, t('validation.reported_few'))]),
      this.facts(v, v.all.judged, v.from, v.until, v.folds, t('validation.cells', { n: count(v.cells), km: num(1.2) })),
    ];
  }

  /** Which data, from when, how many, and when it was made. */
  private facts(v: ForecastValidation | HazardValidation, judged?: number, from?: string, until?: string, folds?: number, cells?: string): HTMLElement {
    const list = h('dl', { class: 'facts' });
    const fact = (key: Key, value: string): void => list.append(h('dt', {}, t(key)), h('dd', {}, value));
    fact('validation.data', v.data.map((d) => t('validation.layer', { name: this.layerTitle(d.layer), n: count(d.rows) })).join('; ') || t('validation.no_data'));
    if (judged !== undefined) fact('validation.judged', t('validation.judged_text', { n: count(judged), months: count(folds ?? 0), from: day(from), until: day(until) }));
    if (cells) fact('validation.area', cells);
    fact('validation.as_of', when(v.as_of));
    fact('validation.made', when(v.made_at));
    if (v.synthetic) fact('validation.note', t('notice.synthetic'));
    return list;
  }

  private async chart(box: HTMLElement, signal: AbortSignal): Promise<void> {
    const res = await fetch(`/v1/validation?format=svg&lang=${currentLang()}`, { headers: authHeaders(), signal }).catch(() => null);
    if (res?.status !== 200 || signal.aborted) return;
    const url = URL.createObjectURL(await res.blob());
    this.charts.push(url);
    fill(box, h('img', { src: url, alt: t('validation.calibration_alt') }));
  }
}

const running = (v: unknown): v is Running => (v as Partial<Running>).status === 'running';

/** Says what is wanted before anything can be judged. */
function tooFew(p?: ForecastValidation['parameters']): HTMLElement {
  return h('div', { class: 'notice warn' }, h('p', {}, h('strong', {}, t('validation.too_few')), ' ',
    p ? t('validation.wanted', { training: count(p.least_training), judged: count(p.least_judged), months: count(p.most_folds) }) : t('validation.wanted_near')));
}

function few(judged: number): HTMLElement | null {
  return judged < FEW ? h('p', { class: 'notice warn' }, t('validation.few', { n: count(judged) })) : null;
}

/** Hit rates by share of the area, each with its interval. */
function table(names: string[], models: Record<string, ModelReport>, ours: string): HTMLElement {
  const cell = (m: ModelReport | undefined, share: string): HTMLElement => {
    const s = m?.shares[share];
    return h('td', {}, h('b', {}, percent(s?.hit_rate)), s?.ci95 ? h('span', { class: 'muted' }, `${num(Math.round(100 * s.ci95[0]))}–${percent(s.ci95[1])}`) : null);
  };
  return h('div', { class: 'table-scroll' }, h('table', { class: 'hits' },
    h('caption', { class: 'muted small' }, t('validation.caption')),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('validation.model')), ...shares.map((s) => h('th', { scope: 'col' }, t('validation.share', { share: s }))))),
    h('tbody', {}, ...names.map((n) => h('tr', { class: n === ours ? 'ours' : '' }, h('th', { scope: 'row' }, code('model', n)), ...shares.map((s) => cell(models[n], s)))))));
}

/** Whether the difference is more than chance explains. */
function verdict(lead: Lead | undefined, simple: string): string {
  if (!lead?.ci95) return '';
  const points = (v: number): string => `${v < 0 ? '−' : '+'}${num(Math.abs(100 * v), 2)}`;
  const [lo, hi] = lead.ci95;
  const key: Key = lo > 0 ? 'validation.better' : hi < 0 ? 'validation.worse' : 'validation.alike';
  return t(key, { simple, points: points(lead.difference), lo: points(lo), hi: points(hi) });
}
