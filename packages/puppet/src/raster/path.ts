import { identity, scaleOf } from "./matrix.ts";
import type { Matrix } from "./matrix.ts";

/**
 * A set of closed polygons in pixels, built from curves in local coordinates.
 *
 * Curves are flattened while they are added, finely enough for the size at which they appear. Overlapping parts of one
 * path unite as long as they turn the same way, which every shape method here does.
 */
export class Path {
  /** x0, y0, x1, y1, … of all polygons. */
  points = new Float64Array(512);
  /** Number of values used in `points`. */
  length = 0;
  /** Start offsets (into `points`) of the polygons. */
  readonly starts: number[] = [];
  #matrix: Matrix = identity;
  #scale = 1;
  #x = 0;
  #y = 0;

  /** Forget all polygons and take `matrix` for the local coordinates to come. */
  reset(matrix: Matrix): this {
    this.length = 0;
    this.starts.length = 0;
    return this.within(matrix);
  }

  /** Change the local coordinates for what is added from here on. */
  within(matrix: Matrix): this {
    this.#matrix = matrix;
    this.#scale = scaleOf(matrix);
    return this;
  }

  moveTo(x: number, y: number): this {
    this.starts.push(this.length);
    return this.lineTo(x, y);
  }

  lineTo(x: number, y: number): this {
    if (this.length + 2 > this.points.length) {
      const grown = new Float64Array(this.points.length * 2);
      grown.set(this.points);
      this.points = grown;
    }
    const m = this.#matrix;
    this.points[this.length++] = m.a * x + m.c * y + m.e;
    this.points[this.length++] = m.b * x + m.d * y + m.f;
    this.#x = x;
    this.#y = y;
    return this;
  }

