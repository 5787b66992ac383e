// What takes two persons, what agencies ask of one another, and the token of a
// map in a frame: on a service that asks who one is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, program, startService } from './browser.mjs';

const skip = cannotRun() ?? (process.env.SEMPADAN_URL ? 'the service at SEMPADAN_URL has keys of its own' : undefined);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-waiting-'));
const keys = {};
let service, base, browser;
const broken = [];

before(async () => {
  if (skip) return;
  const store = path.join(dir, 's.gpkg');
  for (const [name, role, agency, country] of [['polri', 'analyst', 'POLRI', 'ID'], ['imi', 'analyst', 'IMI', 'ID'], ['mmea', 'planner', 'MMEA', 'MY'], ['media', 'viewer', 'MEDIA', 'ID']]) {
    keys[name] = JSON.parse(execFileSync(program, ['keys', 'create', '--store', store, '--role', role, '--agency', agency, '--country', country, '--days', '1', '--json'])).key;
  }
  service = await startService(['serve', '--listen', '127.0.0.1:0', '--store', store]);
  base = service.base;
  const csv = 'id,lon,lat,occurred_from,kind,release,reporter_agency\nA1,110.3,1.15,2026-05-02T03:00:00Z,irr.exit,bilateral,POLRI\nA2,110.4,1.2,2026-05-03T03:00:00Z,irr.exit,bilateral,POLRI\n';
  const put = await call('polri', 'PUT', '/v1/layers/cases?kind=incident', csv, 'text/csv');
  assert.equal(put.status, 201, JSON.stringify(put.body));
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
});
after(async () => {
  await browser?.close();
  await service?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function call(who, method, at, body, type = 'application/json') {
  const res = await fetch(base + at, { method, headers: { Authorization: `Bearer ${keys[who]}`, ...(body ? { 'Content-Type': type } : {}) }, body });
  return { status: res.status, body: await res.json().catch(() => null) };
}

/** The page as somebody with a key sees it. */
async function person(who, at = '/', viewport = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', reducedMotion: 'reduce' });
  await context.addInitScript((key) => sessionStorage.setItem('sempadan.key', key), keys[who]);
  const p = await context.newPage();
  p.on('pageerror', (e) => broken.push(`${who}: ${e}`));
  await p.goto(base + at);
  await p.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
  return p;
}
const shot = (p, name) => (process.env.SHOTS ? p.screenshot({ path: path.join(process.env.SHOTS, `ui-${name}.png`) }) : undefined);

test('an erasure waits for a second agency, is approved on the page, and done', { skip }, async () => {
  const polri = await person('polri', '/#map=11/1.15/110.3');
  const at = await polri.evaluate(() => window.sempadan.map.project([110.3, 1.15]));
  const box = await polri.locator('#map').boundingBox();
  await polri.mouse.click(box.x + at.x, box.y + at.y);
  await polri.click('.correct-open');
  await polri.check('input[name=way][value=erase]', { force: true });
  await polri.fill('textarea[name=reason]', 'ERR-7');
  await polri.check('input[name=sure]', { force: true });
  await polri.click('#correct-go');
  await polri.waitForSelector('#correct-done');
  assert.match(await polri.textContent('#correct-done'), /Nothing has been done yet: a person of another agency/);
  assert.equal((await call('polri', 'GET', '/v1/layers/cases')).body.features, 2);

  const imi = await person('imi');
  assert.equal(await imi.textContent('#open-waiting b'), '1');
  await imi.click('#open-waiting');
  await imi.waitForSelector('#approvals li');
  assert.match(await imi.textContent('#approvals li'), /Erasure of a record.*waiting.*ID\/POLRI/);
  await shot(imi, 'approvals');
  await imi.setViewportSize({ width: 390, height: 844 });
  await shot(imi, 'approvals-phone');
  await imi.setViewportSize({ width: 1440, height: 900 });
  await imi.click('[id^=yes-]');
  await imi.waitForSelector('#waiting-note');
  assert.match(await imi.textContent('#approvals li'), /approved/);

  await polri.click('#dock-close');
  await polri.click('#open-waiting');
  await polri.click('[id^=use-]');
  await polri.waitForFunction(() => document.querySelector('#waiting-note')?.textContent === 'Done.');
  assert.equal((await call('polri', 'GET', '/v1/layers/cases')).body.features, 1);
  assert.match(await polri.textContent('#approvals li'), /done/);
  await polri.context().close();
  await imi.context().close();
  assert.deepEqual(broken, []);
});

test('a request crosses the border and is answered', { skip }, async () => {
  const polri = await person('polri');
  await polri.click('#open-waiting');
  await polri.click('#ask-request');
  await polri.fill('#waiting-form [name=to]', 'MY/MMEA');
  await polri.selectOption('#waiting-form [name=kind]', 'route_information');
  await polri.fill('#waiting-form [name=subject]', 'LP/2026/118');
  await polri.fill('#waiting-form [name=due]', new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 10));
  await polri.click('#waiting-form button');
  await polri.waitForSelector('#requests li');
  assert.match(await polri.textContent('#waiting-note'), /MY\/MMEA/);

  const mmea = await person('mmea');
  await mmea.click('#langs [data-lang=ms]');
  await mmea.click('#open-waiting');
  await mmea.waitForSelector('#requests li');
  assert.match(await mmea.textContent('#requests li'), /Maklumat laluan.*LP\/2026\/118/);
  assert.equal(await mmea.locator('#approvals li').count(), 0);
  await mmea.click('[id^=answered-]');
  await mmea.waitForFunction(() => /dijawab/.test(document.querySelector('#requests li .badge').textContent));
  await shot(mmea, 'requests-ms');
  await polri.context().close();
  await mmea.context().close();

  const media = await person('media');
  assert.equal(await media.locator('#open-waiting').isHidden(), true);
  await media.context().close();
});

test('a token that ends is replaced by the host page, and by no other', { skip }, async () => {
  const host = http.createServer((req, res) => { res.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><body></body>'); });
  await new Promise((done) => { host.listen(0, '127.0.0.1', done); });
  const origin = `http://127.0.0.1:${host.address().port}`;
  const grant = async (seconds, of = origin) => (await call('media', 'POST', '/v1/embed-tokens', JSON.stringify({ surface: 'density', area: [100, -4, 120, 8], min_zoom: 0, max_zoom: 8, origin: of, seconds }))).body.token;
  const frame = async (page, token) => {
    await page.evaluate((src) => {
      window.heard = [];
      addEventListener('message', (e) => window.heard.push([e.origin, e.data.type]));
      const f = document.createElement('iframe');
      f.src = src;
      f.width = 800;
      f.height = 500;
      document.body.append(f);
    }, `${base}/embed?surface=density&center=110.4,1.2&zoom=7&token=${token}`);
  };
  const page = await browser.newPage();
  const failed = [];
  page.on('response', (r) => { if (r.status() >= 400) failed.push(`${r.status()} ${r.url().replace(/spe_[^&]+/, '')}`); });
  await page.goto(origin);
  await frame(page, await grant(12));
  const map = page.frameLocator('iframe[src]');
  await map.locator('#legend li').first().waitFor();
  assert.deepEqual(failed, [], 'base map, surface and legend come with the token');
  await page.waitForFunction((b) => window.heard.some(([o, type]) => o === b && type === 'sempadan-token-expiring'), base);
  const tell = (data) => page.evaluate(([to, d]) => document.querySelector('iframe').contentWindow.postMessage(d, to), [base, data]);
  const next = await grant(600);
  await tell({ type: 'sempadan-token', token: await grant(600, 'https://evil.example.org') });
  await tell({ type: 'other', token: next });
  await map.locator('#ended').waitFor({ state: 'visible', timeout: 20_000 });
  // A page inside the same window that is not the parent is not heard either.
  await page.evaluate(([to, token]) => {
    const f = document.createElement('iframe');
    f.srcdoc = `<script>parent.frames[0].postMessage({type:'sempadan-token',token:${JSON.stringify(token)}},${JSON.stringify(to)})</script>`;
    document.body.append(f);
  }, [base, next]);
  await page.waitForTimeout(500);
  assert.equal(await map.locator('#ended').isVisible(), true);
  await tell({ type: 'sempadan-token', token: next });
  await map.locator('#ended').waitFor({ state: 'hidden' });
  const [again] = await Promise.all([
    page.waitForResponse((r) => /tiles\/density(\.json|\/\d)/.test(r.url()) && r.url().includes(next)),
    page.frames()[1].evaluate(() => window.sempadan.map.zoomTo(6, { duration: 0 })),
  ]);
  assert.equal(again.status(), 200);
  await page.close();
  host.close();
});
