/** Words and signs on the map that are only looked at: names, chainages, what is pointed at. */
import { Marker, type Map as GlMap } from 'maplibre-gl';
import type { Features } from '../api/client';
import { chainage } from '../format';
import { away, type Along, type LonLat } from './along';
import { bare } from './markers';

/** Names on the side of the chainages stand outside them. */
const BESIDE_TICKS = 78;
const NAMED = ['posts', 'areas', 'no_watch', 'exclusions'];

export class Marks {
  private ticks: Marker[] = [];
  private named: { s: number; left: boolean }[] = [];
  private readonly names = new Map<string, Marker[]>();
  private cursor: Marker | null = null;

  constructor(private readonly gl: GlMap) {}

  setNames(data: Record<string, Features>, along: Along, side: 'left' | 'right'): void {
    this.named = [];
    for (const name of NAMED) this.setNamesOf(name, data[name], along, side);
  }

  /** Names stand clear of the line, on the side where their place lies. */
  private setNamesOf(
    name: string,
    features: Features | undefined,
    along: Along,
    side: 'left' | 'right',
  ): void {
    for (const marker of this.names.get(name) ?? []) marker.remove();
    const made: Marker[] = [];
    for (const feature of features?.features ?? []) {
      const text = feature.properties?.['name'];
      const place = middle(feature.geometry?.coordinates);
      if (typeof text !== 'string' || !text || !place) continue;
      const element = document.createElement('span');
      element.className = `map-name of-${name}`;
      element.textContent = text;
      element.setAttribute('aria-hidden', 'true');
      const { s, t } = along.nearest(place);
      const left = name === 'posts' || Math.abs(t) < 5 ? side === 'left' : t > 0;
      const out = outward(along, s, left);
      const east = Math.sin(out);
      const anchor = Math.abs(east) < 0.4 ? 'center' : east > 0 ? 'left' : 'right';
      const close = (one: { s: number; left: boolean }): boolean =>
        one.left === left && Math.abs(one.s - s) < along.length / 25;
      const near = this.named.filter(close).length;
      this.named.push({ s, left });
      const clear = (left ? 'left' : 'right') === side ? 18 : BESIDE_TICKS;
      const offset: [number, number] = [clear * east, -24 * Math.cos(out) + 17 * near];
      made.push(new Marker({ element, anchor, offset }).setLngLat(place).addTo(this.gl));
      bare(element);
    }
    this.names.set(name, made);
  }

  /** Chainages beside the line, on the side that is not guarded. */
  setTicks(along: Along, side: 'left' | 'right'): void {
    for (const marker of this.ticks) marker.remove();
    const steps = [50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
    const step = steps.find((one) => along.length / one <= 8) ?? 100_000;
    this.ticks = [];
    for (let s = 0; s <= along.length; s += step) {
      const element = document.createElement('span');
      element.className = 'map-tick';
      element.textContent = chainage(s);
      element.setAttribute('aria-hidden', 'true');
      const out = outward(along, s, side !== 'left');
      const offset: [number, number] = [32 * Math.sin(out), -18 * Math.cos(out)];
      this.ticks.push(new Marker({ element, offset }).setLngLat(along.at(s)).addTo(this.gl));
      bare(element);
    }
  }

  setShown(shown: Record<string, boolean>): void {
    for (const [name, markers] of this.names) {
      for (const marker of markers) marker.getElement().hidden = shown[name] === false;
    }
    for (const tick of this.ticks) tick.getElement().hidden = shown['line'] === false;
  }

  /** A place pointed at: by chainage from the strip, or the highlighted end of a profile. */
  setCursor(place: LonLat | null, text: string): void {
    if (!place) {
      this.cursor?.remove();
      this.cursor = null;
      return;
    }
    if (!this.cursor) {
      const element = document.createElement('span');
      element.className = 'map-cursor';
      element.append(document.createElement('i'), document.createElement('b'));
      element.setAttribute('aria-hidden', 'true');
      this.cursor = new Marker({ element }).setLngLat(place).addTo(this.gl);
      bare(element);
    }
    this.cursor.setLngLat(place);
    const words = this.cursor.getElement().querySelector('b');
    if (words) words.textContent = text;
  }
}

/** Bearing in radians that leads off the line at a chainage. */
function outward(along: Along, s: number, left: boolean): number {
  const near = Math.min(along.length / 200, 40);
  const { bearing } = away(along.at(s - near), along.at(s + near));
  return ((bearing + (left ? -90 : 90)) * Math.PI) / 180;
}

/** Middle of the extent of any GeoJSON coordinates. */
function middle(coordinates: unknown): LonLat | null {
  let west = Infinity;
  let south = Infinity;
  let east = -Infinity;
  let north = -Infinity;
  const visit = (one: unknown): void => {
    if (!Array.isArray(one)) return;
    if (typeof one[0] === 'number' && typeof one[1] === 'number') {
      west = Math.min(west, one[0]);
      east = Math.max(east, one[0]);
      south = Math.min(south, one[1]);
      north = Math.max(north, one[1]);
    } else one.forEach(visit);
  };
  visit(coordinates);
  return Number.isFinite(west) ? [(west + east) / 2, (south + north) / 2] : null;
}
