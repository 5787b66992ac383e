// A joint plan from draft to agreement, by two planners of two countries on the
// page; what others see of it: nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, program, startService } from './browser.mjs';

const skip = cannotRun() ?? (process.env.SEMPADAN_URL ? 'the service at SEMPADAN_URL has keys of its own' : undefined);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-plans-'));
const keys = {};
let service, base, browser, polair, mmea;
const broken = [];

before(async () => {
  if (skip) return;
  const store = path.join(dir, 's.gpkg');
  for (const [name, role, agency, country, ...more] of [['polair', 'planner', 'POLAIRUD', 'ID'], ['mmea', 'planner', 'MMEA', 'MY'], ['reader', 'planner', 'POLAIRUD', 'ID', '--scope', 'read'], ['bakamla', 'planner', 'BAKAMLA', 'ID'], ['media', 'viewer', 'MEDIA', 'ID']]) {
    keys[name] = JSON.parse(execFileSync(program, ['keys', 'create', '--store', store, '--role', role, '--agency', agency, '--country', country, '--days', '1', '--json', ...more])).key;
  }
  service = await startService(['serve', '--demo', '--listen', '127.0.0.1:0', '--store', store]);
  base = service.base;
  const due = new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 10);
  const asked = await call('polair', 'POST', '/v1/requests', { to: 'MY/MMEA', kind: 'joint_plan', subject: 'JP/2026/7', due });
  assert.equal(asked.status, 201, JSON.stringify(asked.body));
  assert.equal((await call('mmea', 'PATCH', `/v1/requests/${asked.body.id}`, { status: 'answered' })).status, 200);
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
}, { timeout: 300_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function call(who, method, at, body) {
  const res = await fetch(base + at, { method, headers: { Authorization: `Bearer ${keys[who]}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
  return { status: res.status, body: await res.json().catch(() => null) };
}

/** The page as somebody with a key sees it. */
async function person(who, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  await context.addInitScript((key) => sessionStorage.setItem('sempadan.key', key), keys[who]);
  await context.addInitScript(() => { addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`)); });
  const p = await context.newPage();
  p.on('pageerror', (e) => broken.push(`${who}: ${e}`));
  p.on('console', (m) => { if (/CSP/.test(m.text())) broken.push(`${who}: ${m.text()}`); });
  await p.goto(`${base}/#map=8.6/4.15/117.2`);
  await p.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 180_000 });
  return p;
}
const shot = (p, name) => (process.env.SHOTS ? p.screenshot({ path: path.join(process.env.SHOTS, `plans-${name}.png`) }) : undefined);
/** Waits until the badge says a state. */
const state = (p, text, at = '.plan-card') => p.waitForFunction(([sel, s]) => document.querySelector(`${sel} .plan-badge`)?.textContent === s, [at, text], { timeout: 30_000 });
/** With the part of the panel at the top. */
const see = (p, selector) => p.evaluate((s) => document.querySelector(s).scrollIntoView(), selector);

test('a planner makes a joint plan, keeps it, and releases it', { skip, timeout: 300_000 }, async () => {
  polair = await person('polair');
  await polair.click('#open-plan');
  await polair.waitForSelector('#plan-corridor option:nth-child(2)', { state: 'attached' });
  assert.match(await polair.textContent('#plan-corridor option:nth-child(2)'), /MY\/MMEA.*JP\/2026\/7/);
  await polair.selectOption('#plan-corridor', { index: 1 });
  const box = await polair.textContent('.plan-joint p');
  assert.match(box, /longitude 11\d.* to 11\d.*latitude/);
  await polair.fill('#plan-days', '2');
  await polair.fill('[data-cell=id0]', 'KP-3012');
  await polair.fill('[data-cell=base0]', '117.66, 4.10');
  await polair.click('#plan-add');
  await polair.fill('[data-cell=id1]', 'PETIR 9');
  await polair.selectOption('[data-cell=country1]', 'MY');
  await polair.fill('[data-cell=base1]', '117.90, 4.22');
  await shot(polair, 'form');
  await polair.click('#plan-go');
  await polair.waitForSelector('.plan-card', { timeout: 180_000 });
  await state(polair, 'draft');
  assert.equal(await polair.locator('.plan-steps li').count(), 4);
  assert.deepEqual(await polair.locator('.plan-unit-files strong').allTextContents(), ['KP-3012', 'PETIR 9']);
  const rows = await polair.locator('.plan-changes tbody tr').count();
  assert.ok(rows > 0 && rows <= 10);
  assert.match(await polair.textContent('.plan-changes tbody tr:first-child td:last-child'), /^−\d/);
  await polair.waitForFunction(() => document.activeElement.id === 'plan-state');
  await shot(polair, 'draft');
  await see(polair, '.plan-changes');
  await shot(polair, 'changes');
  assert.equal(await polair.textContent('.plan-joint p'), box, 'the map has moved to the sorties, the corridor has not');
  assert.equal((await call('mmea', 'GET', '/v1/plans')).body.plans.length, 0, 'a draft is for who made it');
  assert.equal((await call('reader', 'GET', '/v1/plans')).body.plans.length, 0);

  await polair.click('#plan-keep');
  await state(polair, 'kept, not released');
  assert.equal(await polair.evaluate(() => document.activeElement.id), 'plans-note');
  assert.equal((await call('mmea', 'GET', '/v1/plans')).body.plans.length, 0, 'not before it is released');
  assert.equal((await call('bakamla', 'GET', '/v1/plans')).body.plans.length, 0, 'nor for another agency');

  // By keyboard alone: the question can be left with Escape, and the panel stays.
  await polair.focus('#plan-release');
  await polair.keyboard.press('Enter');
  await polair.waitForSelector('.plan-sure');
  assert.equal(await polair.evaluate(() => document.activeElement.id), 'plan-no');
  assert.match(await polair.textContent('.plan-sure'), /planners of MY\/MMEA will see/);
  await shot(polair, 'release');
  await polair.keyboard.press('Escape');
  assert.equal(await polair.evaluate(() => document.activeElement.id), 'plan-release');
  await polair.keyboard.press('Enter');
  await polair.keyboard.press('Tab');
  await polair.keyboard.press('Enter');
  await state(polair, 'released, waits for the partner');
  assert.equal(await polair.locator('#plan-agree').count(), 0, 'nobody agrees with oneself');
});

