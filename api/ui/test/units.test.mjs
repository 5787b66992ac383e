// The functions that need no browser, against examples worked by hand.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

globalThis.location ??= { search: '', origin: 'http://here' };
globalThis.navigator ??= { language: 'en' };
globalThis.document ??= { documentElement: {} };

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-ui-'));
after(() => fs.rmSync(dir, { recursive: true }));
const names = ['geometry', 'api', 'upload', 'i18n', 'rowreport', 'planstate'];
await build({
  stdin: { contents: names.map((n) => `export * from './${n}';`).join('\n'), resolveDir: fileURLToPath(new URL('../src', import.meta.url)) },
  bundle: true, format: 'esm', target: 'es2022', outfile: path.join(dir, 'units.mjs'),
});
const { circle, boundsOf, anchor, contentType, layerId, guessKind, num, expected, percent, when, day, setZone, reportCSV, Problem, stateOf, inOrder, mostChanged, planProblem } = await import(path.join(dir, 'units.mjs'));

test('a circle has the radii of the ellipsoid', () => {
  // On the equator a degree of longitude is a·π/180 = 111 319.4908 m, a degree of latitude a(1−e²)·π/180 = 110 574.2758 m.
  const east = circle(110, 0, 111319.4908).coordinates[0][18];
  assert.ok(Math.abs(east[0] - 111) < 1e-7 && Math.abs(east[1]) < 1e-9, String(east));
  const north = circle(110, 0, 110574.2758).coordinates[0][0];
  assert.ok(Math.abs(north[1] - 1) < 1e-7 && Math.abs(north[0] - 110) < 1e-9, String(north));
  const ring = circle(110, 1.2, 5000).coordinates[0];
  assert.deepEqual(ring.length, 73);
  assert.ok(Math.hypot(ring[0][0] - ring[72][0], ring[0][1] - ring[72][1]) < 1e-12, 'closed');
});

test('boxes and label places', () => {
  const line = { type: 'LineString', coordinates: [[110, 1], [111, 2], [112, 0.5]] };
  assert.deepEqual(boundsOf(line), [110, 0.5, 112, 2]);
  assert.deepEqual(anchor(line), [111, 2]);
  assert.deepEqual(anchor({ type: 'MultiLineString', coordinates: [[[0, 0], [1, 1]], line.coordinates] }), [111, 2]);
  assert.deepEqual(anchor({ type: 'Polygon', coordinates: [[[0, 0], [2, 0], [2, 2], [0, 0]]] }), [1, 1]);
  assert.deepEqual(boundsOf({ type: 'GeometryCollection', geometries: [line, { type: 'Point', coordinates: [113, 1] }] }), [110, 0.5, 113, 2]);
  assert.equal(boundsOf(null), null);
  assert.equal(boundsOf({ type: 'LineString', coordinates: [] }), null);
});

test('file names become layer ids, kinds and media types', () => {
  for (const [name, id] of [['Kejadian Ogos 2026.csv', 'kejadian_ogos_2026'], ['tracks.geojson.gz', 'tracks'], ['../../etc/passwd', 'etc'], ['Désa.shp.zip', 'de_sa'], ['..csv', 'layer']]) {
    assert.match(layerId(name), /^[a-z0-9][a-z0-9_-]*$/, name);
    if (!/[.]{2}\/|é/.test(name)) assert.equal(layerId(name), id);
  }
  assert.equal(guessKind('patroli-mei.gpx'), 'patrol_track');
  assert.equal(guessKind('pelabuhan.csv'), 'illegal_port');
  assert.equal(guessKind('data.csv'), 'incident');
  assert.equal(contentType('A.GeoJSON'), 'application/geo+json');
  assert.equal(contentType('a.json'), 'application/octet-stream');
  assert.equal(contentType('noext'), 'application/octet-stream');
});

