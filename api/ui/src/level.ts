// Words and colour of a level.
import type { Level } from './api';
import { h } from './dom';
import { code } from './i18n';

/** A level as a chip: colour and word. */
export function levelChip(level: string | null | undefined): HTMLElement {
  const name = level || 'unknown';
  return h('span', { class: `chip level-${name}` }, code('level', name));
}

/** Whether both parties signed a level: "contested". */
export function levelStatus(l: Level): string {
  return l.level_status ? code('level.status', l.level_status) : '';
}
