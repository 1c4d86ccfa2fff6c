/** Layers of the map and how they are drawn, light and dark. */
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';

export const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

interface Inks {
  ground: string;
  line: string;
  casing: string;
  zone: string;
  road: string;
  roadCase: string;
  candidate: string;
  noWatch: string;
  exclusion: string;
  cone: string;
  seen: string;
  path: string;
  cell: string;
  sight: string;
}

const LIGHT: Inks = {
  ground: '#e4e7e2',
  line: '#12181b',
  casing: '#ffffff',
  zone: '#12181b',
  road: '#f7efdc',
  roadCase: '#6f6047',
  candidate: '#4b5b60',
  noWatch: '#a3195b',
  exclusion: '#4b5357',
  cone: '#0b5a86',
  seen: '#e08a00',
  path: '#8e1652',
  cell: '#12181b',
  sight: '#d1490c',
};
const DARK: Inks = {
  ground: '#0e1214',
  line: '#f4f6f5',
  casing: '#0c1012',
  zone: '#f4f6f5',
  road: '#8d7c5c',
  roadCase: '#26221a',
  candidate: '#a4b3b7',
  noWatch: '#ff7db7',
  exclusion: '#a4afae',
  cone: '#6cb8e6',
  seen: '#ffb340',
  path: '#ff8bc4',
  cell: '#ffffff',
  sight: '#ff9a6b',
};

/** Colour of a device's field of view by its kind, as in the report. */
export const KIND_COLOURS: Record<string, string> = {
  camera: '#0072b2',
  thermal: '#b0530a',
  ptz: '#7b4fa3',
  panoramic: '#00806a',
  observer: '#8a6d00',
};
const KIND_LIGHTER: Record<string, string> = {
  camera: '#6cb8e6',
  thermal: '#f0a065',
  ptz: '#bd9be0',
  panoramic: '#57c5ad',
  observer: '#d9bd55',
};

/** What a person switches, in the order of the list; each with the layers of the map it shows. */
export const SWITCHES: { name: string; title: string; layers: string[]; swatch: string }[] = [
  { name: 'mounts', title: 'Masts and towers', layers: [], swatch: 'mount' },
  { name: 'cones', title: 'Fields of view', layers: ['cones-fill', 'cones-line'], swatch: 'cone' },
  { name: 'seen', title: 'Seen by the selected device', layers: ['seen-fill', 'seen-line'], swatch: 'seen' },
  { name: 'views', title: 'Views per cell', layers: [], swatch: 'views' },
  { name: 'line', title: 'Line', layers: ['line-case', 'line'], swatch: 'line' },
  { name: 'zone', title: 'Zone', layers: ['zone-line'], swatch: 'zone' },
  { name: 'fence_strip', title: 'Fence strip', layers: ['fence_strip'], swatch: 'zone' },
  { name: 'road', title: 'Patrol road', layers: ['road-case', 'road'], swatch: 'road' },
  { name: 'posts', title: 'Posts', layers: ['posts'], swatch: 'post' },
  { name: 'lights', title: 'Lights', layers: ['lights'], swatch: 'light' },
  { name: 'weakest_path', title: 'Weakest path', layers: ['path-case', 'path'], swatch: 'path' },
  { name: 'no_watch', title: 'No-watch areas', layers: ['no_watch', 'no_watch-line'], swatch: 'nowatch' },
  { name: 'exclusions', title: 'Exclusions', layers: ['exclusions', 'exclusions-line'], swatch: 'exclusion' },
  { name: 'obstacles', title: 'Obstacles', layers: ['obstacles', 'obstacles-line'], swatch: 'exclusion' },
  { name: 'buildings', title: 'Buildings', layers: ['buildings', 'buildings-line'], swatch: 'exclusion' },
  { name: 'areas', title: 'Areas', layers: ['areas-line'], swatch: 'zone' },
  { name: 'failing', title: 'Stretches that fail', layers: ['failing'], swatch: 'fail' },
  { name: 'patrols', title: 'Patrols', layers: ['patrols'], swatch: 'patrol' },
  { name: 'existing_mounts', title: 'Masts that stand already', layers: ['existing_mounts'], swatch: 'candidate' },
  { name: 'candidates', title: 'Possible places of masts', layers: ['candidates'], swatch: 'candidate' },
  { name: 'hillshade', title: 'Shaded relief', layers: ['hillshade'], swatch: 'relief' },
];

