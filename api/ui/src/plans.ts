// The plans that can be asked for again: which there are, what state each is in,
// and what the reader may do with it next.
import type { Map as GLMap } from 'maplibre-gl';
import { attended, isOne, mayWrite, self, signedIn } from './account';
import { download, get, send } from './api';
import { Corridor } from './corridor';
import { $, fill, h, icon } from './dom';
import { alertLine } from './dock';
import { code, day, num, onWords, t, when } from './i18n';
import type { Plan } from './plananswer';
import { inOrder, mostChanged, outdated, planProblem, stateOf, type PlanLine, type PlanState } from './planstate';
import './plans.css';

/** The panel that the plans are part of. */
interface Host { plan(): Plan | null; show(p: Plan | null): void; render(): void }
type Act = 'keep' | 'release' | 'agree' | 'remove';

const WATCH_MS = 300_000;
const steps = ['draft', 'kept', 'released', 'agreed'] as const;

export class KeptPlans {
  /** Whether the list is shown, rather than the form for a new plan. */
  listing = false;
  readonly corridor: Corridor;
  private list: PlanLine[] | null = null;
  private asking: Act | null = null;
  private problem = '';
  private note = '';
  private busy = false;

  constructor(map: GLMap, private host: Host) {
    this.corridor = new Corridor(map, () => this.agency);
    onWords(() => this.mark());
    setInterval(() => { if (signedIn() && isOne('planner') && !document.hidden && attended()) void this.load(); }, WATCH_MS);
  }

  private get agency(): string { return signedIn() ? `${self()?.country}/${self()?.agency}` : ''; }
  private owns = (k: PlanLine): boolean => !signedIn() || k.owner === this.agency;

  /** Reads the list; on a service that knows who asks, only for planners. */
  async load(): Promise<void> {
    if (!self() || !isOne('planner')) return;
    try {
      const [plans] = await Promise.all([get<{ plans: PlanLine[] }>('/v1/plans'), this.corridor.load()]);
      this.list = plans.plans;
    } catch (e) { this.problem = planProblem(e); }
    this.mark();
    this.host.render();
  }

  /** Says at the button of the panel how many plans wait for the reader. */
  private mark(): void {
    const n = (this.list ?? []).filter((k) => stateOf(k, Date.now()) === 'waits_you').length;
    const button = $('#open-plan');
    fill(button, t('plan.open'), n ? h('b', { class: 'plan-count', 'aria-label': t('plans.waiting', { n }) }, String(n)) : null);
  }

  /** Forgets what was said before; called when the panel shows another plan. */
  fresh(): void { this.asking = null; this.problem = this.note = ''; }

  /** Brings a plan that was just made into view. */
  reveal(): void {
    document.querySelector('.plan-card')?.scrollIntoView({ block: 'start' });
    document.querySelector<HTMLElement>('#plan-state')?.focus({ preventScroll: true });
  }

  tabs(): HTMLElement {
    const tab = (kept: boolean, words: string): HTMLElement => h('button', { type: 'button', id: kept ? 'plans-kept' : 'plans-new', 'aria-pressed': String(kept === this.listing), onclick: () => {
      this.listing = kept;
      this.fresh();
      this.host.show(null);
      if (kept) void this.load();
    } }, words);
    return h('div', { class: 'segments plan-tabs', role: 'group', 'aria-label': t('plan.title') },
      tab(false, t('plans.new')), tab(true, this.list?.length ? t('plans.list_n', { n: this.list.length }) : t('plans.list')));
  }

  /** The list, or the way back to it from a plan. */
  body(): (Node | null)[] {
    this.corridor.show(false);
    const open = this.host.plan();
    if (open) return [h('button', { type: 'button', class: 'link plan-back', id: 'plans-back', onclick: () => { this.fresh(); this.host.show(null); } }, icon('chevron', 14), t('plans.back'))];
    const list = this.list && inOrder(this.list, Date.now());
    return [h('p', { class: 'muted small lead' }, t(signedIn() ? 'plans.lead' : 'plans.lead_open')), ...this.said(),
      !list ? h('p', { class: 'muted', role: 'status' }, '…') : list.length ? h('ul', { class: 'plan-kept', id: 'plans' }, ...list.map((k) => this.item(k))) : h('p', { class: 'empty' }, t('plans.none'))];
  }

  private said(): (Node | null)[] {
    return [alertLine(this.problem), this.note ? h('p', { class: 'notice ok', role: 'status', id: 'plans-note', tabindex: -1 }, icon('check'), h('span', {}, this.note)) : null];
  }

