// Signing in and out, and what the pages are allowed to do, in a real browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, program, startService } from './browser.mjs';
import { startProvider } from './provider.mjs';

const skip = cannotRun() ?? (process.env.SEMPADAN_URL ? 'the service at SEMPADAN_URL has a sign-in of its own' : undefined);
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-access-'));
let provider, service, base, browser, key;
const broken = [];

const freePort = () => new Promise((done) => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });

/** A person's browser, which reports what a policy keeps it from, and what its map complains of. */
async function person() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', reducedMotion: 'reduce' });
  await context.addInitScript(() => { addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`)); });
  const p = await context.newPage();
  p.on('console', (m) => { if (/CSP|Content.Security/i.test(m.text()) || m.type() === 'error' && !/Failed to load resource|Forbidden \(403\)/.test(m.text())) broken.push(`${p.url()}: ${m.text()}`); });
  return p;
}
const ready = (p) => p.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });

before(async () => {
  if (skip) return;
  provider = await startProvider(['everyone', 'mmea-planners']);
  const port = await freePort();
  const store = path.join(dir, 's.gpkg');
  key = JSON.parse(execFileSync(program, ['keys', 'create', '--store', store, '--role', 'viewer', '--agency', 'MEDIA', '--country', 'ID', '--days', '1', '--json'])).key;
  const groups = path.join(dir, 'groups.json');
  fs.writeFileSync(groups, JSON.stringify({ groups: { 'mmea-planners': { role: 'planner', agency: 'MMEA', country: 'MY' } } }), { mode: 0o600 });
  service = await startService(['serve', '--demo', '--listen', `127.0.0.1:${port}`, '--store', store, '--oidc-issuer', provider.issuer, '--oidc-client-id', 'sempadan',
    '--oidc-redirect-url', `http://127.0.0.1:${port}/auth/callback`, '--oidc-groups', groups]);
  base = service.base;
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
});
after(async () => {
  await browser?.close();
  await service?.stop();
  await provider?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

test('somebody signs in at the provider, sees who they are, and signs out', { skip }, async () => {
  const p = await person();
  await p.goto(`${base}/#8/1.2/110.3`);
  await p.waitForSelector('#sign-in[open] #sign-in-provider');
  assert.equal(await p.getAttribute('#sign-in-provider', 'href'), '/auth/login');
  await p.click('#sign-in-provider');
  await ready(p);
  assert.match(p.url(), /#8\/1\.2/, 'the map is where it was');
  assert.match(await p.textContent('#who'), /MMEA · planner/);
  const cookies = await p.context().cookies();
  assert.deepEqual(cookies.map((c) => [c.name, c.httpOnly, c.secure, c.sameSite]), [['__Host-sempadan', true, true, 'Strict']]);
  assert.ok(await p.evaluate(() => window.sempadan.map.getSource('surface') && document.cookie === ''));
  const drawn = await p.evaluate(() => window.sempadan.map.queryRenderedFeatures().length);
  assert.ok(drawn > 10, `only ${drawn} features drawn`);
  await p.reload();
  await ready(p);
  assert.match(await p.textContent('#who'), /MMEA/);
  await p.click('#sign-out');
  await p.waitForSelector('#sign-in[open]');
  assert.deepEqual(await p.context().cookies(), []);
  await p.context().close();
});

test('whoever is in no group is told so, in three languages', { skip }, async () => {
  provider.groups = ['everyone'];
  const p = await person();
  await p.goto(base);
  await p.click('#sign-in-provider');
  await p.waitForSelector('#sign-in[open] #sign-in-error:not([hidden])');
  assert.match(await p.textContent('#sign-in-error'), /None of your groups/);
  assert.equal(new URL(p.url()).search, '');
  for (const [lang, word] of [['id', /grup Anda/], ['ms', /kumpulan anda/]]) {
    await p.evaluate((l) => { localStorage.setItem('sempadan.lang', l); }, lang);
    await p.goto(`${base}/?sign_in=no_group`);
    await p.waitForSelector('#sign-in[open] #sign-in-error:not([hidden])');
    assert.match(await p.textContent('#sign-in-error'), word);
  }
  provider.groups = ['mmea-planners'];
  await p.context().close();
});

test('a key works beside the provider', { skip }, async () => {
  const p = await person();
  await p.goto(base);
  await p.waitForSelector('#sign-in[open]');
  await p.fill('#access-key', key);
  await p.click('#sign-in form .actions button');
  await p.waitForSelector('#who:not([hidden])');
  assert.match(await p.textContent('#who'), /MEDIA · viewer/);
  await p.context().close();
});

test('a map is shown on the page that its token is for, and on no other', { skip }, async () => {
  const host = http.createServer((req, res) => { res.setHeader('Content-Type', 'text/html'); res.end(`<iframe width="600" height="400" src="${frame}"></iframe>`); });
  await new Promise((done) => host.listen(0, '127.0.0.1', done));
  const origin = `http://localhost:${host.address().port}`;
  const granted = await fetch(`${base}/v1/embed-tokens`, { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ surface: 'density', area: [95, -4, 120, 8], max_zoom: 8, origin }) });
  assert.equal(granted.status, 201);
  const { token } = await granted.json();
  const frame = `${base}/embed?surface=density&zoom=5&center=110,2&token=${encodeURIComponent(token)}`;
  const p = await person();
  await p.goto(origin);
  const shown = p.frames().find((f) => f.url().startsWith(base)) ?? await p.waitForEvent('frameattached');
  await shown.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 60_000 });
  assert.ok(await shown.evaluate(() => window.sempadan.map.getSource('surface') !== undefined));
  await p.context().close();
  const other = await browser.newPage();
  await other.goto(`http://127.0.0.1:${host.address().port}`);
  await other.waitForTimeout(500);
  const inside = other.frames()[1];
  assert.ok(!inside.url().startsWith(base) || !(await inside.evaluate(() => 'sempadan' in window).catch(() => false)), 'another page frames the map');
  await other.close();
  host.closeAllConnections();
  host.close();
});

test('no page is kept from anything by its policy', { skip }, async () => {
  const p = await person();
  for (const page of ['/docs', '/auth', '/openapi.json', '/healthz']) await p.goto(base + page);
  await p.goto(base);
  await p.click('#sign-in-provider');
  await ready(p);
  for (const page of ['/v1/gaps?format=html', '/tiles/density/legend.svg', '/v1/validation?format=svg']) await p.goto(base + page);
  await p.context().close();
  assert.deepEqual(broken, []);
});
