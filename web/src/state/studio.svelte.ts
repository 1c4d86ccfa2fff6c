/** What the page knows of the project, and all that it can do with it. */
import {
  api,
  AwayError,
  type Catalogue,
  type Claim,
  type Device,
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
import { Cells } from './cells.svelte';
import { ClaimsToCome } from './claims';
import { Edits } from './edits.svelte';
import { Messages } from './messages.svelte';
import { Runs } from './runs.svelte';
import { readView, writeView, type Camera, type Selection } from './view';

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
  seen = $state.raw<Seen | null>(null);
  cursor = $state<number | null>(null);
  pointedFrom = $state<'map' | 'strip'>('strip');
  stretch = $state.raw<[number, number] | null>(null);
  placing = $state<string | null>(null);
  tilted = $state(false);
  broken = $state<string | null>(null);
  /** The site is shown. */
  ready = $state(false);
  /** The plan is being judged for the first time. */
  judging = $state(false);
  /** The view that the address names is shown. */
  settled = $state(false);
  camera = $state.raw<Camera | null>(null);
  readonly messages = new Messages();
  readonly edits: Edits;
  readonly cells: Cells;
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

  private ticket = 0;

  constructor() {
    this.edits = new Edits(this);
    this.cells = new Cells(this);
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
      this.messages.away = false;
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
      await this.messages.guarded(async () => {
        this.plan = await coming;
        this.judging = false;
        await Promise.all([this.afterPlan(), this.restore(view.selection)]);
      });
      this.judging = false;
      this.settled = true;
    } catch (problem) {
      if (problem instanceof AwayError) this.messages.away = true;
      this.broken = problem instanceof Error ? problem.message : String(problem);
    }
  }

  private usable(project: Project, wanted: string | null): string | null {
    const known = project.conditions.filter((one) => one.requirements.length > 0);
    return (known.find((one) => one.name === wanted) ?? known[0])?.name ?? null;
  }

  private async restore(selection: Selection | null): Promise<void> {
    if (!selection) return;
    if (selection.kind === 'cell') await this.cells.explain(selection.lon, selection.lat);
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

  /** Read the weakest paths of the plan again; when they are found. */
  async loadPaths(): Promise<void> {
    const paths = this.layers.filter((layer) => layer.name === 'weakest_path');
    const plan = this.plan?.name;
    if (plan) await this.messages.guarded(() => this.loadLayers(paths, plan));
  }

  /** Read again what the project and its plans are; after a run, an import or a save. */
  async refresh(): Promise<void> {
    await this.messages.guarded(async () => {
      const [project, layers] = await Promise.all([api.project(), api.layers()]);
      this.layers = layers;
      this.project = project;
      this.plans = project.plans;
    });
  }

  async choosePlan(name: string): Promise<void> {
    await this.messages.guarded(async () => {
      const detail = await api.plan(name);
      this.plan = detail;
      this.edits.change = null;
      this.keepSelection();
      await this.afterPlan();
    });
  }

  keepSelection(): void {
    const at = this.selection;
    if (at?.kind === 'mount' && !this.mounts.has(at.id)) this.select(null);
    if (at?.kind === 'device' && !this.devices.has(at.id)) this.select(null);
  }

  async afterPlan(): Promise<void> {
    await this.messages.guarded(async () => {
      const ofPlan = this.layers.filter((layer) => layer.plan);
      await Promise.all([
        this.plan ? this.loadLayers(ofPlan, this.plan.name) : Promise.resolve(),
        this.loadStrip(),
        this.loadSeen(),
        this.selection?.kind === 'cell' ? this.cells.again() : Promise.resolve(),
      ]);
    });
  }

  chooseCondition(name: string): void {
    this.condition = name;
    void this.messages.guarded(async () => {
      await Promise.all([
        this.loadStrip(),
        this.loadSeen(),
        this.selection?.kind === 'cell' ? this.cells.again() : Promise.resolve(),
      ]);
    });
  }

  async loadStrip(): Promise<void> {
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

  async loadSeen(): Promise<void> {
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
      this.cells.drop();
    }
    this.placing = null;
    void this.messages.guarded(() => this.loadSeen());
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

  // ---- plans -------------------------------------------------------------------------------

  async save(): Promise<void> {
    await this.messages.guarded(async () => {
      if (!this.plan) return;
      const saved = await api.save(this.plan.name);
      this.messages.say('good', `Saved as ${saved.file}`, 'watchline prove reads it.');
      await this.edits.settle();
    });
  }

  async copy(name: string): Promise<boolean> {
    return this.messages.guarded(async () => {
      if (!this.plan) return;
      this.plan = await api.copy(this.plan.name, name);
      this.plans = await api.plans();
      this.edits.change = null;
      this.messages.say('good', `The version “${this.plan.name}” began`);
      await this.afterPlan();
    });
  }

  async importPlan(file: File): Promise<void> {
    await this.messages.guarded(async () => {
      const name = file.name.replace(/\.[^.]*$/, '').replaceAll(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60);
      this.plan = await api.import(file, name);
      this.plans = await api.plans();
      this.edits.change = null;
      this.keepSelection();
      this.messages.say('good', `Imported as the version “${this.plan.name}”`);
      await this.afterPlan();
    });
  }

  place(at: LonLat): void {
    if (!this.placing) return;
    const structure = this.placing;
    this.placing = null;
    this.edits.make('added', { action: 'add_mount', lon: at[0], lat: at[1], structure, name: '' });
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

export const studio = new Studio();
export type { Studio };
