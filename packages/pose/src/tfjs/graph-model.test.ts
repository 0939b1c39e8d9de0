import { tensor } from "@omni/core";
import { bytesSource } from "@omni/core/checkpoint";
import type { ByteSource } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { GraphModel } from "./graph-model.ts";

type Attrs = Readonly<Record<string, unknown>>;
type Row = readonly [name: string, op: string, inputs: readonly string[], attrs?: Attrs];
interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly bytes: Uint8Array;
  readonly quantization?: Attrs;
}

const floats = (name: string, shape: readonly number[], values: readonly number[]): Constant => {
  return { name, shape, dtype: "float32", bytes: new Uint8Array(Float32Array.from(values).buffer) };
};
const integers = (name: string, shape: readonly number[], values: readonly number[]): Constant => {
  return { name, shape, dtype: "int32", bytes: new Uint8Array(Int32Array.from(values).buffer) };
};

/** A model file with its weights in two shards beside it. */
function file(rows: readonly Row[], constants: readonly Constant[], change: Attrs = {}): ByteSource {
  const node = [
    ...rows.map(([name, op, input, attr = {}]) => ({ name, op, input, attr })),
    ...constants.map(({ name }) => ({ name, op: "Const", attr: {} })),
  ];
  const all = Uint8Array.from(constants.flatMap(({ bytes }) => [...bytes]));
  const cut = Math.floor(all.length / 2);
  const shards: Record<string, Uint8Array> = { "a.bin": all.subarray(0, cut), "b.bin": all.subarray(cut) };
  const weights = constants.map(({ bytes: _, ...spec }) => spec);
  const json = {
    format: "graph-model",
    modelTopology: { node },
    weightsManifest: [{ paths: Object.keys(shards), weights }],
    ...change,
  };
  const source = bytesSource(new TextEncoder().encode(JSON.stringify(json)), "model.json");
  return { ...source, sibling: async (name) => bytesSource(shards[name] ?? new Uint8Array(0), name) };
}

const text = (s: string): Attrs => ({ s: btoa(s) });
const list = (...i: number[]): Attrs => ({ list: { i: i.map(String) } });
const convolution = (stride: number, padding: string, fused: readonly string[] = []): Attrs => ({
  strides: list(1, stride, stride, 1),
  dilations: list(1, 1, 1, 1),
  padding: text(padding),
  data_format: text("NHWC"),
  fused_ops: { list: { s: fused.map((name) => btoa(name)) } },
});

async function result(
  source: ByteSource,
  x: number[],
  shape: number[],
): Promise<{ shape: readonly number[]; values: number[] }> {
  const model = await GraphModel.load(source);
  const out = model.run({ x: tensor(Float32Array.from(x), { shape }) })["y"];
  return { shape: out?.shape ?? [], values: [...((await out?.data()) ?? [])] };
}

const ramp = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 7) % 11) - 5);

/** TensorFlow's rule: ⌈n / s⌉ outputs, the odd zero behind. One filter [3, 3, in, out] over [h, w, in]. */
function plainConv(
  x: number[],
  [h, w, c]: [number, number, number],
  f: number[],
  out: number,
  s: number,
  depthwise: boolean,
): number[] {
  const [oh, ow] = [Math.ceil(h / s), Math.ceil(w / s)];
  const [top, left] = [(oh - 1) * s + 3 - h, (ow - 1) * s + 3 - w].map((total) => Math.floor(Math.max(0, total) / 2));
  const y: number[] = [];
  for (let i = 0; i < oh; i++)
    for (let j = 0; j < ow; j++)
      for (let o = 0; o < out; o++) {
        let sum = 0;
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < 3; b++)
            for (let k = 0; k < c; k++) {
              const [row, column] = [i * s + a - (top ?? 0), j * s + b - (left ?? 0)];
              if (row < 0 || column < 0 || row >= h || column >= w || (depthwise && k !== o)) continue;
              const weight = depthwise ? f[(a * 3 + b) * c + k] : f[((a * 3 + b) * c + k) * out + o];
              sum += (x[(row * w + column) * c + k] ?? 0) * (weight ?? 0);
            }
        y.push(sum);
      }
  return y;
}

