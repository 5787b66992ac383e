// What a planner does with the page, in a real browser against a real service.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { cannotRun, chromiumPath, flags, startService } from './browser.mjs';

const skip = cannotRun();
const layer = `page_test_${process.pid}`;
const markup = `${layer}_markup`;
let base;
let service;
let browser;
let page;
const seen = { errors: [], failed: [], foreign: new Set() };

/** Opens a page that keeps account of everything it asks for and complains of. */
async function open(path, viewport = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', reducedMotion: 'reduce' });
  const p = await context.newPage();
  p.on('console', (m) => { if (m.type() === 'error') seen.errors.push(m.text()); });
  p.on('pageerror', (e) => seen.errors.push(String(e)));
  p.on('request', (r) => { const u = new URL(r.url()); if (/^http/.test(u.protocol) && u.host !== new URL(base).host) seen.foreign.add(u.host); });
  p.on('response', (r) => { if (r.status() >= 400) seen.failed.push(`${r.status()} ${r.url()}`); });
  await p.goto(base + path);
  await p.waitForFunction(() => window.sempadan?.ready.then(() => true), null, { timeout: 90_000 });
  return p;
}

/** Waits until the map has drawn everything it asked for. */
async function idle(p) {
  await p.evaluate(() => new Promise((done) => { window.sempadan.map.once('idle', done); window.sempadan.map.triggerRepaint(); }));
  await p.waitForTimeout(200);
}

/** The share of pixels that differ between two screenshots. */
function difference(p, a, b) {
  return p.evaluate(async ([x, y]) => {
    const pixels = async (data) => {
      const img = new Image();
      img.src = `data:image/png;base64,${data}`;
      await img.decode();
      const c = document.createElement('canvas');
      c.width = img.width;
      c.height = img.height;
      const g = c.getContext('2d');
      g.drawImage(img, 0, 0);
      return g.getImageData(0, 0, c.width, c.height).data;
    };
    const [p1, p2] = [await pixels(x), await pixels(y)];
    let n = 0;
    for (let i = 0; i < p1.length; i += 4) if (Math.abs(p1[i] - p2[i]) + Math.abs(p1[i + 1] - p2[i + 1]) + Math.abs(p1[i + 2] - p2[i + 2]) > 12) n++;
    return n / (p1.length / 4);
  }, [a, b]);
}
const middle = { x: 420, y: 130, width: 540, height: 640 };
const picture = async (p) => (await p.screenshot({ clip: middle })).toString('base64');

before(async () => {
  if (skip) return;
  service = await startService();
  base = service.base;
  browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags });
  page = await open('/');
});
after(async () => {
  if (skip) return;
  for (const id of [layer, markup]) await fetch(`${base}/v1/layers/${id}`, { method: 'DELETE' }).catch(() => undefined);
  await browser?.close();
  await service?.stop();
});

test('the map comes to rest with its base map and layers', { skip }, async () => {
  const sources = await page.evaluate(() => Object.keys(window.sempadan.map.getStyle().sources));
  for (const id of ['land', 'surface', 'layer-official_crossings', 'gaps']) assert.ok(sources.includes(id), `no source ${id} in ${sources}`);
  const drawn = await page.evaluate(() => window.sempadan.map.queryRenderedFeatures().length);
  assert.ok(drawn > 50, `only ${drawn} features drawn`);
});

test('a surface changes the picture and brings its legend', { skip }, async () => {
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [103.9, 1.25], zoom: 8 }));
  const pictures = {};
  for (const surface of ['none', 'density', 'risk', 'coverage']) {
    await page.locator(`#surfaces input[value=${surface}]`).check({ force: true });
    await page.waitForFunction((s) => (s === 'none') === !window.sempadan.map.getLayer('surface'), surface);
    await idle(page);
    pictures[surface] = await picture(page);
    if (surface !== 'none') assert.ok(await page.locator('#legend .legend-classes li').count() > 2, `legend of ${surface}`);
  }
  for (const surface of ['density', 'risk', 'coverage']) {
    const share = await difference(page, pictures.none, pictures[surface]);
    assert.ok(share > 0.002, `${surface} changes only ${share} of the pixels`);
  }
  await page.locator('#surfaces input[value=risk]').check({ force: true });
});

