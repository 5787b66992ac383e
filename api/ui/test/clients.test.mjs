// The map libraries that dashboards use, each on a page of another origin, show
// the same tile; and the offline archives are read by a library of others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { PMTiles } from 'pmtiles';
import { cannotRun, chromiumPath, flags, startService } from './browser.mjs';

const skip = cannotRun();
const tile = { z: 8, x: 206, y: 127 };
const n = 2 ** tile.z;
const center = [((tile.x + 0.5) / n) * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - (2 * (tile.y + 0.5)) / n))) * 180) / Math.PI];

/** A page of 256 pixels a side over that tile, by each library. */
const pages = {
  maplibre: `
    import { Map } from '/lib/maplibre-gl.mjs';
    const map = new Map({ container: 'map', center: ${JSON.stringify(center)}, zoom: ${tile.z - 1}, fadeDuration: 0, attributionControl: false, interactive: false,
      style: { version: 8, sources: { s: { type: 'raster', tiles: [window.tiles], tileSize: 256 } },
        layers: [{ id: 'white', type: 'background', paint: { 'background-color': '#fff' } },
          { id: 's', type: 'raster', source: 's', paint: { 'raster-fade-duration': 0, 'raster-resampling': 'nearest' } }] } });
    map.once('idle', () => { window.done = true; });`,
  leaflet: `
    import L from 'leaflet';
    const map = L.map('map', { zoomControl: false, attributionControl: false, fadeAnimation: false, zoomAnimation: false }).setView([${center[1]}, ${center[0]}], ${tile.z});
    L.tileLayer(window.tiles).on('load', () => { window.done = true; }).addTo(map);`,
  openlayers: `
    import Map from 'ol/Map.js'; import View from 'ol/View.js'; import Tiles from 'ol/layer/Tile.js'; import XYZ from 'ol/source/XYZ.js'; import { fromLonLat } from 'ol/proj.js';
    const map = new Map({ target: 'map', controls: [], layers: [new Tiles({ source: new XYZ({ url: window.tiles, transition: 0, interpolate: false }) })],
      view: new View({ center: fromLonLat(${JSON.stringify(center)}), zoom: ${tile.z}, constrainResolution: true }) });
    map.once('rendercomplete', () => { window.done = true; });`,
};
const css = 'html,body{margin:0;background:#fff}#map{position:relative;width:256px;height:256px;overflow:hidden;background:#fff}'
  + '.leaflet-container{background:#fff!important}.leaflet-pane,.leaflet-tile,.leaflet-tile-container{position:absolute;left:0;top:0}.leaflet-tile{width:256px;height:256px}'
  + '.maplibregl-canvas{position:absolute;left:0;top:0}';

let service;
let browser;
let host;

