// Requests that take a second person. The service answers 202 with an approval;
// this browser tab remembers what was asked, so that it can be sent again as it
// was once the approval is given.
import { authHeaders, Problem, save } from './api';

/** The approval of a request, as the service tells of it. */
export interface Approval {
  id: string;
  action: string;
  object: string;
  detail?: string;
  by: { key_id?: string; agency: string; country: string; at: string };
  expires_at: string;
  status: 'pending' | 'approved' | 'rejected' | 'used' | 'expired';
  approved?: { agency: string; at: string };
  rejected?: { agency: string; at: string };
  next?: string;
}

/** A request that can be sent again as it was; a file when its answer is one. */
export interface Held { method: string; path: string; headers?: Record<string, string>; body?: string; title: string; file?: string }
export type Answer<T> = { held: true; approval: Approval } | { held: false; body: T };

const NAME = 'sempadan.held';
export const APPROVAL = 'Sempadan-Approval';

function all(): Record<string, Held> {
  try { return JSON.parse(sessionStorage.getItem(NAME) ?? '{}') as Record<string, Held>; } catch { return {}; }
}
function keep(list: Record<string, Held>): void {
  try { sessionStorage.setItem(NAME, JSON.stringify(list)); } catch { /* it has to be asked again by hand */ }
}

/** The request that waits for an approval, if this tab made it. */
export const heldFor = (id: string): Held | undefined => all()[id];

const watchers = new Set<() => void>();
/** Calls f whenever a request begins or ends to wait. */
export function onHeld(f: () => void): void { watchers.add(f); }

/** Sends a request, which may have to wait; throws a Problem for 4xx and 5xx. */
export async function sendHeld<T>(q: Held, approval?: string): Promise<Answer<T>> {
  const type: Record<string, string> = q.body === undefined ? {} : { 'Content-Type': 'application/json' };
  const given: Record<string, string> = approval ? { [APPROVAL]: approval } : {};
  const res = await fetch(q.path, { method: q.method, headers: { Accept: 'application/json, */*', ...type, ...q.headers, ...given, ...authHeaders() }, body: q.body ?? null });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })) as Problem['body']);
  const list = all();
  if (res.status === 202 && /\/v1\/approvals\//.test(res.headers.get('Location') ?? '')) {
    const waiting = await res.json() as Approval;
    list[waiting.id] = q;
    keep(list);
    for (const f of watchers) f();
    return { held: true, approval: waiting };
  }
  if (approval) {
    delete list[approval];
    keep(list);
  }
  for (const f of watchers) f();
  if (q.file) {
    save(await res.blob(), q.file);
    return { held: false, body: undefined as T };
  }
  return { held: false, body: (res.status === 204 ? undefined : await res.json()) as T };
}
