// The embed token of a map in a frame: the host page gives the next one before
// it ends. Only a page of the token's own origin is heard.

/** Messages between the map and the page around it. */
export const EXPIRING = 'sempadan-token-expiring'; // to the host, with expires_at
export const TOKEN = 'sempadan-token'; // from the host, with token

/** How long before its end a token is asked for anew. */
const AHEAD_MS = 60_000;

interface Grant { origin: string; exp: number; surface: string }

/** What a token says of itself; whether that is true, the service knows. */
export function grantOf(token: string): Grant | null {
  try {
    const payload = /^spe_([\w-]+)\.[\w-]+$/.exec(token)![1]!;
    const g = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as Grant;
    return typeof g.origin === 'string' && /^https?:\/\/[^/]+$/.test(g.origin) && Number.isFinite(g.exp) ? g : null;
  } catch { return null; }
}

export class EmbedToken {
  private timers: ReturnType<typeof setTimeout>[] = [];
  private over = false;

  /** ended is called with true when the token is over, with false when there is a new one after that. */
  constructor(private token: string | undefined, private ended: (over: boolean) => void) {
    const grant = token ? grantOf(token) : null;
    if (!grant || parent === window) return;
    addEventListener('message', (e) => this.hear(e, grant));
    this.watch(grant);
  }

  get = (): string | undefined => this.token;

  private hear(e: MessageEvent, now: Grant): void {
    if (e.source !== parent || e.origin !== now.origin) return;
    const data = e.data as { type?: unknown; token?: unknown } | null;
    if (data?.type !== TOKEN || typeof data.token !== 'string') return;
    const next = grantOf(data.token);
    if (!next || next.origin !== now.origin || next.surface !== now.surface || next.exp * 1000 <= Date.now()) return;
    this.token = data.token;
    this.watch(next);
    if (this.over) { this.over = false; this.ended(false); }
  }

  private watch(grant: Grant): void {
    for (const timer of this.timers) clearTimeout(timer);
    const left = grant.exp * 1000 - Date.now();
    const ask = (): void => parent.postMessage({ type: EXPIRING, expires_at: new Date(grant.exp * 1000).toISOString() }, grant.origin);
    this.timers = [setTimeout(ask, Math.max(0, left - AHEAD_MS)), setTimeout(() => { this.over = true; this.ended(true); }, Math.max(0, left))];
  }
}
