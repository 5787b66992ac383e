// What waits for a second person, and what the agencies of the two countries ask
// of one another: a panel for whoever may act on it.
import { self, signedIn } from './account';
import type { Map as GLMap } from 'maplibre-gl';
import { get, Problem, send } from './api';
import { control } from './controls';
import { alertLine, type Dock, type DockView } from './dock';
import { fill, h, icon } from './dom';
import { heldFor, onHeld, sendHeld, type Approval } from './held';
import { code, date, onWords, t, when } from './i18n';

interface InfoRequest { id: string; from: string; to: string; kind: string; subject: string; opened_at: string; due: string; status: 'open' | 'accepted' | 'answered' | 'declined' | 'withdrawn'; age_days: number; overdue: boolean }

const kinds = ['record_check', 'document_check', 'status_confirmation', 'vessel_or_vehicle_check', 'route_information', 'victim_referral', 'statistics', 'joint_patrol', 'joint_plan', 'other'] as const;
const settled = new Set(['answered', 'declined', 'withdrawn']);
const WATCH_MS = 60_000;

export class Waiting implements DockView {
  private approvals: Approval[] | null = null;
  private requests: InfoRequest[] | null = null;
  private problem = '';
  private note = '';
  private busy = false;
  private asking = false;
  private readonly button = h('button', { type: 'button', id: 'open-waiting', hidden: true, onclick: () => { this.note = this.problem = ''; this.dock.open(this); void this.load(); } });

  constructor(map: GLMap, private dock: Dock, private changed: (layer: string) => Promise<void>) {
    control(map, this.button);
    this.mark();
    onWords(() => this.mark());
    onHeld(() => void this.load());
    setInterval(() => { if (!document.hidden && !this.button.hidden) void this.load(); }, WATCH_MS);
  }

  private get agency(): string { return `${self()?.country}/${self()?.agency}`; }
  private get decides(): boolean { return ['analyst', 'admin'].includes(self()?.role ?? ''); }
  private get talks(): boolean { return ['analyst', 'planner'].includes(self()?.role ?? ''); }

  /** Reads both lists; what somebody may not read is not shown. */
  async load(): Promise<void> {
    if (!signedIn() || !this.decides && !this.talks) return;
    const none = <T>(e: unknown): T | null => { if (e instanceof Problem && e.status === 403) return null; throw e; };
    try {
      const [a, q] = await Promise.all([
        get<{ approvals: Approval[] }>('/v1/approvals').catch((e: unknown) => none<{ approvals: Approval[] }>(e)),
        this.talks ? get<{ requests: InfoRequest[] }>('/v1/requests').catch((e: unknown) => none<{ requests: InfoRequest[] }>(e)) : null]);
      this.approvals = a?.approvals ?? null;
      this.requests = q?.requests ?? null;
    } catch (e) { this.failed(e); }
    this.mark();
    if (this.dock.has(this)) this.dock.render();
  }

  /** Approvals that wait for the reader to decide, or to use. */
  private toDecide = (a: Approval): boolean => a.status === 'pending' && this.decides && a.by.agency !== self()?.agency;
  private mine = (a: Approval): boolean => a.by.agency === self()?.agency;
  private toAnswer = (q: InfoRequest): boolean => q.to === this.agency && !settled.has(q.status);

  private mark(): void {
    this.button.hidden = !this.approvals && !this.requests;
    const n = (this.approvals ?? []).filter((a) => this.toDecide(a) || a.status === 'approved' && !!heldFor(a.id)).length + (this.requests ?? []).filter(this.toAnswer).length;
    this.button.title = n ? `${t('waiting.title')}: ${n}` : t('waiting.title');
    this.button.setAttribute('aria-label', this.button.title);
    fill(this.button, icon('inbox', 18), n ? h('b', {}, String(n)) : null);
    this.button.parentElement!.hidden = this.button.hidden;
  }

  title(): string { return t('waiting.title'); }
  actions(): (Node | null)[] { return [h('button', { type: 'button', class: 'button ghost', onclick: () => this.dock.close(this) }, t('close'))]; }
  closed(): void { this.asking = false; }

  body(): (Node | null)[] {
    const said = this.note ? h('p', { class: 'notice ok', role: 'status', id: 'waiting-note' }, icon('check'), h('span', {}, this.note)) : null;
    return [h('div', { class: 'waiting' }, alertLine(this.problem), said, ...this.approvalPart(), ...this.requestPart())];
  }

  private approvalPart(): (Node | null)[] {
    if (!this.approvals) return [];
    const list = [...this.approvals].sort((a, b) => Number(this.toDecide(b)) - Number(this.toDecide(a))).slice(0, 50);
    return [h('h3', {}, t('approvals.title')), h('p', { class: 'muted small' }, t('approvals.lead')),
      list.length ? h('ul', { id: 'approvals' }, ...list.map((a) => this.approval(a))) : h('p', { class: 'muted' }, t('approvals.none'))];
  }