  cubicTo(x1: number, y1: number, x2: number, y2: number, x: number, y: number): this {
    const x0 = this.#x;
    const y0 = this.#y;
    const span = Math.hypot(x1 - x0, y1 - y0) + Math.hypot(x2 - x1, y2 - y1) + Math.hypot(x - x2, y - y2);
    const steps = segments(span * this.#scale * 0.4);
    for (let i = 1; i <= steps; i++) {
      const t = i / steps;
      const s = 1 - t;
      const b0 = s * s * s;
      const b1 = 3 * s * s * t;
      const b2 = 3 * s * t * t;
      const b3 = t * t * t;
      this.lineTo(b0 * x0 + b1 * x1 + b2 * x2 + b3 * x, b0 * y0 + b1 * y1 + b2 * y2 + b3 * y);
    }
    return this;
  }

  quadTo(x1: number, y1: number, x: number, y: number): this {
    const x0 = this.#x;
    const y0 = this.#y;
    return this.cubicTo(
      x0 + ((x1 - x0) * 2) / 3,
      y0 + ((y1 - y0) * 2) / 3,
      x + ((x1 - x) * 2) / 3,
      y + ((y1 - y) * 2) / 3,
      x,
      y,
    );
  }

  ellipse(x: number, y: number, rx: number, ry = rx, angle = 0): this {
    const steps = segments(Math.max(rx, ry) * this.#scale) * 2;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    // The polygon's corners stand out so far that its area is the ellipse's.
    const stretch = Math.sqrt((2 * Math.PI) / steps / Math.sin((2 * Math.PI) / steps));
    for (let i = 0; i < steps; i++) {
      const t = (2 * Math.PI * i) / steps;
      const u = rx * stretch * Math.cos(t);
      const v = ry * stretch * Math.sin(t);
      const px = x + u * cos - v * sin;
      const py = y + u * sin + v * cos;
      if (i === 0) this.moveTo(px, py);
      else this.lineTo(px, py);
    }
    return this;
  }

  /** An ellipse turning the other way: a hole in what was added before. */
  hole(x: number, y: number, rx: number, ry = rx): this {
    return this.ellipse(x, y, rx, -ry);
  }

  /** The hull of two discs. */
  capsule(x0: number, y0: number, r0: number, x1: number, y1: number, r1 = r0): this {
    const gap = Math.hypot(x1 - x0, y1 - y0);
    if (gap <= Math.abs(r1 - r0) + 1e-9) return r0 > r1 ? this.ellipse(x0, y0, r0) : this.ellipse(x1, y1, r1);
    const along = Math.atan2(y1 - y0, x1 - x0);
    const open = Math.acos((r0 - r1) / gap);
    const steps = segments(Math.max(r0, r1) * this.#scale);
    for (let i = 0; i <= steps; i++) {
      const t = along + open + ((2 * Math.PI - 2 * open) * i) / steps;
      if (i === 0) this.moveTo(x0 + r0 * Math.cos(t), y0 + r0 * Math.sin(t));
      else this.lineTo(x0 + r0 * Math.cos(t), y0 + r0 * Math.sin(t));
    }
    for (let i = 0; i <= steps; i++) {
      const t = along - open + (2 * open * i) / steps;
      this.lineTo(x1 + r1 * Math.cos(t), y1 + r1 * Math.sin(t));
    }
    return this;
  }

  /**
   * A brush stroke with round ends along a polyline.
   *
   * @param points x0, y0, x1, y1, … in local units
   * @param width full width at the first point, in the middle and at the last point
   */
  stroke(points: readonly number[], width: readonly [number, number, number] | number): this {
    const [w0, w1, w2] = typeof width === "number" ? [width, width, width] : width;
    const count = points.length / 2;
    const radius = (i: number): number => {
      const t = (2 * i) / Math.max(1, count - 1);
      return (t < 1 ? w0 + (w1 - w0) * t : w1 + (w2 - w1) * (t - 1)) / 2;
    };
    const at = (i: number): number => points[i] ?? 0;
    const angle = (i: number): number => {
      const a = Math.max(0, i - 1);
      const b = Math.min(count - 1, i + 1);
      return Math.atan2(at(2 * b + 1) - at(2 * a + 1), at(2 * b) - at(2 * a));
    };
    const caps = segments(Math.max(w0, w2) * this.#scale * 0.5);
    const first = angle(0);
    for (let i = 0; i <= caps; i++) {
      const t = first + Math.PI / 2 + (Math.PI * i) / caps;
      const x = at(0) + radius(0) * Math.cos(t);
      const y = at(1) + radius(0) * Math.sin(t);
      if (i === 0) this.moveTo(x, y);
      else this.lineTo(x, y);
    }
    for (let i = 1; i < count - 1; i++) {
      const t = angle(i) - Math.PI / 2;
      this.lineTo(at(2 * i) + radius(i) * Math.cos(t), at(2 * i + 1) + radius(i) * Math.sin(t));
    }
    const last = angle(count - 1);
    for (let i = 0; i <= caps; i++) {
      const t = last - Math.PI / 2 + (Math.PI * i) / caps;
      const end = 2 * (count - 1);
      this.lineTo(at(end) + radius(count - 1) * Math.cos(t), at(end + 1) + radius(count - 1) * Math.sin(t));
    }
    for (let i = count - 2; i > 0; i--) {
      const t = angle(i) + Math.PI / 2;
      this.lineTo(at(2 * i) + radius(i) * Math.cos(t), at(2 * i + 1) + radius(i) * Math.sin(t));
    }
    return this;
  }

  polygon(points: readonly (readonly [number, number])[]): this {
    points.forEach(([x, y], i) => (i === 0 ? this.moveTo(x, y) : this.lineTo(x, y)));
    return this;
  }

  /** A closed smooth curve (Catmull–Rom) through the points. */
  smooth(points: readonly (readonly [number, number])[]): this {
    const count = points.length;
    const at = (i: number): readonly [number, number] => points[(i + count) % count] ?? [0, 0];
    const [x, y] = at(0);
    this.moveTo(x, y);
    for (let i = 0; i < count; i++) {
      const [ax, ay] = at(i - 1);
      const [bx, by] = at(i);
      const [cx, cy] = at(i + 1);
      const [dx, dy] = at(i + 2);
      this.cubicTo(bx + (cx - ax) / 6, by + (cy - ay) / 6, cx - (dx - bx) / 6, cy - (dy - by) / 6, cx, cy);
    }
    return this;
  }

  /** Grow every polygon outwards by `pixels` into `target` (for outlines); sharp corners are kept short. */
  inflate(pixels: number, target: Path): Path {
    target.reset(identity);
    for (let s = 0; s < this.starts.length; s++) {
      const from = this.starts[s] ?? 0;
      const to = this.starts[s + 1] ?? this.length;
      const count = (to - from) / 2;
      if (count < 3) continue;
      let area = 0;
      for (let i = 0, j = count - 1; i < count; j = i++) area += this.#cross(from, j, i);
      const sign = area > 0 ? pixels : -pixels;
      for (let i = 0; i < count; i++) {
        const here = from + 2 * i;
        const x = this.points[here] ?? 0;
        const y = this.points[here + 1] ?? 0;
        const prev = this.#neighbour(from, count, i, -1);
        const next = this.#neighbour(from, count, i, 1);
        const [ux, uy] = unit(x - (this.points[prev] ?? 0), y - (this.points[prev + 1] ?? 0));
        const [vx, vy] = unit((this.points[next] ?? 0) - x, (this.points[next + 1] ?? 0) - y);
        const nx = uy + vy;
        const ny = -(ux + vx);
        const k = sign / Math.max(0.5, (nx * nx + ny * ny) / 2);
        if (i === 0) target.moveTo(x + nx * k, y + ny * k);
        else target.lineTo(x + nx * k, y + ny * k);
      }
    }
    return target;
  }

  /** Offset of the nearest point before or after point `i` that lies elsewhere: curves may end where they began. */
  #neighbour(from: number, count: number, i: number, step: 1 | -1): number {
    const x = this.points[from + 2 * i] ?? 0;
    const y = this.points[from + 2 * i + 1] ?? 0;
    let at = from + 2 * i;
    for (let k = 1; k < count; k++) {
      at = from + 2 * ((((i + k * step) % count) + count) % count);
      if (Math.abs((this.points[at] ?? 0) - x) + Math.abs((this.points[at + 1] ?? 0) - y) > 1e-6) break;
    }
    return at;
  }

  #cross(from: number, i: number, j: number): number {
    const p = this.points;
    return (p[from + 2 * i] ?? 0) * (p[from + 2 * j + 1] ?? 0) - (p[from + 2 * j] ?? 0) * (p[from + 2 * i + 1] ?? 0);
  }
}

function unit(x: number, y: number): [number, number] {
  const length = Math.hypot(x, y);
  return length < 1e-9 ? [0, 0] : [x / length, y / length];
}

/** Segments of a half turn of the radius (pixels) for an error under a twentieth of a pixel. */
function segments(radius: number): number {
  return Math.max(4, Math.min(48, Math.ceil(3.2 * Math.sqrt(Math.max(0, radius)))));
}