  private item(k: PlanLine): HTMLElement {
    const state = stateOf(k, Date.now());
    return h('li', {}, h('button', { type: 'button', 'data-plan': k.id, disabled: this.busy, onclick: () => void this.open(k) },
      h('span', { class: 'head' }, h('strong', {}, span(k)), badge(state)),
      h('span', { class: 'small' }, k.with ? t('plans.between', { a: k.owner, b: k.with }) : k.owner),
      h('span', { class: 'muted small' }, t('plans.made', { at: when(k.created_at) }))));
  }

  private async open(k: PlanLine): Promise<void> {
    this.busy = true;
    this.fresh();
    this.host.render();
    try {
      const plan = await get<Plan>(`/v1/plans/${encodeURIComponent(k.id)}`);
      this.busy = false;
      this.host.show(plan);
      document.querySelector<HTMLElement>('#plan-state')?.focus();
    } catch (e) { await this.failed(e); }
  }

  /** The state of the plan that is open, and what the reader may do with it. */
  card(): (Node | null)[] {
    const k = this.list?.find((x) => x.id === this.host.plan()?.id);
    if (!k) return this.said();
    const state = stateOf(k, Date.now());
    const vars = { owner: k.owner, with: k.with ?? '', end: when(k.expires_at), at: when(k.agreed_at) };
    const fact = (label: string, value: string): Node[] => [h('dt', {}, label), h('dd', {}, value)];
    return [h('section', { class: `plan-card ${state}`, 'aria-labelledby': 'plan-state' },
      h('div', { class: 'head' }, h('h3', { id: 'plan-state', tabindex: -1 }, span(k)), badge(state)),
      h('p', {}, t(`plans.says.${signedIn() || state === 'draft' || state === 'ended' ? state : 'open'}` as 'plans.says.draft', vars), !this.owns(k) && state !== 'waits_you' ? ` ${t('plans.theirs', vars)}` : ''),
      this.progress(k),
      h('dl', { class: 'facts' }, ...(k.owner ? fact(t('plans.owner'), k.owner) : []), ...(k.with ? fact(t('plans.partner'), k.with) : []),
        ...fact(t('plans.created'), when(k.created_at)), ...(k.agreed_at ? fact(t('plans.agreed_at'), when(k.agreed_at)) : []), ...fact(t('plans.gone'), when(k.expires_at))),
      ...this.said(), this.asking ? this.confirm(k, this.asking) : this.buttons(k, state))];
  }

  /** How far a plan has come, of the steps that it has. */
  private progress(k: PlanLine): HTMLElement {
    const list = k.with ? steps : steps.slice(0, 2);
    const at = list.indexOf(k.status);
    return h('ol', { class: 'plan-steps' }, ...list.map((x, i) => h('li', { class: i < at ? 'done' : i === at ? 'now' : '', 'aria-current': i === at ? 'step' : undefined }, code('plans.step', x))));
  }

  /** Only what the reader may do. */
  private may(k: PlanLine, state: PlanState): Act[] {
    if (!mayWrite()) return [];
    const acts: Act[] = [];
    if (state === 'draft') acts.push('keep');
    if (state === 'to_release' && signedIn()) acts.push('release');
    if (state === 'waits_you') acts.push('agree');
    return this.owns(k) ? [...acts, 'remove'] : acts;
  }

  private buttons(k: PlanLine, state: PlanState): HTMLElement | null {
    const acts = this.may(k, state);
    if (!acts.length) return null;
    return h('div', { class: 'actions' }, ...acts.map((a) => h('button', { type: 'button', id: `plan-${a}`, class: `button ${a === 'remove' ? 'ghost' : 'primary'} small`, disabled: this.busy, onclick: () => (a === 'keep' ? void this.act(k, a) : this.ask(a)) }, words(a, k))));
  }

  private ask(a: Act | null): void {
    const was = this.asking;
    this.asking = a;
    this.problem = this.note = '';
    this.host.render();
    document.querySelector<HTMLElement>(a ? '#plan-no' : `#plan-${was}`)?.focus();
  }