test('numbers and clocks', () => {
  assert.equal(num(0.000662), '0.000662');
  assert.equal(num(0.0000012), '1.2 × 10⁻⁶');
  assert.equal(num(123456), '123,456');
  assert.equal(num(null), '–');
  assert.deepEqual([3.14, 1, 0.42, 120.4, 0.00134, 0].map(expected), ['3.1', '1.0', '0.42', '120', '0.0013', '0']);
  assert.equal(percent(0.0379), '3.8%');
  assert.equal(when('2026-11-22T00:30:00Z'), '22 Nov 2026, 07:30 WIB / 08:30 MYT');
  setZone('WITA');
  assert.equal(when('2026-11-22T16:30:00Z'), '23 Nov 2026, 00:30 WITA');
  assert.equal(day('2026-11-22T16:30:00Z'), '23 Nov 2026');
  assert.equal(when('nonsense'), '–');
});


test('the report as CSV has every row and no formula', () => {
  const csv = reportCSV({
    rows: [{ row: 3, field: 'lat', code: 'lat_out_of_range', message: 'the latitude "110" is not\n-90 to 90' }],
    warnings: [{ code: 'at_sea', message: '=HYPERLINK("x")', count: 3, rows: [4, 9] }, { code: 'no_zone', message: 'no zone', count: 3 }],
    diff: { rows: [{ change: 'changed', fid: 7, fields: ['geometry', 'deaths'] }, { change: 'removed', fid: 8, id: '-8' }] },
  });
  assert.equal(csv, '\ufeff' + ['what,line,field,code,message,id',
    'kept_out,3,lat,lat_out_of_range,"the latitude ""110"" is not\n-90 to 90",',
    'warning,4,,at_sea,"\'=HYPERLINK(""x"")",', 'warning,9,,at_sea,"\'=HYPERLINK(""x"")",', 'warning,,,no_zone,no zone,',
    'changed,,geometry deaths,,,7', "removed,,,,,'-8"].join('\r\n') + '\r\n');
});

const noon = Date.parse('2026-11-26T12:00:00Z');
const plan = (id, status, more = {}) => ({ id, status, owner: 'ID/POLAIRUD', start: '2026-11-26T00:00:00Z', until: '2026-11-28T00:00:00Z', created_at: '2026-11-25T00:00:00Z', expires_at: '2026-12-01T00:00:00Z', may_agree: false, ...more });

test('the state of a plan is that of who looks at it', () => {
  const both = { with: 'MY/MMEA' };
  for (const [want, k] of [
    ['draft', plan('a', 'draft', both)], ['kept', plan('a', 'kept')], ['to_release', plan('a', 'kept', both)], ['waits_partner', plan('a', 'released', both)],
    ['waits_you', plan('a', 'released', { ...both, may_agree: true })], ['agreed', plan('a', 'agreed', both)],
    ['ended', plan('a', 'agreed', { ...both, until: '2026-11-26T12:00:00Z' })], ['ended', plan('a', 'released', { ...both, may_agree: true, until: '2026-11-26T11:00:00Z' })],
  ]) assert.equal(stateOf(k, noon), want);
  const list = [plan('over', 'agreed', { until: '2026-11-26T00:00:00Z', created_at: '2026-11-26T00:00:00Z' }), plan('old', 'kept'), plan('new', 'draft', { created_at: '2026-11-26T00:00:00Z' }), plan('yours', 'released', { may_agree: true })];
  assert.deepEqual(inOrder(list, noon).map((k) => k.id), ['yours', 'new', 'old', 'over']);
});

test('the sections that a plan changes most', () => {
  const r = (section_id, before, after) => ({ section_id, before: { mean: before }, after: { mean: after } });
  const list = [r('A', 1, 0.95), r('B', 0.5, 0.1), r('C', 0.2, 0.2), r('E', 0.35, 0.2), r('D', 0.1, 0.2)];
  assert.deepEqual(mostChanged(list, 3).map((x) => x.section_id), ['B', 'E', 'D']); // by 0.4, 0.15 and, upwards, 0.1
  assert.deepEqual(mostChanged(list, 10).length, 4);
});

test('what is wrong with a plan is told with what to do, in the page\'s words where it has some', () => {
  assert.match(planProblem(new Problem(409, { code: 'too_many_plans', detail: 'x' })), /Delete one/);
  assert.equal(planProblem(new Problem(422, { code: 'invalid_plan', detail: 'units: list at least one' })), 'units: list at least one');
  assert.equal(planProblem(new TypeError('Failed to fetch')), 'The service does not answer.');
});
