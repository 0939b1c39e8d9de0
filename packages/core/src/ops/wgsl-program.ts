import { floatWord, type Program } from "../kernels/kernel.ts";
import { input, output, simpleLaunch } from "../primitives/simple-kernel.ts";

/** A buffer of a program of one's own: its name in WGSL and its element type. */
export interface KernelBinding {
  /** As the body writes it. */
  readonly name: string;
  /** Of the elements: "f32", "vec4<f32>", "i32", "u32". */
  readonly type: string;
}

/** A kernel as a body of WGSL, and what it binds. */
export interface WgslProgram {
  /** What the profiler calls it. */
  readonly label: string;
  /** One an input of the op, in order; contiguous, row-major. */
  readonly inputs: readonly KernelBinding[];
  /** The op's result; contiguous, row-major. */
  readonly output: KernelBinding;
  /** Sizes and other whole numbers, as `let name: u32` in the body. They are no part of the text: another size compiles nothing. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Other numbers, as `let name: f32` in the body. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** How often the body runs. */
  readonly count: number;
  /** WGSL statements for invocation `g`, 0 ≤ g < count. */
  readonly body: string;
  /** WGSL functions that the body calls. */
  readonly functions?: string;
}

/** One dispatch of WGSL: the body runs once for each `g` below `count`, in workgroups of 64. */
export function wgslProgram({
  label,
  inputs,
  output: result,
  sizes = {},
  numbers = {},
  count,
  body,
  functions = "",
}: WgslProgram): Program {
  const words = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${name}_bits`, floatWord(value)]));
  const casts = Object.keys(numbers).map((name) => `let ${name} = bitcast<f32>(${name}_bits);`);
  return {
    launches: [
      simpleLaunch({
        label,
        bindings: [
          ...inputs.map((binding, i) => ({ ...binding, binding: input(i) })),
          { ...result, binding: output(0) },
        ],
        uniforms: { ...sizes, ...words },
        count,
        functions,
        body: [...casts, body].join("\n    "),
      }),
    ],
    scratch: [],
  };
}
