/** Runs of the chain: their progress as the server sends it. */
import { api, type Noun, type Run } from '../api/client';
import type { Studio } from './studio.svelte';

export class Runs {
  current = $state.raw<Run | null>(null);
  readonly going = $derived(
    this.current?.state === 'running' || this.current?.state === 'stopping',
  );
  private events: EventSource | null = null;

  constructor(private readonly studio: Studio) {}

  /** Look whether a run goes on: a page that is loaded again follows it further. */
  async look(): Promise<void> {
    await this.studio.messages.guarded(async () => {
      const found = await api.runs();
      this.current = found.at(-1) ?? null;
      if (this.going) this.follow();
    });
  }

  async start(noun: Noun, time_s: number | null): Promise<void> {
    await this.studio.messages.guarded(async () => {
      this.current = await api.startRun(noun, time_s);
      this.follow();
    });
  }

  async stop(): Promise<void> {
    await this.studio.messages.guarded(async () => {
      this.current = await api.stopRun();
    });
  }

  private follow(): void {
    this.events?.close();
    const events = api.runEvents();
    this.events = events;
    events.addEventListener('run', (message) => {
      this.current = JSON.parse((message as MessageEvent<string>).data) as Run;
      if (!this.going) {
        events.close();
        void this.ended();
      }
    });
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED && this.going) void this.look();
    };
  }

  private async ended(): Promise<void> {
    const run = this.current;
    if (run?.state === 'done') this.studio.messages.say('good', 'The run is done');
    if (run?.state === 'stopped') this.studio.messages.say('plain', 'The run was stopped', 'Finished steps are kept.');
    await this.studio.refresh();
    const shown = this.studio.plan;
    const computed = this.studio.plans.find((one) => one.kind === 'computed' && one.revision);
    if (computed && (!shown || (shown.kind === 'computed' && shown.revision !== computed.revision))) {
      await this.studio.choosePlan(computed.name);
    }
  }
}
