// What the page gives to copy works on a page of another origin; the styles are
// valid; a legend tells the numbers of its tiles.
import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, startService } from './browser.mjs';

const skip = cannotRun();
const modules = path.join(import.meta.dirname, '../node_modules');
const types = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.css': 'text/css', '.png': 'image/png' };
let service, base, browser, host;
let shown = ''; // what the other origin's page is

before(async () => {
  if (skip) return;
  service = await startService();
  base = service.base;
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
  host = http.createServer((req, res) => { res.writeHead(req.url === '/' ? 200 : 204, { 'Content-Type': 'text/html' }).end(req.url === '/' ? shown : undefined); });
  await new Promise((done) => { host.listen(0, '127.0.0.1', done); });
});
after(async () => {
  await browser?.close();
  host?.close();
  await service?.stop();
});

/** The libraries, from the disk in place of the address that the snippets name. */
const libraries = (route) => {
  const [, name, file] = /^\/([\w-]+)@[\d.]+\/(.+)$/.exec(new URL(route.request().url()).pathname);
  const at = path.join(modules, name, file);
  return fs.existsSync(at) ? route.fulfill({ body: fs.readFileSync(at), contentType: types[path.extname(at)], headers: { 'Access-Control-Allow-Origin': '*' } }) : route.fulfill({ status: 404 });
};

test('each snippet of the dialog shows the map on a page of another origin', { skip }, async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB', reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  await page.goto(`${base}/#map=7.5/1.25/110.4`);
  await page.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
  await page.click('#open-share');
  await page.selectOption('#share-surface', 'hazard');
  await page.selectOption('#share-palette', 'viridis');
  await page.selectOption('#share-lang', 'ms');
  for (const id of ['demo_patrols', 'demo_posts']) {
    await page.locator('.share-layers').evaluate((d) => { d.open = true; });
    if (await page.locator(`#share-layer-${id}`).count()) await page.setChecked(`#share-layer-${id}`, false);
  }
  for (const target of ['iframe', 'maplibre', 'leaflet', 'openlayers']) {
    await page.click(`#share-${target}`);
    await page.click('#copy-code');
    await page.waitForFunction(() => document.querySelector('#copy-code').textContent === 'Copied');
    const code = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(code, await page.textContent('.share-code code'));
    shown = code;
    const errors = [];
    const asked = [];
    const other = await browser.newContext({ viewport: { width: 900, height: 760 }, reducedMotion: 'reduce' });
    const p = await other.newPage();
    await p.route('https://unpkg.com/**', libraries);
    p.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()); });
    p.on('pageerror', (e) => errors.push(String(e)));
    p.on('response', (r) => { asked.push(r.url()); if (r.status() >= 400) errors.push(`${r.status()} ${r.url()}`); });
    await p.goto(`http://127.0.0.1:${host.address().port}/`);
    const painted = async () => p.evaluate(async (shot) => {
      const img = new Image();
      img.src = `data:image/png;base64,${shot}`;
      await img.decode();
      const c = document.createElement('canvas');
      c.width = img.width;
      c.height = img.height;
      const g = c.getContext('2d');
      g.drawImage(img, 0, 0);
      const d = g.getImageData(0, 0, 900, 480).data;
      let n = 0; // the teal of viridis, which no base map has
      for (let i = 0; i < d.length; i += 4) if (d[i] < 110 && d[i + 1] > 110 && d[i + 2] > 115) n++;
      return n / (900 * 480);
    }, (await p.screenshot()).toString('base64'));
    const tiles = () => asked.filter((u) => /\/tiles\/hazard\/\d+\/\d+\/\d+(@2x)?\.png/.test(u) && u.includes('palette=viridis')).length;
    const layer = () => asked.some((u) => /\/(layers|tiles\/layers)\/reported_incidents\/(features|\d)/.test(u));
    let colours = 0; // libraries draw when they are ready
    for (let k = 0; k < 40 && !(colours > 0.05 && layer()); k++) {
      await p.waitForTimeout(300);
      colours = await painted();
    }
    assert.ok(tiles() >= 4, `${target} asked for ${tiles()} tiles`);
    assert.ok(layer(), `${target} has no layer`);
    assert.ok(asked.some((u) => /legend\.(svg|json)/.test(u) && u.includes('lang=ms')), `${target} has no legend`);
    if (process.env.SHOTS) await p.screenshot({ path: path.join(process.env.SHOTS, `ui-snippet-${target}.png`) });
    assert.ok(colours > 0.05, `${target} draws ${colours} of the surface`);
    assert.deepEqual(errors, [], target);
    await other.close();
  }
  for (const [target, wants] of Object.entries({ grafana: /\/tiles\/hazard\/\{z\}\/\{x\}\/\{y\}\.png\?palette=viridis/, qgis: /\/wmts\?SERVICE=WMTS&REQUEST=GetCapabilities/, arcgis: /\/wmts\/1\.0\.0\/WMTSCapabilities\.xml/ })) {
    await page.click(`#share-${target}`);
    const lines = await page.locator('.share-lines code').allTextContents();
    assert.ok(lines.some((l) => wants.test(l)), `${target}: ${lines}`);
    for (const address of lines.filter((l) => l.startsWith('http'))) {
      const at = address.replace('{z}', '7').replace('{x}', '103').replace('{y}', '63');
      const res = await fetch(at, { headers: { Origin: 'https://dash.example.org' } });
      assert.ok(res.ok, `${target}: ${res.status} ${at}`);
      assert.equal(res.headers.get('access-control-allow-origin'), '*', at);
      await res.arrayBuffer();
    }
  }
  await page.keyboard.press('Escape');
  await context.close();
});

