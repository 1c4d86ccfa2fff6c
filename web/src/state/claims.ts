/** Claims that the server judges in the background: they come when they are found. */
import { api, type Claim, type ClaimNews } from '../api/client';
import type { Studio } from './studio.svelte';

const AGAIN_MS = 300;

export function claimKey(claim: { requirement: string; condition: string; kind: string }): string {
  return `${claim.requirement}/${claim.condition}/${claim.kind}`;
}

export class ClaimsToCome {
  private events: EventSource | null = null;
  private plan: string | null = null;
  /** The last figure that each claim of the plan had. */
  private known = new Map<string, Claim>();

  constructor(private readonly studio: Studio) {}

  /** Follow the claims of the plan that is shown, while one of them is waited for. */
  look(): void {
    const plan = this.studio.plan;
    if (plan?.name !== this.plan) {
      // A version that an edit began goes on from the plan that was edited.
      if (!this.studio.edits.change) this.known.clear();
      this.close();
      this.plan = plan?.name ?? null;
    }
    for (const claim of plan?.claims ?? []) {
      if (!claim.waits) this.known.set(claimKey(claim), claim);
    }
    if (!plan?.claims.some((claim) => claim.waits)) this.close();
    else if (!this.events) this.open(plan.name);
  }

  private close(): void {
    this.events?.close();
    this.events = null;
  }

  private open(name: string): void {
    const events = api.claimEvents(name);
    this.events = events;
    events.addEventListener('claims', (message) => {
      const news = JSON.parse((message as MessageEvent<string>).data) as ClaimNews;
      const mine = news.revision === this.studio.plan?.revision;
      if (mine) this.take(news);
      else if (!news.waits) {
        // It speaks of the plan before an edit whose answer is on its way.
        this.close();
        setTimeout(() => this.look(), AGAIN_MS);
      }
    });
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) this.close();
    };
  }

  private take(news: ClaimNews): void {
    const studio = this.studio;
    const plan = studio.plan;
    if (!plan) return;
    const waited = new Set(plan.claims.filter((claim) => claim.waits).map(claimKey));
    const found = news.claims.filter((claim) => !claim.waits && waited.has(claimKey(claim)));
    const changed = found.flatMap((claim) => {
      const was = this.known.get(claimKey(claim));
      if (!was || (was.value === claim.value && was.verdict === claim.verdict)) return [];
      const { requirement, kind, condition } = claim;
      return [{
        requirement, kind, condition,
        before: was.value, after: claim.value,
        verdict_before: was.verdict, verdict_after: claim.verdict,
      }];
    });
    if (studio.edits.change && changed.length) {
      studio.edits.change = { ...studio.edits.change, claims: [...studio.edits.change.claims, ...changed] };
    }
    studio.plan = { ...plan, claims: news.claims, holds: news.holds };
    // The weakest paths come with the claims on them.
    if (found.some((claim) => claim.kind === 'interruption')) void studio.loadPaths();
  }
}
