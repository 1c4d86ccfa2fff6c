/** The map: our own few words around MapLibre, so that nothing else of the page knows it. */
import {
  Map as GlMap,
  Marker,
  ScaleControl,
  setWorkerUrl,
  type GeoJSONSource,
  type MapMouseEvent,
  type RasterTileSource,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Cell, Device, Features, Mount, PlanDetail } from '../api/client';
import { path } from '../api/client';
import { chainage, number } from '../format';
import type { Camera } from '../state/view';
import { away, moved, sector, toward, type Along, type LonLat } from './along';
import { coneOpacity, DRAWN, drawing, EMPTY, firstStyle, reliefTiles, SWITCHES, VIEWS_PAINT } from './style';

setWorkerUrl(workerUrl);

const TILTED_DEG = 60;
const LABELS_FROM_ZOOM = 14.2;
const NUDGE_MS = 500;
/** Names on the side of the chainages stand outside them. */
const BESIDE_TICKS = 78;

export interface MapEvents {
  clicked(place: LonLat): void;
  hovered(place: LonLat | null): void;
  selected(kind: 'mount' | 'device', id: string): void;
  mountMoved(id: string, place: LonLat): void;
  deviceTurned(id: string, azimuth: number): void;
  cameraMoved(camera: Camera, tilted: boolean): void;
}

type Shape = GeoJSON.Feature | GeoJSON.FeatureCollection;

export class StudioMap {
  readonly gl: GlMap;
  private readonly masts = new Map<string, { marker: Marker; mount: Mount; button: HTMLButtonElement }>();
  private ticks: Marker[] = [];
  private named: { s: number; left: boolean }[] = [];
  private readonly names = new Map<string, Marker[]>();
  private aim: Marker | null = null;
  private cursor: Marker | null = null;
  private witness: Marker | null = null;
  private plan: PlanDetail | null = null;
  private chosen: { mount: string | null; device: string | null } = { mount: null, device: null };
  private litCones: string[] = [];
  private cellShown = false;
  private dimmed = '';
  private viewsAddress = '';
  private viewsLayer: string | null = null;
  private shown: Record<string, boolean> = {};
  private viewsOn = true;
  private readonly terrain: [number, number, number, number] | null;
  private dark: boolean;
  private nudge: { id: string; place: LonLat; timer: ReturnType<typeof setTimeout> } | null = null;
  private readonly waiting: (() => void)[] = [];
  private styled = false;

  constructor(
    container: HTMLElement,
    options: {
      dark: boolean;
      bounds: [number, number, number, number];
      terrain: [number, number, number, number] | null;
      camera: Camera | null;
      credits: string[];
    },
    private readonly events: MapEvents,
  ) {
    this.dark = options.dark;
    this.terrain = options.terrain;
    const camera = options.camera;
    this.gl = new GlMap({
      container,
      style: firstStyle(location.origin, options.dark, options.terrain),
      attributionControl: false,
      maxPitch: 80,
      maxZoom: 20,
      minZoom: 6,
      fadeDuration: 0,
      bounds: camera ? undefined : options.bounds,
      fitBoundsOptions: { padding: padding(container) },
      ...(camera
        ? {
            center: [camera.lon, camera.lat] as LonLat,
            zoom: camera.zoom,
            bearing: camera.bearing,
            pitch: camera.pitch,
          }
        : {}),
    });
    this.gl.addControl(new ScaleControl({ unit: 'metric', maxWidth: 110 }), 'bottom-left');
    this.gl.on('style.load', () => {
      this.styled = true;
      for (const act of this.waiting.splice(0)) act();
      if (camera && camera.pitch > 5) this.tilt(true, false);
    });
    this.gl.on('click', (event: MapMouseEvent) => {
      this.events.clicked([event.lngLat.lng, event.lngLat.lat]);
    });
    this.gl.on('mousemove', (event) => this.events.hovered([event.lngLat.lng, event.lngLat.lat]));
    this.gl.on('mouseout', () => this.events.hovered(null));
    this.gl.on('moveend', () => this.tellCamera());
    this.gl.on('zoom', () => this.sizeLabels());
    this.sizeLabels();
  }

  remove(): void {
    this.gl.remove();
  }

  /** Do something once the style is there. */
  private then(act: () => void): void {
    if (this.styled) act();
    else this.waiting.push(act);
  }

