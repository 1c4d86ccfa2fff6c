/** What our markers on the map have in common. */
import type { Marker } from 'maplibre-gl';
import type { LonLat } from './along';

export function lonlat(marker: Marker): LonLat {
  const { lng, lat } = marker.getLngLat();
  return [lng, lat];
}

/** What MapLibre says of a marker is for pictures; ours are told by their own words. */
export function bare(element: HTMLElement): void {
  if (element instanceof HTMLButtonElement) return;
  element.removeAttribute('role');
  element.removeAttribute('aria-label');
  element.removeAttribute('tabindex');
}
