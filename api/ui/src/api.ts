// Talking to the service: JSON in, problem+json as errors, upload with progress.

export interface LayerInfo {
  id: string;
  title: string;
  kind: string;
  builtin?: boolean;
  base?: boolean;
  synthetic?: boolean;
  classification?: string;
  owner?: string;
  /** Origins whose pages may read it besides the service's own. */
  origins?: string[];
  licence?: string;
  source?: string;
  note?: string;
  features: number;
  version: number;
  updated_at?: string;
  bounds?: number[] | null;
}

export interface TileJSON {
  name?: string;
  tiles: string[];
  minzoom?: number;
  maxzoom?: number;
  bounds?: [number, number, number, number];
  attribution?: string;
  v?: string | number;
  as_of?: string;
  synthetic?: boolean;
}

export interface LegendClass { from: number | null; to: number | null; colour: string; label: string; hatch?: boolean }
export interface Legend {
  surface: string;
  title: string;
  unit: string;
  scale?: string;
  classes: LegendClass[];
  nodata?: { label: string; colour: string; hatch?: boolean } | null;
}

export interface Interval { mean: number | null; lo80?: number | null; hi80?: number | null; lo90?: number | null; hi90?: number | null }
export interface Because { type: string; id?: string; label: string; share: number; factor?: number; kind?: string; km?: number }

export interface HotSpot { class: string; why?: string; z: number; p: number; incidents_in_band: number; expected_in_band: number; incidents_in_domain: number; band_m: number }

export interface Risk {
  hazard?: Interval | null;
  search_coverage?: number | null;
  interception_pod?: number | null;
  residual?: Interval | null;
  density?: number | null;
  knowledge?: number | null;
  hotspot?: HotSpot | null;
  class?: string;
  level?: string | null;
  section_id?: string | null;
  because?: Because[] | null;
  version?: string | number;
}

export interface Gap extends Level {
  rank: number;
  section_id: string;
  name?: string;
  class: string;
  level: string;
  geometry: GeoJSON.Geometry | null;
  countries?: string[] | null;
  agencies?: string[] | null;
  km: number;
  residual_30d: Interval;
  days_since_presence?: number | null;
  /** Runs of hours of the week without any patrol. */
  hours?: { weekday: string; from: number; to: number }[] | null;
  reason?: string;
  effect_of_one_patrol?: { mode?: string; track_km?: number; residual_30d_before?: number; residual_30d_after?: number; search_coverage_before?: number; search_coverage_after?: number } | null;
  nearest_crossing?: { name: string; km: number } | null;
}
/** A section in two gap reports; rank is missing where it is not in the report. */
export interface GapState { rank?: number; class: string; level: string; residual_30d: Interval }
export interface GapChange {
  change: 'opened' | 'closed' | 'moved';
  section_id: string;
  name?: string;
  geometry: GeoJSON.Geometry | null;
  bounds: number[];
  from: GapState;
  to: GapState;
  because_of_incidents: number;
  because_of_coverage: number;
}
export interface GapDiff { from: string; to: string; changes: GapChange[]; opened: number; closed: number; moved: number; unchanged: number; note: string; synthetic: boolean }

/** Hits of one model by share of the area in per cent. */
export interface ModelReport { shares: Record<string, { hit_rate: number | null; ci95: [number, number] | null }>; mean_hit_rate?: number | null }
export interface Lead { difference: number; ci95: [number, number] | null }
interface Judged { judges: string; version: string; as_of: string; made_at: string; synthetic: boolean; data: { layer: string; rows: number; updated_at: string }[]; missing: string[] }
export interface ForecastValidation extends Judged {
  parameters: { cell_m: number; ring: number; horizon_days: number; folds: number; most_folds: number; least_training: number; least_judged: number };
  result: { from: string; until: string; cells: number; incidents: number; dropped: number; judged: number; models: Record<string, ModelReport>; best_simple?: string; lead?: Record<string, Lead> } | null;
}
export interface HazardResult { judged: number; models: Record<string, ModelReport>; lead?: Record<string, Lead> }
export interface HazardValidation extends Judged { horizon_days: number; folds: number; from: string; until: string; cells: number; all: HazardResult | null; reported: HazardResult | null }
/** The answer while the work is going on. */
export interface Running { status: 'running'; progress: number }

export interface GapReport { gaps: Gap[]; version?: string | number; as_of?: string }

/** The level of a section by agreement of both parties. */
export interface Level {
  level_status?: 'proposed' | 'contested' | 'in_force';
  level_proposal?: string;
  level_in_force?: string | null;
  level_since?: string | null;
  level_signatures?: { party: string; level: string; at: string }[] | null;
  insufficient_knowledge?: boolean;
  critical_signs?: string[] | null;
}

export interface Trend { class: string; p?: number | null; incidents: number; change_percent?: number | null; months?: number[] | null }