before(async () => {
  if (skip) return;
  service = await startService();
  browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
  const scripts = {};
  for (const [name, code] of Object.entries(pages)) {
    const made = await build({ stdin: { contents: code, resolveDir: import.meta.dirname }, bundle: true, write: false, format: 'esm', external: ['/lib/*'], logLevel: 'silent', outdir: 'none' });
    scripts[name] = made.outputFiles[0].text;
  }
  host = http.createServer((req, res) => {
    const name = new URL(req.url, 'http://host').pathname.slice(1);
    if (name === 'favicon.ico') { res.writeHead(204).end(); return; }
    if (name.startsWith('lib/')) { // MapLibre finds its worker beside itself
      res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(fs.readFileSync(path.join(import.meta.dirname, '../node_modules/maplibre-gl/dist', path.basename(name))));
      return;
    }
    if (name.endsWith('.js')) { res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(scripts[name.slice(0, -3)]); return; }
    res.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><style>${css}</style><div id="map"></div>`
      + `<script>window.tiles = '${service.base}/tiles/hazard/{z}/{x}/{y}.png'</script><script type="module" src="/${name}.js"></script>`);
  });
  await new Promise((ready) => { host.listen(0, '127.0.0.1', ready); });
});
after(async () => {
  if (skip) return;
  host.close();
  await browser.close();
  await service.stop();
});

/** The pixels of a picture on white. */
const pixels = (page, source) => page.evaluate(async (url) => {
  const img = new Image();
  img.crossOrigin = 'anonymous';
  img.src = url;
  await img.decode();
  const c = document.createElement('canvas');
  c.width = 256;
  c.height = 256;
  const g = c.getContext('2d');
  g.fillStyle = '#fff';
  g.fillRect(0, 0, 256, 256);
  g.drawImage(img, 0, 0);
  return Array.from(g.getImageData(0, 0, 256, 256).data);
}, source);

test('MapLibre, Leaflet and OpenLayers on a page of another origin show the tile', { skip }, async () => {
  const errors = [];
  for (const name of Object.keys(pages)) {
    const page = await browser.newPage({ viewport: { width: 256, height: 256 }, deviceScaleFactor: 1 });
    page.on('console', (m) => { if (m.type() === 'error') errors.push(`${name}: ${m.text()}`); });
    page.on('pageerror', (e) => errors.push(`${name}: ${e}`));
    await page.goto(`http://127.0.0.1:${host.address().port}/${name}`);
    await page.waitForFunction(() => window.done === true, null, { timeout: 60_000 });
    await page.waitForTimeout(300);
    const shown = await pixels(page, `data:image/png;base64,${(await page.screenshot()).toString('base64')}`);
    const want = await pixels(page, `${service.base}/tiles/hazard/${tile.z}/${tile.x}/${tile.y}.png`);
    let other = 0;
    let painted = 0;
    for (let i = 0; i < want.length; i += 4) {
      if (Math.max(...[0, 1, 2].map((k) => Math.abs(want[i + k] - shown[i + k]))) > 6) other++;
      if (want[i] + want[i + 1] + want[i + 2] < 750) painted++;
    }
    assert.ok(painted > 1000, 'the tile is empty: it shows nothing');
    assert.ok(other < 256 * 256 * 0.01, `${name}: ${other} of 65536 pixels are of another colour`);
    await page.close();
  }
  assert.deepEqual(errors, []);
});

/** An archive in memory, as the library reads it. */
const archive = async (address) => {
  const res = await fetch(service.base + address);
  assert.equal(res.status, 200, await (res.ok ? '' : res.text()));
  assert.match(res.headers.get('content-disposition'), /filename="[^"]+\.pmtiles"/);
  const file = await res.arrayBuffer();
  return new PMTiles({ getKey: () => address, getBytes: async (at, length) => ({ data: file.slice(at, at + length) }) });
};

test('PMTiles of a layer and of a surface hold the tiles that are served', { skip }, async () => {
  const layer = await archive('/v1/layers/rivers/features?format=pmtiles&maxzoom=8');
  const head = await layer.getHeader();
  assert.deepEqual([head.specVersion, head.tileType, head.minZoom, head.maxZoom, head.clustered], [3, 1, 0, 8, true]);
  const meta = await layer.getMetadata();
  assert.deepEqual(meta.vector_layers.map((l) => l.id), ['rivers']);
  for (const [z, x, y] of [[0, 0, 0], [6, 51, 31], [8, 206, 127]]) {
    const served = await fetch(`${service.base}/tiles/layers/rivers/${z}/${x}/${y}.mvt`);
    const kept = await layer.getZxy(z, x, y);
    assert.equal(served.status, kept ? 200 : 204);
    if (kept) assert.deepEqual(Buffer.from(kept.data), Buffer.from(await served.arrayBuffer()));
  }
  const surface = await archive('/surfaces/hazard.pmtiles?maxzoom=8');
  const kept = await surface.getZxy(tile.z, tile.x, tile.y);
  const served = await fetch(`${service.base}/tiles/hazard/${tile.z}/${tile.x}/${tile.y}.png`);
  assert.deepEqual(Buffer.from(kept.data), Buffer.from(await served.arrayBuffer()));
  assert.equal((await surface.getHeader()).tileType, 2);
});