test('the partner finds it, looks, and agrees', { skip, timeout: 300_000 }, async () => {
  mmea = await person('mmea', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  await mmea.evaluate(() => document.querySelector('#langs [data-lang=ms]').click());
  assert.equal(await mmea.textContent('.plan-count'), '1');
  await mmea.evaluate(() => document.querySelector('#open-plan').click());
  await mmea.click('#plans-kept');
  await mmea.waitForSelector('#plans [data-plan]');
  assert.match(await mmea.textContent('#plans li'), /menunggu persetujuan anda.*ID\/POLAIRUD bersama MY\/MMEA/);
  await shot(mmea, 'phone-list');
  await mmea.click('#plans [data-plan]');
  await state(mmea, 'menunggu persetujuan anda');
  assert.equal(await mmea.locator('#plan-remove, #plan-release, #plan-keep').count(), 0, 'it is not theirs to take away');
  await shot(mmea, 'phone-open');
  const over = await mmea.evaluate(() => { const b = document.querySelector('#dock-body'); return b.scrollWidth - b.clientWidth; });
  assert.ok(over <= 0, `the panel is ${over} px too wide`);
  await see(mmea, '.plan-unit-files');
  await shot(mmea, 'phone-files');
  const [file] = await Promise.all([mmea.waitForEvent('download'), mmea.click('[data-file="gpx-PETIR 9"]')]);
  assert.equal(file.suggestedFilename(), 'plan-PETIR_9.gpx');
  const gpx = fs.readFileSync(await file.path(), 'utf8');
  assert.match(gpx, /<name>PETIR 9 /);
  assert.doesNotMatch(gpx, /KP-3012/);
  await mmea.click('#plan-agree');
  await mmea.waitForSelector('.plan-sure');
  await shot(mmea, 'phone-agree');
  await mmea.click('#plan-yes');
  await state(mmea, 'dipersetujui kedua-dua pihak');
  assert.match(await mmea.textContent('#plans-note'), /Dipersetujui/);
  assert.equal(await mmea.locator('.plan-count').count(), 0);
  assert.equal(await mmea.locator('.plan-card button').count(), 0);
});

test('both see that it is agreed; who may only read changes nothing; a viewer sees nothing', { skip, timeout: 300_000 }, async () => {
  await polair.click('#plans-kept');
  await state(polair, 'agreed by both', '#plans');
  await shot(polair, 'list');
  await polair.click('#langs [data-lang=id]');
  assert.match(await polair.textContent('#plans li'), /disepakati kedua pihak/);
  await polair.click('#plans [data-plan]');
  await state(polair, 'disepakati kedua pihak');
  await shot(polair, 'agreed-id');
  await polair.click('#langs [data-lang=en]');

  const reader = await person('reader');
  await reader.click('#open-plan');
  await reader.click('#plans-kept');
  await reader.click('#plans [data-plan]');
  await state(reader, 'agreed by both');
  assert.equal(await reader.locator('.plan-card button').count(), 0);
  await reader.context().close();

  const media = await person('media');
  assert.equal(await media.locator('#open-plan').isHidden(), true);
  assert.equal(await media.locator('.plan-count').count(), 0);
  assert.equal((await call('media', 'GET', '/v1/plans')).status, 403);
  await media.context().close();
});

test('a plan that is withdrawn is gone for both, and that is told', { skip, timeout: 300_000 }, async () => {
  await mmea.click('#plans-back');
  await polair.click('#plan-remove');
  assert.match(await polair.textContent('.plan-sure'), /MY\/MMEA, who is not told/);
  await polair.click('#plan-yes');
  await polair.waitForSelector('#plans-note');
  assert.match(await polair.textContent('#dock-body'), /The plan is erased.*There are no plans yet/);
  await mmea.click('#plans [data-plan]'); // the list of before
  await mmea.waitForSelector('[role=alert]');
  assert.match(await mmea.textContent('#dock-body'), /Pelan ini sudah tiada.*Belum ada pelan/);
  await shot(mmea, 'phone-gone');

  // What has changed meanwhile is told, and read anew.
  const made = await call('polair', 'POST', '/v1/plans', { window_days: 1, units: [{ id: 'KP-3', country: 'ID', base: [117.66, 4.1], mode: 'sea_boat', hours: 8, speed_kmh: 30 }] });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  await polair.click('#plans-kept');
  await polair.click(`[data-plan="${made.body.id}"]`);
  await state(polair, 'draft');
  assert.equal(await polair.locator('.plan-steps li').count(), 2, 'nobody else has to agree');
  assert.equal((await call('polair', 'PATCH', `/v1/plans/${made.body.id}`, { status: 'kept' })).status, 200);
  await polair.click('#plan-keep');
  await state(polair, 'kept');
  assert.match(await polair.textContent('.plan-card [role=alert]'), /changed the plan meanwhile/);
  assert.equal(await polair.locator('#plan-release').count(), 0);
  assert.deepEqual(broken, []);
});
