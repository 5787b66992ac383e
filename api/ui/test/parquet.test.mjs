// What the service writes as GeoParquet, read by a library that shares no code
// with it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { cannotRun, startService } from './browser.mjs';

const skip = cannotRun();
const layer = `parquet_test_${process.pid}`;
let service;

const points = [
  { id: 'a', at: [110.5, 1.25], properties: { name: 'Sungai Sarawak é 国', count: 7, big: 4503599627370497, depth: 1.25, open: true, from: '2024-05-01T06:30:00Z' } },
  { id: 'b', at: [-70.25, -5], properties: { name: 'b', count: -12, big: 4, depth: -1e-9, open: false, from: '2020-01-01T00:00:00Z' } },
  { id: 'c', at: [111, 2], properties: { name: 'with "quotes", and more', depth: 1234567.125 } },
];

before(async () => {
  if (skip) return;
  service = await startService();
  const features = points.map((p) => ({ type: 'Feature', id: p.id, geometry: { type: 'Point', coordinates: p.at }, properties: p.properties }));
  const put = await fetch(`${service.base}/v1/layers/${layer}?kind=other`, { method: 'PUT', headers: { 'Content-Type': 'application/geo+json' }, body: JSON.stringify({ type: 'FeatureCollection', features }) });
  assert.equal(put.status, 201, await put.text());
});
after(async () => {
  if (skip) return;
  await fetch(`${service.base}/v1/layers/${layer}`, { method: 'DELETE' });
  await service.stop();
});

test('GeoParquet has the values, the places and the metadata of the layer', { skip }, async () => {
  const res = await fetch(`${service.base}/v1/layers/${layer}/features?format=parquet`);
  assert.equal(res.status, 200);
  const file = await res.arrayBuffer();
  const geo = JSON.parse(parquetMetadata(file).key_value_metadata.find((m) => m.key === 'geo').value);
  assert.equal(geo.version, '1.1.0');
  assert.equal(geo.primary_column, 'geometry');
  assert.deepEqual([geo.columns.geometry.encoding, geo.columns.geometry.geometry_types], ['WKB', ['Point']]);
  assert.deepEqual(geo.columns.geometry.bbox, [-70.25, -5, 111, 2]);

  const rows = await parquetReadObjects({ file, geoparquet: false, utf8: false });
  assert.equal(rows.length, points.length);
  for (const [i, row] of rows.entries()) {
    const { at, properties: p } = points[i];
    const wkb = new DataView(row.geometry.buffer, row.geometry.byteOffset, row.geometry.byteLength);
    assert.deepEqual([wkb.getUint8(0), wkb.getUint32(1, true), wkb.getFloat64(5, true), wkb.getFloat64(13, true)], [1, 1, ...at]);
    assert.equal(row.name, p.name);
    for (const number of ['count', 'big', 'depth']) assert.equal(row[number] == null ? undefined : Number(row[number]), p[number], number);
    assert.equal(row.open ?? undefined, p.open);
    assert.equal(row.from ? new Date(row.from).toISOString() : undefined, p.from?.replace('Z', '.000Z'));
  }
});
