import { CheckpointError } from "../base/errors.ts";
import { bytesSource } from "./byte-source.ts";
import { type Dice, JSON_WORDS, mutate, PICKLE_WORDS } from "./mutate.fixture.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import {
  bool,
  float,
  global,
  int,
  list,
  none,
  orderedDict,
  type Piece,
  pickle,
  put,
  get,
  record,
  reduce,
  str,
  tuple,
} from "./pickle.fixture.ts";
import { writeSafetensors } from "./safetensors-writer.ts";
import { storedFormat } from "./stored-dtype.ts";
import { parameter, storage, torchLegacy, torchTensor, torchZip } from "./torch.fixture.ts";
import { zip } from "./zip.fixture.ts";

const floats = storage("FloatStorage", "0", Float32Array.of(1, 2, 3, 4, 5, 6));
const longs = storage("LongStorage", "1", BigInt64Array.of(7n, -8n));
const weight = torchTensor(floats, 0, [2, 3], [3, 1]);

const root: Piece = record({
  state_dict: orderedDict({
    "a.weight": parameter(weight),
    "a.tied": [...torchTensor(floats, 0, [3, 2], [1, 3]), ...put(0)],
    "b.tied": get(0),
    ids: torchTensor(longs, 0, [2], [1]),
    expanded: torchTensor(floats, 5, [4, 2], [0, 0]),
  }),
  args: [...global("argparse", "Namespace"), ...tuple(), 0x81, ...record({ lr: float(0.1), name: str("é") }), 0x62],
  epoch: int(2 ** 40),
  flags: list(bool(true), none, reduce(global("builtins", "set"), list(int(1)))),
  bytes: reduce(global("_codecs", "encode"), str("\xff"), str("latin1")),
});

const safetensors = writeSafetensors(
  {
    weight: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    half: { shape: [2], data: Uint16Array.of(0x3c00, 0x7c01), dtype: "F16" },
    ids: { shape: [2], data: BigInt64Array.of(1n, -2n) },
    mask: { shape: [4], data: Uint8Array.of(0, 1, 0, 1), dtype: "BOOL" },
    empty: { shape: [0, 5], data: new Float32Array(0) },
  },
  { metadata: { format: "pt", config: '{"width":192}' } },
);

const headerBytes = Number(new DataView(safetensors.buffer).getBigUint64(0, true));

function safetensorsOf(header: Uint8Array): Uint8Array {
  const file = new Uint8Array(8 + header.length + safetensors.length - 8 - headerBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(safetensors.subarray(8 + headerBytes), 8 + header.length);
  return file;
}

const archive = torchZip(root, [floats, longs]);
const archive64 = torchZip(root, [floats, longs], { zip64: true });
const legacy = torchLegacy(root, [floats, longs]);
const pickled = pickle(root);
const header = safetensors.slice(8, 8 + headerBytes);

/** An archive around a pickle that may be wrong: else most damage to an archive is found before its pickle is read. */
const archiveOf = (bytes: Uint8Array): Uint8Array =>
  zip([
    { name: "a/data.pkl", bytes },
    { name: "a/data/0", bytes: floats.bytes },
    { name: "a/data/1", bytes: longs.bytes },
  ]);

/** Damaged checkpoints by what is damaged. */
export const HOSTILE = {
  "safetensors file": (dice) => mutate(safetensors, dice, JSON_WORDS),
  "safetensors header": (dice) => safetensorsOf(mutate(header, dice, JSON_WORDS)),
  "torch archive": (dice) => mutate(dice(2) === 0 ? archive : archive64, dice, PICKLE_WORDS),
  "torch pickle": (dice) => archiveOf(mutate(pickled, dice, PICKLE_WORDS)),
  "torch old layout": (dice) => mutate(legacy, dice, PICKLE_WORDS),
} as const satisfies Record<string, (dice: Dice) => Uint8Array>;

const MAX_READ_BYTES = 1 << 20;

/**
 * Opens a checkpoint and reads its small tensors.
 *
 * @returns whether it was read or refused with a CheckpointError of one line
 * @throws any other error, and one where a tensor has not the bytes of its shape
 */
export async function openHostile(file: Uint8Array): Promise<"read" | "refused"> {
  try {
    const { tensors, metadata } = await openCheckpoint(bytesSource(file));
    for (const tensor of Object.values(tensors)) {
      const bytes = tensor.shape.reduce((product, size) => product * size, storedFormat(tensor.dtype).itemBytes);
      if (bytes > MAX_READ_BYTES) continue;
      const stored = await tensor.stored();
      if (stored.byteLength !== bytes) throw new Error(`${bytes} bytes were promised, got ${stored.byteLength}`);
    }
    for (const text of Object.values(metadata)) if (typeof text !== "string") throw new Error("metadata must be text");
    return "read";
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    if (!/^[^\n\r]{20,900}$/.test(error.message)) throw new Error(`not one line: ${error.message}`, { cause: error });
    return "refused";
  }
}
