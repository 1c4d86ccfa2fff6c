/** What the page shows, as plain figures: for tests and for people who write to us of a fault. */
import type { StudioMap } from '../map/map';
import type { Studio } from './studio.svelte';

export function shownState(studio: Studio, map: StudioMap | null): Record<string, unknown> {
  const plan = studio.plan;
  return {
    ready: studio.ready,
    settled: studio.settled,
    quiet: !studio.edits.working && studio.edits.waiting === 0,
    plan: plan?.name ?? null,
    revision: plan?.revision ?? null,
    cost: plan?.cost ?? null,
    judged: plan !== null && !plan.claims.some((one) => one.waits),
    claims: (plan?.claims ?? []).map(({ requirement, condition, kind, verdict, value, waits }) => ({
      requirement,
      condition,
      kind,
      verdict,
      value,
      waits,
    })),
    mounts: (plan?.mount_list ?? []).map((one) => ({
      mount_id: one.mount_id,
      lon: one.lon,
      lat: one.lat,
      s: one.s,
      t: one.t,
      devices: one.devices.length,
    })),
    condition: studio.condition,
    selection: studio.selection,
    step: studio.step,
    seen_m2: studio.seen?.area_m2 ?? null,
    cell: studio.cells.shown,
    map: map
      ? {
          loaded: map.gl.loaded(),
          zoom: map.gl.getZoom(),
          pitch: map.gl.getPitch(),
          terrain: map.gl.getTerrain() !== null && map.gl.getTerrain() !== undefined,
          views: map.viewsShown,
          layers: map.visibleLayers,
        }
      : null,
  };
}
