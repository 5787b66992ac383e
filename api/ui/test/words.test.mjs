// The three word files: same keys, no word that means something else next door.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

const read = (lang) => JSON.parse(fs.readFileSync(new URL(`../src/locales/${lang}.json`, import.meta.url), 'utf8'));
const words = { en: read('en'), id: read('id'), ms: read('ms') };
const source = fs.readdirSync(new URL('../src/', import.meta.url)).filter((f) => /\.(ts|html)$/.test(f))
  .map((f) => fs.readFileSync(new URL(`../src/${f}`, import.meta.url), 'utf8')).join('\n');

/** Words of the other language, or that say something else in this one. */
const never = {
  id: ['mangsa', 'muat naik', 'muat turun', 'rondaan', 'jurang', 'lorong tikus', 'kebarangkalian', 'sederhana', 'kritikal', 'agensi', 'sempadan', 'keterukan', 'pejabat', 'liputan'],
  ms: ['korban', 'unggah', 'unduh', 'patroli', 'celah', 'jalan tikus', 'peluang', 'sedang', 'kritis', 'instansi', 'perbatasan', 'tingkat', 'upaya', 'cakupan', 'kasus', 'kejahatan'],
};

test('the same keys in all three', () => {
  for (const lang of ['id', 'ms']) assert.deepEqual(Object.keys(words[lang]).sort(), Object.keys(words.en).sort(), lang);
});

test('no empty words, and the same placeholders', () => {
  const holes = (s) => (s.match(/\{\w+\}/g) ?? []).sort();
  for (const lang of ['en', 'id', 'ms']) {
    for (const [key, text] of Object.entries(words[lang])) {
      assert.ok(text.trim(), `${lang} ${key} is empty`);
      assert.deepEqual(holes(text), holes(words.en[key]), `${lang} ${key}`);
    }
  }
});

for (const [lang, list] of Object.entries(never)) {
  test(`words that must not appear in ${lang}`, () => {
    for (const [key, text] of Object.entries(words[lang])) {
      for (const bad of list) assert.doesNotMatch(text, new RegExp(`\\b${bad}\\b`, 'i'), `${lang} ${key}: ${text}`);
    }
  });
}

test('every word that the page asks for exists', () => {
  const asked = new Set([...source.matchAll(/\bt\('([\w.]+)'/g), ...source.matchAll(/data-t(?:-label|-title)?="([\w.]+)"/g)].map((m) => m[1]));
  assert.ok(asked.size > 60);
  for (const key of asked) assert.ok(key in words.en, key);
});

test('there are words for every state of a plan and for all that is done with it', () => {
  for (const state of ['draft', 'kept', 'to_release', 'waits_partner', 'waits_you', 'agreed', 'ended']) for (const part of ['state', 'says']) assert.ok(`plans.${part}.${state}` in words.en, `${part} ${state}`);
  for (const act of ['keep', 'release', 'agree', 'remove']) for (const part of ['do', 'done']) assert.ok(`plans.${part}.${act}` in words.en, `${part} ${act}`);
  for (const step of ['draft', 'kept', 'released', 'agreed']) assert.ok(`plans.step.${step}` in words.en, step);
});

test('nothing is ever set as markup', () => {
  assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bon\w+="|<style|style="/);
});
