// The way of a file from the dry run to the map and back, and records put
// right, in a real browser against a real service.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, startService } from './browser.mjs';

const skip = cannotRun();
const layer = `upload_test_${process.pid}`;
let base;
let service;
let browser;
let page;
const errors = [];

const table = (rows) => `external_id,lon,lat,kind,occurred_from\n${rows.map((r) => r.join(',')).join('\n')}\n`;
const first = [['A1', 110.40, 1.10, 'irr.entry', '2026-08-01'], ['A2', 110.50, 1.15, 'irr.exit', '2026-08-02'], ['A3', 110.60, 1.20, 'irr.entry', '2026-08-03']];
/** A1 moves, A2 goes, A3 stays, A4 comes; the third line has its axes swapped. */
const second = [['A1', 110.45, 1.12, 'irr.entry', '2026-08-01'], ['A9', 1.20, 110.35, 'irr.entry', '2026-08-02'], ['A3', 110.60, 1.20, 'irr.entry', '2026-08-03'], ['A4', 110.70, 1.05, 'obs.hidden_boat', '2026-08-04']];

const get = async (path) => (await fetch(base + path)).json();
const stored = async () => {
  const res = await fetch(`${base}/v1/layers/${layer}/features`);
  return res.ok ? (await res.json()).features.map((f) => [f.properties.external_id, ...f.geometry.coordinates].join(' ')).sort() : null;
};
const drawn = () => page.evaluate(async () => (await window.sempadan.map.getSource('diff').getData()).features.map((f) => `${f.properties.change} ${f.properties.role}`).sort());
const tile = (want) => page.waitForFunction(([id, n]) => {
  const { map } = window.sempadan;
  if (!map.getLayer(`layer-${id}-point`)) return false;
  return new Set(map.queryRenderedFeatures({ layers: [`layer-${id}-point`] }).map((f) => f.properties.external_id)).size === n;
}, [layer, want], { timeout: 30_000 });

async function check(rows, mode) {
  await page.setInputFiles('#file-input', { name: `${layer}.csv`, mimeType: 'text/csv', buffer: Buffer.from(typeof rows === 'string' ? rows : table(rows)) });
  await page.waitForSelector('#upload[open]');
  await page.waitForFunction(() => document.querySelectorAll('#upload-form [name=profile] option').length > 4);
  await page.selectOption('#upload-form [name=kind]', 'incident');
  await page.selectOption('#upload-form [name=mode]', mode);
  await page.click('#upload-go');
  await page.waitForSelector('#review-verdict, #upload-report [role=alert]');
}

before(async () => {
  if (skip) return;
  service = await startService();
  base = service.base;
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce' })).newPage();
  page.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()); });
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(base);
  await page.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
});
after(async () => {
  if (skip) return;
  await fetch(`${base}/v1/layers/${layer}`, { method: 'DELETE' }).catch(() => undefined);
  await browser?.close();
  await service?.stop();
});

test('a new file is looked at first: going back stores nothing', { skip }, async () => {
  await check(first, 'new');
  assert.match(await page.locator('#review-verdict').innerText(), /All 3 rows can be taken\. Nothing has been stored yet/);
  assert.deepEqual(await drawn(), ['added now', 'added now', 'added now']);
  await page.click('#review-back');
  await page.waitForSelector('#upload[open]');
  assert.deepEqual(await drawn(), []);
  await page.click('#upload-close');
  assert.equal(await stored(), null);
});

test('a commit stores it and changes the tile', { skip }, async () => {
  await check(first, 'new');
  await page.click('#upload-commit');
  await page.waitForSelector('#review-stored');
  assert.equal((await stored()).length, 3);
  await page.click('#upload-done');
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.55, 1.12], zoom: 9 }));
  await tile(3);
});

test('a dry run names the bad row and draws what would change', { skip }, async () => {
  await check(second, 'replace');
  assert.match(await page.locator('#review-verdict').innerText(), /1 rows are kept out, 3 can be taken/);
  assert.deepEqual((await page.locator('.diff-count b').allInnerTexts()).map(Number), [1, 1, 1]);
  assert.deepEqual(await drawn(), ['added now', 'changed move', 'changed now', 'changed was', 'removed now']);
  await page.locator('.diff-table button', { hasText: 'A1' }).click();
  await page.waitForFunction(() => window.sempadan.map.getZoom() > 9.5);
  await page.locator('.diff-count.added').click();
  assert.equal((await drawn()).length, 4);
  await page.click('[data-tab=faults]');
  assert.equal((await page.locator('#fault-table tbody th').innerText()).trim(), '3');
  assert.match(await page.locator('#fault-table tbody tr').innerText(), /lat\s.*swapped/s);
  const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#report-csv')]);
  const csv = (await (await saved.createReadStream()).toArray()).join('');
  assert.match(csv, /kept_out,3,lat,lat_out_of_range,/);
  assert.match(csv, /removed,,,,,A2/);
  assert.equal((await stored()).length, 3, 'nothing is stored yet');
  await page.click('#dock-close');
  assert.ok((await stored()).includes('A2 110.5 1.15'));
});

