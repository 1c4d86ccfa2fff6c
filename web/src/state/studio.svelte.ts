/** What the page knows of the project, and all that it can do with it. */
import {
  api,
  AwayError,
  ConflictError,
  FaultError,
  type Catalogue,
  type Cell,
  type Claim,
  type Conflict,
  type Device,
  type Edit,
  type EditAnswer,
  type Fault,
  type Features,
  type Layer,
  type LegendEntry,
  type Mount,
  type Noun,
  type PlanDetail,
  type PlanEntry,
  type Project,
  type Seen,
  type Strip,
} from '../api/client';
import { Along, type LonLat } from '../map/along';
import { ClaimsToCome } from './claims';
import { Runs } from './runs.svelte';
import { readView, writeView, type Camera, type Selection } from './view';

export interface Notice {
  id: number;
  tone: 'good' | 'bad' | 'plain';
  text: string;
  detail: string;
}

export interface Change {
  what: string;
  costBefore: number;
  costAfter: number;
  claims: EditAnswer['changed_claims'];
  milliseconds: number;
}

interface Waiting {
  edits: Edit[];
  what: string;
  way?: 'undo' | 'redo';
}

export const NOUNS: Noun[] = [
  'site',
  'terrain',
  'candidates',
  'visibility',
  'plan',
  'proof',
  'report',
];
const HIDDEN_AT_FIRST = new Set(['candidates']);
const BINS = [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000];
const NOTICE_MS = 7000;

class Studio {
  project = $state.raw<Project | null>(null);
  catalogue = $state.raw<Catalogue | null>(null);
  legend = $state.raw<LegendEntry[]>([]);
  layers = $state.raw<Layer[]>([]);
  layerData = $state.raw<Record<string, Features>>({});
  shown = $state<Record<string, boolean>>({
    hillshade: true,
    views: true,
    cones: true,
    mounts: true,
    seen: true,
  });
  plans = $state.raw<PlanEntry[]>([]);
  plan = $state.raw<PlanDetail | null>(null);
  condition = $state<string | null>(null);
  step = $state<Noun>('plan');
  selection = $state.raw<Selection | null>(null);
  strip = $state.raw<Strip | null>(null);
  cell = $state.raw<Cell | null>(null);
  cellBusy = $state(false);
  cellFault = $state.raw<Fault | null>(null);
  cellDevice = $state<string | null>(null);
  cellRequirement: string | null = null;
  seen = $state.raw<Seen | null>(null);
  change = $state.raw<Change | null>(null);
  cursor = $state<number | null>(null);
  pointedFrom = $state<'map' | 'strip'>('strip');
  stretch = $state.raw<[number, number] | null>(null);
  placing = $state<string | null>(null);
  tilted = $state(false);
  notices = $state.raw<Notice[]>([]);
  away = $state(false);
  broken = $state<string | null>(null);
  conflict = $state.raw<{ conflict: Conflict; waiting: Waiting } | null>(null);
  working = $state(false);
  /** The site is shown. */
  ready = $state(false);
  /** The plan is being judged for the first time. */
  judging = $state(false);
  /** The view that the address names is shown. */
  settled = $state(false);
  camera = $state.raw<Camera | null>(null);
  readonly runs: Runs;
  readonly toCome: ClaimsToCome;

  readonly conditions = $derived(
    (this.project?.conditions ?? []).filter((one) => one.requirements.length > 0),
  );
  readonly along = $derived.by(() => {
    const project = this.project;
    const line = this.layerData['line'];
    return project && line ? new Along(linePoints(line), project.line_m) : null;
  });
  readonly mounts = $derived(new Map((this.plan?.mount_list ?? []).map((m) => [m.mount_id, m])));
  readonly devices = $derived(
    new Map((this.plan?.device_list ?? []).map((d) => [d.device_id, d])),
  );
  readonly selectedMount = $derived.by((): Mount | null => {
    const at = this.selection;
    if (at?.kind === 'mount') return this.mounts.get(at.id) ?? null;
    if (at?.kind === 'device') {
      return this.mounts.get(this.devices.get(at.id)?.mount_id ?? '') ?? null;
    }
    return null;
  });
  readonly selectedDevice = $derived.by((): Device | null =>
    this.selection?.kind === 'device' ? (this.devices.get(this.selection.id) ?? null) : null,
  );
  readonly claims = $derived<Claim[]>(this.plan?.claims ?? []);
  readonly currency = $derived(this.project?.units.currency ?? '');

