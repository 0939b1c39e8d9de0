import { type Device, realize, tensor, type Tensor } from "@omni/core";
import type { Floats } from "../../ops/kind.ts";
import type { Work } from "../contender.ts";

/** A tensor on the device. */
export async function onDevice(values: Floats, shape: readonly number[]): Promise<Tensor> {
  return tensor(values, { shape }).realize();
}

/** The values of several tensors, one after another. */
export async function joined(tensors: readonly Tensor[]): Promise<Float32Array> {
  const parts = await Promise.all(tensors.map((t) => t.data()));
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** Work that computes tensors anew at each run and lets go of those before. */
export function computing(device: Device, compute: () => readonly Tensor[]): Work {
  let results: readonly Tensor[] = [];
  return {
    start: async () => {
      for (const old of results) old.dispose();
      results = compute();
      await realize(results);
    },
    finish: () => device.finished(),
    answer: () => joined(results),
  };
}
