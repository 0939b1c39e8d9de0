import type { Work } from "../contenders/contender.ts";
import { flatIndex, grid, type RawGpu, storage } from "../contenders/raw/raw-gpu.ts";

/** Bytes read and written by a run, and the run. */
export interface CopyCeiling {
  readonly work: Work;
  readonly bytes: number;
}

const LANES = 64;
const MIB = 2 ** 20;

/** What the adapter copies, a vec4 an invocation: no kernel over memory can be faster. */
export function copyCeiling(raw: RawGpu): CopyCeiling {
  // larger than a GPU's caches; software adapters are given the size of the ops measured on them
  const size = raw.software ? 16 * MIB : 256 * MIB;
  const quads = size / 16;
  const wgsl = `${storage(["x", "vec4f"], ["y", "vec4f"])}
${flatIndex(LANES)}
  let i = group * ${LANES}u + lane;
  if (i < ${quads}u) { y[i] = x[i]; }
}`;
  const y = raw.buffer(size);
  const work = raw.work([{ wgsl, buffers: [raw.buffer(size), y], workgroups: grid(quads / LANES) }], () =>
    raw.read(y, 4),
  );
  return { work, bytes: 2 * size };
}
