/** Masts and towers on the map, to be selected, dragged and moved by keys; the camera that turns. */
import { Marker, type Map as GlMap } from 'maplibre-gl';
import type { Device, Mount, PlanDetail } from '../api/client';
import { chainage, number } from '../format';
import { away, moved, sector, toward, type LonLat } from './along';
import { bare, lonlat } from './markers';

const NUDGE_MS = 500;

export interface MastEvents {
  selected(kind: 'mount' | 'device', id: string): void;
  mountMoved(id: string, place: LonLat): void;
  deviceTurned(id: string, azimuth: number): void;
}

export class Masts {
  private readonly masts = new Map<string, { marker: Marker; mount: Mount; button: HTMLButtonElement }>();
  private aim: Marker | null = null;
  private devices: Device[] = [];
  private chosen: string | null = null;
  private nudge: { id: string; place: LonLat; timer: ReturnType<typeof setTimeout> } | null = null;

  /** `preview` draws the fields of view of what is being dragged. */
  constructor(
    private readonly gl: GlMap,
    private readonly events: MastEvents,
    private readonly preview: (shape: GeoJSON.Feature | GeoJSON.FeatureCollection) => void,
  ) {}

  setPlan(plan: PlanDetail | null): void {
    this.devices = plan?.device_list ?? [];
    const left = new Set(this.masts.keys());
    for (const mount of plan?.mount_list ?? []) {
      left.delete(mount.mount_id);
      this.showMast(mount);
    }
    for (const id of left) {
      this.masts.get(id)?.marker.remove();
      this.masts.delete(id);
    }
  }

  setSelected(mount: string | null, device: string | null): void {
    this.chosen = mount;
    for (const [id, { marker, button }] of this.masts) {
      const on = id === mount;
      marker.setDraggable(on);
      button.classList.toggle('selected', on);
      button.setAttribute('aria-pressed', String(on));
    }
    this.showAim(this.devices.find((one) => one.device_id === device) ?? null);
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
    if (!step || !mast || this.chosen !== id) return;
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
    const features = this.devices
      .filter((device) => device.mount_id === id)
      .map((device) => sectorOf(device, place, device.bearing_deg));
    this.preview({ type: 'FeatureCollection', features });
    this.aim?.remove();
    this.aim = null;
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
    const show = (): void => this.preview(sectorOf(device, at, bearing));
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
