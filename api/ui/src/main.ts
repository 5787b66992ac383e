// The page at /: wires the map, the panels and the service together.
import 'maplibre-gl/dist/maplibre-gl.css';
import './style.css';
import type { Map as GLMap } from 'maplibre-gl';
import { account, attended, isOne, restoreView, signIn, unknown } from './account';
import { get, Problem, type UploadReport } from './api';
import { Waiting } from './approvals';
import { Correction } from './correct';
import { DiffMap } from './diff';
import { Dock } from './dock';
import { $, fill, h, icon } from './dom';
import { Explain } from './explain';
import { Changes } from './changes';
import { Crossings } from './crossings';
import { Gaps } from './gaps';
import { hover } from './hover';
import { apply, onWords, t, when } from './i18n';
import { Layers } from './layers';
import { attribution, coordinates, createView, type View } from './map';
import { PlanPanel } from './plan';
import { Routes } from './routes';
import { Sections } from './sections';
import { Share } from './share';
import { Shell, toast } from './shell';
import { Surfaces } from './surfaces';
import { provideIcons } from './symbols';
import { Uploader } from './upload';
import { Validation } from './validation';
import { Versions } from './versions';

declare global {
  interface Window { sempadan?: { map?: GLMap; ready: Promise<void> } }
}

/** How often an open page asks whether there is a new assessment. */
const WATCH_MS = 60_000;

class Page {
  private readonly fly = (b: number[]): void => {
    const [w, s, e, n] = b as [number, number, number, number];
    this.view.map.fitBounds([[w, s], [e, n]], { padding: this.shell.padding(), maxZoom: 11, duration: 1400 });
  };
  readonly layers: Layers;
  readonly surfaces: Surfaces;
  readonly sections: Sections;
  readonly gaps: Gaps;
  readonly changes: Changes;
  readonly crossings: Crossings;
  private gapView: 'ranking' | 'changes' = 'ranking';
  readonly explain: Explain;
  readonly waiting: Waiting;
  readonly plans: PlanPanel;

  constructor(readonly view: View, readonly shell: Shell) {
    const { map } = view;
    provideIcons(map);
    attribution(map, $('#attribution'), $('#attribution-line'));
    coordinates(map, $('#coordinates'));
    this.surfaces = new Surfaces(view, { picker: $('#surfaces'), opacity: $<HTMLInputElement>('#opacity'), legend: $('#legend') }, (e) => this.failed(e));
    const dock = new Dock(shell);
    let diffs: DiffMap; // above all other layers
    const changed = (id: string): Promise<void> => this.changed(id);
    this.layers = new Layers(view, $('#layers'), this.fly, (l) => dock.open(new Versions(l, this.layers.title(l), dock, diffs, changed)));
    this.sections = new Sections(view, $('#sections'));
    this.gaps = new Gaps(view, $('#gap-panel'), $('#gap-tools'), this.fly);
    this.changes = new Changes(view, $('#change-panel'), this.fly);
    this.crossings = new Crossings($<HTMLDetailsElement>('#crossings'), $('#crossing-list'), this.fly);
    this.explain = new Explain(view, this.layers, $('#here'), () => shell.reveal('here'),
      (layer, fid) => dock.open(new Correction({ layer, fid, view, dock, diffs, changed })));
    diffs = new DiffMap(map, this.fly);
    this.plans = new PlanPanel(view, dock, this.fly);
    this.waiting = new Waiting(map, dock, changed);
    new Share(view, this.layers, this.surfaces);
    new Validation((id) => this.layers.titleOf(id));
    new Routes(map, dock, this.fly);
    new Uploader(this.layers, dock, diffs, (r) => this.uploaded(r));
    hover(map, this.layers);
    map.on('click', (e) => {
      if (dock.takesClick(e)) return;
      if (this.gaps.takesClick(e.point) || this.changes.takesClick(e.point)) return shell.reveal('gaps');
      void this.explain.at(e.lngLat.lng, e.lngLat.lat, e.point);
    });
    addEventListener('keydown', (e) => { if (e.key === 'Escape' && !document.querySelector('dialog[open]')) this.explain.clear(); });
    this.keyboard(map);
    this.layers.onChange(() => this.notices());
    this.surfaces.onChange(() => { this.notices(); this.facts(); });
    onWords(() => { this.notices(); this.facts(); this.gapViews(); });
    this.gapViews();
    setInterval(() => { if (!document.hidden && attended()) void this.refresh().catch(() => undefined); }, WATCH_MS);
  }

  async load(): Promise<void> {
    const layers = this.layers.load().catch((e: unknown) => {
      if (unknown(e)) throw e; // start asks for the key
      this.failed(e);
    });
    await Promise.all([layers, this.surfaces.show('risk'), this.gaps.load(), this.sections.load(), this.about()]);
    this.facts();
  }