/** Layers of the project that are drawn from GeoJSON. */
export const DRAWN = [
  'zone',
  'fence_strip',
  'road',
  'line',
  'areas',
  'no_watch',
  'exclusions',
  'obstacles',
  'buildings',
  'posts',
  'lights',
  'weakest_path',
  'candidates',
  'existing_mounts',
  'patrols',
  'failing',
] as const;

function kinds(dark: boolean): unknown[] {
  const table = dark ? KIND_LIGHTER : KIND_COLOURS;
  return [
    'match',
    ['get', 'kind'],
    ...Object.entries(table).flat(),
    dark ? DARK.cone : LIGHT.cone,
  ];
}

const SELECTED = ['boolean', ['feature-state', 'selected'], false];

/** Fields of view step back where there are many: far out, and behind those that are selected. */
export function coneOpacity(part: 'fill' | 'line', behind: boolean, many = 1): unknown[] {
  const [chosen, near] = part === 'fill' ? [0.26, 0.055] : [1, 0.5];
  const crowd = Math.min(1, Math.max(0.35, Math.sqrt(30 / Math.max(many, 1))));
  const most = (behind ? near * 0.45 : near) * crowd;
  return [
    'interpolate',
    ['linear'],
    ['zoom'],
    12,
    ['case', SELECTED, chosen, most * 0.35],
    15,
    ['case', SELECTED, chosen, most],
  ];
}

/** Tiles of the shaded relief. */
export function reliefTiles(origin: string, dark: boolean): string[] {
  return [`${origin}/api/tiles/hillshade/{z}/{x}/{y}.png${dark ? '?dark=true' : ''}`];
}

