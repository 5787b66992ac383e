// Small helpers to build the page. Text always goes in as text nodes, so what
// a file or a server says can never become markup.

type Child = Node | string | number | null | undefined | false;
type Props = Record<string, unknown>;

/** Makes an element; `on*` props are listeners, `class`, `data-*` and the rest attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value as EventListener);
    else if (key === 'value' || key === 'checked' || key === 'disabled' || key === 'selected' || key === 'open') (el as unknown as Props)[key] = value;
    else el.setAttribute(key, value === true ? '' : String(value));
  }
  append(el, children);
  return el;
}

function append(el: Element, children: Child[]): void {
  for (const c of children) {
    if (c === null || c === undefined || c === false) continue;
    el.append(c instanceof Node ? c : document.createTextNode(String(c)));
  }
}

/** Replaces everything inside el. */
export function fill(el: Element, ...children: Child[]): void {
  el.replaceChildren();
  append(el, children);
}

/** Finds an element that the page is known to have. */
export function $<T extends HTMLElement = HTMLElement>(selector: string, root: ParentNode = document): T {
  const el = root.querySelector<T>(selector);
  if (!el) throw new Error(`the page has no ${selector}`);
  return el;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an SVG element. */
export function s(tag: string, attrs: Props = {}, ...children: Child[]): SVGElement {
  const el = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attrs)) el.setAttribute(key, String(value));
  append(el, children);
  return el;
}

const paths = {
  layers: 'M12 3 3 8l9 5 9-5-9-5Zm-9 9 9 5 9-5M3 16l9 5 9-5',
  gap: 'M3 12h5m8 0h5M9.5 6v12m5-12v12',
  here: 'M12 21s7-6.1 7-11.5A7 7 0 0 0 5 9.5C5 14.9 12 21 12 21Zm0-9a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2Z',
  upload: 'M12 16V4m-5 5 5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12m-5-5 5 5 5-5M4 20h16',
  close: 'M6 6l12 12M18 6 6 18',
  share: 'M8.6 13.4l6.8 4m0-10.8-6.8 4M20.5 5.2a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0ZM8.9 12a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0Zm11.6 6.8a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0Z',
  inbox: 'M4 13h4.5l1.5 3h4l1.5-3H20M4 13v6h16v-6L17 5H7l-3 8Z',
  chevron: 'M15 5l-7 7 7 7',
  zoom: 'M4 9V4h5M20 9V4h-5M4 15v5h5m11-5v5h-5',
  warn: 'M12 4 2.5 20h19L12 4Zm0 6v5m0 2.6v.1',
  check: 'M4.5 12.5l5 5 10-11',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5.3l3.4 2',
  file: 'M6 3h8l4 4v14H6V3Zm8 0v4h4',
} as const;
export type IconName = keyof typeof paths;

/** Makes a stroked 24-unit icon that takes the text colour. */
export function icon(name: IconName, size = 18): SVGElement {
  return s('svg', { viewBox: '0 0 24 24', width: size, height: size, class: 'icon', 'aria-hidden': 'true', focusable: 'false' }, s('path', { d: paths[name] }));
}