export interface Crossing {
  rank: number;
  name: string;
  kind: string;
  radius_m: number;
  incidents: { total: number; refused_departures: number; document_fraud: number; other: number };
  incidents_per_year: Interval;
  search_coverage?: number | null;
  geometry: GeoJSON.Point;
}
export interface CrossingReport { crossings: Crossing[]; radius_m: number; collusion_by_country: { country: string; count: string }[] }

export interface Section extends Level {
  trend?: Trend | null;
  id: string;
  name?: string;
  class?: string;
  level?: string;
  /** What its level asks for, and what each would. */
  response?: string;
  responses?: { level: string; response: string }[];
  responses_model?: string;
  responses_agreed_in?: string;
  km?: number;
  length_km?: number;
  expected_undetected_30d?: Interval;
  coverage?: Record<string, number | null> | null;
  coverage_by_country?: Record<string, number | null> | null;
  nearest_crossing?: { name: string; km: number } | null;
  days_since_presence?: number | null;
  profile?: { utc_offset_h?: number; incidents?: number[][]; coverage?: number[][]; no_data?: number[][] } | null;
  geometry?: GeoJSON.Geometry | null;
}

export interface RowFault { row: number; field?: string; code: string; message: string }
export interface RowWarning { code: string; message: string; count?: number; rows?: number[] }
export interface ColumnUse { name: string; fields: string[] }

export type Sort = 'added' | 'changed' | 'removed';
/** One feature that differs; feature is as it is after, before as it was. */
export interface DiffRow { change: Sort; fid: number; id?: string; fields?: string[]; feature?: GeoJSON.Feature; before?: GeoJSON.Feature }
export interface Diff { added: number; changed: number; removed: number; unchanged: number; rows: DiffRow[]; rows_truncated: boolean }

export interface Version {
  version: number;
  features: number;
  added: number;
  removed: number;
  provenance: { at: string; user?: string; filename?: string; sha256?: string; mapping?: Record<string, string>; format?: string; action: string; reason?: string };
}

export interface Job { id: string; status: 'accepted' | 'running' | 'done' | 'failed' | 'cancelled'; phase?: string; progress: number; rows: number; rows_per_s: number; eta_s: number | null; result?: UploadReport; problem?: Problem['body'] & { status?: number } }

/** A named way of reading the files of one source. */
export interface Profile { name: string; title?: string; note?: string; kind?: string; map: Record<string, string | string[]>; values?: Record<string, Record<string, string>>; tz?: string; date_order?: string; crs?: string; builtin?: boolean }
export interface Field { name: string; type: string; codes?: string[]; unit?: string }

export interface UploadReport {
  layer?: string;
  version?: number;
  format?: string;
  accepted: number;
  quarantined: number;
  rejected: number;
  warnings?: RowWarning[] | null;
  rows?: RowFault[] | null;
  rows_truncated?: boolean;
  columns?: ColumnUse[] | null;
  diff?: Diff;
  defaults?: string[] | null;
  bounds?: number[] | null;
  took_ms?: number;
}

/** An answer that says why not (RFC 9457). */
export class Problem extends Error {
  constructor(readonly status: number, readonly body: { title?: string; detail?: string; code?: string; rows?: RowFault[]; warnings?: UploadReport['warnings']; columns?: ColumnUse[] | null; quarantined?: number; rejected?: number; accepted?: number }) {
    super(body.detail || body.title || `HTTP ${status}`);
  }
}

const TOKEN = 'sempadan.key';
let key = read();

function read(): string {
  try { return sessionStorage.getItem(TOKEN) ?? ''; } catch { return ''; }
}

/** The access key of this browser tab, '' while none is needed. */
export const accessKey = (): string => key;

export function setAccessKey(value: string): void {
  key = value.trim();
  try { sessionStorage.setItem(TOKEN, key); } catch { /* a private window keeps it in memory only */ }
}

export const authHeaders = (): Record<string, string> => (key ? { Authorization: `Bearer ${key}` } : {});

/** GETs JSON from the service itself; throws a Problem for 4xx and 5xx. */
export async function get<T>(path: string, params: Record<string, string | number | undefined> = {}, signal?: AbortSignal): Promise<T> {
  const url = new URL(path, location.origin);
  for (const [k, v] of Object.entries(params)) if (v !== undefined && v !== '') url.searchParams.set(k, String(v));
  const res = await fetch(url, { headers: { Accept: 'application/json', ...authHeaders() }, cache: 'no-cache', signal: signal ?? null });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  return res.json() as Promise<T>;
}

/** Sends JSON to the service itself; throws as get does. */
export async function send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const res = await fetch(path, { method, headers: { Accept: 'application/json', ...type, ...headers, ...authHeaders() }, body: body === undefined ? null : JSON.stringify(body) });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  return (res.status === 204 ? undefined : await res.json()) as T;
}
export const post = <T>(path: string, body: unknown): Promise<T> => send<T>('POST', path, body);

