import type { LoadedCase } from "./types.ts";

const SMALLEST_NORMAL = 2 ** -126;

/**
 * Which elements of an elementwise op's results may differ because WGSL lets an adapter take numbers below 2^-126 for zero: those that
 * such an input broadcasts to. Null where the case is not tagged, or its outputs are no broadcast of its inputs.
 */
export function flushable(loaded: LoadedCase): ((i: number) => boolean) | null {
  if (!loaded.tags?.includes("subnormal")) return null;
  const shape = loaded.outputs[0]?.shape ?? [];
  const inputs = loaded.inputs.filter((input) => input.dtype === "f32");
  const broadcast = shape.every((n, a) =>
    inputs.every((input) => {
      const own = input.shape[a - shape.length + input.shape.length] ?? 1;
      return own === n || own === 1;
    }),
  );
  if (!broadcast || inputs.some((input) => input.view || input.shape.length > shape.length)) return null;
  const values = inputs.map((input) => loaded.inputValues(input));
  return (i) =>
    values.some(({ shape: own, data }) => {
      let rest = i;
      let place = 0;
      let stride = 1;
      for (let a = shape.length - 1; a >= 0; a--) {
        const n = shape[a] ?? 1;
        const mine = own[a - shape.length + own.length] ?? 1;
        if (mine !== 1) place += (rest % n) * stride;
        stride *= mine;
        rest = Math.floor(rest / n);
      }
      const value = Math.abs(data[place] ?? 0);
      return value > 0 && value < SMALLEST_NORMAL;
    });
}
