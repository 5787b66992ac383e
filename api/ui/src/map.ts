// The map itself: base style, order of layers, controls, attribution, geometry helpers.
import { Map as GLMap, NavigationControl, ScaleControl, setWorkerUrl, type LngLatBoundsLike, type StyleSpecification } from 'maplibre-gl';
import { accessKey, authHeaders, get } from './api';
import { h } from './dom';
import { t } from './i18n';
import { orientation } from './orientation';

declare const WORKER_URL: string;

/** Where the map starts: from the Malacca Strait to Tawau, on a narrow screen the land border. */
const theatre: LngLatBoundsLike = [[98.9, -0.4], [119, 6.6]];
const landBorder: LngLatBoundsLike = [[109.2, 0.5], [118.1, 4.7]];

/** The sheet that the base map covers: west, south, east, north. */
const sheet = [95, -4, 120, 8] as const;

/** Where new layers go, from the bottom up; each is an invisible layer to insert before. */
export const slots = ['slot-area', 'slot-line', 'slot-gap', 'slot-point', 'slot-top'] as const;
export type Slot = (typeof slots)[number];

export interface View {
  map: GLMap;
  /** The base map's first layer above its ground: surfaces go below it, so that borders and names stay readable. */
  surfaceSlot: string;
  /** Ids of the base-map sources, to layers drawn from them. */
  base: Map<string, string[]>;
}

export interface ViewOptions {
  container: HTMLElement;
  token?: () => string | undefined;
  center?: [number, number];
  zoom?: number;
  padding?: { left: number; right: number; top: number; bottom: number };
  hash?: boolean;
}

const plain: StyleSpecification = { version: 8, sources: {}, layers: [{ id: 'sea', type: 'background', paint: { 'background-color': '#dfe9ee' } }] };

/** The border; or where the data are, when none of them lie there. */
async function firstBounds(token?: ViewOptions['token']): Promise<LngLatBoundsLike> {
  const home = innerWidth < 600 ? landBorder : theatre;
  const [w, s, e, n] = sheet;
  const set = await get<{ bounds: [number, number, number, number] }>('/tiles/density.json', { token: token?.() }).catch(() => null);
  if (!set) return home;
  const [dw, ds, de, dn] = set.bounds;
  return dw > e || de < w || ds > n || dn < s ? [[dw, ds], [de, dn]] : home;
}

/** Makes the map and resolves when its base style is in place. */
export async function createView(o: ViewOptions): Promise<View> {
  setWorkerUrl(new URL(WORKER_URL, location.origin).href);
  const style = await get<StyleSpecification>('/styles/light.json', { token: o.token?.() }).catch(() => plain);
  const start = o.center ? { center: o.center, zoom: o.zoom ?? 7 } : { bounds: await firstBounds(o.token), fitBoundsOptions: { padding: o.padding ?? 20 } };
  const map = new GLMap({
    container: o.container,
    style,
    ...start,
    hash: o.hash ? 'map' : false,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 17,
    renderWorldCopies: false,
    fadeDuration: reducedMotion() ? 0 : 200,
    locale: { 'NavigationControl.ZoomIn': t('map.zoom_in'), 'NavigationControl.ZoomOut': t('map.zoom_out'), 'Map.Title': t('map.title') },
    transformRequest: (url) => sameOrigin(url, o.token?.()),
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
  map.addControl(new ScaleControl({ unit: 'metric', maxWidth: 140 }), 'bottom-left');
  await new Promise<void>((done) => { map.once('style.load', () => done()); });

  const base = new Map<string, string[]>();
  for (const l of style.layers) {
    if ('source' in l && typeof l.source === 'string') base.set(l.source, [...(base.get(l.source) ?? []), l.id]);
  }
  const ground = style.layers.findLastIndex((l) => l.type === 'fill' || l.type === 'background');
  const above = style.layers[ground + 1]?.id;
  if (base.size) frame(map, above);
  if (base.has('places')) orientation(map);
  for (const id of slots) map.addLayer({ id, type: 'background', layout: { visibility: 'none' } });
  return { map, surfaceSlot: above ?? slots[0], base };
}

/** Draws the edge of the sheet, so that the base map ends on purpose and not in mid-country; surfaces lie above it. */
function frame(map: GLMap, above?: string): void {
  const [w, s, e, n] = sheet;
  const hole = [[w, s], [w, n], [e, n], [e, s], [w, s]];
  const world = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];
  map.addSource('sheet', { type: 'geojson', data: { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [world, hole] } } });
  map.addLayer({ id: 'sheet-mask', type: 'fill', source: 'sheet', paint: { 'fill-color': '#dce8ef', 'fill-antialias': false } }, above);
  map.addLayer({ id: 'sheet-edge', type: 'line', source: 'sheet', paint: { 'line-color': '#a9bccb', 'line-width': 1 } }, above);
}

/** Our own service gets the credential; nobody else is ever asked for anything. */
function sameOrigin(url: string, token?: string): { url: string; headers?: Record<string, string> } {
  const u = new URL(url, location.origin);
  if (u.origin !== location.origin) return { url: u.href };
  if (token) u.searchParams.set('token', token);
  // searchParams escapes the braces of tile templates; they are gone by now.
  return accessKey() ? { url: u.href, headers: authHeaders() } : { url: u.href };
}

export const reducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Keeps el filled with the licences of everything the map has loaded, and line with the same in one line. */
export function attribution(map: GLMap, el: HTMLElement, line: HTMLElement): void {
  let queued = false;
  const refresh = (): void => {
    queued = false;
    const seen = new Set<string>();
    for (const id of Object.keys(map.getStyle()?.sources ?? {})) {
      const text = plainText(map.getSource(id)?.attribution ?? '');
      if (text) seen.add(text);
    }
    // The share-alike sources first: theirs must be seen without a click.
    const texts = [...seen].sort((a, b) => Number(b.includes('OpenStreetMap')) - Number(a.includes('OpenStreetMap')));
    el.replaceChildren(...texts.map((text) => h('span', {}, text)));
    line.textContent = texts.join(' · ');
  };
  map.on('sourcedata', (e) => {
    if (e.sourceDataType !== 'metadata' && e.sourceDataType !== 'content') return;
    if (!queued) { queued = true; setTimeout(refresh, 200); }
  });
}

/** What an attribution says, without the markup it may carry. */
function plainText(html: string): string {
  return new DOMParser().parseFromString(html, 'text/html').body.textContent?.trim() ?? '';
}

/** Shows the position under the pointer in el. */
export function coordinates(map: GLMap, el: HTMLElement): void {
  map.on('mousemove', (e) => { el.textContent = position(e.lngLat.lng, e.lngLat.lat); });
  map.on('mouseout', () => { el.textContent = ''; });
}

/** A position as people read it, four decimals (about 11 m). */
export function position(lon: number, lat: number): string {
  const ns = lat < 0 ? t('map.south') : t('map.north');
  const ew = lon < 0 ? t('map.west') : t('map.east');
  return `${Math.abs(lat).toFixed(4)}° ${ns}  ${Math.abs(lon).toFixed(4)}° ${ew}`;
}
