import type { Matrix } from "./matrix.ts";

/** Red, green, blue in 0–255. */
export type Rgb = readonly [number, number, number];

/** A colour that changes over the plane: writes the colour at a pixel centre into `out`. */
export type Shader = (x: number, y: number, out: Float32Array) => void;

/** What a shape is filled with. */
export type Paint = Rgb | Shader;

export function mixRgb(a: Rgb, b: Rgb, t: number): Rgb {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/** Multiply the brightness, keeping the hue; a factor under 1 also leans to blue, as drawn shadows do. */
export function shade(colour: Rgb, factor: number): Rgb {
  const blue = factor < 1 ? factor + (1 - factor) * 0.05 : factor;
  return [Math.min(255, colour[0] * factor), Math.min(255, colour[1] * factor), Math.min(255, colour[2] * blue)];
}

/** Colour from one point to another, constant beyond them; pixels. */
export function linearGradient(x0: number, y0: number, x1: number, y1: number, from: Rgb, to: Rgb): Shader {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const k = 1 / (dx * dx + dy * dy);
  return (x, y, out) => {
    const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) * k));
    out[0] = from[0] + (to[0] - from[0]) * t;
    out[1] = from[1] + (to[1] - from[1]) * t;
    out[2] = from[2] + (to[2] - from[2]) * t;
  };
}

/** Share of [u − width/2, u + width/2] that lies in the odd half periods of a square wave: stripes without aliasing. */
function squareWave(u: number, width: number): number {
  const integral = (v: number): number => {
    const n = Math.floor(v);
    return n * 0.5 + Math.max(0, v - n - 0.5);
  };
  return (integral(u + width / 2) - integral(u - width / 2)) / width;
}

export type Pattern = "plain" | "striped" | "pinstriped" | "checked" | "dotted";

/**
 * A cloth or wall pattern in local coordinates.
 *
 * @param toLocal map from pixels to the pattern's coordinates
 * @param period length of one repeat, in local units
 */
export function pattern(kind: Pattern, base: Rgb, accent: Rgb, toLocal: Matrix, period: number): Paint {
  if (kind === "plain") return base;
  const k = 1 / period;
  const pixel = Math.hypot(toLocal.a, toLocal.b) * k;
  const blend = (out: Float32Array, t: number): void => {
    out[0] = base[0] + (accent[0] - base[0]) * t;
    out[1] = base[1] + (accent[1] - base[1]) * t;
    out[2] = base[2] + (accent[2] - base[2]) * t;
  };
  return (x, y, out) => {
    const u = (toLocal.a * x + toLocal.c * y + toLocal.e) * k;
    const v = (toLocal.b * x + toLocal.d * y + toLocal.f) * k;
    if (kind === "striped") blend(out, squareWave(v, pixel));
    else if (kind === "pinstriped") blend(out, squareWave(u, pixel));
    else if (kind === "checked") blend(out, 0.5 * (squareWave(u, pixel) + squareWave(v, pixel)));
    else {
      const du = u - Math.floor(u) - 0.5;
      const dv = v - Math.floor(v) - 0.5;
      blend(out, Math.min(1, Math.max(0, (0.3 - Math.hypot(du, dv)) / pixel + 0.5)));
    }
  };
}
