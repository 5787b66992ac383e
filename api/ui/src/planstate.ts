// What state a plan is in for who looks at it, and what a section gains by a plan.
import { Problem } from './api';
import { known, t } from './i18n';
import type { Residual } from './plananswer';

/** A plan as the list tells of it; owner and with are COUNTRY/AGENCY. */
export interface PlanLine {
  id: string; status: 'draft' | 'kept' | 'released' | 'agreed';
  owner: string; with?: string; request?: string;
  start: string; until: string; created_at: string; expires_at: string; agreed_at?: string;
  may_agree: boolean;
}

/** As the reader sees it: to_release is a joint plan that only the owner's side knows. */
export type PlanState = 'draft' | 'kept' | 'to_release' | 'waits_partner' | 'waits_you' | 'agreed' | 'ended';

export function stateOf(k: PlanLine, now: number): PlanState {
  if (Date.parse(k.until) <= now) return 'ended';
  switch (k.status) {
    case 'released': return k.may_agree ? 'waits_you' : 'waits_partner';
    case 'kept': return k.with ? 'to_release' : 'kept';
    default: return k.status;
  }
}

/** What waits for the reader comes first, what is over last; each newest first. */
export function inOrder(list: PlanLine[], now: number): PlanLine[] {
  const place = (k: PlanLine): number => { const s = stateOf(k, now); return s === 'waits_you' ? 0 : s === 'ended' ? 2 : 1; };
  return [...list].sort((a, b) => place(a) - place(b) || Date.parse(b.created_at) - Date.parse(a.created_at));
}

/** The sections that a plan changes most, the largest change first. */
export function mostChanged(list: Residual[], n: number): Residual[] {
  const by = (r: Residual): number => Math.abs((r.before.mean ?? 0) - (r.after.mean ?? 0));
  return list.filter((r) => by(r) > 0).sort((a, b) => by(b) - by(a) || a.section_id.localeCompare(b.section_id)).slice(0, n);
}

/** Why something about a plan did not work, and what to do next. */
export function planProblem(e: unknown): string {
  if (!(e instanceof Problem) || !e.status) return t('error.network');
  return (e.body.code && known('plans.error', e.body.code)) || e.message;
}

/** Whether what the page shows of a plan is no longer so. */
export const outdated = (e: unknown): boolean => e instanceof Problem && ['plan_not_found', 'plan_status', 'plan_is_draft'].includes(e.body.code ?? '');
