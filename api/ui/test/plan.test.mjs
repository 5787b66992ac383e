// A planner makes a plan on the page, in a real browser against a real service.
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
  browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce' })).newPage();
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(service.base);
  await page.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 180_000 });
}, { timeout: 300_000 });
after(async () => { await browser?.close(); await service?.stop(); });

test('units in, sorties on the map and in the list', { skip, timeout: 300_000 }, async () => {
  await page.click('#open-plan');
  await page.fill('[data-cell=id0]', 'KP-1');
  await page.fill('[data-cell=base0]', '117.66, 4.10');
  await page.click('#plan-add');
  await page.fill('[data-cell=id1]', 'KP-2');
  await page.fill('[data-cell=base1]', '');
  await page.click('#plan-go');
  await page.waitForSelector('.plan-list li', { timeout: 180_000 });
  assert.match(await page.textContent('#plan-gap'), /at most .* %/);
  assert.ok(await page.locator('.plan-list li').count() > 1);
  assert.match(await page.textContent('#dock-body'), /KP-2: no base/);
  assert.match(await page.textContent('[data-because=units_unused]'), /1 of 2 units/);
  assert.equal(await page.locator('.plan-curve polyline').count(), 1);
  await page.evaluate(() => new Promise((done) => { window.sempadan.map.once('idle', done); window.sempadan.map.triggerRepaint(); }));
  const drawn = await page.evaluate(() => window.sempadan.map.queryRenderedFeatures({ layers: ['plan-lines'] }).map((f) => f.properties.unit));
  assert.ok(drawn.includes('KP-1'), 'the way of the unit is on the map');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-form=gpx]')]);
  assert.equal(download.suggestedFilename(), 'plan.gpx');
  if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
  assert.deepEqual(errors, []);
});

test('a sortie over several beats is told visit by visit', { skip, timeout: 300_000 }, async () => {
  const units = [[109.545, 1.929], [109.552, 1.86], [109.567, 1.973], [109.581, 1.801], [109.63, 2.003]].map((base, i) => ({ id: `U-${i + 1}`, country: i % 2 ? 'MY' : 'ID', base, mode: 'vehicle', hours: 40, endurance_h: 10, speed_kmh: 40 }));
  await page.fill('#plan-json', JSON.stringify({ units, window_days: 3 }));
  await page.fill('#plan-days', '3');
  await page.click('#plan-go');
  await page.waitForSelector('.plan-visits', { timeout: 180_000 });
  assert.ok(await page.locator('.plan-visits').first().locator('li').count() > 1);
  assert.match(await page.locator('.plan-visits li').first().textContent(), /L\d+ [\d.]+ h/);
  await page.evaluate(() => new Promise((done) => { window.sempadan.map.once('idle', done); window.sempadan.map.triggerRepaint(); }));
  if (process.env.SHOT_ROUTES) {
    await page.locator('.plan-visits').first().scrollIntoViewIfNeeded();
    await page.screenshot({ path: process.env.SHOT_ROUTES });
  }
  assert.deepEqual(errors, []);
});

test('a units file that is none is told', { skip, timeout: 60_000 }, async () => {
  await page.fill('#plan-json', '{"unit":');
  await page.click('#plan-go');
  assert.match(await page.textContent('[role=alert]'), /not UNITS.json/);
  await page.click('#dock-close');
  assert.equal(await page.evaluate(() => window.sempadan.map.getLayoutProperty('plan-lines', 'visibility')), 'none');
});
