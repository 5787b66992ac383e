// The bare map at /embed, for a frame in another page:
// ?surface=&layers=a,b&center=lon,lat&zoom=&lang=&palette=&token=
import 'maplibre-gl/dist/maplibre-gl.css';
import './style.css';
import './share.css';
import type { Map as GLMap } from 'maplibre-gl';
import { get, type TileJSON } from './api';
import { $ } from './dom';
import { EmbedToken } from './embedtoken';
import { apply } from './i18n';
import { attribution, createView } from './map';
import { surfaceNames, Surfaces, type Surface } from './surfaces';
import { mapLayers, provideIcons } from './symbols';

declare global {
  interface Window { sempadan?: { map?: GLMap; ready: Promise<void> } }
}

/** Whether a tile set says that it rests on synthetic data. */
const invented = (tj: TileJSON): boolean => tj.synthetic === true || /synthetic/i.test(tj.attribution ?? '');

async function start(): Promise<void> {
  const q = new URLSearchParams(location.search);
  let surfaces: Surfaces | null = null;
  const token = new EmbedToken(q.get('token') ?? undefined, (over) => {
    $('#ended').hidden = !over;
    if (!over) void surfaces?.show(surfaces.current); // what failed in between is asked for again
  });
  const [lon, lat] = (q.get('center') ?? '').split(',').map(Number);
  const zoom = Number(q.get('zoom') ?? NaN);
  const where = lon !== undefined && lat !== undefined && Number.isFinite(lon + lat) ? { center: [lon, lat] as [number, number], ...(zoom >= 0 ? { zoom } : {}) } : {};
  apply();
  const view = await createView({ container: $('#map'), token: token.get, ...where });
  const { map } = view;
  window.sempadan!.map = map;
  provideIcons(map);
  attribution(map, $('#attribution'), $('#attribution-line'));
  surfaces = new Surfaces(view, { picker: null, opacity: null, legend: $('#legend') }, () => undefined, token.get, q.get('palette') ?? undefined);
  const asked = q.get('surface') ?? (q.has('layers') ? 'none' : 'risk');
  const surface = surfaceNames.find((s): s is Surface => s === asked) ?? null;
  await surfaces.show(surface);
  if (surfaces.tileJSON && invented(surfaces.tileJSON)) $('#notice').hidden = false;
  for (const id of (q.get('layers') ?? '').split(',').filter((x) => /^[\w-]+$/.test(x))) {
    const tj = await get<TileJSON>(`/tiles/layers/${id}.json`, { token: token.get() }).catch(() => null);
    if (!tj) continue;
    map.addSource(`layer-${id}`, { type: 'vector', tiles: tj.tiles, minzoom: tj.minzoom ?? 0, maxzoom: tj.maxzoom ?? 14, attribution: tj.attribution ?? '' });
    for (const { slot, layer } of mapLayers(`layer-${id}`, id, '')) map.addLayer(layer, slot);
    if (invented(tj)) $('#notice').hidden = false;
  }
  await new Promise<void>((done) => { void map.once('idle', () => done()); map.triggerRepaint(); });
}

window.sempadan = { ready: start() };
