/** The map: our own few words around MapLibre, so that nothing else of the page knows it. */
import {
  Map as GlMap,
  ScaleControl,
  setWorkerUrl,
  type GeoJSONSource,
  type MapMouseEvent,
  type RasterTileSource,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Cell, Features, PlanDetail } from '../api/client';
import { path } from '../api/client';
import type { Camera } from '../state/view';
import type { Along, LonLat } from './along';
import { Marks } from './marks';
import { Masts, type MastEvents } from './masts';
import { coneOpacity, DRAWN, drawing, EMPTY, firstStyle, reliefTiles, SWITCHES } from './style';
import { ViewsLayer } from './views';

setWorkerUrl(workerUrl);

const TILTED_DEG = 60;
const LABELS_FROM_ZOOM = 14.2;

export interface MapEvents extends MastEvents {
  clicked(place: LonLat): void;
  hovered(place: LonLat | null): void;
  cameraMoved(camera: Camera, tilted: boolean): void;
}

type Shape = GeoJSON.Feature | GeoJSON.FeatureCollection;

export class StudioMap {
  readonly gl: GlMap;
  readonly marks: Marks;
  private readonly masts: Masts;
  private readonly views: ViewsLayer;
  private plan: PlanDetail | null = null;
  private chosen: { mount: string | null; device: string | null } = { mount: null, device: null };
  private litCones: string[] = [];
  private cellShown = false;
  private dimmed = '';
  private viewsAddress = '';
  private shown: Record<string, boolean> = {};
  private dark: boolean;
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
    this.marks = new Marks(this.gl);
    this.views = new ViewsLayer(this.gl, options.terrain, () => this.dark);
    this.masts = new Masts(this.gl, events, (shape) => this.put('preview', shape));
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
    for (const name of DRAWN) this.put(name, data[name] ?? EMPTY);
    if (along) this.marks.setNames(data, along, side);
  }

  setShown(shown: Record<string, boolean>): void {
    this.shown = shown;
    this.gl.getContainer().classList.toggle('no-masts', shown['mounts'] === false);
    this.marks.setShown(shown);
    this.then(() => {
      this.views.show(shown['views'] !== false);
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
    this.then(() => this.views.change(address));
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
    this.masts.setPlan(plan);
    this.setSelected(this.chosen.mount, this.chosen.device);
  }

  // ---- selection ---------------------------------------------------------------------------

  setSelected(mount: string | null, device: string | null): void {
    this.chosen = { mount, device };
    this.masts.setSelected(mount, device);
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