test('columns can be mapped otherwise, and kept as a profile', { skip }, async () => {
  await check('ref,bujur_x,lintang_y,jenis,tarikh\nB1,110.3,1.2,irr.entry,2026-08-05\n', 'append');
  await page.waitForSelector('#upload-report [role=alert]'); // no place column
  await page.selectOption('#upload-mapping [data-column=bujur_x]', 'lon');
  await page.selectOption('#upload-mapping [data-column=lintang_y]', 'lat');
  await page.click('#upload-go');
  await page.waitForSelector('#review-verdict');
  await page.click('[data-tab=columns]');
  await page.selectOption('#column-table [data-column=tarikh]', 'occurred_from');
  assert.equal(await page.locator('#upload-commit').count(), 0, 'what was not checked is not committed');
  await page.fill('.save-profile [name=name]', 'page-test');
  await page.click('.save-profile button');
  await page.waitForFunction(() => /Kept as the profile page-test/.test(document.querySelector('.mapping').innerText));
  const { profiles } = await get('/v1/profiles');
  assert.deepEqual(profiles.find((p) => p.name === 'page-test').map.occurred_from, ['tarikh']);
  await page.click('#review-again');
  await page.waitForSelector('#upload-commit');
  assert.match(await page.locator('.diff-table').innerText(), /Aug 2026/);
  await page.click('#dock-close');
});

test('a large file can be cancelled while it is read, and leaves nothing', { skip }, async () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => [`L${i}`, (110 + (i % 300) / 300).toFixed(5), (1 + (i % 200) / 1000).toFixed(5), 'irr.entry', '2026-08-01']);
  const before = await stored();
  await page.setInputFiles('#file-input', { name: `${layer}.csv`, mimeType: 'text/csv', buffer: Buffer.from(table(rows)) });
  await page.waitForSelector('#upload[open]');
  await page.selectOption('#upload-form [name=mode]', 'append');
  await page.evaluate(() => {
    const watch = setInterval(() => {
      const box = document.querySelector('.progress-box:not([hidden])');
      if (!box || !/Sending|Reading|Waiting/.test(box.textContent)) return;
      clearInterval(watch);
      document.querySelector('#upload-cancel').click();
    }, 5);
  });
  await page.click('#upload-go');
  await page.waitForFunction(() => document.querySelector('.progress-box')?.hidden && !document.querySelector('#upload-go').disabled);
  assert.deepEqual((await get('/v1/jobs')).jobs.filter((j) => ['accepted', 'running'].includes(j.status)), []);
  assert.deepEqual(await stored(), before);
  await page.click('#upload-close');
});

test('a correction changes the feature', { skip }, async () => {
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.5, 1.15], zoom: 10 }));
  await tile(3);
  const at = await page.evaluate(() => window.sempadan.map.project([110.5, 1.15]));
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.locator('#here .correct-open').first().click();
  await page.waitForSelector('#dock [name=lon]');
  await page.fill('#dock [name=lon]', '110.52');
  await page.click('#correct-go');
  assert.match(await page.locator('#dock-body [role=alert]').innerText(), /Give the reason/);
  await page.fill('#dock [name=reason]', 'The reading was rounded');
  await page.selectOption('#dock [name=kind]', 'irr.entry');
  await page.click('#correct-go');
  await page.waitForSelector('#correct-store');
  assert.deepEqual(await drawn(), ['changed move', 'changed now', 'changed was']);
  assert.ok((await stored()).includes('A2 110.5 1.15'), 'not before it is stored');
  await page.click('#correct-store');
  await page.waitForSelector('#correct-done');
  assert.ok((await stored()).includes('A2 110.52 1.15'));
  const { versions } = await get(`/v1/layers/${layer}/versions`);
  assert.equal(versions.find((v) => v.version === 2).provenance.reason, 'The reading was rounded');
  await page.click('#dock-close');
});

test('an erasure asks twice and says what it does', { skip }, async () => {
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.6, 1.2], zoom: 10 }));
  await tile(3);
  const at = await page.evaluate(() => window.sempadan.map.project([110.6, 1.2]));
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.locator('#here .correct-open').first().click();
  await page.locator('input[name=way][value=erase]').click();
  assert.match(await page.locator('#consequence').innerText(), /every version.*Nothing brings it back/);
  await page.fill('#dock [name=reason]', 'Asked for by the person');
  await page.click('#correct-go');
  assert.match(await page.locator('#dock-body [role=alert]').innerText(), /cannot be taken back/);
  assert.equal((await stored()).length, 3);
  await page.locator('input[name=way][value=withdraw]').click();
  await page.click('#correct-go');
  await page.waitForSelector('#correct-done');
  assert.equal((await stored()).length, 2);
  await page.click('#dock-close');
});

test('versions are compared and gone back to', { skip }, async () => {
  await page.click(`[data-history=${layer}]`);
  await page.waitForSelector('.version');
  assert.equal(await page.locator('.version').count(), 3);
  await page.locator('.version[data-version="2"] [data-do=compare]').click();
  await page.waitForSelector('.version-diff');
  assert.deepEqual((await page.locator('.diff-count b').allInnerTexts()).map(Number), [0, 1, 0]);
  await page.locator('#dock-actions .ghost').click();
  await page.locator('.version[data-version="1"] [data-do=back]').click();
  await page.waitForSelector('#roll-back');
  assert.deepEqual((await page.locator('.diff-count b').allInnerTexts()).map(Number), [1, 1, 0]);
  assert.equal((await stored()).length, 2, 'asking changes nothing');
  await page.click('#roll-back');
  await page.waitForFunction(() => document.querySelectorAll('.version').length === 4);
  assert.deepEqual(await stored(), ['A1 110.4 1.1', 'A2 110.5 1.15', 'A3 110.6 1.2']);
  await page.click('#dock-close');
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.55, 1.12], zoom: 9 }));
  await tile(3);
});

test('the words are in the reader’s language, and nothing complains', { skip }, async () => {
  await check(second, 'replace');
  for (const [lang, words] of [['id', /baris ditahan/], ['ms', /boleh diterima/], ['en', /kept out/]]) {
    await page.click(`#langs [data-lang=${lang}]`);
    assert.match(await page.locator('#review-verdict').innerText(), words);
  }
  await page.click('#dock-close');
  // The browser's own word on the one file that was refused.
  assert.deepEqual(errors.filter((e) => !/status of 422/.test(e)), []);
});