  /** Show data; a source and its layers are made when there is something to draw first. */
  private put(name: string, data: Shape | Features): void {
    this.then(() => {
      const source = this.gl.getSource(name) as GeoJSONSource | undefined;
      if (source) source.setData(data as GeoJSON.GeoJSON);
      else if (!('features' in data) || data.features.length) this.make(name, data);
    });
  }

  private make(name: string, data: Shape | Features): void {
    this.gl.addSource(name, {
      type: 'geojson',
      data: data as GeoJSON.GeoJSON,
      ...(name === 'cones' ? { promoteId: 'id' } : {}),
    });
    const order = drawing(this.dark);
    order.forEach((layer, k) => {
      if (!('source' in layer) || layer.source !== name) return;
      const above = order.slice(k + 1).find(({ id }) => this.gl.getLayer(id));
      this.gl.addLayer(layer, above?.id);
      this.showLayer(layer.id);
    });
  }

  private showLayer(id: string): void {
    const found = SWITCHES.find(({ layers }) => layers.includes(id));
    if (!found || !this.gl.getLayer(id)) return;
    const visibility = this.shown[found.name] === false ? 'none' : 'visible';
    // Setting what stands already makes MapLibre load the source again.
    if ((this.gl.getLayoutProperty(id, 'visibility') ?? 'visible') === visibility) return;
    this.gl.setLayoutProperty(id, 'visibility', visibility);
  }

  private sizeLabels(): void {
    this.gl.getContainer().classList.toggle('labelled', this.gl.getZoom() >= LABELS_FROM_ZOOM);
  }

  private tellCamera(): void {
    const { lng, lat } = this.gl.getCenter();
    this.events.cameraMoved(
      {
        zoom: this.gl.getZoom(),
        lon: lng,
        lat,
        bearing: this.gl.getBearing(),
        pitch: this.gl.getPitch(),
      },
      this.gl.getPitch() > 5,
    );
  }

  // ---- what is drawn -----------------------------------------------------------------------

  setTheme(dark: boolean): void {
    if (dark === this.dark) return;
    this.dark = dark;
    this.then(() => {
      (this.gl.getSource('hillshade') as RasterTileSource).setTiles(
        reliefTiles(location.origin, dark),
      );
      for (const layer of drawing(dark)) {
        if (!this.gl.getLayer(layer.id)) continue;
        for (const [key, value] of Object.entries(layer.paint ?? {})) {
          this.gl.setPaintProperty(layer.id, key as never, value as never);
        }
      }
      this.dimmed = '';
      this.dimCones();
    });
  }

  setLayers(data: Record<string, Features>, along: Along | null, side: 'left' | 'right'): void {
    this.named = [];
    for (const name of DRAWN) this.put(name, data[name] ?? EMPTY);
    for (const name of ['posts', 'areas', 'no_watch', 'exclusions']) {
      if (along) this.setNames(name, data[name], along, side);
    }
  }

  /** Names stand clear of the line, on the side where their place lies. */
  private setNames(
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
    this.shown = shown;
    this.gl.getContainer().classList.toggle('no-masts', shown['mounts'] === false);
    for (const [name, markers] of this.names) {
      for (const marker of markers) marker.getElement().hidden = shown[name] === false;
    }
    for (const tick of this.ticks) tick.getElement().hidden = shown['line'] === false;
    this.viewsOn = shown['views'] !== false;
    this.then(() => {
      const views = this.viewsLayer;
      const visibility = this.viewsOn ? 'visible' : 'none';
      if (views && this.gl.getLayoutProperty(views, 'visibility') !== visibility) {
        this.gl.setLayoutProperty(views, 'visibility', visibility);
      }
      for (const { layers } of SWITCHES) layers.forEach((id) => this.showLayer(id));
    });
  }

  setViews(plan: string | null, condition: string | null, version: string): void {
    const address =
      plan && condition
        ? `${location.origin}${path('plans', plan, 'tiles', 'views', condition)}/{z}/{x}/{y}.png?v=${encodeURIComponent(version)}`
        : '';
    if (address === this.viewsAddress) return;
    this.viewsAddress = address;
    this.then(() => this.changeViews(address));
  }