  private approval(a: Approval): HTMLElement {
    const remembered = this.mine(a) ? heldFor(a.id) : undefined;
    return h('li', { 'data-approval': a.id },
      h('div', { class: 'head' }, h('strong', {}, code('approval.action', a.action)), h('span', { class: 'badge' }, code('approval.status', a.status))),
      h('span', {}, remembered?.title ?? a.object, a.detail ? h('span', { class: 'muted' }, ` · ${a.detail}`) : null),
      h('span', { class: 'muted small' }, t('approvals.by', { agency: `${a.by.country}/${a.by.agency}`, at: when(a.by.at) })),
      a.status === 'pending' || a.status === 'approved' ? h('span', { class: 'muted small' }, t('approvals.until', { at: when(a.expires_at) })) : null,
      this.toDecide(a) ? h('div', { class: 'actions' },
        this.act(`yes-${a.id}`, 'button primary small', t('approvals.approve'), () => this.decide(a, 'approve')),
        this.act(`no-${a.id}`, 'button ghost small', t('approvals.reject'), () => this.decide(a, 'reject'))) : null,
      this.mine(a) && a.status === 'pending' ? h('span', { class: 'small' }, t('approvals.wait')) : null,
      this.mine(a) && a.status === 'approved' ? (remembered
        ? h('div', { class: 'actions' }, this.act(`use-${a.id}`, 'button primary small', t('approvals.use'), () => this.use(a)))
        : h('span', { class: 'small' }, t('approvals.again', { id: a.id }))) : null);
  }

  private act(id: string, look: string, words: string, f: () => Promise<string>): HTMLElement {
    return h('button', { type: 'button', id, class: look, disabled: this.busy, onclick: () => void this.work(f) }, words);
  }

  private async decide(a: Approval, decision: 'approve' | 'reject'): Promise<string> {
    await send('POST', `/v1/approvals/${encodeURIComponent(a.id)}`, { decision });
    return t(decision === 'approve' ? 'approvals.given' : 'approvals.refused', { agency: a.by.agency });
  }

  private async use(a: Approval): Promise<string> {
    const r = await sendHeld(heldFor(a.id)!, a.id);
    if (r.held) return t('approval.asked');
    if (a.action !== 'raw_export') await this.changed(a.object);
    return t('approvals.done');
  }

  private requestPart(): (Node | null)[] {
    if (!this.requests) return [];
    const list = [...this.requests].sort((a, b) => Number(this.toAnswer(b)) - Number(this.toAnswer(a)) || Number(settled.has(a.status)) - Number(settled.has(b.status))).slice(0, 50);
    return [h('h3', {}, t('requests.title')), h('p', { class: 'muted small' }, t('requests.lead')),
      list.length ? h('ul', { id: 'requests' }, ...list.map((q) => this.request(q))) : h('p', { class: 'muted' }, t('requests.none')),
      this.asking ? this.form() : h('div', {}, h('button', { type: 'button', class: 'button ghost', id: 'ask-request', onclick: () => { this.asking = true; this.dock.render(); } }, t('requests.ask')))];
  }

  private request(q: InfoRequest): HTMLElement {
    const move = (status: InfoRequest['status'], look = 'button ghost small'): HTMLElement => this.act(`${status}-${q.id}`, look, t(`requests.do.${status}` as 'requests.do.accepted'),
      async () => { await send('PATCH', `/v1/requests/${encodeURIComponent(q.id)}`, { status }); return t('requests.moved', { subject: q.subject }); });
    const open = !settled.has(q.status);
    return h('li', { 'data-request': q.id },
      h('div', { class: 'head' }, h('strong', {}, code('request.kind', q.kind)), h('span', { class: `badge${q.overdue ? ' late' : ''}` }, q.overdue && open ? t('requests.overdue') : code('request.status', q.status))),
      h('span', {}, h('code', {}, q.subject), h('span', { class: 'muted' }, ` · ${q.from} → ${q.to}`)),
      h('span', { class: 'muted small' }, t('requests.due', { due: date(q.due), age: String(Math.floor(q.age_days)) })),
      this.toAnswer(q) ? h('div', { class: 'actions' }, q.status === 'open' ? move('accepted') : null, move('answered', 'button primary small'), move('declined')) : null,
      q.from === this.agency && open ? h('div', { class: 'actions' }, move('withdrawn')) : null);
  }

  private form(): HTMLElement {
    const field = (name: string, words: string, props: Record<string, unknown>): HTMLElement => h('label', { class: 'field' }, h('span', {}, words), h('input', { name, required: true, autocomplete: 'off', ...props }));
    const other = self()?.country === 'ID' ? 'MY' : 'ID';
    return h('form', { id: 'waiting-form', onsubmit: (e: Event) => { e.preventDefault(); const f = new FormData(e.target as HTMLFormElement); void this.work(() => this.ask(f)); } },
      field('to', t('requests.to'), { placeholder: other === 'MY' ? 'MY/MMEA' : 'ID/POLRI', pattern: `${other}/[A-Z0-9_-]+` }),
      h('label', { class: 'field' }, h('span', {}, t('requests.kind')), h('select', { name: 'kind' }, ...kinds.map((k) => h('option', { value: k }, code('request.kind', k))))),
      field('subject', t('requests.subject'), { placeholder: 'LP/2026/118', maxlength: 40 }),
      field('due', t('requests.due_day'), { type: 'date' }),
      h('p', { class: 'muted small' }, t('requests.note')),
      h('div', { class: 'actions' }, h('button', { class: 'button primary', disabled: this.busy }, t('requests.send'))));
  }

  private async ask(f: FormData): Promise<string> {
    const text = (name: string): string => String(f.get(name) ?? '').trim();
    const q = await send<InfoRequest>('POST', '/v1/requests', { to: text('to'), kind: text('kind'), subject: text('subject'), due: text('due') });
    this.asking = false;
    return t('requests.sent', { to: q.to });
  }

  private async work(f: () => Promise<string>): Promise<void> {
    this.busy = true;
    this.problem = this.note = '';
    try { this.note = await f(); } catch (e) { this.failed(e); }
    this.busy = false;
    await this.load();
    this.dock.render();
  }

  private failed(e: unknown): void { this.problem = e instanceof Problem && e.status ? e.message : t('error.network'); }
}
