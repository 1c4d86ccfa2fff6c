/** Figures as the report writes them: SI units, thousands apart by a narrow space. */
function apart(text: string): string {
  return text.replaceAll(',', '\u202f');
}

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (digits === 0) return apart(whole.format(value));
  const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return apart(new Intl.NumberFormat('en-GB', exact).format(value));
}

/** A figure with as many digits as its size deserves: 12 300, 123, 12.3, 1.23, 0.012. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return number(value);
  return new Intl.NumberFormat('en-GB', { maximumSignificantDigits: size >= 1 ? 3 : 2 }).format(value);
}

export function money(value: number | null | undefined, currency: string): string {
  return value === null || value === undefined ? '–' : `${number(value)} ${currency}`;
}

export function signed(value: number, digits = 0): string {
  const text = number(Math.abs(value), digits);
  if (!/[1-9]/.test(text)) return '±0';
  return (value > 0 ? '+' : '−') + text;
}

/** A share in percent, rounded down as the report does: only a full share reads 100 %. */
export function percent(share: number, digits = 2): string {
  if (!Number.isFinite(share)) return '–';
  const scale = 10 ** digits;
  const value = Math.floor(share * 100 * scale + 1e-7) / scale;
  return `${value % 1 ? value.toFixed(digits) : value} %`;
}

export function length(metres: number | null | undefined): string {
  if (metres === null || metres === undefined || !Number.isFinite(metres)) return '–';
  return Math.abs(metres) >= 10_000 ? `${number(metres / 1000, 2)} km` : `${number(metres)} m`;
}

export function stretch([from, to]: [number, number]): string {
  return `${number(from)}–${number(to)} m`;
}

/** Chainage as engineers write it: 12+340. */
export function chainage(s: number): string {
  const rounded = Math.round(s);
  const km = Math.trunc(rounded / 1000);
  return `${km}+${String(Math.abs(rounded % 1000)).padStart(3, '0')}`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function moment(iso: string | null | undefined): string {
  if (!iso) return '–';
  const date = new Date(iso);
  return Number.isNaN(date.getTime())
    ? iso
    : date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

export function words(text: string): string {
  return text.replaceAll('_', ' ');
}

/** A sentence begins with a capital, whatever it is put together from. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a claim says of its figure: a share as per cent, all else to three digits, rounded down as
    the report does: what falls short never reads as if it did not. */
export function claimFigure(value: number, unit: string): string {
  if (unit === 'share' || unit === '' || unit === '1') return percent(value);
  if (!Number.isFinite(value)) return '–';
  const digits = value > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(value)))) : 0;
  const text = number(Math.floor(value * 10 ** digits + 1e-9) / 10 ** digits, digits);
  return unit === 'ratio' ? text : `${text} ${unit}`;
}

/** A claim's name; many requirements carry their condition in it already. */
export function claimName(requirement: string, condition: string): string {
  const said = !condition || condition === 'any' || requirement.endsWith(condition);
  return said ? requirement : `${requirement}, ${condition}`;
}