  /** New views are laid over the old ones, which go once the new are there: nothing flickers. */
  private changeViews(address: string): void {
    const old = this.viewsLayer;
    const next = old === 'views-1' ? 'views-2' : 'views-1';
    this.dropViews(next);
    this.viewsLayer = null;
    if (!address) {
      if (old) this.dropViews(old);
      return;
    }
    this.gl.addSource(next, {
      type: 'raster',
      tiles: [address],
      tileSize: 256,
      minzoom: 9,
      maxzoom: 18,
      ...(this.terrain ? { bounds: this.terrain } : {}),
    });
    const order = drawing(this.dark);
    const at = order.findIndex(({ id }) => id === 'hillshade');
    const above = order.slice(at + 1).find(({ id }) => this.gl.getLayer(id));
    this.gl.addLayer(
      {
        id: next,
        type: 'raster',
        source: next,
        layout: { visibility: this.viewsOn ? 'visible' : 'none' },
        paint: VIEWS_PAINT,
      },
      above?.id,
    );
    this.viewsLayer = next;
    if (!old) return;
    if (!this.viewsOn) {
      this.dropViews(old);
      return;
    }
    const loaded = (): void => {
      if (this.viewsLayer !== next || this.gl.isSourceLoaded(next)) {
        this.gl.off('sourcedata', loaded);
        if (this.viewsLayer === next) this.dropViews(old);
      }
    };
    this.gl.on('sourcedata', loaded);
  }

  private dropViews(layer: string): void {
    if (this.gl.getLayer(layer)) this.gl.removeLayer(layer);
    if (this.gl.getSource(layer)) this.gl.removeSource(layer);
  }

  setPlan(plan: PlanDetail | null): void {
    this.plan = plan;
    this.put('cones', {
      type: 'FeatureCollection',
      features: (plan?.device_list ?? [])
        .filter((device) => device.cone)
        .map((device) => ({
          type: 'Feature',
          geometry: device.cone as unknown as GeoJSON.Geometry,
          properties: { id: device.device_id, kind: device.kind },
        })),
    });
    this.put('preview', EMPTY);
    const left = new Set(this.masts.keys());
    for (const mount of plan?.mount_list ?? []) {
      left.delete(mount.mount_id);
      this.showMast(mount);
    }
    for (const id of left) {
      this.masts.get(id)?.marker.remove();
      this.masts.delete(id);
    }
    this.setSelected(this.chosen.mount, this.chosen.device);
  }

  private showMast(mount: Mount): void {
    const place: LonLat = [mount.lon, mount.lat];
    const found = this.masts.get(mount.mount_id);
    if (found) {
      found.mount = mount;
      if (this.nudge?.id !== mount.mount_id) found.marker.setLngLat(place);
      label(found.button, mount);
      return;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mast';
    button.dataset['mount'] = mount.mount_id;
    const dot = document.createElement('span');
    dot.className = 'mast-dot';
    const name = document.createElement('span');
    name.className = 'mast-name';
    button.append(dot, name);
    button.addEventListener('click', (event) => {
      event.stopPropagation();
      this.events.selected('mount', mount.mount_id);
    });
    button.addEventListener('keydown', (event) => this.key(event, mount.mount_id));
    const marker = new Marker({ element: button }).setLngLat(place).addTo(this.gl);
    label(button, mount);
    marker.on('drag', () => this.previewMove(mount.mount_id, lonlat(marker)));
    marker.on('dragend', () => this.events.mountMoved(mount.mount_id, lonlat(marker)));
    this.masts.set(mount.mount_id, { marker, mount, button });
  }

  /** Arrow keys move the selected mast, 1 m at a time and 10 m with Shift. */
  private key(event: KeyboardEvent, id: string): void {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
    };
    const step = steps[event.key];
    const mast = this.masts.get(id);
    if (!step || !mast || this.chosen.mount !== id) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.shiftKey ? 10 : 1;
    const place = moved(lonlat(mast.marker), step[0] * size, step[1] * size);
    mast.marker.setLngLat(place);
    this.previewMove(id, place);
    clearTimeout(this.nudge?.timer);
    const timer = setTimeout(() => {
      this.nudge = null;
      this.events.mountMoved(id, place);
    }, NUDGE_MS);
    this.nudge = { id, place, timer };
  }

  private previewMove(id: string, place: LonLat): void {
    const features = (this.plan?.device_list ?? [])
      .filter((device) => device.mount_id === id)
      .map((device) => sectorOf(device, place, device.bearing_deg));
    this.put('preview', { type: 'FeatureCollection', features });
    this.aim?.remove();
    this.aim = null;
  }

  // ---- selection ---------------------------------------------------------------------------

