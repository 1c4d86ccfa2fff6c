/** Edits of the plan: sent one after another, taken up as they are answered, kept where none is. */
import {
  api,
  AwayError,
  ConflictError,
  type Conflict,
  type Edit,
  type EditAnswer,
} from '../api/client';
import type { Studio } from './studio.svelte';

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

const REST_MS = 250;

export class Edits {
  /** What the last edit changed. */
  change = $state.raw<Change | null>(null);
  conflict = $state.raw<{ conflict: Conflict; waiting: Waiting } | null>(null);
  working = $state(false);
  private queue: Waiting[] = [];
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly studio: Studio) {}

  /** Make some edits as one step of undo; they are sent one after another. */
  make(what: string, ...edits: Edit[]): void {
    this.queue.push({ edits, what });
    void this.work();
  }

  undo(): void {
    if (!this.studio.plan?.can_undo && !this.working) return;
    this.queue.push({ edits: [], what: 'undone', way: 'undo' });
    void this.work();
  }

  redo(): void {
    if (!this.studio.plan?.can_redo && !this.working) return;
    this.queue.push({ edits: [], what: 'made again', way: 'redo' });
    void this.work();
  }

  async work(): Promise<void> {
    if (this.working || this.conflict) return;
    this.working = true;
    try {
      while (this.queue.length && this.studio.plan) {
        const next = this.queue[0] as Waiting;
        const { name, revision } = this.studio.plan;
        if (next.way === 'undo' ? !this.studio.plan.can_undo : next.way === 'redo' && !this.studio.plan.can_redo) {
          this.queue.shift();
          continue;
        }
        try {
          const answer = next.way
            ? await api.step(name, next.way, revision ?? '', this.studio.condition)
            : await api.edit(name, revision ?? '', next.edits, this.studio.condition);
          this.queue.shift();
          this.studio.messages.away = false;
          this.take(answer, next.what);
        } catch (problem) {
          if (problem instanceof ConflictError) {
            this.queue.shift();
            this.conflict = { conflict: problem.conflict, waiting: next };
            return;
          }
          if (problem instanceof AwayError) {
            this.studio.messages.away = true; // what waits is sent again once the server answers
            return;
          }
          this.queue.shift();
          this.studio.messages.tell(problem);
          this.studio.plan = { ...this.studio.plan }; // the map shows what stands
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
    if (!this.studio.ready) {
      await this.studio.open();
      return;
    }
    try {
      await api.plans();
      this.studio.messages.away = false;
      await this.work();
      if (!this.studio.messages.away) await this.studio.afterPlan();
    } catch (problem) {
      if (problem instanceof AwayError) this.studio.messages.away = true;
      else this.studio.messages.tell(problem);
    }
  }

  private take(answer: EditAnswer, what: string): void {
    const plan = this.studio.plan;
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
    const notes: { text: string; detail?: string }[] = answer.notes.map((text) => ({ text }));
    if (answer.plan !== plan.name) {
      notes.unshift({
        text: `This change began the version “${answer.plan}”`,
        detail: 'The computed plan stays as it is.',
      });
    }
    this.studio.messages.sayOfEdit(notes);
    this.studio.plan = {
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
    this.studio.keepSelection();
    const added = answer.changed_mounts.find((one) => !plan.mount_list.some((m) => m.mount_id === one.mount_id));
    const hung = answer.changed_devices.find((one) => !plan.device_list.some((d) => d.device_id === one.device_id));
    if (what === 'added' && hung) this.studio.selection = { kind: 'device', id: hung.device_id };
    else if (what === 'added' && added) this.studio.selection = { kind: 'mount', id: added.mount_id };
    clearTimeout(this.later);
    this.later = setTimeout(() => void this.settle(), REST_MS);
    void this.studio.messages.guarded(() => this.studio.loadSeen());
    if (this.studio.selection?.kind === 'cell') void this.studio.messages.guarded(() => this.studio.cells.again());
  }

  /** Once editing rests: what an answer leaves out (history, the list of plans, the strip). */
  async settle(): Promise<void> {
    const studio = this.studio;
    await studio.messages.guarded(async () => {
      if (!studio.plan || this.working) return;
      const { name, revision } = studio.plan;
      await studio.loadStrip();
      const [detail, plans] = await Promise.all([api.plan(name), api.plans()]);
      studio.plans = plans;
      // An edit that was answered meanwhile knows better.
      const same = studio.plan?.name === name && studio.plan.revision === revision;
      if (!this.working && same) studio.plan = detail;
    });
  }

  /** After a conflict: go on from what stands, with or without the change that was refused. */
  resolve(again: boolean): void {
    const found = this.conflict;
    if (!found) return;
    this.conflict = null;
    this.studio.plan = found.conflict.current;
    this.studio.keepSelection();
    if (again) this.queue.unshift(found.waiting);
    else this.queue = [];
    void this.studio.afterPlan();
    void this.work();
  }
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