test('what is shared of layers that are not public says so', { skip }, async () => {
  const id = `share_test_${process.pid}`;
  const put = await fetch(`${base}/v1/layers/${id}?kind=other`, { method: 'PUT', headers: { 'Content-Type': 'text/csv' }, body: 'id,lon,lat\na,110,1\n' });
  assert.equal(put.status, 201);
  const p = await browser.newPage({ locale: 'id-ID' });
  await p.goto(`${base}/`);
  await p.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
  await p.click('#open-share');
  assert.match(await p.textContent('#share-closed'), new RegExp(`tidak publik \\(${id}\\)`));
  await p.close();
  await fetch(`${base}/v1/layers/${id}`, { method: 'DELETE' });
});

test('the styles are valid by the specification', { skip }, async () => {
  for (const name of ['light', 'density', 'hazard', 'risk', 'coverage', 'knowledge', 'gaps', 'hotspots']) {
    for (const lang of ['en', 'id']) {
      const style = await (await fetch(`${base}/styles/${name}.json?lang=${lang}`)).json();
      assert.deepEqual(validateStyleMin(style).map((e) => e.message), [], name);
      for (const source of Object.values(style.sources)) assert.ok(source.url.startsWith(base), source.url);
    }
  }
  assert.notDeepEqual(validateStyleMin({ version: 8, sources: {}, layers: [{ id: 'x', type: 'fill', source: 'none' }] }), [], 'the judge refuses a bad one');
});

test('a legend tells the numbers of its tiles', { skip }, async () => {
  const p = await browser.newPage();
  const [z, x, y] = [8, 206, 127];
  const n = 2 ** z * 256;
  for (const surface of ['hazard', 'density', 'risk', 'gaps']) {
    const png = Buffer.from(await (await fetch(`${base}/tiles/${surface}/${z}/${x}/${y}.png`)).arrayBuffer()).toString('base64');
    const pixels = await p.evaluate(async (data) => {
      const img = new Image();
      img.src = `data:image/png;base64,${data}`;
      await img.decode().catch(() => undefined);
      const c = document.createElement('canvas');
      c.width = c.height = 256;
      const g = c.getContext('2d');
      g.drawImage(img, 0, 0);
      return Array.from(g.getImageData(0, 0, 256, 256).data);
    }, png).catch((e) => assert.fail(`${surface}: ${e}`));
    const legend = await (await fetch(`${base}/tiles/${surface}/legend.json`)).json();
    const swatches = legend.classes.map((c) => [1, 3, 5].map((k) => parseInt(c.colour.slice(k, k + 2), 16)));
    let judged = 0;
    const drawn = Array.from({ length: 256 * 256 }, (_, i) => i).filter((i) => pixels[i * 4 + 3] >= 128);
    for (let k = 0; k < 60 && judged < 12; k++) {
      const i = drawn[Math.floor(((k + 0.5) * drawn.length) / 60)];
      const [px, py] = [i % 256, Math.floor(i / 256)];
      const at = pixels.slice(i * 4, i * 4 + 4);
      const lon = ((x * 256 + px + 0.5) / n) * 360 - 180;
      const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y * 256 + py + 0.5)) / n))) * 180) / Math.PI;
      const { value } = await (await fetch(`${base}/tiles/${surface}/value?lon=${lon}&lat=${lat}`)).json();
      if (value === null) continue;
      const by = (a) => Math.hypot(...a.map((v, i) => v - at[i]));
      const nearest = swatches.reduce((best, s, i) => (by(s) < by(swatches[best]) ? i : best), 0);
      const c = legend.classes[nearest];
      judged++;
      if (typeof value === 'string') continue;
      // A colour stands between the classes beside it, so a neighbour's is as near at their edge.
      const lo = legend.classes[Math.max(0, nearest - 1)].from ?? -Infinity, hi = legend.classes[Math.min(legend.classes.length - 1, nearest + 1)].to ?? Infinity;
      assert.ok(value >= lo * 0.98 && value <= hi * 1.02, `${surface} at ${lon},${lat} is ${value}, drawn as ${c.label}`);
    }
    if (surface !== 'gaps') assert.ok(judged >= 3, `${surface}: only ${judged} pixels were judged, of ${drawn.length}`);
  }
  await p.close();
});
