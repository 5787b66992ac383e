// What is wrong with a row, in the language of the page.
import type { RowFault } from './api';
import { currentLang, type Lang } from './i18n';
import en from './locales/faults.en.json';
import id from './locales/faults.id.json';
import ms from './locales/faults.ms.json';

const words: Record<Lang, Record<string, string>> = { en, id, ms };

/**
 * The fault in words, with the value that the service quotes. English has what the service says, which
 * knows more than the code; so has a code that there is no word for.
 */
export function faultText(f: RowFault, lang: Lang = currentLang()): string {
  const text = words[lang][f.code];
  if (f.message && (lang === 'en' || !text)) return f.message;
  const value = /“([^”]*)”/.exec(f.message)?.[1];
  return value === undefined ? (text ?? f.code) : `“${value}” – ${text}`;
}
