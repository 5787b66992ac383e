// The level of a section by agreement: what is in force, what is proposed, who
// signed what, what the level asks for, and the form to sign one.
import { post, Problem, type Section } from './api';
import { fill, h } from './dom';
import { code, currentLang, day, t, when } from './i18n';
import { levelChip } from './level';

const levels = ['low', 'medium', 'high', 'critical'] as const;
const parties = ['ID', 'MY'] as const;
type Party = (typeof parties)[number];

const watchers = new Set<(s: Section) => void>();
/** Calls f with the section after every signature. */
export function onSigned(f: (s: Section) => void): void { watchers.add(f); }

export class SignOff {
  readonly el = h('div', { class: 'sign-off' });
  private party: Party = 'ID';
  private level: string;
  private busy = false;
  private error = '';
  private done = '';

  constructor(private section: Section) {
    this.level = section.level_proposal ?? section.level ?? 'low';
    this.render();
  }

  private render(): void {
    const x = this.section;
    const status = x.level_status ?? 'proposed';
    const list = h('dl', { class: 'facts level-facts' });
    const fact = (label: string, ...value: (HTMLElement | string | null)[]): void => list.append(h('dt', {}, label), h('dd', {}, ...value.filter((v) => v !== null)));
    fact(t('sign.in_force'), ...(x.level_in_force ? [levelChip(x.level_in_force), h('span', { class: 'muted', title: when(x.level_since) }, t('sign.since', { day: day(x.level_since) }))] : [h('span', { class: 'muted' }, t('sign.none'))]));
    fact(t('section.proposal'), levelChip(x.level_proposal));
    for (const p of parties) {
      const word = this.word(p);
      fact(code('country', p), ...(word ? [levelChip(word.level), h('span', { class: 'muted', title: when(word.at) }, day(word.at))] : [h('span', { class: 'muted' }, t('sign.not_signed'))]));
    }
    fill(this.el,
      h('h3', { class: 'sub sign-head' }, t('section.level'), h('span', { class: `badge status-${status}` }, code('level.status', status))),
      list,
      this.response(x.level ?? 'low', t('sign.asks', { level: code('level', x.level ?? 'low') })),
      this.form());
  }

  private word(p: Party): { level: string; at: string } | undefined {
    return this.section.level_signatures?.find((g) => g.party === p);
  }

  /** What a level asks for, and where the text comes from. */
  private response(level: string, title: string): HTMLElement | null {
    const text = this.section.responses?.find((r) => r.level === level)?.response;
    if (!text) return null;
    const { responses_agreed_in: agreed } = this.section;
    const model = (this.section.responses_model ?? '').replaceAll('-', '\u2011'); // a name is not broken at its hyphens
    return h('div', { class: 'response' }, h('strong', {}, title), h('p', {}, text),
      h('p', { class: 'muted small' }, agreed ? t('sign.agreed', { where: agreed, model }) : t('sign.unagreed', { model })));
  }

  private form(): HTMLElement {
    const asks = h('p', { class: 'muted small' });
    const hint = h('p', { class: 'small' });
    const go = h('button', { class: 'button primary wide', disabled: this.busy });
    const say = (): void => {
      const vars = { level: code('level', this.level), party: code('country', this.party), other: code('country', this.party === 'ID' ? 'MY' : 'ID') };
      const text = this.section.responses?.find((r) => r.level === this.level)?.response;
      fill(asks, this.level !== this.section.level && text ? `${t('sign.asks', vars)}: ${text}` : '');
      fill(hint, this.consequence(vars));
      fill(go, t('sign.go', vars));
    };
    const choice = (name: string, legend: string, options: readonly string[], label: (o: string) => string, set: (o: string) => void, chosen: string): HTMLElement =>
      h('fieldset', { class: `choice ${name}`, disabled: this.busy }, h('legend', { class: 'visually-hidden' }, legend),
        ...options.map((o) => h('label', { class: name === 'levels' ? `level-${o}` : '' },
          h('input', { type: 'radio', name: `sign-${name}-${this.section.id}`, value: o, checked: o === chosen, onchange: () => { set(o); say(); } }), h('span', {}, label(o)))));
    say();
    return h('form', { class: 'sign-form', onsubmit: (e: Event) => { e.preventDefault(); void this.sign(); } },
      h('strong', {}, t('sign.title')),
      choice('parties', t('sign.party'), parties, (p) => code('country', p), (p) => { this.party = p as Party; }, this.party),
      choice('levels', t('section.level'), levels, (l) => code('level', l), (l) => { this.level = l; }, this.level),
      asks, hint, go,
      this.error ? h('p', { class: 'notice bad', role: 'alert' }, this.error) : null,
      this.done ? h('p', { class: 'notice ok', role: 'status' }, this.done) : null);
  }

  /** What the signature would do. */
  private consequence(vars: Record<string, string>): string {
    const { level_in_force: inForce, level_status: status } = this.section;
    if (inForce === this.level) return t(status === 'in_force' ? 'sign.same' : 'sign.keep', vars);
    return t(this.word(this.party === 'ID' ? 'MY' : 'ID')?.level === this.level ? 'sign.settles' : 'sign.waits', vars);
  }

  private async sign(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = this.done = '';
    const { party, level } = this;
    this.render();
    try {
      this.section = await post<Section>(`/v1/sections/${encodeURIComponent(this.section.id)}/level?lang=${currentLang()}`, { level, party });
    } catch (e) {
      this.error = plain(e);
    }
    this.busy = false;
    if (!this.error) this.done = t('sign.done', { party: code('country', party), level: code('level', level) });
    this.render();
    if (this.error) return;
    for (const f of watchers) f(this.section);
  }
}

/** Why a signature was not taken, and what to do. */
function plain(e: unknown): string {
  if (!(e instanceof Problem) || e.status === 0) return t('error.network');
  if (e.status === 401) return t('sign.error.key');
  if (e.status === 403) return t('sign.error.refused');
  if (e.status === 404) return t('sign.error.gone');
  return t('sign.error.other', { why: e.message });
}
