// A plan as the service answers it.
import type { Interval } from './api';

export interface Residual { section_id: string; before: Interval; after: Interval }
interface Visit { arrives: string; leaves: string; sections: { section_id: string; hours: number }[]; explores: boolean }
export interface Sortie { unit: string; departs: string; on_beat: string; off_beat: string; returns: string; sections: string[]; visits: Visit[]; expected_met: number; explores: boolean; joint: boolean; mode: string; track: GeoJSON.LineString }
export interface Plan {
  id: string; start: string; window_days: number; sorties: Sortie[];
  unused: { unit: string; reason: string; text: string }[];
  residual_before: Interval; residual_after: Interval; residual_by_section?: Residual[];
  expected_met: number; upper_bound: number; gap_percent: number;
  cost_curve: { share_of_hours: number; hours: number; residual: number }[];
  exploration: { hours_wanted: number; hours: number; visited: { section_id: string; why: string; hours: number }[] };
  partial: boolean; because: { code: string; count: number; of: number; text: string }[]; units_as_planned: { id: string; base: [number, number] }[];
}