  setSelected(mount: string | null, device: string | null): void {
    this.chosen = { mount, device };
    for (const [id, { marker, button }] of this.masts) {
      const on = id === mount;
      marker.setDraggable(on);
      button.classList.toggle('selected', on);
      button.setAttribute('aria-pressed', String(on));
    }
    const lit = (this.plan?.device_list ?? [])
      .filter((one) => (device ? one.device_id === device : one.mount_id === mount))
      .map((one) => one.device_id);
    this.then(() => {
      if (!this.gl.getSource('cones')) return;
      for (const id of this.litCones) {
        this.gl.setFeatureState({ source: 'cones', id }, { selected: false });
      }
      for (const id of lit) this.gl.setFeatureState({ source: 'cones', id }, { selected: true });
      this.litCones = lit;
      this.dimCones();
    });
    this.showAim(this.plan?.device_list.find((one) => one.device_id === device) ?? null);
  }

  /** Fields of view step back behind what is selected, and where there are many of them. */
  private dimCones(): void {
    const many = this.plan?.device_list.length ?? 0;
    const behind = this.litCones.length > 0 || this.cellShown;
    const key = `${behind} ${many}`;
    if (key === this.dimmed || !this.gl.getLayer('cones-fill')) return;
    this.dimmed = key;
    for (const part of ['fill', 'line'] as const) {
      const value = coneOpacity(part, behind, many);
      this.gl.setPaintProperty(`cones-${part}`, `${part}-opacity` as never, value as never);
    }
  }

  private showAim(device: Device | null): void {
    this.aim?.remove();
    this.aim = null;
    if (!device || device.hfov_deg >= 359) return;
    const at: LonLat = [device.lon, device.lat];
    const reach = Math.max(15, Math.min(device.reach_m * 0.6, 400));
    const element = document.createElement('button');
    element.type = 'button';
    element.className = 'aim';
    element.title = 'Drag to turn; arrow keys turn by 1°, with Shift by 10°';
    const grip = document.createElement('span');
    grip.className = 'aim-grip';
    element.append(grip);
    element.setAttribute('aria-label', `Turn ${device.device_id}: ${number(device.azimuth_deg, 1)}°`);
    element.addEventListener('click', (event) => event.stopPropagation());
    const marker = new Marker({ element, draggable: true })
      .setLngLat(toward(at, reach, device.bearing_deg))
      .addTo(this.gl);
    bare(element);
    let bearing = device.bearing_deg;
    const show = (): void => this.put('preview', sectorOf(device, at, bearing));
    const done = (): void =>
      this.events.deviceTurned(
        device.device_id,
        (bearing - device.bearing_deg + device.azimuth_deg + 360) % 360,
      );
    marker.on('drag', () => {
      bearing = away(at, lonlat(marker)).bearing;
      marker.setLngLat(toward(at, reach, bearing));
      show();
    });
    marker.on('dragend', done);
    let timer: ReturnType<typeof setTimeout> | undefined;
    element.addEventListener('keydown', (event) => {
      const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      bearing = (bearing + way * (event.shiftKey ? 10 : 1) + 360) % 360;
      marker.setLngLat(toward(at, reach, bearing));
      show();
      clearTimeout(timer);
      timer = setTimeout(done, NUDGE_MS);
    });
    this.aim = marker;
  }

  setSeen(seen: Features | null): void {
    this.put('seen', seen ?? EMPTY);
  }

  setStretch(along: Along | null, stretch: [number, number] | null): void {
    if (!along || !stretch) this.put('stretch', EMPTY);
    else {
      this.put('stretch', {
        type: 'Feature',
        properties: {},
        geometry: { type: 'LineString', coordinates: along.part(...stretch) },
      });
    }
  }