  private queue: Waiting[] = [];
  private cellAsked: AbortController | null = null;
  private later: ReturnType<typeof setTimeout> | undefined;
  private number = 0;
  private ticket = 0;

  constructor() {
    this.runs = new Runs(this);
    this.toCome = new ClaimsToCome(this);
  }

  async open(): Promise<void> {
    const view = readView(location.hash);
    this.broken = null;
    try {
      const [project, catalogue, legend, layers] = await Promise.all([
        api.project(),
        api.catalogue(),
        api.legend(),
        api.layers(),
      ]);
      this.away = false;
      this.catalogue = catalogue;
      this.legend = legend;
      this.layers = layers;
      for (const layer of layers) {
        if (!(layer.name in this.shown)) this.shown[layer.name] = !HIDDEN_AT_FIRST.has(layer.name);
      }
      const named = this.usable(project, view.condition);
      this.condition = named;
      this.camera = view.camera;
      this.tilted = (view.camera?.pitch ?? 0) > 5;
      this.plans = project.plans;
      const first =
        project.plans.find((one) => one.name === view.plan) ??
        project.plans.find((one) => one.kind === 'computed' && one.revision) ??
        project.plans.find((one) => one.revision);
      this.step = view.step ?? (first ? 'plan' : 'site');
      const coming = first ? api.plan(first.name) : Promise.resolve(null);
      coming.catch(() => {}); // told below, once the site is shown
      await this.loadLayers(layers.filter((layer) => !layer.plan));
      this.project = project;
      this.judging = first !== undefined;
      this.ready = true;
      void this.runs.look();
      await this.guarded(async () => {
        this.plan = await coming;
        this.judging = false;
        await Promise.all([this.afterPlan(), this.restore(view.selection)]);
      });
      this.judging = false;
      this.settled = true;
    } catch (problem) {
      if (problem instanceof AwayError) this.away = true;
      this.broken = problem instanceof Error ? problem.message : String(problem);
    }
  }

  private usable(project: Project, wanted: string | null): string | null {
    const known = project.conditions.filter((one) => one.requirements.length > 0);
    return (known.find((one) => one.name === wanted) ?? known[0])?.name ?? null;
  }

  private async restore(selection: Selection | null): Promise<void> {
    if (!selection) return;
    if (selection.kind === 'cell') await this.explain(selection.lon, selection.lat);
    else if (selection.kind === 'mount' && this.mounts.has(selection.id)) this.select(selection);
    else if (selection.kind === 'device' && this.devices.has(selection.id)) this.select(selection);
  }

  /** The address that shows this view again. */
  address(): string {
    return writeView({
      plan: this.plan?.name ?? null,
      condition: this.condition,
      step: this.step,
      camera: this.camera,
      selection: this.selection,
    });
  }

  private async loadLayers(layers: Layer[], plan?: string): Promise<void> {
    const found = await Promise.all(
      layers.map(async (layer) => [layer.name, await api.layer(layer.name, plan)] as const),
    );
    this.layerData = { ...this.layerData, ...Object.fromEntries(found) };
  }

  /** Read again what the project and its plans are; after a run, an import or a save. */
  async refresh(): Promise<void> {
    await this.guarded(async () => {
      const [project, layers] = await Promise.all([api.project(), api.layers()]);
      this.layers = layers;
      this.project = project;
      this.plans = project.plans;
    });
  }

