// Who is signed in, signing in at the provider or with an access key, and out.
import { get, Problem, send, setAccessKey } from './api';
import { $, fill, h } from './dom';
import { apply, onWords, t } from './i18n';

export interface Me { id: string; via: 'key' | 'session' | 'token' | 'embed' | 'local'; role?: string; agency?: string; country?: string; scopes?: string[] }
interface Ways { key: boolean; oidc: boolean; login?: string }

const VIEW = 'sempadan.view';
/** Without a sign of the reader for so long the page stops asking for news, so that an abandoned session ends. */
const ATTENDED_MS = 15 * 60_000;

let me: Me | null = null;

/** Whether the service knows who is at the page, rather than asking nobody. */
export const signedIn = (): boolean => !!me && me.via !== 'local';
/** Who is at the page. */
export const self = (): Me | null => me;
let seen = Date.now();

for (const sign of ['pointerdown', 'pointermove', 'keydown', 'wheel']) addEventListener(sign, () => { seen = Date.now(); }, { passive: true });

/** Whether somebody is at the page, or it has no session that could end. */
export const attended = (): boolean => me?.via !== 'session' || Date.now() - seen < ATTENDED_MS;

/** Whether the reader has one of some roles; at an open service everyone has all. */
export const isOne = (...roles: string[]): boolean => !me || me.via === 'local' || roles.includes(me.role ?? '');

/** Whether the reader's key may change something, rather than only read. */
export const mayWrite = (): boolean => !me?.scopes?.includes('read');

const remember = (name: string, value: string): void => { try { sessionStorage.setItem(name, value); } catch { /* the view is lost, no more */ } };

/** Goes back to where the map was before signing in. */
export function restoreView(): void {
  try {
    const saved = sessionStorage.getItem(VIEW);
    sessionStorage.removeItem(VIEW);
    if (saved && !location.hash) history.replaceState(null, '', location.pathname + location.search + saved);
  } catch { /* it starts where it always does */ }
}

/** Shows who is signed in, with a way out; nothing on an open service. */
export async function account(): Promise<void> {
  me = await get<Me>('/v1/me').catch(() => null);
  $('#open-plan').hidden = !me || me.via !== 'local' && me.role !== 'planner';
  const show = (): void => {
    const here = me && me.via !== 'local';
    $('#who').hidden = !here;
    if (!here) return;
    fill($('#who'), h('span', { class: 'who' }, [me!.agency, me!.role ? t(`role.${me!.role}` as 'role.viewer') : ''].filter(Boolean).join(' · ')),
      h('button', { type: 'button', class: 'docs', id: 'sign-out', onclick: () => void out() }, t('signin.out')));
  };
  onWords(show);
  show();
}

async function out(): Promise<void> {
  setAccessKey('');
  await send('POST', '/auth/logout').catch(() => undefined);
  location.replace('/');
}

/** Why the provider's way in did not work, in the reader's words. */
function reason(code: string): string {
  switch (code) {
    case 'no_group': return t('signin.error.group');
    case 'sign_in_expired': return t('signin.error.expired');
    case 'sign_in_unavailable': return t('signin.error.provider');
    default: return t('signin.error.refused');
  }
}

/** Asks who the reader is, when the service wants to know. */
export async function signIn(): Promise<void> {
  const q = new URLSearchParams(location.search);
  const code = q.get('sign_in');
  if (code) history.replaceState(null, '', location.pathname + location.hash);
  const ways = await get<Ways>('/auth').catch((): Ways => ({ key: true, oidc: false }));
  const provider = $<HTMLAnchorElement>('#sign-in-provider');
  provider.hidden = !ways.oidc;
  if (ways.login) provider.href = ways.login;
  provider.addEventListener('click', () => remember(VIEW, location.hash));
  const say = (): void => {
    const error = $('#sign-in-error');
    error.hidden = !code;
    if (code) fill(error, reason(code));
    fill($('#sign-in-text'), t(ways.oidc ? 'signin.either' : 'signin.text'));
  };
  const dialog = $<HTMLDialogElement>('#sign-in');
  $<HTMLFormElement>('#sign-in form').addEventListener('submit', () => {
    setAccessKey($<HTMLInputElement>('#access-key').value);
    location.reload();
  });
  onWords(say);
  apply(dialog);
  say();
  dialog.showModal();
}

/** Whether an error means that somebody must sign in first. */
export const unknown = (e: unknown): boolean => e instanceof Problem && e.status === 401;
