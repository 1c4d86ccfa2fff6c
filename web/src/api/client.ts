/** Requests to the studio's server, with the types of its OpenAPI description. */
import type { components } from './schema';

type Schemas = components['schemas'];
export type Project = Schemas['ProjectInfo'];
export type Step = Schemas['Step'];
export type Noun = Step['noun'];
export type Condition = Schemas['ConditionInfo'];
export type Catalogue = Schemas['CatalogueInfo'];
export type DeviceModel = Schemas['DeviceModel'];
export type Layer = Schemas['LayerInfo'];
export type Features = Schemas['FeatureCollection'];
export type PlanEntry = Schemas['PlanEntry'];
export type PlanDetail = Schemas['PlanDetail'];
export type Mount = Schemas['MountInfo'];
export type Device = Schemas['DeviceInfo'];
export type Light = Schemas['LightInfo'];
export type Claim = Schemas['ClaimInfo'];
export type ClaimNews = Schemas['ClaimNews'];
export type Edit = Schemas['EditRequest']['edits'][number];
export type EditAnswer = Schemas['EditAnswer'];
export type Strip = Schemas['Strip'];
export type StripRequirement = Schemas['StripRequirement'];
export type Cell = Schemas['CellAnswer'];
export type CellView = Schemas['CellView'];
export type Profile = NonNullable<Cell['profile']>;
export type Picture = Schemas['PictureInfo'];
export type Difference = Schemas['Difference'];
export type Run = Schemas['RunInfo'];
export type Conflict = Schemas['Conflict'];
export type Fault = Schemas['Fault'];
export type Saved = Schemas['Saved'];
export type Seen = Schemas['SeenAnswer'];
export type LegendEntry = { name: string; colour: string };

/** The server refused, and says what is wrong and how to mend it. */
export class FaultError extends Error {
  constructor(
    readonly status: number,
    readonly fault: Fault,
  ) {
    super([fault.what, fault.where, fault.mend].filter(Boolean).join(' — '));
  }
}

/** Somebody else edited the plan meanwhile. */
export class ConflictError extends FaultError {
  constructor(readonly conflict: Conflict) {
    super(409, conflict);
  }
}

/** No answer: the server is not running, or cannot be reached. */
export class AwayError extends Error {
  constructor() {
    super('The server does not answer');
  }
}

/** Path of an address below /api, each part escaped. */
export function path(...parts: string[]): string {
  return '/api/' + parts.map(encodeURIComponent).join('/');
}

/** An address with those of its parameters that have a value. */
export function withQuery(
  address: string,
  query: Record<string, string | number | boolean | null | undefined>,
): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  if (!given.length) return address;
  return `${address}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

async function ask<T>(address: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'same-origin', ...init });
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === 'AbortError') throw problem;
    throw new AwayError();
  }
  if (response.ok) return (await response.json()) as T;
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    /* an answer of something between page and server */
  }
  if (response.status === 409 && body && typeof body === 'object' && 'current' in body) {
    throw new ConflictError(body as Conflict);
  }
  const fault =
    body && typeof body === 'object' && 'what' in body
      ? (body as Fault)
      : { what: `the server answered ${response.status}`, where: address, mend: '', faults: [] };
  throw new FaultError(response.status, fault);
}

function send<T>(method: string, address: string, body?: unknown, revision?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (revision !== undefined) headers['If-Match'] = revision;
  return ask<T>(address, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export const api = {
  project: () => ask<Project>(path('project')),
  catalogue: () => ask<Catalogue>(path('catalogue')),
  legend: () => ask<LegendEntry[]>(path('views-legend')),
  layers: () => ask<Layer[]>(path('layers')),
  layer: (name: string, plan?: string) =>
    ask<Features>(withQuery(path('layers', name), { plan })),
  plans: () => ask<PlanEntry[]>(path('plans')),
  plan: (plan: string) => ask<PlanDetail>(path('plans', plan)),
  claimEvents: (plan: string) => new EventSource(path('plans', plan, 'claims', 'events')),
  copy: (plan: string, name: string) =>
    send<PlanDetail>('POST', path('plans', plan, 'copies'), { name }),
  edit: (plan: string, revision: string, edits: Edit[], condition: string | null) =>
    send<EditAnswer>('POST', path('plans', plan, 'edits'), { edits, condition }, revision),
  step: (plan: string, way: 'undo' | 'redo', revision: string, condition: string | null) =>
    send<EditAnswer>(
      'POST',
      withQuery(path('plans', plan, way), { condition }),
      undefined,
      revision,
    ),
  save: (plan: string) => send<Saved>('POST', path('plans', plan, 'save')),
  strip: (plan: string, condition: string, bin_m: number) =>
    ask<Strip>(withQuery(path('plans', plan, 'strip'), { condition, bin_m })),
  cell: (
    plan: string,
    at: { lon: number; lat: number },
    condition: string | null,
    device: string | null,
    requirement: string | null,
    signal?: AbortSignal,
  ) =>
    ask<Cell>(withQuery(path('plans', plan, 'cell'), { ...at, condition, device, requirement }), {
      signal,
    }),
  seen: (plan: string, device: string, condition: string | null) =>
    ask<Seen>(withQuery(path('plans', plan, 'devices', device, 'seen'), { condition })),
  picture: (plan: string, device: string, condition: string | null) =>
    ask<Picture>(withQuery(path('plans', plan, 'devices', device, 'picture'), { condition })),
  pictureAddress: (plan: string, device: string, condition: string | null, width: number, v: string) =>
    withQuery(path('plans', plan, 'devices', device, 'picture.png'), { condition, width, v }),
  difference: (plan: string, other: string) =>
    ask<Difference>(path('plans', plan, 'diff', other)),
  exportAddress: (plan: string, kind: string) => path('plans', plan, 'export', kind),
  import: (file: File, name: string) => {
    const form = new FormData();
    form.set('file', file);
    form.set('name', name);
    return ask<PlanDetail>(path('plans'), { method: 'POST', body: form });
  },
  runs: () => ask<Run[]>(path('runs')),
  startRun: (start: Noun, time_s: number | null) =>
    send<Run>('POST', path('runs'), { start, time_s }),
  stopRun: () => send<Run>('DELETE', path('runs', 'current')),
  runEvents: () => new EventSource(path('runs', 'current', 'events')),
};
