// A panel beside the map for work that the map shows too: it takes the place
// of the other panels until it is closed.
import type { MapMouseEvent } from 'maplibre-gl';
import { $, fill, h } from './dom';
import { onWords } from './i18n';
import type { Shell } from './shell';

type Part = Node | null | false | undefined;

/** What stands in the dock. Its parts are made anew whenever something changes. */
export interface DockView {
  title(): string;
  body(): Part[];
  actions(): Part[];
  /** Called once, when it leaves the dock. */
  closed(): void;
  /** Called once it is in the dock, and the map has the room that is left. */
  opened?(): void;
  /** A click on the map. */
  click?(e: MapMouseEvent): void;
  /** A file dropped on the page. */
  drop?(file: File): void;
}

export class Dock {
  private view: DockView | null = null;
  private readonly root = $('#dock');
  private readonly scroll = $('#dock-body');

  constructor(private shell: Shell) {
    $('#dock-close').addEventListener('click', () => this.close());
    addEventListener('keydown', (e) => { if (e.key === 'Escape' && this.view && !document.querySelector('dialog[open]')) this.close(); });
    onWords(() => this.render());
  }

  open(view: DockView): void {
    if (this.view !== view) this.close();
    this.view = view;
    this.root.hidden = false;
    this.shell.dock(true);
    this.render();
    this.scroll.scrollTop = 0;
    $('#dock-title').focus();
    view.opened?.();
  }

  /** Closes view, or whatever is open. */
  close(view = this.view): void {
    if (!view || view !== this.view) return;
    this.view = null;
    this.root.hidden = true;
    for (const part of ['#dock-title', '#dock-body', '#dock-actions']) fill($(part));
    this.shell.dock(false);
    view.closed();
  }

  has(view: DockView): boolean { return this.view === view; }

  render(): void {
    if (!this.view) return;
    const top = this.scroll.scrollTop;
    const focus = this.root.contains(document.activeElement) ? keyOf(document.activeElement!) : '';
    fill($('#dock-title'), this.view.title());
    fill(this.scroll, ...this.view.body());
    fill($('#dock-actions'), ...this.view.actions());
    this.scroll.scrollTop = top;
    if (focus) this.root.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true });
  }

  /** True when a dropped file was for what is in the dock. */
  takesFile(file: File): boolean {
    if (!this.view?.drop) return false;
    this.view.drop(file);
    return true;
  }

  /** True when the click was for what is in the dock. */
  takesClick(e: MapMouseEvent): boolean {
    if (!this.view) return false;
    this.view.click?.(e);
    return true;
  }
}

/** A selector that finds an element again after it was made anew; '' for none. */
function keyOf(el: Element): string {
  if (el.id) return `#${CSS.escape(el.id)}`;
  const keys = [...el.attributes].filter((a) => a.name.startsWith('data-') || a.name === 'name' || a.name === 'value' && el.getAttribute('type') === 'radio');
  return keys.map((a) => `[${a.name}="${CSS.escape(a.value)}"]`).join('');
}

/** A line that says that something went wrong, or nothing. */
export const alertLine = (text: string): HTMLElement | null => (text ? h('p', { class: 'notice bad', role: 'alert' }, h('span', {}, text)) : null);
