/** Light or dark: as the system has it, or as the person chose. */
export type Choice = 'auto' | 'light' | 'dark';
const KEY = 'watchline.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

function stored(): Choice {
  try {
    const found = localStorage.getItem(KEY);
    return found === 'light' || found === 'dark' ? found : 'auto';
  } catch {
    return 'auto';
  }
}

class Theme {
  choice = $state<Choice>(stored());
  private systemDark = $state(system.matches);
  readonly dark = $derived(this.choice === 'auto' ? this.systemDark : this.choice === 'dark');

  constructor() {
    system.addEventListener('change', (event) => (this.systemDark = event.matches));
  }

  next(): void {
    const order: Choice[] = ['auto', 'light', 'dark'];
    this.choice = order[(order.indexOf(this.choice) + 1) % order.length] as Choice;
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      /* kept for this page only */
    }
  }
}

export const theme = new Theme();
