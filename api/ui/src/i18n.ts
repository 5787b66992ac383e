// Words, numbers and times in English, Indonesian and Malay.
import en from './locales/en.json';
import id from './locales/id.json';
import ms from './locales/ms.json';

export const languages = ['en', 'id', 'ms'] as const;
export type Lang = (typeof languages)[number];
export type Key = keyof typeof en;

const words: Record<Lang, Record<string, string>> = { en, id, ms };
const locale: Record<Lang, string> = { en: 'en-GB', id: 'id-ID', ms: 'ms-MY' };

/** Clock that people read: both land-border zones at once, or one of them. */
export const zones = ['both', 'WIB', 'WITA', 'MYT'] as const;
export type Zone = (typeof zones)[number];
const iana: Record<Exclude<Zone, 'both'>, string> = { WIB: 'Asia/Jakarta', WITA: 'Asia/Makassar', MYT: 'Asia/Kuala_Lumpur' };

let lang: Lang = firstLang();
let zone: Zone = pick(zones, stored('sempadan.zone')) ?? 'both';
const listeners = new Set<() => void>();

function stored(name: string): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}
function store(name: string, value: string): void {
  try { localStorage.setItem(name, value); } catch { /* remembered for this visit only */ }
}
function pick<T extends string>(from: readonly T[], value: string | null | undefined): T | undefined {
  return from.find((x) => x === value);
}
function firstLang(): Lang {
  const asked = new URLSearchParams(location.search).get('lang') ?? stored('sempadan.lang') ?? '';
  return pick(languages, asked) ?? languages.find((l) => navigator.language.toLowerCase().startsWith(l)) ?? 'en';
}

export const currentLang = (): Lang => lang;
export const currentZone = (): Zone => zone;

export function setLang(value: Lang): void {
  lang = value;
  store('sempadan.lang', value);
  apply();
  for (const f of listeners) f();
}
export function setZone(value: Zone): void {
  zone = value;
  store('sempadan.zone', value);
  for (const f of listeners) f();
}
/** Calls f after every change of language or clock. */
export function onWords(f: () => void): void { listeners.add(f); }

/** The words for key, with {name} replaced from vars. */
export function t(key: Key, vars: Record<string, string | number> = {}): string {
  const text = words[lang][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(vars[name] ?? ''));
}

/** The words for a code such as `mar.landing` under a prefix, else the code made readable. */
export function code(prefix: string, value: string): string {
  return words[lang][`${prefix}.${value}`] ?? value.replace(/[._]/g, ' ');
}
/** Like code, but undefined when there is no word for it. */
export function known(prefix: string, value: string): string | undefined {
  return words[lang][`${prefix}.${value}`];
}

/** Fills every element that names its words: data-t (text), data-t-label, data-t-title. */
export function apply(root: ParentNode = document): void {
  document.documentElement.lang = lang;
  for (const el of root.querySelectorAll<HTMLElement>('[data-t]')) el.textContent = t(el.dataset['t'] as Key);
  for (const el of root.querySelectorAll<HTMLElement>('[data-t-label]')) el.setAttribute('aria-label', t(el.dataset['tLabel'] as Key));
  for (const el of root.querySelectorAll<HTMLElement>('[data-t-title]')) el.title = t(el.dataset['tTitle'] as Key);
}

/** A number to three significant digits, 1,234 or 1.234 as the language writes it. */
export function num(v: number | null | undefined, digits = 3): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  if (v !== 0 && Math.abs(v) < 1e-4) {
    const e = Math.floor(Math.log10(Math.abs(v)));
    return `${new Intl.NumberFormat(locale[lang], { maximumSignificantDigits: 2 }).format(v / 10 ** e)} × 10${superscript(e)}`;
  }
  return new Intl.NumberFormat(locale[lang], Math.abs(v) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits }).format(v);
}
function superscript(n: number): string {
  return String(n).replace(/[-\d]/g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]!));
}
/** An expected count, as a list of them reads well: 3.1, 1.0, 0.42, 0.0013. */
export function expected(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  const digits = v >= 99.5 ? 0 : v >= 0.95 ? 1 : 2;
  return v < 0.095 ? num(v, 2) : new Intl.NumberFormat(locale[lang], { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(v);
}
/** A whole count. */
export const count = (v: number): string => new Intl.NumberFormat(locale[lang]).format(v);
/** A share 0..1 as per cent. */
export function percent(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  return new Intl.NumberFormat(locale[lang], { style: 'percent', maximumFractionDigits: v > 0 && v < 0.1 ? 1 : 0 }).format(v);
}

function clock(d: Date, z: Exclude<Zone, 'both'>, withDate: boolean): string {
  const o: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: iana[z] };
  if (withDate) Object.assign(o, { day: 'numeric', month: 'short', year: 'numeric' });
  return `${new Intl.DateTimeFormat(locale[lang], o).format(d)} ${z}`;
}
/** An instant in the chosen clock. */
export function when(iso: string | undefined | null): string {
  const d = iso ? new Date(iso) : null;
  if (!d || Number.isNaN(d.getTime())) return '–';
  if (zone !== 'both') return clock(d, zone, true);
  return `${clock(d, 'WIB', true)} / ${clock(d, 'MYT', false)}`;
}
/** An instant as a date in the chosen clock. */
export function day(iso: string | undefined | null): string {
  const d = iso ? new Date(iso) : null;
  if (!d || Number.isNaN(d.getTime())) return '–';
  return new Intl.DateTimeFormat(locale[lang], { day: 'numeric', month: 'short', year: 'numeric', timeZone: iana[zone === 'both' ? 'WIB' : zone] }).format(d);
}
/** A calendar date such as 2026-11-02, whatever the clock. */
export function date(ymd: string): string {
  const d = new Date(`${ymd}T00:00:00Z`);
  if (Number.isNaN(d.getTime())) return '–';
  return new Intl.DateTimeFormat(locale[lang], { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(d);
}
/** The month that an instant falls in. */
export function month(iso: string): string {
  return new Intl.DateTimeFormat(locale[lang], { month: 'long', year: 'numeric', timeZone: iana.WIB }).format(new Date(iso));
}
/** Short names of the days, Monday first. */
export function weekdays(): string[] {
  const f = new Intl.DateTimeFormat(locale[lang], { weekday: 'short', timeZone: 'UTC' });
  return [1, 2, 3, 4, 5, 6, 7].map((d) => f.format(new Date(Date.UTC(2024, 0, d))));
}
