// Every code that the importer gives a row has words in all three languages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

globalThis.location ??= { search: '', origin: 'http://here' };
globalThis.navigator ??= { language: 'en' };
globalThis.document ??= { documentElement: {} };

const read = (lang) => JSON.parse(fs.readFileSync(new URL(`../src/locales/faults.${lang}.json`, import.meta.url), 'utf8'));
const words = { en: read('en'), id: read('id'), ms: read('ms') };
const data = new URL('../../../data/', import.meta.url);
const go = fs.readdirSync(data).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go')).map((f) => fs.readFileSync(new URL(f, data), 'utf8')).join('\n');

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-ui-'));
after(() => fs.rmSync(dir, { recursive: true }));
await build({ entryPoints: [fileURLToPath(new URL('../src/faults.ts', import.meta.url))], bundle: true, format: 'esm', target: 'es2022', outfile: path.join(dir, 'faults.mjs') });
const { faultText } = await import(path.join(dir, 'faults.mjs'));

test('every code of a row has words', () => {
  const codes = new Set([
    ...[...go.matchAll(/valueFault\{"(\w+)"/g), ...go.matchAll(/(?:\.refuseRow|\.fault)\((?!RowFault)[^,()]*(?:\([^()]*\))?[^,()]*, "(\w+)"/g), ...go.matchAll(/\bspoil\("(\w+)"/g)].map((m) => m[1]),
    ...[...go.matchAll(/^\tCheck\w+\s*=\s*"(\w+)"/gm)].map((m) => m[1]),
  ]);
  assert.ok(codes.size > 40, String(codes.size));
  for (const lang of ['en', 'id', 'ms']) {
    assert.deepEqual(Object.keys(words[lang]), [...codes].sort(), lang);
    for (const [code, text] of Object.entries(words[lang])) assert.ok(text.trim().endsWith('.') || text.trim().endsWith('?'), `${lang} ${code}: ${text}`);
  }
});

test('no words of the other language', () => {
  const never = { id: /\b(mangsa|muat naik|rondaan|sempadan|sederhana|lajur|medan|fail|tarikh|darjah|nombor)\b/i, ms: /\b(korban|unggah|patroli|perbatasan|sedang|tingkat|kolom|bidang|berkas|tanggal|derajat|angka bulat)\b/i };
  for (const lang of ['id', 'ms']) for (const [code, text] of Object.entries(words[lang])) assert.doesNotMatch(text, never[lang], `${lang} ${code}`);
});

test('the words of a row name its value, and fall back on the service', () => {
  const f = { row: 3, field: 'occurred_from', code: 'bad_date', message: '“31/02/2024” is not a day of the calendar' };
  assert.equal(faultText(f, 'en'), f.message);
  assert.equal(faultText(f, 'id'), '“31/02/2024” – Bukan tanggal; tulis YYYY-MM-DD.');
  assert.equal(faultText(f, 'ms'), '“31/02/2024” – Bukan tarikh; tulis YYYY-MM-DD.');
  assert.equal(faultText({ ...f, code: 'no_geometry', message: 'has no place' }, 'id'), 'Tidak punya tempat.');
  assert.equal(faultText({ ...f, code: 'what_is_this', message: 'is odd' }, 'ms'), 'is odd');
});