  setCell(cell: Cell | null): void {
    this.cellShown = cell !== null;
    this.then(() => this.dimCones());
    if (!cell) {
      this.put('cell', EMPTY);
      this.put('sight', EMPTY);
      return;
    }
    this.put('cell', {
      type: 'Feature',
      properties: {},
      geometry: cell.cell as unknown as GeoJSON.Geometry,
    });
    const profile = cell.profile;
    const features: GeoJSON.Feature[] = [];
    if (profile && profile.lon.length > 1) {
      const places = profile.lon.map((lon, k): LonLat => [lon, profile.lat[k] as number]);
      const view = cell.views.find((one) => one.device_id === profile.device_id);
      const at = view?.block?.distance_m;
      const cut =
        at === undefined ? places.length - 1 : profile.distance_m.findIndex((d) => d >= at);
      const open = places.slice(0, cut < 0 ? places.length : cut + 1);
      const rest = cut < 0 ? [] : places.slice(cut);
      for (const [part, coordinates] of [
        ['open', open],
        ['shut', rest],
      ] as const) {
        if (coordinates.length < 2) continue;
        features.push({
          type: 'Feature',
          properties: { part },
          geometry: { type: 'LineString', coordinates },
        });
      }
    }
    this.put('sight', { type: 'FeatureCollection', features });
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

  setWitness(place: LonLat | null): void {
    this.witness?.remove();
    this.witness = null;
    if (!place) return;
    const element = document.createElement('span');
    element.className = 'map-witness';
    element.setAttribute('aria-hidden', 'true');
    this.witness = new Marker({ element }).setLngLat(place).addTo(this.gl);
    bare(element);
  }

  /** Address of the views that are shown. */
  get viewsShown(): string {
    return this.viewsAddress;
  }

  /** Layers of the map that are switched on. */
  get visibleLayers(): string[] {
    if (!this.styled) return [];
    return this.gl
      .getLayersOrder()
      .filter((id) => this.gl.getLayoutProperty(id, 'visibility') !== 'none');
  }

  // ---- camera ------------------------------------------------------------------------------

  get centre(): LonLat {
    const { lng, lat } = this.gl.getCenter();
    return [lng, lat];
  }

  zoom(by: number): void {
    this.gl.zoomTo(this.gl.getZoom() + by, { duration: 220 });
  }

  north(): void {
    this.gl.easeTo({ bearing: 0, duration: 350 });
  }

  fit(bounds: [number, number, number, number]): void {
    this.gl.fitBounds(bounds, { padding: padding(this.gl.getContainer()), duration: 600 });
  }

  look(place: LonLat, zoom = 15): void {
    this.gl.easeTo({ center: place, zoom: Math.max(this.gl.getZoom(), zoom), duration: 500 });
  }

  /** Bring a place into sight, without moving where it is in sight already. */
  reveal(place: LonLat): void {
    if (this.gl.isMoving()) return; // it is on its way there
    const { x, y } = this.gl.project(place);
    const { clientWidth, clientHeight } = this.gl.getContainer();
    const rim = 60;
    if (x < rim || y < rim || x > clientWidth - rim || y > clientHeight - rim) {
      this.gl.easeTo({ center: place, duration: 400 });
    }
  }

  tilt(on: boolean, moving = true): void {
    this.then(() => {
      this.gl.setTerrain(on ? { source: 'dem', exaggeration: 1 } : null);
      if (moving) this.gl.easeTo({ pitch: on ? TILTED_DEG : 0, duration: 700 });
    });
  }
}

/** Room for what lies over the map: the conditions above, the list of layers at the right. */
function padding(container: HTMLElement): { top: number; bottom: number; left: number; right: number } {
  return { top: 60, bottom: 40, left: 60, right: container.clientWidth > 780 ? 240 : 60 };
}

/** Bearing in radians that leads off the line at a chainage. */
function outward(along: Along, s: number, left: boolean): number {
  const near = Math.min(along.length / 200, 40);
  const { bearing } = away(along.at(s - near), along.at(s + near));
  return ((bearing + (left ? -90 : 90)) * Math.PI) / 180;
}

function lonlat(marker: Marker): LonLat {
  const { lng, lat } = marker.getLngLat();
  return [lng, lat];
}

/** What MapLibre says of a marker is for pictures; ours are told by their own words. */
function bare(element: HTMLElement): void {
  if (element instanceof HTMLButtonElement) return;
  element.removeAttribute('role');
  element.removeAttribute('aria-label');
  element.removeAttribute('tabindex');
}

function label(button: HTMLButtonElement, mount: Mount): void {
  button.removeAttribute('role');
  button.classList.toggle('tower', mount.kind === 'tower');
  const many = mount.devices.length;
  button.setAttribute(
    'aria-label',
    `${mount.kind} ${mount.name} at ${chainage(mount.s)}, ${many} ${many === 1 ? 'device' : 'devices'}`,
  );
  const name = button.querySelector('.mast-name');
  if (name) name.textContent = mount.mount_id;
}

function sectorOf(device: Device, at: LonLat, bearing: number): GeoJSON.Feature {
  return {
    type: 'Feature',
    properties: { kind: device.kind },
    geometry: {
      type: 'Polygon',
      coordinates: [sector(at, Math.min(device.reach_m, 4000), bearing, device.hfov_deg)],
    },
  };
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
