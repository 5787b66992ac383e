// What to copy to show the map elsewhere. Pure functions of what is on show, so
// that tests can load what they return.

/** What is shared: the service, what is shown of it, and the view. */
export interface Shared {
  base: string;
  surface: string | null;
  layers: string[];
  palette: string; // '' for the surface's own
  lang: string;
  center: [number, number]; // longitude, latitude
  zoom: number; // of MapLibre, whose world at zoom 0 is 512 pixels wide; with tiles of 256 pixels it is one more
  maxzoom: number; // of the surface's tiles
  attribution: string;
  token: boolean; // the service asks who one is
}

export interface Line { label: string; text: string }
export type Snippet = string | Line[];

export const targets = ['iframe', 'maplibre', 'leaflet', 'openlayers', 'grafana', 'qgis', 'arcgis'] as const;
export type Target = (typeof targets)[number];

/** Stands for the embed token that the reader's backend asks for. */
const TOKEN = 'TOKEN';
const libraries = 'https://unpkg.com';
export const versions = { maplibre: 'maplibre-gl@6.17.0', leaflet: 'leaflet@1.9.4', openlayers: 'ol@10.11.0' };

const round = (v: number, digits: number): number => Number(v.toFixed(digits));
const place = (s: Shared): [number, number] => [round(s.center[0], 4), round(s.center[1], 4)];
/** Text for a script in a page: no quote, line or tag ends it early. */
const js = (v: unknown): string => JSON.stringify(v).replace(/</g, '\\u003c').replace(/[\u2028\u2029]/g, ' ');
const html = (v: string): string => v.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
const attribute = (name: string, value: string): string => ` ${name}="${html(value)}"`;

function query(params: Record<string, string | number>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v !== '') q.set(k, String(v));
  const text = q.toString().replace(/%2C/g, ',');
  return text ? `?${text}` : '';
}
const given = (s: Shared): Record<string, string> => ({ palette: s.palette, token: s.token ? TOKEN : '' });

/** The address of the bare map. */
export function embedURL(s: Shared): string {
  return s.base + '/embed' + query({ surface: s.surface ?? 'none', layers: s.layers.join(','), center: place(s).join(','), zoom: round(s.zoom, 2), lang: s.lang, ...given(s) });
}
const tilesURL = (s: Shared): string => `${s.base}/tiles/${s.surface}/{z}/{x}/{y}.png${query(given(s))}`;
const legendURL = (s: Shared): string => `${s.base}/tiles/${s.surface}/legend.svg${query({ lang: s.lang, ...given(s) })}`;
const layerTiles = (s: Shared, id: string): string => `${s.base}/tiles/layers/${encodeURIComponent(id)}/{z}/{x}/{y}.mvt`;
const layerRows = (s: Shared, id: string): string => `${s.base}/v1/layers/${encodeURIComponent(id)}/features`;

/** A page with a library on it, a map and the legend. */
function page(s: Shared, head: string, script: string): string {
  const legend = s.surface ? `\n<img src="${html(legendURL(s))}" alt="">` : '';
  return `<!doctype html>\n<html lang="${s.lang}">\n<meta charset="utf-8">\n<title>sempadan</title>\n${head}\n<div id="map"${attribute('style', 'height: 480px')}></div>${legend}\n${script}\n`;
}

function iframe(s: Shared): string {
  return `<iframe src="${html(embedURL(s))}" title="sempadan" width="100%" height="480"${attribute('style', 'border: 0')} loading="lazy" referrerpolicy="no-referrer"></iframe>\n`;
}

function maplibre(s: Shared): string {
  const from = `${libraries}/${versions.maplibre}/dist`;
  const style = `${s.base}/styles/${s.surface ?? 'light'}.json${query({ lang: s.lang, palette: s.surface ? s.palette : '' })}`;
  const sign = s.token ? `
  transformRequest: (address) => {
    const url = new URL(address);
    if (url.origin === ${js(new URL(s.base).origin)}) url.searchParams.set('token', ${js(TOKEN)});
    return { url: url.href };
  },` : '';
  const layers = s.layers.length && !s.token ? `
map.on('load', () => {
  for (const id of ${js(s.layers)}) {
    map.addSource('rows-' + id, { type: 'vector', url: ${js(s.base + '/tiles/layers/')} + id + '.json' });
    const of = { source: 'rows-' + id, 'source-layer': id };
    map.addLayer({ ...of, id: id + '-lines', type: 'line', filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': '#0b5c76', 'line-width': 2 } });
    map.addLayer({ ...of, id: id + '-points', type: 'circle', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': '#0b5c76', 'circle-radius': 4, 'circle-stroke-color': '#fff', 'circle-stroke-width': 1 } });
  }
});` : '';
  return page(s, `<link rel="stylesheet" href="${from}/maplibre-gl.css">`, `<script type="module">
import { Map } from '${from}/maplibre-gl.mjs';
const map = new Map({
  container: 'map',
  style: ${js(style)},
  center: ${js(place(s))},
  zoom: ${round(s.zoom, 2)},${sign}
});${layers}
</script>`);
}