export function drawing(dark: boolean): LayerSpecification[] {
  const ink = dark ? DARK : LIGHT;
  const area = (name: string, colour: string, opacity: number): LayerSpecification[] => [
    { id: name, type: 'fill', source: name, paint: { 'fill-color': colour, 'fill-opacity': opacity } },
    {
      id: `${name}-line`,
      type: 'line',
      source: name,
      paint: { 'line-color': colour, 'line-width': 1.2 },
    },
  ];
  const only = (name: string): { layout: { 'line-cap': 'round'; 'line-join': 'round' }; source: string } => ({
    source: name,
    layout: { 'line-cap': 'round', 'line-join': 'round' },
  });
  const layers = [
    { id: 'ground', type: 'background', paint: { 'background-color': ink.ground } },
    {
      id: 'hillshade',
      type: 'raster',
      source: 'hillshade',
      paint: { 'raster-fade-duration': 120, 'raster-opacity': dark ? 0.95 : 0.9 },
    },
    {
      id: 'zone-line',
      type: 'line',
      source: 'zone',
      paint: { 'line-color': ink.zone, 'line-width': 1.1, 'line-opacity': 0.75, 'line-dasharray': [4, 2.5] },
    },
    {
      id: 'fence_strip',
      type: 'line',
      source: 'fence_strip',
      paint: { 'line-color': ink.zone, 'line-width': 0.9, 'line-opacity': 0.5, 'line-dasharray': [1.5, 2] },
    },
    {
      id: 'areas-line',
      type: 'line',
      source: 'areas',
      paint: { 'line-color': ink.cone, 'line-width': 1.4, 'line-dasharray': [3, 1.5] },
    },
    ...area('no_watch', ink.noWatch, 0.16),
    ...area('exclusions', ink.exclusion, 0.22),
    ...area('obstacles', ink.exclusion, 0.25),
    ...area('buildings', ink.exclusion, 0.3),
    {
      id: 'road-case',
      type: 'line',
      ...only('road'),
      paint: { 'line-color': ink.roadCase, 'line-width': ['interpolate', ['linear'], ['zoom'], 11, 2, 17, 7] },
    },
    {
      id: 'road',
      type: 'line',
      ...only('road'),
      paint: { 'line-color': ink.road, 'line-width': ['interpolate', ['linear'], ['zoom'], 11, 1, 17, 5] },
    },
    {
      id: 'seen-fill',
      type: 'fill',
      source: 'seen',
      paint: { 'fill-color': ink.seen, 'fill-opacity': 0.42, 'fill-antialias': false },
    },
    {
      id: 'seen-line',
      type: 'line',
      source: 'seen',
      paint: { 'line-color': ink.seen, 'line-width': 0.8, 'line-opacity': 0.9 },
    },
    {
      id: 'cones-fill',
      type: 'fill',
      source: 'cones',
      paint: {
        'fill-color': kinds(dark),
        'fill-opacity': coneOpacity('fill', false),
      },
    },
    {
      id: 'cones-line',
      type: 'line',
      source: 'cones',
      paint: {
        'line-color': kinds(dark),
        'line-width': ['case', SELECTED, 2, 0.8],
        'line-opacity': coneOpacity('line', false),
      },
    },
    { id: 'line-case', type: 'line', ...only('line'), paint: { 'line-color': ink.casing, 'line-width': 5.5, 'line-opacity': 0.85 } },
    { id: 'line', type: 'line', ...only('line'), paint: { 'line-color': ink.line, 'line-width': 2.6 } },
    {
      id: 'failing',
      type: 'line',
      ...only('failing'),
      paint: { 'line-color': ink.sight, 'line-width': 4.5 },
    },
    {
      id: 'patrols',
      type: 'line',
      ...only('patrols'),
      paint: { 'line-color': ink.seen, 'line-width': 2, 'line-dasharray': [1, 2] },
    },
    {
      id: 'existing_mounts',
      type: 'circle',
      source: 'existing_mounts',
      paint: {
        'circle-radius': 6,
        'circle-color': 'transparent',
        'circle-stroke-color': ink.candidate,
        'circle-stroke-width': 1.8,
      },
    },
    {
      id: 'stretch',
      type: 'line',
      ...only('stretch'),
      paint: { 'line-color': ink.sight, 'line-width': 7, 'line-opacity': 0.85 },
    },
    { id: 'path-case', type: 'line', ...only('weakest_path'), paint: { 'line-color': ink.casing, 'line-width': 5, 'line-opacity': 0.8 } },
    {
      id: 'path',
      type: 'line',
      source: 'weakest_path',
      layout: { 'line-join': 'round' },
      paint: { 'line-color': ink.path, 'line-width': 2.6, 'line-dasharray': [3, 1] },
    },
    {
      id: 'candidates',
      type: 'circle',
      source: 'candidates',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 11, 1.6, 17, 4],
        'circle-color': 'transparent',
        'circle-stroke-color': ink.candidate,
        'circle-stroke-width': 1.1,
      },
    },
    {
      id: 'lights',
      type: 'circle',
      source: 'lights',
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 11, 1.4, 17, 4.5],
        'circle-color': '#ffd447',
        'circle-stroke-color': '#6b5200',
        'circle-stroke-width': 1,
      },
    },
    {
      id: 'posts',
      type: 'circle',
      source: 'posts',
      paint: {
        'circle-radius': 7,
        'circle-color': ink.casing,
        'circle-stroke-color': ink.line,
        'circle-stroke-width': 3,
      },
    },
    { id: 'cell-fill', type: 'fill', source: 'cell', paint: { 'fill-color': ink.sight, 'fill-opacity': 0.35 } },
    { id: 'cell-line', type: 'line', source: 'cell', paint: { 'line-color': ink.cell, 'line-width': 2 } },
    {
      id: 'sight',
      type: 'line',
      source: 'sight',
      paint: {
        'line-color': ['match', ['get', 'part'], 'open', ink.cell, ink.sight],
        'line-width': ['match', ['get', 'part'], 'open', 1.8, 2.2],
      },
    },
    {
      id: 'preview-fill',
      type: 'fill',
      source: 'preview',
      paint: { 'fill-color': ink.seen, 'fill-opacity': 0.18 },
    },
    {
      id: 'preview-line',
      type: 'line',
      source: 'preview',
      paint: { 'line-color': ink.seen, 'line-width': 1.6, 'line-dasharray': [2, 1.5] },
    },
  ];
  return layers as LayerSpecification[];
}

/** How the tiles of the views are drawn, whichever source they come from. */
export const VIEWS_PAINT = {
  'raster-resampling': 'nearest',
  'raster-fade-duration': 0,
  'raster-opacity': 0.85,
} as const;

/** The first style: no glyphs and no sprite, since labels are elements of the page. */
export function firstStyle(
  origin: string,
  dark: boolean,
  bounds: [number, number, number, number] | null,
): StyleSpecification {
  const limits = bounds ? { bounds } : {};
  return {
    version: 8,
    sources: {
      dem: {
        type: 'raster-dem',
        encoding: 'terrarium',
        tiles: [`${origin}/api/tiles/terrain/{z}/{x}/{y}.png`],
        tileSize: 256,
        minzoom: 8,
        maxzoom: 15,
        ...limits,
      },
      hillshade: {
        type: 'raster',
        tiles: reliefTiles(origin, dark),
        tileSize: 256,
        minzoom: 7,
        maxzoom: 17,
        ...limits,
      },
    },
    layers: drawing(dark).filter(({ id }) => id === 'ground' || id === 'hillshade'),
  };
}
