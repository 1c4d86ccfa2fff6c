/** Places along the line: chainage to the map and back. */
export type LonLat = [number, number];

const METRES_PER_DEGREE = 111_320;

interface Leg {
  from: LonLat;
  to: LonLat;
  east: number;
  north: number;
  start: number;
  length: number;
}

function metres(from: LonLat, to: LonLat): [number, number] {
  const narrow = Math.cos(((from[1] + to[1]) / 2) * (Math.PI / 180));
  return [
    (to[0] - from[0]) * METRES_PER_DEGREE * narrow,
    (to[1] - from[1]) * METRES_PER_DEGREE,
  ];
}

/** A place some metres east and north of another. */
export function moved(from: LonLat, east: number, north: number): LonLat {
  const narrow = Math.cos(from[1] * (Math.PI / 180));
  return [
    from[0] + east / (METRES_PER_DEGREE * narrow),
    from[1] + north / METRES_PER_DEGREE,
  ];
}

/** Distance in m and bearing in degrees clockwise from true north. */
export function away(from: LonLat, to: LonLat): { distance: number; bearing: number } {
  const [east, north] = metres(from, to);
  return {
    distance: Math.hypot(east, north),
    bearing: ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360,
  };
}

/** A place at a distance and a bearing from another. */
export function toward(from: LonLat, distance: number, bearing: number): LonLat {
  const angle = (bearing * Math.PI) / 180;
  return moved(from, distance * Math.sin(angle), distance * Math.cos(angle));
}

/** A sector with its point at a place; the whole circle where it spans 360 degrees. */
export function sector(at: LonLat, reach: number, bearing: number, spread: number): LonLat[] {
  const whole = spread >= 359.9;
  const steps = Math.max(8, Math.round(spread / 4));
  const ring: LonLat[] = whole ? [] : [at];
  for (let k = 0; k <= steps; k += 1) {
    ring.push(toward(at, reach, bearing - spread / 2 + (spread * k) / steps));
  }
  ring.push(ring[0] as LonLat);
  return ring;
}

/** The line, measured so that its whole length is that of the project. */
export class Along {
  private readonly legs: Leg[] = [];
  private readonly scale: number;

  constructor(
    readonly points: LonLat[],
    readonly length: number,
  ) {
    let start = 0;
    for (let k = 1; k < points.length; k += 1) {
      const from = points[k - 1] as LonLat;
      const to = points[k] as LonLat;
      const [east, north] = metres(from, to);
      const long = Math.hypot(east, north);
      if (long === 0) continue;
      this.legs.push({ from, to, east, north, start, length: long });
      start += long;
    }
    this.scale = start > 0 ? length / start : 1;
  }

  /** The place at a chainage in m. */
  at(s: number): LonLat {
    const wanted = Math.min(Math.max(s, 0), this.length) / this.scale;
    let low = 0;
    let high = this.legs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.legs[middle] as Leg).start <= wanted) low = middle;
      else high = middle - 1;
    }
    const leg = this.legs[low];
    if (!leg) return this.points[0] ?? [0, 0];
    const share = Math.min((wanted - leg.start) / leg.length, 1);
    return [
      leg.from[0] + share * (leg.to[0] - leg.from[0]),
      leg.from[1] + share * (leg.to[1] - leg.from[1]),
    ];
  }

  /** Chainage and offset (positive to the left) of a place, by the nearest place of the line. */
  nearest(place: LonLat): { s: number; t: number } {
    let best = { s: 0, t: Infinity };
    for (const leg of this.legs) {
      const [east, north] = metres(leg.from, place);
      const along = (east * leg.east + north * leg.north) / leg.length;
      const inside = Math.min(Math.max(along, 0), leg.length);
      const across = (leg.east * north - leg.north * east) / leg.length;
      const distance = Math.hypot(across, along - inside);
      if (distance < Math.abs(best.t)) {
        best = { s: (leg.start + inside) * this.scale, t: across < 0 ? -distance : distance };
      }
    }
    return best;
  }

  /** Places from one chainage to another. */
  part(from: number, to: number): LonLat[] {
    const between = this.legs
      .map((leg) => ({ s: leg.start * this.scale, place: leg.from }))
      .filter(({ s }) => s > from && s < to)
      .map(({ place }) => place);
    return [this.at(from), ...between, this.at(to)];
  }
}
