/** The address of a view: plan, condition, camera of the map, step and selection. */
import type { Noun } from '../api/client';

export type Selection =
  | { kind: 'mount'; id: string }
  | { kind: 'device'; id: string }
  | { kind: 'cell'; lon: number; lat: number };

export interface Camera {
  zoom: number;
  lon: number;
  lat: number;
  bearing: number;
  pitch: number;
}

export interface View {
  plan: string | null;
  condition: string | null;
  step: Noun | null;
  camera: Camera | null;
  selection: Selection | null;
}

export function readView(hash: string): View {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    plan: given.get('plan'),
    condition: given.get('condition'),
    step: given.get('step') as Noun | null,
    camera: readCamera(given.get('map')),
    selection: readSelection(given.get('at')),
  };
}

export function writeView(view: View): string {
  const out = new URLSearchParams();
  if (view.plan) out.set('plan', view.plan);
  if (view.condition) out.set('condition', view.condition);
  if (view.step) out.set('step', view.step);
  if (view.camera) {
    const { zoom, lat, lon, bearing, pitch } = view.camera;
    out.set(
      'map',
      [zoom.toFixed(2), lat.toFixed(6), lon.toFixed(6), bearing.toFixed(1), pitch.toFixed(1)].join('/'),
    );
  }
  const at = view.selection;
  if (at?.kind === 'cell') out.set('at', `cell:${at.lon.toFixed(7)},${at.lat.toFixed(7)}`);
  else if (at) out.set('at', `${at.kind}:${at.id}`);
  return '#' + out.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',');
}

function readCamera(text: string | null): Camera | null {
  const parts = (text ?? '').split('/').map(Number);
  if (parts.length !== 5 || parts.some((one) => !Number.isFinite(one))) return null;
  const [zoom, lat, lon, bearing, pitch] = parts as [number, number, number, number, number];
  if (Math.abs(lat) > 85 || Math.abs(lon) > 180) return null;
  return { zoom, lat, lon, bearing, pitch };
}

function readSelection(text: string | null): Selection | null {
  if (!text) return null;
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if ((kind === 'mount' || kind === 'device') && rest) return { kind, id: rest };
  if (kind === 'cell') {
    const [lon, lat] = rest.split(',').map(Number);
    if (lon !== undefined && lat !== undefined && Number.isFinite(lon) && Number.isFinite(lat)) {
      return { kind: 'cell', lon, lat };
    }
  }
  return null;
}