  async choosePlan(name: string): Promise<void> {
    await this.guarded(async () => {
      const detail = await api.plan(name);
      this.plan = detail;
      this.change = null;
      this.keepSelection();
      await this.afterPlan();
    });
  }

  private keepSelection(): void {
    const at = this.selection;
    if (at?.kind === 'mount' && !this.mounts.has(at.id)) this.select(null);
    if (at?.kind === 'device' && !this.devices.has(at.id)) this.select(null);
  }

  private async afterPlan(): Promise<void> {
    await this.guarded(async () => {
      const ofPlan = this.layers.filter((layer) => layer.plan);
      await Promise.all([
        this.plan ? this.loadLayers(ofPlan, this.plan.name) : Promise.resolve(),
        this.loadStrip(),
        this.loadSeen(),
        this.selection?.kind === 'cell' ? this.explainAgain() : Promise.resolve(),
      ]);
    });
  }

  chooseCondition(name: string): void {
    this.condition = name;
    void this.guarded(async () => {
      await Promise.all([
        this.loadStrip(),
        this.loadSeen(),
        this.selection?.kind === 'cell' ? this.explainAgain() : Promise.resolve(),
      ]);
    });
  }

  private async loadStrip(): Promise<void> {
    if (!this.plan || !this.condition || !this.project) {
      this.strip = null;
      return;
    }
    const mine = ++this.ticket;
    const wanted = this.project.line_m / 150;
    const bin = BINS.find((one) => one >= wanted) ?? 5000;
    const strip = await api.strip(this.plan.name, this.condition, bin);
    if (mine === this.ticket) this.strip = strip;
  }

  private async loadSeen(): Promise<void> {
    const device = this.selectedDevice;
    if (!device || !this.plan) {
      this.seen = null;
      return;
    }
    const seen = await api.seen(this.plan.name, device.device_id, this.condition);
    if (this.selectedDevice?.device_id === seen.device_id) this.seen = seen;
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    if (selection?.kind !== 'cell') {
      this.cellAsked?.abort();
      this.cell = null;
      this.cellFault = null;
    }
    this.placing = null;
    void this.guarded(() => this.loadSeen());
  }

  /** Point at a chainage, on the map and on the strip chart. */
  point(s: number | null, from: 'map' | 'strip'): void {
    this.cursor = s;
    this.pointedFrom = from;
  }

  goto(step: Noun): void {
    if (step === 'candidates') this.shown['candidates'] = true;
    else if (this.step === 'candidates') this.shown['candidates'] = false;
    this.step = step;
    this.select(null);
  }

  async explain(
    lon: number,
    lat: number,
    device: string | null = null,
    requirement: string | null = null,
  ): Promise<void> {
    if (!this.plan) return;
    this.selection = { kind: 'cell', lon, lat };
    this.seen = null;
    this.cellDevice = device;
    this.cellRequirement = requirement;
    await this.explainAgain();
  }

  private async explainAgain(): Promise<void> {
    const at = this.selection;
    if (at?.kind !== 'cell' || !this.plan) return;
    this.cellAsked?.abort();
    const asked = new AbortController();
    this.cellAsked = asked;
    this.cellBusy = true;
    try {
      const where = { lon: at.lon, lat: at.lat };
      const cell = await api.cell(
        this.plan.name,
        where,
        this.condition,
        this.cellDevice,
        this.cellRequirement,
        asked.signal,
      );
      this.cell = cell;
      this.cellFault = null;
      this.cellDevice = cell.profile?.device_id ?? this.cellDevice;
    } catch (problem) {
      if (problem instanceof DOMException) return;
      if (!(problem instanceof FaultError)) throw problem;
      this.cell = null;
      this.cellFault = problem.fault;
    } finally {
      if (this.cellAsked === asked) this.cellBusy = false;
    }
  }