  /** With the map in focus, Enter explains the middle of what is in view. */
  private keyboard(map: GLMap): void {
    const canvas = map.getCanvas();
    const cross = $('#cross');
    const middle = (): [number, number] => {
      const p = this.shell.padding();
      return [(p.left + canvas.clientWidth - p.right) / 2, (p.top + canvas.clientHeight - p.bottom) / 2];
    };
    canvas.addEventListener('focus', () => {
      const [x, y] = middle();
      cross.hidden = !canvas.matches(':focus-visible');
      cross.style.transform = `translate(${x - 14}px, ${y - 14}px)`;
    });
    canvas.addEventListener('blur', () => { cross.hidden = true; });
    canvas.addEventListener('keydown', (e) => {
      if (e.key !== 'Enter') return;
      const [x, y] = middle();
      const { lng, lat } = map.unproject([x, y]);
      void this.explain.at(lng, lat, { x, y });
    });
  }

  /** Draws a new assessment when there is one. */
  private async refresh(): Promise<boolean> {
    if (!await this.surfaces.refresh()) return false;
    await Promise.all([this.gaps.load(), this.changes.load(), this.crossings.load(), this.sections.load(), this.layers.load()]);
    this.facts();
    return true;
  }

  private async uploaded(r: UploadReport): Promise<void> {
    await this.changed(r.layer ?? '');
    if (r.bounds?.length === 4) this.fly(r.bounds);
  }

  /** Draws a layer anew after a change of it. */
  private async changed(id: string): Promise<void> {
    await this.layers.load([id]);
    this.explain.clear();
    // The surfaces follow when the service has made its next assessment.
    void (async () => {
      for (const wait of [0.5, 1, 1, 2, 3, 5, 8, 13]) {
        await new Promise((done) => setTimeout(done, wait * 1000));
        if (await this.refresh().catch(() => false)) return;
      }
    })();
  }

  private failed(e: unknown): void {
    if (e instanceof Problem && e.status === 401) return; // the sign-in dialog says it
    toast(e instanceof Problem ? e.message : t('error.network'), true);
  }

  private async about(): Promise<void> {
    const v = await get<{ version?: string; commit?: string }>('/version').catch(() => null);
    if (v) $('#program').textContent = ['sempadan', v.version, v.commit && `(${v.commit.slice(0, 7)})`].filter(Boolean).join(' ');
  }

  /** Chooses between the ranking of now and what changed between two dates. */
  private gapViews(): void {
    const set = (v: typeof this.gapView): void => { this.gapView = v; this.gapViews(); };
    fill($('#gap-views'), ...(['ranking', 'changes'] as const).map((v) =>
      h('button', { type: 'button', 'data-view': v, 'aria-pressed': String(v === this.gapView), onclick: () => set(v) }, t(`gaps.view.${v}`))));
    const changes = this.gapView === 'changes';
    for (const id of ['#gap-panel', '#gap-tools', '#crossings']) $(id).hidden = changes;
    $('#change-panel').hidden = !changes;
    this.gaps.show(!changes);
    this.changes.show(changes);
  }

  /** As-of date and version of the assessment on show. */
  private facts(): void {
    const { report } = this.gaps;
    const asOf = this.surfaces.asOf ?? report?.as_of;
    const version = this.surfaces.version ?? report?.version;
    if (asOf) this.changes.asOf = asOf;
    fill($('#facts'),
      asOf && h('span', { class: 'fact' }, h('span', { class: 'muted' }, t('app.as_of')), ' ', when(asOf)),
      version !== undefined && h('span', { class: 'fact' }, h('span', { class: 'muted' }, t('app.assessment')), ' ', h('code', {}, String(version).slice(0, 12))));
  }

  /** Says so whenever what is on show rests on invented data. */
  private notices(): void {
    const synthetic = this.layers.all.filter((l) => l.synthetic && !l.base);
    const shown = synthetic.filter((l) => this.layers.isShown(l.id));
    const named = shown.length ? shown : this.surfaces.current ? synthetic : [];
    const el = $('#notice');
    el.hidden = named.length === 0;
    fill(el, icon('warn', 17), h('span', {}, h('strong', {}, t('notice.synthetic')), ' ', h('span', { class: 'names' }, named.map((l) => this.layers.title(l)).join(', '))));
  }
}

async function start(): Promise<GLMap> {
  apply();
  restoreView();
  const shell = new Shell();
  const view = await createView({ container: $('#map'), padding: shell.padding(), hash: true });
  window.sempadan!.map = view.map;
  const page = new Page(view, shell);
  await Promise.all([page.load(), account().then(() => Promise.all([page.waiting.load(), page.plans.load()]))]);
  $('#open-routes').hidden = !isOne('planner', 'analyst');
  document.body.classList.add('loaded');
  return view.map;
}

window.sempadan = {
  ready: start().then(
    (map) => new Promise<void>((done) => { void map.once('idle', () => done()); map.triggerRepaint(); }),
    (e: unknown) => {
      if (unknown(e)) return signIn();
      toast(e instanceof Problem ? e.message : t('error.network'), true);
      throw e;
    }),
};