  private confirm(k: PlanLine, a: Act): HTMLElement {
    const shown = a === 'remove' && k.status !== 'draft' && k.with && k.status !== 'kept';
    const text = t(a === 'remove' ? shown ? 'plans.sure.withdraw' : 'plans.sure.remove' : a === 'agree' ? 'plans.sure.agree' : 'plans.sure.release', { owner: k.owner, with: k.with ?? '' });
    return h('div', { class: 'notice warn plan-sure', role: 'alertdialog', 'aria-labelledby': 'plan-sure', onkeydown: (e: KeyboardEvent) => { if (e.key === 'Escape') { e.stopPropagation(); this.ask(null); } } },
      h('p', { id: 'plan-sure' }, text),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'button ghost small', id: 'plan-no', disabled: this.busy, onclick: () => this.ask(null) }, t('correct.cancel')),
        h('button', { type: 'button', class: `button primary small${a === 'remove' ? ' danger' : ''}`, id: 'plan-yes', disabled: this.busy, onclick: () => void this.act(k, a) }, words(a, k))));
  }

  private async act(k: PlanLine, a: Act): Promise<void> {
    this.busy = true;
    this.problem = this.note = '';
    this.host.render();
    const path = `/v1/plans/${encodeURIComponent(k.id)}`;
    try {
      if (a === 'remove') await send('DELETE', path);
      else await send('PATCH', path, { status: ({ keep: 'kept', release: 'released', agree: 'agreed' } as const)[a] });
    } catch (e) { return this.failed(e); }
    this.busy = false;
    this.asking = null;
    if (a === 'remove') { this.listing = true; this.host.show(null); }
    this.note = t(`plans.done.${a}`, { owner: k.owner, with: k.with ?? '' });
    await this.load();
    document.querySelector<HTMLElement>('#plans-note')?.focus();
  }

  /** Says why not; what is not as the page shows it is read anew. */
  private async failed(e: unknown): Promise<void> {
    this.busy = false;
    this.asking = null;
    const why = planProblem(e);
    if (outdated(e)) {
      await this.load();
      if (!this.list?.some((k) => k.id === this.host.plan()?.id)) { this.listing = true; this.host.show(null); }
    }
    this.problem = why;
    this.host.render();
  }

  /** Each unit with its own files, for the plotter on its boat. */
  unitFiles(p: Plan): (Node | null)[] {
    const names = [...new Set(p.sorties.map((x) => x.unit))];
    if (!names.length) return [];
    const file = (unit: string, form: 'gpx' | 'kml'): HTMLElement => h('button', { type: 'button', class: 'button small ghost', 'data-file': `${form}-${unit}`, 'aria-label': t('plans.file_of', { form: form.toUpperCase(), unit }), onclick: () => {
      download(`/v1/plans/${encodeURIComponent(p.id)}?format=${form}&unit=${encodeURIComponent(unit)}`, `plan-${unit.replace(/[^\w-]+/g, '_')}.${form}`).catch((e: unknown) => this.failed(e));
    } }, icon('download', 14), form.toUpperCase());
    return [h('h3', {}, t('plans.files')), h('ul', { class: 'plan-unit-files' }, ...names.map((unit) => {
      const own = p.sorties.filter((x) => x.unit === unit);
      const hours = own.reduce((sum, x) => sum + (Date.parse(x.returns) - Date.parse(x.departs)) / 3_600_000, 0);
      return h('li', {}, h('strong', {}, unit), h('span', { class: 'muted small' }, t('plans.out', { n: own.length, hours: num(hours) })), h('span', { class: 'plan-files' }, file(unit, 'gpx'), file(unit, 'kml')));
    }))];
  }

  /** The border with the plan beside the border without it. */
  changes(p: Plan): (Node | null)[] {
    const rows = mostChanged(p.residual_by_section ?? [], 10);
    if (!rows.length) return [];
    const top = Math.max(...rows.map((r) => r.before.mean ?? 0)) || 1;
    const bar = (v: number | null): HTMLElement => { const b = h('span', { class: 'plan-bar', 'aria-hidden': 'true' }, h('span')); (b.firstChild as HTMLElement).style.width = `${100 * (v ?? 0) / top}%`; return b; };
    return [h('h3', {}, t('plans.changes')), h('p', { class: 'muted small' }, t('plans.changes_lead')),
      h('div', { class: 'table-scroll plan-changes' }, h('table', {},
        h('thead', {}, h('tr', {}, ...(['plans.section', 'plans.without', 'plans.with_plan', 'plans.less'] as const).map((x) => h('th', { scope: 'col' }, t(x))))),
        h('tbody', {}, ...rows.map((r) => h('tr', {}, h('th', { scope: 'row' }, r.section_id),
          h('td', {}, num(r.before.mean, 2), bar(r.before.mean)), h('td', {}, num(r.after.mean, 2), bar(r.after.mean)),
          h('td', {}, r.before.mean ? `${num(100 * ((r.after.mean ?? 0) / r.before.mean - 1), 2).replace('-', '−')} %` : '–'))))))];
  }
}

/** The days of a plan; until is the first instant after them. */
const span = (k: PlanLine): string => { const [a, b] = [day(k.start), day(new Date(Date.parse(k.until) - 1).toISOString())]; return a === b ? a : `${a} – ${b}`; };
const badge = (s: PlanState): HTMLElement => h('span', { class: `badge plan-badge ${s}` }, code('plans.state', s));
const words = (a: Act, k: PlanLine): string => (a === 'release' ? t('plans.do.release', { with: k.with ?? '' }) : a === 'remove' && (k.status === 'released' || k.status === 'agreed') ? t('plans.do.withdraw') : t(`plans.do.${a}` as 'plans.do.keep'));
