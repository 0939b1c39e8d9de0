import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getDevice, type Device } from "@omni/core";
import { OmniHuman, presets } from "@omni/human";
import type { HumanConfig } from "@omni/human";
import { encodeWav } from "@omni/media";
import type { Context } from "./context.ts";
import { run } from "./run.ts";

const { nano } = presets;

/** The nano system with every part as thin as it gets: frames of the real sizes in moments. */
const thinConfig: HumanConfig = {
  ...nano,
  vae: { ...nano.vae, encoderDims: [4, 8, 8], decoderDims: [4, 8, 8] },
  audio: {
    ...nano.audio,
    convDim: [4, 4, 4, 4, 4, 4, 4],
    hiddenSize: 8,
    layers: 1,
    heads: 2,
    ffnDim: 8,
    positionKernel: 3,
    positionGroups: 2,
    attentionReach: 4,
  },
  text: { ...nano.text, width: 8, layers: 1, heads: 2, headDim: 4, ffnDim: 8 },
  dit: {
    ...nano.dit,
    textDim: 8,
    audioDim: 16,
    width: 16,
    depth: 1,
    doubleBlocks: 1,
    headDim: 8,
    ffnDim: 16,
    timeDim: 8,
    ropeAxes: [2, 1, 1],
  },
  sampling: { ...nano.sampling, steps: 1 },
};

const models = new WeakMap<Device, Promise<OmniHuman>>();

/** An untrained model, made once a device: other test files of this process open and close their own. */
export async function thinModel(): Promise<OmniHuman> {
  const device = await getDevice();
  const model = models.get(device) ?? OmniHuman.create(thinConfig).realize();
  models.set(device, model);
  return model;
}

/** Time that a test may take where other programs hold the processor and kernels compile for the first time, ms. */
export const SLOW_MACHINE = 180_000;

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A context with an untrained model that keeps what is printed. */
export function testContext(
  signal: AbortSignal = new AbortController().signal,
): Context & { readonly ran: () => Omit<Ran, "code"> } {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  return {
    stdout: { write: (text) => stdout.push(text) },
    stderr: { write: (text) => stderr.push(text) },
    terminal: null,
    signal,
    loadModel: thinModel,
    ran: () => ({ stdout: stdout.join(""), stderr: stderr.join("") }),
  };
}

/** Runs the command line in this process with an untrained model. */
export async function omni(args: readonly string[], signal?: AbortSignal): Promise<Ran> {
  const context = testContext(signal);
  const code = await run(args, context);
  return { code, ...context.ran() };
}

/** A folder of its own for a test file. */
export interface Folder {
  readonly at: (name: string) => string;
  /** Names of all files but those given, hidden ones too. */
  readonly others: (known: readonly string[]) => Promise<string[]>;
  readonly remove: () => Promise<void>;
}

export async function testFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "omni-cli-"));
  return {
    at: (name) => join(path, name),
    others: async (known) => (await readdir(path)).filter((name) => !known.includes(name)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** A WAV file of a tone. */
export function toneWav(seconds: number): Uint8Array {
  const sampleRate = 16_000;
  const samples = Float32Array.from({ length: seconds * sampleRate }, (_, i) => 0.3 * Math.sin(i / 10));
  return encodeWav([samples], sampleRate);
}
