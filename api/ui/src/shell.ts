// The frame around the map: header, panels, tabs, notices.
import { $, fill, h, icon } from './dom';
import { currentLang, currentZone, languages, onWords, setLang, setZone, t, zones, type Lang, type Zone } from './i18n';

const narrow = matchMedia('(max-width: 820px)');
export type Tab = 'gaps' | 'here';

/** Opens and closes the panels; on a narrow screen they are one bottom sheet. */
export class Shell {
  constructor() {
    this.languages();
    this.clocks();
    for (const side of ['left', 'right'] as const) {
      $(`#toggle-${side}`).addEventListener('click', () => this.set(side, !this.open(side)));
    }
    $('#tab-gaps').addEventListener('click', () => this.tab('gaps'));
    $('#tab-here').addEventListener('click', () => this.tab('here'));
    $('#right .tabs').addEventListener('keydown', (e) => {
      if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') { this.tab($('#tab-gaps').ariaSelected === 'true' ? 'here' : 'gaps'); $('#right [aria-selected="true"]').focus(); }
    });
    for (const b of document.querySelectorAll<HTMLElement>('.bottom-nav button')) {
      b.addEventListener('click', () => this.sheet(b.dataset['sheet']!));
    }
    $('.skip').addEventListener('click', (e) => {
      e.preventDefault(); // the address after # belongs to the map's position
      document.querySelector<HTMLElement>('.maplibregl-canvas')?.focus();
    });
    this.set('left', !narrow.matches);
    this.set('right', !narrow.matches && innerWidth > 1100);
    narrow.addEventListener('change', () => { this.set('left', !narrow.matches); this.set('right', !narrow.matches); });
    onWords(() => this.words());
    this.words();
  }

  open(side: 'left' | 'right'): boolean { return document.body.classList.contains(`${side}-open`); }

  /** Gives the room of the panels to the dock, or back. */
  dock(on: boolean): void {
    document.body.classList.toggle('docked', on);
    for (const side of ['left', 'right'] as const) $(`#${side}`).inert = on || !this.open(side);
  }

  set(side: 'left' | 'right', on: boolean): void {
    document.body.classList.toggle(`${side}-open`, on);
    if (on && narrow.matches) document.body.classList.remove(side === 'left' ? 'right-open' : 'left-open');
    $(`#toggle-${side}`).setAttribute('aria-expanded', String(on));
    $(`#${side}`).inert = !on;
    this.markNav();
  }

  /** Brings a tab of the right panel to the front. */
  tab(name: Tab): void {
    for (const other of ['gaps', 'here'] as const) {
      const on = other === name;
      const button = $(`#tab-${other}`);
      button.setAttribute('aria-selected', String(on));
      button.tabIndex = on ? 0 : -1;
      $(`#${other}`).hidden = !on;
    }
    this.markNav();
  }

  reveal(name: Tab): void {
    this.tab(name);
    this.set('right', true);
  }

  /** Room that the panels take from the map, in pixels. */
  padding(): { left: number; right: number; top: number; bottom: number } {
    const p = { left: 28, right: 56, top: 90, bottom: 60 };
    const docked = document.body.classList.contains('docked');
    if (docked && !narrow.matches) return { ...p, left: 40 + $('#dock').offsetWidth };
    if (narrow.matches) {
      const sheet = docked || this.open('left') || this.open('right');
      return { left: 28, right: 28, top: 100, bottom: sheet ? Math.min(innerHeight * 0.56, innerHeight - 240) + 70 : 90 };
    }
    if (this.open('left')) p.left += $('#left').offsetWidth;
    if (this.open('right')) p.right += $('#right').offsetWidth;
    // Never more than the window has: a map without room cannot fly anywhere.
    if (p.left + p.right > innerWidth - 160) p.left = p.right = 40;
    return p;
  }

  private sheet(name: string): void {
    const side = name === 'left' ? 'left' : 'right';
    const same = this.open(side) && (side === 'left' || !$(`#${name}`).hidden);
    if (side === 'right') this.tab(name as Tab);
    this.set(side, !same);
  }

  private markNav(): void {
    for (const b of document.querySelectorAll<HTMLElement>('.bottom-nav button')) {
      const name = b.dataset['sheet']!;
      const on = name === 'left' ? this.open('left') : this.open('right') && !$(`#${name}`).hidden;
      b.setAttribute('aria-pressed', String(on));
    }
  }

  private languages(): void {
    const names: Record<Lang, string> = { en: 'English', id: 'Bahasa Indonesia', ms: 'Bahasa Melayu' };
    fill($('#langs'), ...languages.map((l) => h('button', { type: 'button', lang: l, 'data-lang': l, title: names[l], 'aria-label': names[l], onclick: () => setLang(l) }, l.toUpperCase())));
  }

  private clocks(): void {
    const select = $<HTMLSelectElement>('#zone');
    fill(select, ...zones.map((z) => h('option', { value: z, selected: z === currentZone() }, z === 'both' ? 'WIB / MYT' : z)));
    select.addEventListener('change', () => setZone(select.value as Zone));
  }

  private words(): void {
    for (const b of document.querySelectorAll<HTMLElement>('#langs button')) b.setAttribute('aria-pressed', String(b.dataset['lang'] === currentLang()));
    document.title = `sempadan: ${t('app.subtitle')}`;
  }
}

/** A passing message at the foot of the page. */
export function toast(text: string, bad = false): void {
  const el = h('p', { class: bad ? 'bad' : '' }, icon(bad ? 'warn' : 'check'), h('span', {}, text));
  const box = $('#toasts');
  box.append(el);
  setTimeout(() => el.remove(), 7000);
}
