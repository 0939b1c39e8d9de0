import { describe, expect, test } from "vitest";
import { CheckpointError } from "../base/errors.ts";
import { bytesSource } from "./byte-source.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import {
  bool,
  dict,
  float,
  global,
  int,
  list,
  none,
  orderedDict,
  type Piece,
  record,
  reduce,
  str,
  tuple,
} from "./pickle.fixture.ts";
import { readTorch } from "./read-torch.ts";
import {
  type FixtureStorage,
  parameter,
  storage,
  storageId,
  torchLegacy,
  torchTensor,
  torchZip,
} from "./torch.fixture.ts";
import { zip } from "./zip.fixture.ts";

const floats = storage("FloatStorage", "0", Float32Array.of(1, 2, 3, 4, 5, 6));
const longs = storage("LongStorage", "1", BigInt64Array.of(7n, -8n, 2n ** 40n));
const storages = [floats, longs];
const weight = torchTensor(floats, 0, [2, 3], [3, 1]);
const ids = torchTensor(longs, 0, [3], [1]);

/** Values of all tensors, by name. */
async function valuesOf(file: Uint8Array): Promise<Record<string, unknown>> {
  const { tensors } = await readTorch(file);
  const values: Record<string, unknown> = {};
  for (const [name, tensor] of Object.entries(tensors)) values[name] = [tensor.shape, [...(await tensor.stored())]];
  return values;
}

const refusal = async (file: Uint8Array): Promise<string> => {
  const error = await readTorch(file).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CheckpointError);
  return String(error);
};

