import type { QuadReader } from "./quads.ts";
import { range, XYZW } from "./uniforms.ts";

const AXES = ["d", "h", "w"] as const;

/** Four neighbours from `first` on, none past `limit`. */
const four = (first: string, limit: string): string =>
  `min(vec4<u32>(${first}) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(${limit} - 1u))`;

/** What changes the text of a convolution's left operand. */
export interface WindowText {
  /**
   * "forward": rows are output pixels, k runs over taps and input channels. "input": rows are input pixels, k runs over taps and output channels,
   * strides are one. "weight": rows are taps and input channels, k runs over output pixels.
   */
  readonly pass: "forward" | "input" | "weight";
  /** The channels of a group are a multiple of four: four neighbours are one vector. */
  readonly vector: boolean;
  readonly edgeK: boolean;
}

/**
 * The windows of a convolution as a matrix that is never written: quads of it are read from the image `a`, zero outside. In scope: the variable
 * `a_first`, the group's first channel, and the uniforms of `convFields` with `rows` and `k`.
 */
export const windowQuads = (text: WindowText): QuadReader =>
  text.pass === "weight" ? windowColumns(text) : windowRows(text, text.pass);

function windowRows({ vector, edgeK }: WindowText, pass: "forward" | "input"): QuadReader {
  const [image, rows, left] = pass === "forward" ? ["in", "out", "cin"] : ["out", "in", "cout"];
  const move = pass === "forward" ? "+" : "-";
  const size = `(u.${rows}_w * u.${rows}_h * u.${rows}_d)`;
  const state = (id: string) => ["image", ...AXES].map((name) => `a_${name}${id}`).join(", ");
  const element = (i: number) => {
    const one = XYZW[i];
    return vector
      ? `select(vec4<f32>(), a[at.${one} / 4u], inside.${one})`
      : `select(0.0, a[at.${one}], inside.${one})`;
  };
  const parts = range(4).map(element).join(", ");
  const functions = `fn window(image: vec4<u32>, d: vec4<u32>, h: vec4<u32>, w: vec4<u32>, first: u32, k: u32) -> ${vector ? "mat4x4" : "vec4"}<f32> {
  let tap = k / u.${left}_group;
  let i_w = w ${move} tap % u.kernel_w * u.dilation_w;
  let i_h = h ${move} tap / u.kernel_w % u.kernel_h * u.dilation_h;
  let i_d = d ${move} tap / (u.kernel_w * u.kernel_h) * u.dilation_d;
  let inside = (i_d < vec4<u32>(u.${image}_d)) & (i_h < vec4<u32>(u.${image}_h)) & (i_w < vec4<u32>(u.${image}_w))${edgeK ? " & vec4<bool>(k < u.k)" : ""};
  let pixel = ((image + i_d) * u.${image}_h + i_h) * u.${image}_w + i_w;
  let at = select(vec4<u32>(), pixel * u.${left} + (first + k % u.${left}_group), inside);
  return ${vector ? `transpose(mat4x4<f32>(${parts}))` : `vec4<f32>(${parts})`};
}
`;
  const call = (id: string, k: string) => `window(${state(id)}, a_first, ${k})`;
  return {
    unit: "k",
    functions,
    prepare: (id, side) => {
      const from = (axis: string, place: string) =>
        pass === "forward" ? `${place} * u.stride_${axis} - u.pad_${axis}` : `${place} + u.pad_${axis}`;
      return `  let a_pixel${id} = ${four(side, "u.rows")};
  let a_w${id} = ${from("w", `a_pixel${id} % u.${rows}_w`)};
  let a_h${id} = ${from("h", `a_pixel${id} / u.${rows}_w % u.${rows}_h`)};
  let a_d${id} = ${from("d", `a_pixel${id} / (u.${rows}_w * u.${rows}_h) % u.${rows}_d`)};
  let a_image${id} = a_pixel${id} / ${size} * u.${image}_d;
`;
    },
    read: (id, k) =>
      vector
        ? call(id, k)
        : `mat4x4<f32>(${range(4)
            .map((j) => call(id, `${k} + ${j}u`))
            .join(", ")})`,
  };
}

function windowColumns({ vector, edgeK }: WindowText): QuadReader {
  const type = vector ? "u32" : "vec4<u32>";
  const state = (id: string) => ["channel", ...AXES].map((name) => `a_${name}${id}`).join(", ");
  const value = vector
    ? "select(vec4<f32>(), a[at / 4u], inside)"
    : `vec4<f32>(${XYZW.map((one) => `select(0.0, a[at.${one}], inside.${one})`).join(", ")})`;
  return {
    unit: "side",
    functions: `fn window(channel: ${type}, d: ${type}, h: ${type}, w: ${type}, k: u32) -> vec4<f32> {
  let i_w = k % u.out_w * u.stride_w + w;
  let i_h = k / u.out_w % u.out_h * u.stride_h + h;
  let i_d = k / (u.out_w * u.out_h) % u.out_d * u.stride_d + d;
  let inside = (i_d < ${type}(u.in_d)) & (i_h < ${type}(u.in_h)) & (i_w < ${type}(u.in_w))${edgeK ? ` & ${vector ? "" : "vec4<bool>"}(k < u.k)` : ""};
  let pixel = ((k / (u.out_w * u.out_h * u.out_d) * u.in_d + i_d) * u.in_h + i_h) * u.in_w + i_w;
  let at = select(${type}(), pixel * u.cin + channel, inside);
  return ${value};
}
`,
    prepare: (id, side) => `  let a_row${id} = ${vector ? `min(${side}, u.rows - 4u)` : four(side, "u.rows")};
  let a_tap${id} = a_row${id} / u.cin_group;
  let a_channel${id} = a_row${id} % u.cin_group + a_first;
  let a_w${id} = a_tap${id} % u.kernel_w * u.dilation_w - u.pad_w;
  let a_h${id} = a_tap${id} / u.kernel_w % u.kernel_h * u.dilation_h - u.pad_h;
  let a_d${id} = a_tap${id} / (u.kernel_w * u.kernel_h) * u.dilation_d - u.pad_d;
`,
    read: (id, k) =>
      `mat4x4<f32>(${range(4)
        .map((j) => `window(${state(id)}, ${k} + ${j}u)`)
        .join(", ")})`,
  };
}
