import { Path } from "./path.ts";
import type { Paint } from "./paint.ts";

/**
 * A colour buffer that fills polygons with exact area coverage (no supersampling).
 *
 * Each edge adds its signed area to an accumulation buffer; the running sum along a row is the coverage. Pixels where a
 * shape covers more than half also take the shape's part label.
 *
 * @see R. Levien, "Inside the fastest font renderer in the world", 2016: the same accumulation, for glyphs
 */
export class Canvas {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 0–255. */
  readonly pixels: Float32Array;
  /** [height, width], the label of the topmost shape. */
  readonly labels: Uint8Array;
  readonly #accumulated: Float32Array;
  readonly #clip: Float32Array;
  readonly #inflated = new Path();
  readonly #colour = new Float32Array(3);
  #clipped = false;
  #left = 0;
  #right = 0;
  #top = 0;
  #bottom = 0;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Float32Array(width * height * 3);
    this.labels = new Uint8Array(width * height);
    this.#accumulated = new Float32Array((width + 2) * height + 2);
    this.#clip = new Float32Array(width * height);
  }

  /** Fill the path; `alpha` scales the coverage, `label` (if not null) marks the pixels. */
  fill(path: Path, paint: Paint, label: number | null = null, alpha = 1): void {
    if (!this.#cover(path)) return;
    const { width, pixels, labels } = this;
    const colour = this.#colour;
    const solid = typeof paint !== "function";
    if (solid) {
      colour[0] = paint[0];
      colour[1] = paint[1];
      colour[2] = paint[2];
    }
    for (let y = this.#top; y < this.#bottom; y++) {
      const row = y * (width + 2);
      let sum = 0;
      for (let x = this.#left; x < this.#right; x++) {
        sum += this.#accumulated[row + x] ?? 0;
        this.#accumulated[row + x] = 0;
        let cover = sum < 0 ? -sum : sum;
        if (cover < 0.002) continue;
        const at = y * width + x;
        if (cover > 1) cover = 1;
        if (this.#clipped) cover *= this.#clip[at] ?? 0;
        if (label !== null && cover > 0.5) labels[at] = label;
        cover *= alpha;
        if (!solid) paint(x + 0.5, y + 0.5, colour);
        const p = 3 * at;
        pixels[p] = (pixels[p] ?? 0) + cover * ((colour[0] ?? 0) - (pixels[p] ?? 0));
        pixels[p + 1] = (pixels[p + 1] ?? 0) + cover * ((colour[1] ?? 0) - (pixels[p + 1] ?? 0));
        pixels[p + 2] = (pixels[p + 2] ?? 0) + cover * ((colour[2] ?? 0) - (pixels[p + 2] ?? 0));
      }
      this.#accumulated.fill(0, row + this.#right, row + width + 2);
    }
  }

  /** Fill the path grown by `outline` pixels with `line`, then the path itself. */
  fillOutlined(path: Path, paint: Paint, line: Paint, outline: number, label: number | null = null): void {
    this.fill(path.inflate(outline, this.#inflated), line, label);
    this.fill(path, paint, label);
  }

  /** Restrict the next fills to the path. */
  clip(path: Path): void {
    this.#clip.fill(0);
    this.#clipped = true;
    if (!this.#cover(path)) return;
    const { width } = this;
    for (let y = this.#top; y < this.#bottom; y++) {
      const row = y * (width + 2);
      let sum = 0;
      for (let x = this.#left; x < this.#right; x++) {
        sum += this.#accumulated[row + x] ?? 0;
        this.#accumulated[row + x] = 0;
        this.#clip[y * width + x] = Math.min(1, Math.abs(sum));
      }
      this.#accumulated.fill(0, row + this.#right, row + width + 2);
    }
  }

  unclip(): void {
    this.#clipped = false;
  }

  /** Fill everything. */
  clear(paint: Paint, label = 0): void {
    this.fill(
      this.#inflated.reset(IDENTITY).polygon([
        [0, 0],
        [this.width, 0],
        [this.width, this.height],
        [0, this.height],
      ]),
      paint,
    );
    this.labels.fill(label);
  }

  /** Accumulate the signed areas of the path's edges; false when it misses the canvas. */
  #cover(path: Path): boolean {
    const { points, length, starts } = path;
    if (length < 6) return false;
    let minX = Infinity;
    let maxX = -Infinity;
    let minY = Infinity;
    let maxY = -Infinity;
    for (let i = 0; i < length; i += 2) {
      const x = points[i] ?? 0;
      const y = points[i + 1] ?? 0;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    this.#left = Math.max(0, Math.min(this.width, Math.floor(minX)));
    this.#right = Math.max(this.#left, Math.min(this.width, Math.ceil(maxX) + 1));
    this.#top = Math.max(0, Math.floor(minY));
    this.#bottom = Math.min(this.height, Math.ceil(maxY));
    if (this.#top >= this.#bottom || this.#left >= this.#right) return false;
    for (let s = 0; s < starts.length; s++) {
      const from = starts[s] ?? 0;
      const to = starts[s + 1] ?? length;
      let px = points[to - 2] ?? 0;
      let py = points[to - 1] ?? 0;
      for (let i = from; i < to; i += 2) {
        const x = points[i] ?? 0;
        const y = points[i + 1] ?? 0;
        if (y !== py) this.#edge(px, py, x, y);
        px = x;
        py = y;
      }
    }
    return true;
  }

  #edge(ax: number, ay: number, bx: number, by: number): void {
    const { height, width } = this;
    const buffer = this.#accumulated;
    const sign = ay < by ? 1 : -1;
    const x0 = sign > 0 ? ax : bx;
    const y0 = sign > 0 ? ay : by;
    const x1 = sign > 0 ? bx : ax;
    const y1 = sign > 0 ? by : ay;
    if (y1 <= 0 || y0 >= height) return;
    const slope = (x1 - x0) / (y1 - y0);
    let x = y0 < 0 ? x0 - y0 * slope : x0;
    const lastRow = Math.min(height, Math.ceil(y1));
    for (let row = Math.max(0, Math.floor(y0)); row < lastRow; row++) {
      const base = row * (width + 2);
      const dy = Math.min(row + 1, y1) - Math.max(row, y0);
      const next = x + slope * dy;
      const d = dy * sign;
      const lo = Math.min(width, Math.max(0, x < next ? x : next));
      const hi = Math.min(width, Math.max(0, x < next ? next : x));
      const first = Math.floor(lo);
      const last = Math.ceil(hi);
      if (last <= first + 1) {
        const inside = 0.5 * (lo + hi) - first;
        buffer[base + first] = (buffer[base + first] ?? 0) + d * (1 - inside);
        buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + d * inside;
      } else {
        const s = 1 / (hi - lo);
        const f0 = lo - first;
        const a0 = 0.5 * s * (1 - f0) * (1 - f0);
        const f1 = hi - last + 1;
        const am = 0.5 * s * f1 * f1;
        buffer[base + first] = (buffer[base + first] ?? 0) + d * a0;
        if (last === first + 2) {
          buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + d * (1 - a0 - am);
        } else {
          const a1 = s * (1.5 - f0);
          buffer[base + first + 1] = (buffer[base + first + 1] ?? 0) + d * (a1 - a0);
          for (let i = first + 2; i < last - 1; i++) buffer[base + i] = (buffer[base + i] ?? 0) + d * s;
          const a2 = a1 + (last - first - 3) * s;
          buffer[base + last - 1] = (buffer[base + last - 1] ?? 0) + d * (1 - a2 - am);
        }
        buffer[base + last] = (buffer[base + last] ?? 0) + d * am;
      }
      x = next;
    }
  }
}

const IDENTITY = { a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 } as const;