describe.each([
  ["an archive", (root: Piece, kept?: readonly FixtureStorage[]) => torchZip(root, kept ?? storages)],
  [
    "an archive of zip64",
    (root: Piece, kept?: readonly FixtureStorage[]) =>
      torchZip(root, kept ?? storages, { zip64: true, folder: "my model.v2" }),
  ],
  [
    "an archive without folder, of protocol 4",
    (root: Piece, kept?: readonly FixtureStorage[]) => torchZip(root, kept ?? storages, { folder: "", version: 4 }),
  ],
  ["the old layout", (root: Piece, kept?: readonly FixtureStorage[]) => torchLegacy(root, kept ?? storages)],
])("readTorch on %s", (_, save) => {
  test("reads a state dict under its own names, tied weights as one tensor", async () => {
    const root = orderedDict({ "conv.weight": parameter(weight), ids, "tied.weight": parameter(weight) });
    const file = save(root);
    expect(await valuesOf(file)).toEqual({
      "conv.weight": [
        [2, 3],
        [1, 2, 3, 4, 5, 6],
      ],
      ids: [[3], [7n, -8n, 2n ** 40n]],
      "tied.weight": [
        [2, 3],
        [1, 2, 3, 4, 5, 6],
      ],
    });
    const { tensors, metadata } = await readTorch(file);
    expect(tensors["tied.weight"]).toBe(tensors["conv.weight"]);
    expect(metadata).toEqual({});
  });

  test("names nested tensors by their path and gives plain values as metadata", async () => {
    const namespace: Piece = [
      ...global("argparse", "Namespace"),
      ...tuple(),
      0x81,
      ...record({ lr: float(1e-3), name: str("é") }),
      0x62,
    ];
    const root = record({
      state_dict: orderedDict({ w: weight }),
      optimizer: record({
        state: dict([int(0), record({ exp_avg: weight })]),
        groups: list(record({ lr: float(0.5) })),
      }),
      epoch: int(7),
      big: int(2n ** 70n),
      negative: int(-(2n ** 33n)),
      flag: bool(true),
      nothing: none,
      size: reduce(global("torch", "Size"), tuple(int(2), int(3))),
      dtype: global("torch", "bfloat16"),
      device: reduce(global("torch", "device"), str("cuda"), int(1)),
      args: namespace,
      set: reduce(global("builtins", "set"), list(int(5))),
      loss: reduce(
        global("numpy.core.multiarray", "scalar"),
        reduce(global("numpy", "dtype"), str("f8"), bool(false), bool(true)),
        reduce(global("_codecs", "encode"), str("\0\0\0\0\0\0\xf8?"), str("latin1")),
      ),
    });
    const { tensors, metadata } = await readTorch(save(root, [floats]));
    expect(Object.keys(tensors)).toEqual(["state_dict.w", "optimizer.state.0.exp_avg"]);
    expect({ ...metadata }).toEqual({
      "optimizer.groups.0.lr": "0.5",
      epoch: "7",
      big: "1180591620717411303424",
      negative: "-8589934592",
      flag: "true",
      nothing: "null",
      "size.0": "2",
      "size.1": "3",
      dtype: "torch.bfloat16",
      device: "cuda:1",
      "args.lr": "0.001",
      "args.name": "é",
      "set.0": "5",
      loss: "1.5",
    });
  });

  test("brings views into row-major order", async () => {
    const views = {
      transposed: torchTensor(floats, 0, [3, 2], [1, 3]),
      row: torchTensor(floats, 3, [3], [1]),
      column: torchTensor(floats, 1, [2], [3]),
      expanded: torchTensor(floats, 4, [2, 3], [0, 0]),
      windows: torchTensor(floats, 0, [3, 4], [1, 1]),
      scalar: torchTensor(floats, 5, [], []),
      empty: torchTensor(floats, 0, [0, 5], [5, 1]),
    };
    expect(await valuesOf(save(orderedDict(views), [floats]))).toEqual({
      transposed: [
        [3, 2],
        [1, 4, 2, 5, 3, 6],
      ],
      row: [[3], [4, 5, 6]],
      column: [[2], [2, 5]],
      expanded: [
        [2, 3],
        [5, 5, 5, 5, 5, 5],
      ],
      windows: [
        [3, 4],
        [1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6],
      ],
      scalar: [[], [6]],
      empty: [[0, 5], []],
    });
  });

  test.each([
    ["DoubleStorage", "F64", Float64Array.of(0.1, -0)],
    ["FloatStorage", "F32", Float32Array.of(0.5, Infinity)],
    ["HalfStorage", "F16", Uint16Array.of(0x3c00, 0x7c01)],
    ["BFloat16Storage", "BF16", Uint16Array.of(0x3f80, 0xff81)],
    ["LongStorage", "I64", BigInt64Array.of(2n ** 63n - 1n, -1n)],
    ["IntStorage", "I32", Int32Array.of(-5, 5)],
    ["ShortStorage", "I16", Int16Array.of(-5, 5)],
    ["CharStorage", "I8", Int8Array.of(-5, 5)],
    ["ByteStorage", "U8", Uint8Array.of(0, 255)],
    ["BoolStorage", "BOOL", Uint8Array.of(0, 1)],
  ])("reads a %s as %s, bit for bit", async (type, dtype, values) => {
    const stored = storage(type, "0", values);
    const { tensors } = await readTorch(save(record({ x: torchTensor(stored, 0, [2], [1]) }), [stored]));
    expect(tensors["x"]?.dtype).toBe(dtype);
    expect(await tensors["x"]?.stored()).toEqual(values);
  });

  test("reads newer types out of storages of raw bytes", async () => {
    const raw = storage("UntypedStorage", "0", Uint8Array.of(1, 0, 0xff, 0xff));
    const tensor = reduce(
      global("torch._utils", "_rebuild_tensor_v3"),
      storageId(raw),
      int(0),
      tuple(int(2)),
      tuple(int(1)),
      bool(false),
      orderedDict({}),
      global("torch", "uint16"),
    );
    const { tensors } = await readTorch(save(record({ x: tensor }), [raw]));
    expect(await tensors["x"]?.stored()).toEqual(Uint16Array.of(1, 65535));
  });

  test("is recognised by its content, and read from a Blob", async () => {
    const file = save(record({ w: weight }), [floats]);
    for (const input of [bytesSource(file, "weights"), new Blob([Uint8Array.from(file)])]) {
      const { tensors } = await openCheckpoint(input);
      expect(await tensors["w"]?.data()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    }
  });

  test("drops attributes of an OrderedDict and of a tensor", async () => {
    const state: Piece = [...orderedDict({ w: weight }), ...record({ _metadata: orderedDict({}) }), 0x62];
    expect(Object.keys((await readTorch(save(state, [floats]))).tensors)).toEqual(["w"]);
  });

  test.each<[string, Piece, string]>([
    [
      "a call of the system",
      reduce(global("posix", "system"), str("id")),
      'the Python object "posix.system"; nothing was run',
    ],
    ["a builtin", reduce(global("builtins", "eval"), str("1")), '"builtins.eval"'],
    ["a name of this language", global("builtins", "constructor"), '"builtins.constructor"'],
    ["a name that is only mentioned", global("os", "environ"), '"os.environ"'],
    [
      "a nested pickle",
      reduce(global("torch.storage", "_load_from_bytes"), str("")),
      '"torch.storage._load_from_bytes"',
    ],
    ["a model's class", global("models.unet", "UNet"), '"models.unet.UNet"'],
    ["an import by getattr", reduce(global("builtins", "getattr"), str("a"), str("b")), '"builtins.getattr"'],
    [
      "complex numbers",
      torchTensor({ ...floats, type: "ComplexFloatStorage" }, 0, [1], [1]),
      "torch.ComplexFloatStorage",
    ],
    ["quantised numbers", global("torch", "QInt8Storage"), "torch.QInt8Storage"],
    ["a call of a plain value", [...str("x"), ...tuple(), 0x52], "must have a global here"],
    ["a call of a class that only may be named", reduce(global("torch", "Tensor")), 'got "torch.Tensor"'],
    ["an extension", [0x82, 1], "opcode 0x82"],
    ["a view before its storage", torchTensor(floats, -1, [1], [1]), "offset -1"],
    [
      "a view behind its storage",
      torchTensor(floats, 1, [2, 3], [3, 1]),
      "within the 6 elements of its storage, got 7",
    ],
    ["a view of a huge stride", torchTensor(floats, 0, [2], [2n ** 53n - 1n]), "within the 6 elements"],
    ["a size beyond 2^53", torchTensor(floats, 0, [2n ** 60n], [0]), "an integer of 2^53 or more"],
    ["a product beyond 2^53", torchTensor(floats, 0, [2 ** 30, 2 ** 30], [0, 0]), "must be below 2^53 bytes"],
    ["a negative size", torchTensor(floats, 0, [-1], [1]), "size a tuple of -1"],
    ["a negative stride", torchTensor(floats, 5, [2], [-1]), "stride a tuple of -1"],
    ["sizes without strides", torchTensor(floats, 0, [1, 1], [1]), "as many sizes as strides"],
    ["65 axes", torchTensor(floats, 0, new Array<number>(65).fill(1), new Array<number>(65).fill(1)), "at most 64"],
    [
      "an expanded tensor of 1 TiB",
      list(torchTensor(floats, 0, [2 ** 38], [0]), ids),
      "1099511627776 bytes out of a storage of 24",
    ],
    [
      "a storage of two sizes",
      list(weight, torchTensor({ ...floats, elements: 7 }, 0, [1], [1])),
      'storage "0" must have one type and size',
    ],
    [
      "a storage without a key",
      [...tuple(str("storage"), global("torch", "FloatStorage"), int(0), str("cpu"), int(6)), 0x51],
      "a storage must have",
    ],
    ["a module", [...tuple(str("module"), str("UNet")), 0x51], "got a whole module; save its state_dict() alone"],
    ["two values of one path", record({ w: weight, ids, a: record({ b: int(1) }), "a.b": int(2) }), '"a.b" twice'],
    ["a key given twice", [...record({ a: weight }).slice(0, -1), ...str("a"), ...ids, 0x75], '"a" twice'],
    ["a key that is a tuple", dict([tuple(int(1)), list(weight, ids)]), "keys must be text or numbers, got a tuple"],
  ])("refuses %s", async (_name, root, message) => {
    expect(await refusal(save(root))).toContain(message);
  });

  test("refuses a file that ends early, wherever", async () => {
    const file = save(orderedDict({ w: weight, ids }));
    for (let length = 8; length < file.length; length += 7) await refusal(file.subarray(0, length));
  });

  test("names what the format calls special like others", async () => {
    const { tensors } = await readTorch(save(record({ ["__proto__"]: record({ constructor: weight }) }), [floats]));
    expect(Object.keys(tensors)).toEqual(["__proto__.constructor"]);
  });
});

describe("readTorch on an archive", () => {
  test("refuses storages that are not there or of another size", async () => {
    expect(await refusal(torchZip(record({ w: weight }), []))).toContain('none of the name "archive/data/0"');
    const short = { ...floats, bytes: floats.bytes.subarray(4) };
    expect(await refusal(torchZip(record({ w: weight }), [short]))).toContain("must have 24 bytes, got 20");
  });

  test("refuses big-endian tensors", async () => {
    expect(await refusal(torchZip(record({ w: weight }), [floats], { byteOrder: "big" }))).toContain("little-endian");
  });

  test("refuses other archives", async () => {
    const file = zip([{ name: "weights.npy", bytes: new Uint8Array(8) }]);
    expect(await refusal(file)).toContain("must hold one data.pkl, got an archive of 1 other files");
  });

  test("reads the directory and the pickle alone before a tensor is asked for", async () => {
    const large = storage("FloatStorage", "0", new Float32Array(1 << 18));
    const file = torchZip(record({ w: torchTensor(large, 0, [1 << 18], [1]) }), [large]);
    const source = bytesSource(file);
    let bytes = 0;
    const counted = { ...source, read: (at: number, length: number) => ((bytes += length), source.read(at, length)) };
    const { tensors } = await readTorch(counted);
    expect(bytes).toBeLessThan(70_000);
    await tensors["w"]?.data();
    expect(bytes).toBeLessThan(70_000 + (4 << 18) + 100);
  });
});

describe("readTorch on the old layout", () => {
  test("reads parts of storages", async () => {
    const part = storageId(floats, tuple(str("view"), int(2), int(3)));
    const root = record({ w: torchTensor(part, 1, [2], [1]) });
    expect(await valuesOf(torchLegacy(root, [floats]))).toEqual({ w: [[2], [4, 5]] });
    const outside = storageId(floats, tuple(str("view"), int(4), int(3)));
    expect(await refusal(torchLegacy(record({ w: torchTensor(outside, 0, [1], [1]) }), [floats]))).toContain(
      "a part of storage",
    );
  });

  test("refuses a count that is not that of the pickle", async () => {
    const file = torchLegacy(record({ w: weight }), [floats]);
    new DataView(file.buffer).setBigInt64(file.length - 32, 7n, true);
    await expect((await readTorch(file)).tensors["w"]?.data()).rejects.toThrow(
      'storage "0" must have 6 elements, got 7',
    );
  });

  test("refuses big-endian tensors, other pickles and more bytes", async () => {
    const root = record({ w: weight });
    expect(await refusal(torchLegacy(root, [floats], { littleEndian: false }))).toContain("little-endian");
    expect(await refusal(Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e, 0, 0, 0, 0))).toContain(
      "a pickle must be one of torch.save",
    );
    const file = torchLegacy(root, [floats]);
    expect(await refusal(Uint8Array.from([...file, 0]))).toContain("must end where its last storage does");
  });
});