test('synthetic data are announced', { skip }, async () => {
  const { layers } = await (await fetch(`${base}/v1/layers`)).json();
  assert.equal(await page.locator('#notice').isVisible(), layers.some((l) => l.synthetic && !l.base));
});

test('a click explains the place', { skip }, async () => {
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [110.36, 0.99], zoom: 8 }));
  await idle(page);
  const at = await page.evaluate(() => window.sempadan.map.project([110.5, 1.1]));
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.waitForSelector('#here .verdict');
  assert.ok(await page.locator('#here .figures li').count() >= 3);
  assert.match(await page.locator('#here .place').innerText(), /1\.1\d* *°|1\.\d{4}°/);
});

test('hot spots have their classes, and a place its numbers', { skip }, async () => {
  await page.check('input[name=surface][value=hotspots]', { force: true });
  await page.waitForFunction(() => document.querySelectorAll('#legend .legend-classes li').length === 8);
  assert.equal(await page.locator('#legend .nodata').count(), 0);
  const at = await page.evaluate(() => window.sempadan.map.project([110.5, 1.1]));
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.waitForSelector('#here .hotspot');
  const { hotspot } = await (await fetch(`${base}/v1/risk?lon=110.5&lat=1.1`)).json();
  assert.equal(await page.locator(`#here .hotspot-${hotspot.class}`).count(), 1);
  assert.match(await page.locator('#here .hotspot p').last().innerText(), /\d+ incidents/);
  await page.check('input[name=surface][value=risk]', { force: true });
});

test('a gap is flown to', { skip }, async () => {
  await page.click('#tab-gaps');
  const first = page.locator('#gap-panel .gap-head').first();
  const { gaps } = await (await fetch(`${base}/v1/gaps?limit=1`)).json();
  await first.click();
  await idle(page);
  assert.equal(await first.getAttribute('aria-expanded'), 'true');
  const flat = gaps[0].geometry.coordinates.flat(Infinity);
  const lons = flat.filter((_, i) => i % 2 === 0);
  const lats = flat.filter((_, i) => i % 2 === 1);
  const view = await page.evaluate(() => window.sempadan.map.getBounds().toArray());
  assert.ok(view[0][0] <= Math.min(...lons) && view[1][0] >= Math.max(...lons) && view[0][1] <= Math.min(...lats) && view[1][1] >= Math.max(...lats), 'the gap is in view');
  assert.ok(view[1][0] - view[0][0] < 12, `the map is near it: ${view}`);
});

test('a gap shows its level, who signed it and the trend', { skip }, async () => {
  const { gaps } = await (await fetch(`${base}/v1/gaps?limit=1`)).json();
  const id = gaps[0].section_id;
  const facts = page.locator('#gap-panel .level-facts').first();
  await facts.waitFor();
  assert.match(await facts.innerText(), /proposed, not signed/);
  const sign = (level, party) => fetch(`${base}/v1/sections/${id}/level`, { method: 'POST', body: JSON.stringify({ level, party }) });
  assert.equal((await sign('critical', 'ID')).status, 200);
  assert.equal((await sign('critical', 'MY')).status, 200);
  await page.click('#langs [data-lang=ms]');
  await page.click('#langs [data-lang=en]');
  await page.waitForFunction((s) => document.querySelector(`#gap-panel [data-section=${s}] .chip.level-critical`)?.closest('.gap-head').innerText.includes('in force'), id);
  await page.waitForFunction(() => /Indonesia: critical.*Malaysia: critical/s.test(document.querySelector('#gap-panel .level-facts')?.innerText ?? ''));
});

test('the official crossings are listed by rank', { skip }, async () => {
  await page.click('#crossings > summary');
  await page.waitForSelector('#crossing-list .crossing');
  const { crossings } = await (await fetch(`${base}/v1/crossings?official=true&limit=15`)).json();
  assert.equal(await page.locator('#crossing-list .crossing').count(), crossings.length);
  assert.ok((await page.locator('#crossing-list .crossing').first().innerText()).includes(crossings[0].name));
  assert.match(await page.locator('#crossing-list').innerText(), /Collusion by officials.*Indonesia suppressed/s);
  await page.click('#crossings > summary');
});

