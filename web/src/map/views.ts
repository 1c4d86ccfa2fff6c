/** Tiles of the views per cell. */
import type { Map as GlMap } from 'maplibre-gl';
import { drawing, VIEWS_PAINT } from './style';

export class ViewsLayer {
  private layer: string | null = null;
  private on = true;

  constructor(
    private readonly gl: GlMap,
    private readonly bounds: [number, number, number, number] | null,
    private readonly dark: () => boolean,
  ) {}

  show(on: boolean): void {
    this.on = on;
    const visibility = on ? 'visible' : 'none';
    if (this.layer && this.gl.getLayoutProperty(this.layer, 'visibility') !== visibility) {
      this.gl.setLayoutProperty(this.layer, 'visibility', visibility);
    }
  }

  /** New views are laid over the old ones, which go once the new are there: nothing flickers. */
  change(address: string): void {
    const old = this.layer;
    const next = old === 'views-1' ? 'views-2' : 'views-1';
    this.drop(next);
    this.layer = null;
    if (!address) {
      if (old) this.drop(old);
      return;
    }
    this.gl.addSource(next, {
      type: 'raster',
      tiles: [address],
      tileSize: 256,
      minzoom: 9,
      maxzoom: 18,
      ...(this.bounds ? { bounds: this.bounds } : {}),
    });
    const order = drawing(this.dark());
    const at = order.findIndex(({ id }) => id === 'hillshade');
    const above = order.slice(at + 1).find(({ id }) => this.gl.getLayer(id));
    this.gl.addLayer(
      {
        id: next,
        type: 'raster',
        source: next,
        layout: { visibility: this.on ? 'visible' : 'none' },
        paint: VIEWS_PAINT,
      },
      above?.id,
    );
    this.layer = next;
    if (!old) return;
    if (!this.on) {
      this.drop(old);
      return;
    }
    const loaded = (): void => {
      if (this.layer !== next || this.gl.isSourceLoaded(next)) {
        this.gl.off('sourcedata', loaded);
        if (this.layer === next) this.drop(old);
      }
    };
    this.gl.on('sourcedata', loaded);
  }

  private drop(layer: string): void {
    if (this.gl.getLayer(layer)) this.gl.removeLayer(layer);
    if (this.gl.getSource(layer)) this.gl.removeSource(layer);
  }
}