function leaflet(s: Shared): string {
  const from = `${libraries}/${versions.leaflet}/dist`;
  const [lon, lat] = place(s);
  const surface = s.surface ? `
L.tileLayer(${js(tilesURL(s))}, { maxNativeZoom: ${s.maxzoom}, attribution: ${js(html(s.attribution))} }).addTo(map);` : '';
  const layers = s.layers.length && !s.token ? `
for (const id of ${js(s.layers)}) {
  fetch(${js(s.base + '/v1/layers/')} + id + '/features')
    .then((answer) => answer.json())
    .then((rows) => L.geoJSON(rows, { pointToLayer: (row, at) => L.circleMarker(at, { radius: 4 }) }).addTo(map));
}` : '';
  return page(s, `<link rel="stylesheet" href="${from}/leaflet.css">\n<script src="${from}/leaflet.js"></script>`, `<script>
const map = L.map('map', { maxZoom: 18 }).setView([${lat}, ${lon}], ${Math.round(s.zoom + 1)});${surface}${layers}
</script>`);
}

function openlayers(s: Shared): string {
  const from = `${libraries}/${versions.openlayers}`;
  const layers: string[] = [];
  if (s.surface) layers.push(`new ol.layer.Tile({ source: new ol.source.XYZ({ url: ${js(tilesURL(s))}, maxZoom: ${s.maxzoom}, attributions: ${js(html(s.attribution))} }) })`);
  if (!s.token) for (const id of s.layers) layers.push(`new ol.layer.VectorTile({ source: new ol.source.VectorTile({ format: new ol.format.MVT(), url: ${js(layerTiles(s, id))}, maxZoom: 14 }) })`);
  return page(s, `<link rel="stylesheet" href="${from}/ol.css">\n<script src="${from}/dist/ol.js"></script>`, `<script>
const map = new ol.Map({
  target: 'map',
  layers: [
    ${layers.join(',\n    ')}
  ],
  view: new ol.View({ center: ol.proj.fromLonLat(${js(place(s))}), zoom: ${round(s.zoom + 1, 2)} })
});
</script>`);
}

function grafana(s: Shared): Line[] {
  const [lon, lat] = place(s);
  const out: Line[] = [];
  if (s.surface) out.push({ label: 'Geomap: XYZ Tile layer, URL template', text: tilesURL(s) }, { label: 'Geomap: Attribution', text: s.attribution });
  if (!s.token) for (const id of s.layers) out.push({ label: `Geomap: GeoJSON layer, URL (${id})`, text: layerRows(s, id) });
  out.push({ label: 'Geomap: Initial view, latitude, longitude, zoom', text: `${lat}, ${lon}, ${round(s.zoom + 1, 1)}` });
  return out;
}

function qgis(s: Shared): Line[] {
  const out: Line[] = [];
  if (s.surface) out.push({ label: 'XYZ Tiles', text: tilesURL({ ...s, token: false }) });
  out.push({ label: 'WMS/WMTS', text: `${s.base}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities` });
  out.push({ label: 'WFS / OGC API - Features', text: `${s.base}/ogc` });
  for (const id of s.layers) out.push({ label: `Vector Tiles (${id})`, text: layerTiles(s, id) });
  return out;
}

function arcgis(s: Shared): Line[] {
  const out: Line[] = [{ label: 'WMTS', text: `${s.base}/wmts/1.0.0/WMTSCapabilities.xml` }];
  for (const id of s.layers) out.push({ label: `GeoJSON (${id})`, text: layerRows(s, id) });
  return out;
}

/** What to copy for a target. */
export const snippet = (target: Target, s: Shared): Snippet => ({ iframe, maplibre, leaflet, openlayers, grafana, qgis, arcgis })[target](s);