  // ---- edits -------------------------------------------------------------------------------

  /** Make some edits as one step of undo; they are sent one after another. */
  edit(what: string, ...edits: Edit[]): void {
    this.queue.push({ edits, what });
    void this.work();
  }

  undo(): void {
    if (!this.plan?.can_undo && !this.working) return;
    this.queue.push({ edits: [], what: 'undone', way: 'undo' });
    void this.work();
  }

  redo(): void {
    if (!this.plan?.can_redo && !this.working) return;
    this.queue.push({ edits: [], what: 'made again', way: 'redo' });
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.working || this.conflict) return;
    this.working = true;
    try {
      while (this.queue.length && this.plan) {
        const next = this.queue[0] as Waiting;
        const { name, revision } = this.plan;
        if (next.way === 'undo' ? !this.plan.can_undo : next.way === 'redo' && !this.plan.can_redo) {
          this.queue.shift();
          continue;
        }
        try {
          const answer = next.way
            ? await api.step(name, next.way, revision ?? '', this.condition)
            : await api.edit(name, revision ?? '', next.edits, this.condition);
          this.queue.shift();
          this.away = false;
          this.take(answer, next.what);
        } catch (problem) {
          if (problem instanceof ConflictError) {
            this.queue.shift();
            this.conflict = { conflict: problem.conflict, waiting: next };
            return;
          }
          if (problem instanceof AwayError) {
            this.away = true; // what waits is sent again once the server answers
            return;
          }
          this.queue.shift();
          this.tell(problem);
          this.plan = { ...this.plan }; // the map shows what stands
        }
      }
    } finally {
      this.working = false;
    }
  }

  /** How many edits wait for the server. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Try again after the server was away. */
  async tryAgain(): Promise<void> {
    if (!this.ready) {
      await this.open();
      return;
    }
    try {
      await api.plans();
      this.away = false;
      await this.work();
      if (!this.away) await this.afterPlan();
    } catch (problem) {
      if (problem instanceof AwayError) this.away = true;
      else this.tell(problem);
    }
  }

  private take(answer: EditAnswer, what: string): void {
    const plan = this.plan;
    if (!plan) return;
    const mounts = merged(plan.mount_list, answer.changed_mounts, answer.removed_mounts, (m) => m.mount_id);
    const devices = merged(
      plan.device_list,
      answer.changed_devices,
      answer.removed_devices,
      (d) => d.device_id,
    );
    this.change = {
      what,
      costBefore: plan.cost ?? answer.cost,
      costAfter: answer.cost,
      claims: answer.changed_claims,
      milliseconds: answer.milliseconds,
    };
    if (answer.plan !== plan.name) {
      this.say('plain', `This change began the version “${answer.plan}”`, 'The computed plan stays as it is.');
    }
    for (const note of answer.notes) this.say('plain', note);
    this.plan = {
      ...plan,
      name: answer.plan,
      kind: answer.plan === plan.name ? plan.kind : 'version',
      revision: answer.revision,
      tiles: answer.tiles,
      cost: answer.cost,
      holds: answer.holds,
      claims: answer.claims,
      mount_list: mounts,
      device_list: devices,
      mounts: mounts.length,
      devices: devices.length,
      can_undo: answer.can_undo,
      can_redo: answer.can_redo,
      saved: false,
    };
    this.keepSelection();
    const added = answer.changed_mounts.find((one) => !plan.mount_list.some((m) => m.mount_id === one.mount_id));
    const hung = answer.changed_devices.find((one) => !plan.device_list.some((d) => d.device_id === one.device_id));
    if (what === 'added' && hung) this.selection = { kind: 'device', id: hung.device_id };
    else if (what === 'added' && added) this.selection = { kind: 'mount', id: added.mount_id };
    clearTimeout(this.later);
    this.later = setTimeout(() => void this.settle(), 250);
    void this.guarded(() => this.loadSeen());
    if (this.selection?.kind === 'cell') void this.guarded(() => this.explainAgain());
  }

  /** Once editing rests: what an answer leaves out (history, the list of plans, the strip). */
  private async settle(): Promise<void> {
    await this.guarded(async () => {
      if (!this.plan || this.working) return;
      await this.loadStrip();
      const [detail, plans] = await Promise.all([api.plan(this.plan.name), api.plans()]);
      this.plans = plans;
      if (!this.working && detail.name === this.plan.name) this.plan = detail;
    });
  }

  /** After a conflict: go on from what stands, with or without the change that was refused. */
  resolve(again: boolean): void {
    const found = this.conflict;
    if (!found) return;
    this.conflict = null;
    this.plan = found.conflict.current;
    this.keepSelection();
    if (again) this.queue.unshift(found.waiting);
    else this.queue = [];
    void this.afterPlan();
    void this.work();
  }

  // ---- plans -------------------------------------------------------------------------------

  async save(): Promise<void> {
    await this.guarded(async () => {
      if (!this.plan) return;
      const saved = await api.save(this.plan.name);
      this.say('good', `Saved as ${saved.file}`, 'watchline prove reads it.');
      await this.settle();
    });
  }

  async copy(name: string): Promise<boolean> {
    return this.guarded(async () => {
      if (!this.plan) return;
      this.plan = await api.copy(this.plan.name, name);
      this.plans = await api.plans();
      this.change = null;
      this.say('good', `The version “${this.plan.name}” began`);
      await this.afterPlan();
    });
  }

  async importPlan(file: File): Promise<void> {
    await this.guarded(async () => {
      const name = file.name.replace(/\.[^.]*$/, '').replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60);
      this.plan = await api.import(file, name);
      this.plans = await api.plans();
      this.change = null;
      this.keepSelection();
      this.say('good', `Imported as the version “${this.plan.name}”`);
      await this.afterPlan();
    });
  }

  // ---- messages ----------------------------------------------------------------------------

  say(tone: Notice['tone'], text: string, detail = ''): void {
    const id = ++this.number;
    this.notices = [...this.notices.slice(-3), { id, tone, text, detail }];
    setTimeout(() => this.dismiss(id), tone === 'bad' ? 3 * NOTICE_MS : NOTICE_MS);
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((one) => one.id !== id);
  }

  tell(problem: unknown): void {
    if (problem instanceof AwayError) this.away = true;
    else if (problem instanceof FaultError) {
      const { what, where, mend } = problem.fault;
      this.say('bad', where ? `${where}: ${what}` : what, mend);
    } else this.say('bad', problem instanceof Error ? problem.message : String(problem));
  }

  /** Do something; what goes wrong is told, not thrown. */
  async guarded(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (problem) {
      this.tell(problem);
      return false;
    }
  }

  place(at: LonLat): void {
    if (!this.placing) return;
    const structure = this.placing;
    this.placing = null;
    this.edit('added', { action: 'add_mount', lon: at[0], lat: at[1], structure, name: '' });
  }
}

function linePoints(line: Features): LonLat[] {
  const points: LonLat[] = [];
  for (const feature of line.features) {
    const shape = feature.geometry;
    if (shape?.type === 'LineString') points.push(...(shape.coordinates as LonLat[]));
    if (shape?.type === 'MultiLineString') points.push(...(shape.coordinates as LonLat[][]).flat());
  }
  return points;
}

function merged<T>(list: T[], changed: T[], removed: string[], id: (one: T) => string): T[] {
  const news = new Map(changed.map((one) => [id(one), one]));
  const gone = new Set(removed);
  const kept = list.filter((one) => !gone.has(id(one))).map((one) => {
    const other = news.get(id(one));
    news.delete(id(one));
    return other ?? one;
  });
  return [...kept, ...news.values()];
}

export const studio = new Studio();
export type { Studio };