test('an upload names its bad row and appears without a reload', { skip }, async () => {
  const csv = 'lon,lat,kind,occurred_from\n110.40,1.10,irr.entry,2026-08-01T10:00:00+07:00\n1.2,110.35,irr.entry,2026-08-02T10:00:00+07:00\n110.60,1.20,irr.exit,2026-08-03T10:00:00+07:00\n';
  await page.setInputFiles('#file-input', { name: `${layer}.csv`, mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.waitForSelector('#upload[open]');
  await page.selectOption('#upload-form [name=kind]', 'incident');
  await page.click('#upload-go');
  await page.waitForSelector('#fault-table tbody tr');
  assert.equal((await page.locator('#fault-table tbody th').first().innerText()).trim(), '3');
  const early = await (await fetch(`${base}/v1/layers`)).json();
  assert.ok(!early.layers.some((l) => l.id === layer), 'the dry run stored nothing');
  await page.click('#upload-go');
  await page.waitForSelector('#upload-done');
  await page.click('#upload-done');
  await page.waitForSelector(`#layers [data-layer=${layer}]`, { state: 'attached' });
  await page.waitForFunction((id) => {
    const { map } = window.sempadan;
    return map.getSource(`layer-${id}`) && map.queryRenderedFeatures({ layers: [`layer-${id}-point`] }).length === 2;
  }, layer, { timeout: 30_000 });
});

test('a dropped file opens the dialog; markup in data stays text', { skip }, async () => {
  const name = '<img src=x onerror="window.hit=1">';
  await page.evaluate(([id, text]) => {
    const dt = new DataTransfer();
    dt.items.add(new File([JSON.stringify({ type: 'FeatureCollection', features: [{ type: 'Feature', properties: { name: text }, geometry: { type: 'Point', coordinates: [111.5, 1.4] } }] })], `${id}.geojson`));
    for (const type of ['dragenter', 'dragover', 'drop']) window.dispatchEvent(new DragEvent(type, { dataTransfer: dt, bubbles: true, cancelable: true }));
  }, [markup, name]);
  await page.waitForSelector('#upload[open]');
  await page.selectOption('#upload-form [name=kind]', 'other');
  await page.click('#upload-now');
  await page.waitForSelector('#upload-done');
  await page.click('#upload-done');
  await page.evaluate(() => window.sempadan.map.jumpTo({ center: [111.5, 1.4], zoom: 9 }));
  await page.waitForFunction((id) => window.sempadan.map.getLayer(`layer-${id}-point`) && window.sempadan.map.queryRenderedFeatures({ layers: [`layer-${id}-point`] }).length === 1, markup, { timeout: 30_000 });
  const at = await page.evaluate(() => window.sempadan.map.project([111.5, 1.4]));
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.waitForSelector('#here .feature');
  assert.equal(await page.locator('#here .feature header strong').first().innerText(), name);
  assert.equal(await page.locator('#here img, #tip img').count(), 0);
  assert.equal(await page.evaluate(() => window.hit), undefined);
});

test('English, Indonesian and Malay', { skip }, async () => {
  for (const [lang, words] of [['id', 'Celah patroli'], ['ms', 'Jurang rondaan'], ['en', 'Patrol gaps']]) {
    await page.click(`#langs [data-lang=${lang}]`);
    assert.equal(await page.locator('#tab-gaps').innerText(), words);
    assert.equal(await page.evaluate(() => document.documentElement.lang), lang);
  }
});

test('the embedded map draws its surface and layers', { skip }, async () => {
  const p = await open('/embed?surface=risk&layers=official_crossings&center=110.4,1.3&zoom=6&lang=id', { width: 640, height: 480 });
  const sources = await p.evaluate(() => Object.keys(window.sempadan.map.getStyle().sources));
  assert.ok(sources.includes('surface') && sources.includes('layer-official_crossings'), String(sources));
  await p.context().close();
});

test('a narrow screen has the same in a sheet', { skip }, async () => {
  const p = await open('/', { width: 390, height: 844 });
  await p.click('.bottom-nav [data-sheet=gaps]');
  assert.ok(await p.locator('#gap-panel .gap-head').first().isVisible());
  assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out sideways');
  await p.context().close();
});

test('nothing was asked of another host, nothing failed, nothing complained', { skip }, () => {
  assert.deepEqual([...seen.foreign], []);
  assert.deepEqual(seen.failed, []);
  assert.deepEqual(seen.errors, []);
});