describe("GraphModel", () => {
  const input: Row = ["x", "Placeholder", []];

  test.each([1, 2])("convolves as TensorFlow does with SAME padding, stride %i", async (stride) => {
    const [x, f] = [ramp(5 * 6 * 2), ramp(3 * 3 * 2 * 3)];
    const rows: Row[] = [
      input,
      ["y", "_FusedConv2D", ["x", "f", "b"], convolution(stride, "SAME", ["BiasAdd", "Relu6"])],
    ];
    const { values } = await result(
      file(rows, [floats("f", [3, 3, 2, 3], f), floats("b", [3], [1, -2, 3])]),
      x,
      [1, 5, 6, 2],
    );
    const plain = plainConv(x, [5, 6, 2], f, 3, stride, false);
    expect(values).toEqual(plain.map((v, i) => Math.min(6, Math.max(0, v + ([1, -2, 3][i % 3] ?? 0)))));
  });

  test.each([1, 2])("filters each channel by itself, stride %i", async (stride) => {
    const [x, f] = [ramp(6 * 5 * 3), ramp(3 * 3 * 3)];
    const rows: Row[] = [input, ["y", "DepthwiseConv2dNative", ["x", "f"], convolution(stride, "SAME")]];
    const { values } = await result(file(rows, [floats("f", [3, 3, 3, 1], f)]), x, [1, 6, 5, 3]);
    expect(values).toEqual(plainConv(x, [6, 5, 3], f, 3, stride, true));
  });

  test("filters each channel into several", async () => {
    // one tap: channel c becomes f[c][0] x and f[c][1] x
    const rows: Row[] = [input, ["y", "DepthwiseConv2dNative", ["x", "f"], convolution(1, "VALID")]];
    const { values } = await result(file(rows, [floats("f", [1, 1, 2, 2], [1, 2, 3, 4])]), [5, 7], [1, 1, 1, 2]);
    expect(values).toEqual([5, 10, 21, 28]);
  });

  test("widens halves and quantized weights", async () => {
    const halves = {
      name: "a",
      shape: [3],
      dtype: "float32",
      bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc100, 0x0001).buffer),
    };
    const bytes = { name: "b", shape: [3], dtype: "float32", bytes: Uint8Array.of(0, 1, 255) };
    const rows: Row[] = [input, ["s", "AddV2", ["a", "b"]], ["y", "AddV2", ["x", "s"]]];
    const source = file(rows, [
      { ...halves, quantization: { dtype: "float16" } },
      { ...bytes, quantization: { dtype: "uint8", scale: 0.5, min: -1 } },
    ]);
    // halves 1, -2.5 and 2⁻²⁴; bytes -1, -0.5 and 126.5
    expect((await result(source, [0, 0, 0], [3])).values).toEqual([0, -3, Math.fround(126.5 + 2 ** -24)]);
  });

  test("finds the greatest and gathers beside it, in whatever order nodes are listed", async () => {
    const rows: Row[] = [
      ["y", "GatherNd", ["x", "places"]],
      ["places", "Pack", ["zero", "best"], { axis: { i: "1" } }],
      ["best", "ArgMax", ["x", "axis"]],
      input,
    ];
    const constants = [integers("zero", [3], [0, 1, 1]), integers("axis", [], [0])];
    // columns' greatest: rows 1, 0, 1; so x[0, 1], x[1, 0], x[1, 1]
    expect((await result(file(rows, constants), [1, 5, 3, 4, 2, 6], [2, 3])).values).toEqual([5, 4, 2]);
  });

  test("takes apart, resizes and joins", async () => {
    const rows: Row[] = [
      input,
      ["big", "ResizeBilinear", ["x", "size"], { half_pixel_centers: { b: true }, align_corners: { b: false } }],
      ["mean", "Mean", ["big", "axes"], { keep_dims: { b: false } }],
      ["parts", "Unpack", ["mean"], { axis: { i: "1" }, num: { i: "2" } }],
      ["y", "Pack", ["parts:1", "parts"], { axis: { i: "0" } }],
    ];
    const constants = [integers("size", [2], [4, 4]), integers("axes", [2], [1, 2])];
    // enlarging keeps the means: 2.5 and 25
    const { shape, values } = await result(file(rows, constants), [1, 10, 2, 20, 3, 30, 4, 40], [1, 2, 2, 2]);
    expect(shape).toEqual([2, 1]);
    expect(values[0]).toBeCloseTo(25, 5);
    expect(values[1]).toBeCloseTo(2.5, 5);
  });

  test.each([
    [
      "names ops that it cannot run",
      file([input, ["y", "Einsum", ["x"]]], []),
      "has ops that cannot be run here: Einsum",
    ],
    ["notices other weights", file([input], [{ ...floats("f", [2], [1]) }]), "must hold 8 bytes of weights, got 4"],
    [
      "refuses other formats",
      file([input], [], { format: "layers-model" }),
      'its format must be "graph-model", got "layers-model"',
    ],
    [
      "refuses paths",
      file([], [], { weightsManifest: [{ paths: ["../secret"], weights: [] }] }),
      "must name files of the model's folder",
    ],
    ["refuses what is no JSON", bytesSource(Uint8Array.of(1, 2, 3), "m"), "m: must be JSON"],
  ])("%s", async (_what, source, message) => {
    await expect(GraphModel.load(source)).rejects.toThrow(message);
  });

  test("names the node that does not fit", async () => {
    const model = await GraphModel.load(
      file([input, ["y", "_FusedConv2D", ["x", "f"], convolution(1, "EXPLICIT")]], [floats("f", [1, 1, 1, 1], [1])]),
    );
    expect(() => model.run({ x: tensor([[[[1]]]]) })).toThrow('_FusedConv2D (y): padding "EXPLICIT" is not supported');
    expect(() => model.run({})).toThrow("needs the inputs x");
  });
});
