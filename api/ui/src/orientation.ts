// Words that tell a reader at a glance where on the map they are: countries,
// straits and a few towns, at the zooms where the base map names nothing yet.
import type { GeoJSONSource, Map as GLMap } from 'maplibre-gl';
import { onWords, t, type Key } from './i18n';

const names: { key: Key; rank: 'country' | 'region' | 'water'; at: [number, number] }[] = [
  { key: 'geo.indonesia', rank: 'country', at: [113.3, -1.3] },
  { key: 'geo.indonesia', rank: 'country', at: [101.7, -1.2] },
  { key: 'geo.malaysia', rank: 'country', at: [102.5, 4.5] },
  { key: 'geo.malaysia', rank: 'country', at: [113.1, 2.9] },
  { key: 'geo.kalimantan', rank: 'region', at: [113.3, 0.1] },
  { key: 'geo.sarawak', rank: 'region', at: [112.6, 2.2] },
  { key: 'geo.sabah', rank: 'region', at: [116.9, 5.45] },
  { key: 'geo.sumatra', rank: 'region', at: [101.0, 0.1] },
  { key: 'geo.malacca_strait', rank: 'water', at: [99.6, 3.9] },
  { key: 'geo.celebes_sea', rank: 'water', at: [119.1, 3.2] },
  { key: 'geo.karimata_strait', rank: 'water', at: [108.3, -2.1] },
];

/** Towns as the gazetteer spells them; their places come from its tiles. */
const towns = ['Kuala Lumpur', 'Singapore', 'Johor Bahru', 'Batam', 'Tanjung Pinang', 'Dumai', 'Pekanbaru', 'Medan', 'Malacca', 'Pontianak', 'Kuching', 'Sibu', 'Miri',
  'Bandar Seri Begawan', 'Kota Kinabalu', 'Sandakan', 'Tawau', 'Nunukan', 'Tarakan', 'Samarinda', 'Putussibau', 'Sambas'];

/** Adds the words above everything that the map has so far. */
export function orientation(map: GLMap): void {
  map.addSource('orientation', { type: 'geojson', data: collection() });
  const text = { 'text-field': ['get', 'name'], 'text-font': ['Noto Sans Regular'], 'text-max-width': 7 } as never;
  map.addLayer({
    id: 'orientation-towns', type: 'symbol', source: 'places', 'source-layer': 'places', maxzoom: 7, minzoom: 4.2, filter: ['in', ['get', 'name'], ['literal', towns]],
    layout: { ...(text as object), 'text-size': 11, 'text-variable-anchor': ['left', 'right', 'top', 'bottom'], 'text-radial-offset': 0.4, 'text-padding': 3 },
    paint: { 'text-color': '#46525e', 'text-halo-color': '#fbfaf6', 'text-halo-width': 1.4 },
  });
  map.addLayer({
    id: 'orientation', type: 'symbol', source: 'orientation', maxzoom: 8, minzoom: 3,
    layout: {
      ...(text as object), 'text-letter-spacing': ['match', ['get', 'rank'], 'country', 0.28, 0.12],
      'text-transform': ['match', ['get', 'rank'], 'country', 'uppercase', 'none'],
      'text-size': ['interpolate', ['linear'], ['zoom'], 4, ['match', ['get', 'rank'], 'country', 12, 10.5], 7, ['match', ['get', 'rank'], 'country', 20, 15]],
    },
    paint: {
      'text-color': ['match', ['get', 'rank'], 'water', '#4d7f9e', 'region', '#84796a', '#5c5347'],
      'text-halo-color': ['match', ['get', 'rank'], 'water', '#dce8ef', '#f7f5ef'], 'text-halo-width': 1.2, 'text-opacity': 0.9,
    },
  });
  onWords(() => void map.getSource<GeoJSONSource>('orientation')?.setData(collection()));
}

function collection(): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: names.map(({ key, rank, at }) => ({ type: 'Feature', properties: { name: t(key), rank }, geometry: { type: 'Point', coordinates: at } })),
  };
}
