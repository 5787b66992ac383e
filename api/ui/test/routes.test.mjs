// A route on the page: drawn by clicks, its numbers those of the service, its ways.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, startService } from './browser.mjs';

const skip = cannotRun();
let service;
let browser;
let page;
const errors = [];

before(async () => {
  if (skip) return;
  service = await startService();
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce' });
  page = await context.newPage();
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(`${service.base}/#9/1.1/110.2`);
  await page.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const shot = async (name) => { if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }); };
/** Clicks the map at a place. */
async function click(lon, lat) {
  const p = await page.evaluate(([x, y]) => window.sempadan.map.project([x, y]), [lon, lat]);
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + p.x, box.y + p.y);
}

test('two clicks give the risk of the line between, as the service tells it', { skip }, async () => {
  await page.click('#open-routes');
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.2, 1.1], zoom: 9 }));
  const scored = page.waitForResponse((r) => r.url().includes('/v1/routes/score'));
  await click(110.2, 0.9);
  await click(110.45, 1.0);
  const answer = await (await scored).json();
  await page.waitForSelector('#route-incident');
  const score = answer.features.find((f) => f.properties.kind === 'route').properties.score;
  const told = await page.textContent('#route-incident');
  assert.ok(Math.abs(parseFloat(told) / 100 - score.p_incident) <= 0.0006, `${told} for ${score.p_incident}`);
  assert.equal(await page.locator('.route-profile rect').count(), answer.features.filter((f) => f.properties.kind === 'step').length);
  assert.equal(await page.locator('[data-top]').count(), 3);
  await click(110.6, 1.3);
  await page.waitForFunction(() => document.querySelectorAll('.route-legs tbody tr').length === 2);
  await page.waitForTimeout(600);
  await shot('routes-score');
});

test('ways between the ends go from the fastest to the one met least', { skip }, async () => {
  await page.click('[data-act="find"]');
  await page.waitForSelector('[data-way="1"]', { timeout: 60_000 });
  const hours = (await page.locator('.route-way[data-way] b').allTextContents()).map((x) => parseFloat(x.split(',').at(-1)));
  assert.ok(hours.length > 1 && hours.every((v, i) => i === 0 || v >= hours[i - 1]), String(hours));
  await page.click('[data-way="0"]');
  await page.waitForSelector('[data-way="0"][aria-pressed="true"]');
  await page.waitForSelector('#route-incident');
  await page.waitForTimeout(800);
  await shot('routes-ways');
});

test('a file is read in place of clicks, and what is no route says why', { skip }, async () => {
  const gpx = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><rte><rtept lat="1.2" lon="109.9"/><rtept lat="1.0" lon="110.4"/></rte></gpx>';
  await page.setInputFiles('#route-file', { name: 'night.gpx', mimeType: 'application/gpx+xml', buffer: Buffer.from(gpx) });
  await page.waitForFunction(() => document.querySelector('#dock')?.textContent.includes('night.gpx') && document.querySelector('#route-incident'));
  await page.setInputFiles('#route-file', { name: 'one.geojson', mimeType: 'application/geo+json', buffer: Buffer.from('{"type":"LineString","coordinates":[[110,1]]}') });
  await page.waitForSelector('#dock [role="alert"]');
  assert.match(await page.textContent('#dock [role="alert"]'), /two positions/);
  for (const lang of ['id', 'ms']) {
    await page.locator('#langs button', { hasText: lang.toUpperCase() }).or(page.locator(`#langs [data-lang="${lang}"]`)).first().click();
    assert.match(await page.textContent('#dock-title'), lang === 'id' ? /Risiko rute/ : /Risiko laluan/);
  }
  await page.click('#dock-close');
  assert.deepEqual(errors, []);
});
