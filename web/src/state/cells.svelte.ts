/** The cell that is asked about: who sees it, and who does not and why. */
import { api, FaultError, type Cell, type Fault } from '../api/client';
import type { Studio } from './studio.svelte';

export class Cells {
  shown = $state.raw<Cell | null>(null);
  busy = $state(false);
  fault = $state.raw<Fault | null>(null);
  /** Whose sight line is drawn. */
  device = $state<string | null>(null);
  /** Whose demands it is judged by. */
  requirement: string | null = null;
  private asked: AbortController | null = null;

  constructor(private readonly studio: Studio) {}

  drop(): void {
    this.asked?.abort();
    this.shown = null;
    this.fault = null;
  }

  async explain(
    lon: number,
    lat: number,
    device: string | null = null,
    requirement: string | null = null,
  ): Promise<void> {
    if (!this.studio.plan) return;
    this.studio.selection = { kind: 'cell', lon, lat };
    this.studio.seen = null;
    this.device = device;
    this.requirement = requirement;
    await this.again();
  }

  async again(): Promise<void> {
    const at = this.studio.selection;
    if (at?.kind !== 'cell' || !this.studio.plan) return;
    this.asked?.abort();
    const asked = new AbortController();
    this.asked = asked;
    this.busy = true;
    try {
      const where = { lon: at.lon, lat: at.lat };
      const cell = await api.cell(
        this.studio.plan.name,
        where,
        this.studio.condition,
        this.device,
        this.requirement,
        asked.signal,
      );
      this.shown = cell;
      this.fault = null;
      this.device = cell.profile?.device_id ?? this.device;
    } catch (problem) {
      if (problem instanceof DOMException) return;
      if (!(problem instanceof FaultError)) throw problem;
      this.shown = null;
      this.fault = problem.fault;
    } finally {
      if (this.asked === asked) this.busy = false;
    }
  }
}
