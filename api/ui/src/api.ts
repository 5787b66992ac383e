// Talking to the service: JSON in, problem+json as errors, upload with progress.

export interface LayerInfo {
  id: string;
  title: string;
  kind: string;
  builtin?: boolean;
  base?: boolean;
  synthetic?: boolean;
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
export interface UploadReport {
  layer?: string;
  version?: number;
  format?: string;
  accepted: number;
  quarantined: number;
  rejected: number;
  warnings?: { code: string; message: string; count?: number }[] | null;
  rows?: RowFault[] | null;
  rows_truncated?: boolean;
  defaults?: string[] | null;
  bounds?: number[] | null;
  took_ms?: number;
}

/** An answer that says why not (RFC 9457). */
export class Problem extends Error {
  constructor(readonly status: number, readonly body: { title?: string; detail?: string; code?: string; rows?: RowFault[]; warnings?: UploadReport['warnings']; quarantined?: number; rejected?: number; accepted?: number }) {
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

/** POSTs JSON to the service itself; throws as get does. */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const res = await fetch(path, { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/json', ...authHeaders() }, body: JSON.stringify(body) });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  return res.json() as Promise<T>;
}

/** Saves an answer as a file, with the access key where one is in use. */
export async function download(path: string, filename: string): Promise<void> {
  const res = await fetch(path, { headers: authHeaders() });
  if (!res.ok) throw new Problem(res.status, await res.json().catch(() => ({ title: res.statusText })));
  const url = URL.createObjectURL(await res.blob());
  const a = document.createElement('a');
  a.href = url;
  a.download = filename;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const types: Record<string, string> = {
  geojson: 'application/geo+json', geojsonl: 'application/geo+json-seq', geojsonseq: 'application/geo+json-seq', ndjson: 'application/geo+json-seq',
  csv: 'text/csv', tsv: 'text/tab-separated-values', gpx: 'application/gpx+xml', kml: 'application/vnd.google-earth.kml+xml',
  kmz: 'application/vnd.google-earth.kmz', zip: 'application/zip', gpkg: 'application/geopackage+sqlite3', gz: 'application/gzip', fgb: 'application/flatgeobuf',
};

/** The media type that a file name promises; anything else is left for the service to sniff. */
export function contentType(filename: string): string {
  return types[filename.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

export interface Upload { id: string; file: File; params: Record<string, string>; onProgress: (share: number) => void; signal?: AbortSignal }

/** PUTs a file as a layer. XMLHttpRequest, because fetch does not tell how much has gone out. */
export function upload(u: Upload): Promise<UploadReport> {
  return new Promise((resolve, reject) => {
    const url = new URL(`/v1/layers/${encodeURIComponent(u.id)}`, location.origin);
    for (const [k, v] of Object.entries(u.params)) if (v) url.searchParams.set(k, v);
    const xhr = new XMLHttpRequest();
    xhr.open('PUT', url);
    xhr.setRequestHeader('Content-Type', contentType(u.file.name));
    xhr.setRequestHeader('X-Filename', headerSafe(u.file.name));
    xhr.setRequestHeader('Accept', 'application/json');
    for (const [k, v] of Object.entries(authHeaders())) xhr.setRequestHeader(k, v);
    xhr.upload.onprogress = (e) => e.lengthComputable && u.onProgress(e.loaded / e.total);
    xhr.onload = () => {
      const body = parse(xhr.responseText);
      if (xhr.status >= 200 && xhr.status < 300 && body) resolve(body as UploadReport);
      else reject(new Problem(xhr.status, (body ?? { title: xhr.statusText }) as Problem['body']));
    };
    xhr.onerror = () => reject(new Problem(0, {}));
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    u.signal?.addEventListener('abort', () => xhr.abort());
    xhr.send(u.file);
  });
}

/** Header values are ASCII; other names go percent-encoded. */
const headerSafe = (name: string): string => (/^[\x20-\x7e]*$/.test(name) ? name : encodeURIComponent(name));

function parse(text: string): unknown {
  try { return JSON.parse(text); } catch { return null; }
}
