/** What the page says to people: what was done, what went wrong, that the server is away. */
import { AwayError, FaultError } from '../api/client';

export interface Notice {
  id: number;
  tone: 'good' | 'bad' | 'plain';
  text: string;
  detail: string;
  /** What followed from an edit; the next edit's notes take its place. */
  ofEdit: boolean;
}

const NOTICE_MS = 7000;

export class Messages {
  notices = $state.raw<Notice[]>([]);
  /** The server does not answer. */
  away = $state(false);
  private number = 0;

  say(tone: Notice['tone'], text: string, detail = '', ofEdit = false): void {
    const id = ++this.number;
    this.notices = [...this.notices.slice(-3), { id, tone, text, detail, ofEdit }];
    setTimeout(() => this.dismiss(id), tone === 'bad' ? 3 * NOTICE_MS : NOTICE_MS);
  }

  /** Notes on an edit: those on the one before go, so that the map stays free while one edits. */
  sayOfEdit(notes: { text: string; detail?: string }[]): void {
    this.notices = this.notices.filter((one) => !one.ofEdit);
    for (const { text, detail } of notes) this.say('plain', text, detail, true);
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
}