/** Saves an answer as a file, with the access key where one is in use. */
export async function download(path: string, filename: string): Promise<void> {
  const res = await fetch(path, { headers: authHeaders() });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  save(await res.blob(), filename);
}

/** Gives a file to the reader. */
export function save(blob: Blob, filename: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement('a');
  a.href = url;
  a.download = filename;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const types: Record<string, string> = {
  geojson: 'application/geo+json', geojsonl: 'application/geo+json-seq', geojsonseq: 'application/geo+json-seq', ndjson: 'application/geo+json-seq',
  csv: 'text/csv', tsv: 'text/tab-separated-values', gpx: 'application/gpx+xml', kml: 'application/vnd.google-earth.kml+xml',
  kmz: 'application/vnd.google-earth.kmz', zip: 'application/zip', gpkg: 'application/geopackage+sqlite3', gz: 'application/gzip', fgb: 'application/flatgeobuf', parquet: 'application/vnd.apache.parquet', geoparquet: 'application/vnd.apache.parquet',
};

/** The media type that a file name promises; anything else is left for the service to sniff. */
export function contentType(filename: string): string {
  return types[filename.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

export interface Upload { id: string; file: File; params: Record<string, string>; headers: Record<string, string>; onProgress: (p: UploadProgress) => void; signal: AbortSignal }
/** How far an upload is: bytes while it is sent, then the service's own word. */
export interface UploadProgress { share: number; phase: 'sending' | 'waiting' | 'reading' | 'writing'; rows?: number; rowsPerS?: number; bytesPerS?: number; etaS?: number | null }

/** Files over this size become jobs, which tell how far they are. */
const ASYNC_BYTES = 1 << 20;
const POLL_MS = 300;

/** PUTs a file as a layer; aborting it leaves nothing behind unless it was done already. */
export async function upload(u: Upload): Promise<UploadReport> {
  const first = await put(u);
  if (first.status !== 202) return first.body as UploadReport;
  const path = `/v1/jobs/${encodeURIComponent((first.body as Job).id)}`;
  for (let job = first.body as Job; ; job = await get<Job>(path)) {
    if (u.signal.aborted && (job.status === 'accepted' || job.status === 'running')) job = await send<Job | undefined>('DELETE', path) ?? { ...job, status: 'cancelled' };
    if (job.status === 'done') return job.result!;
    if (job.status === 'cancelled') throw new DOMException('aborted', 'AbortError');
    if (job.status === 'failed') throw new Problem(job.problem?.status ?? 500, job.problem ?? {});
    u.onProgress({ share: job.progress, phase: (job.phase || 'waiting') as UploadProgress['phase'], rows: job.rows, rowsPerS: job.rows_per_s, etaS: job.eta_s });
    await new Promise<void>((done) => { setTimeout(done, POLL_MS); u.signal.addEventListener('abort', () => done(), { once: true }); });
  }
}

/** XMLHttpRequest, because fetch does not tell how much has gone out. */
function put(u: Upload): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const url = new URL(`/v1/layers/${encodeURIComponent(u.id)}`, location.origin);
    for (const [k, v] of Object.entries(u.params)) if (v) url.searchParams.set(k, v);
    const xhr = new XMLHttpRequest();
    xhr.open('PUT', url);
    const headers = { 'Content-Type': contentType(u.file.name), 'X-Filename': headerSafe(u.file.name), Accept: 'application/json', ...u.headers, ...authHeaders() };
    for (const [k, v] of Object.entries(headers)) xhr.setRequestHeader(k, v);
    if (u.file.size > ASYNC_BYTES) xhr.setRequestHeader('Prefer', 'respond-async');
    const start = performance.now();
    xhr.upload.onprogress = (e) => {
      if (!e.lengthComputable) return;
      const bytesPerS = e.loaded / Math.max(0.05, (performance.now() - start) / 1000);
      u.onProgress({ share: e.loaded / e.total, phase: 'sending', bytesPerS, etaS: (e.total - e.loaded) / bytesPerS });
    };
    xhr.onload = () => {
      const body = parse(xhr.responseText);
      if (xhr.status >= 200 && xhr.status < 300 && body) resolve({ status: xhr.status, body });
      else reject(new Problem(xhr.status, (body ?? { title: xhr.statusText }) as Problem['body']));
    };
    xhr.onerror = () => reject(new Problem(0, {}));
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    u.signal.addEventListener('abort', () => xhr.abort());
    xhr.send(u.file);
  });
}

/** Header values are ASCII; other names go percent-encoded. */
const headerSafe = (name: string): string => (/^[\x20-\x7e]*$/.test(name) ? name : encodeURIComponent(name));

function parse(text: string): unknown {
  try { return JSON.parse(text); } catch { return null; }
}
