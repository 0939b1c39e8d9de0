import type { Epilogue } from "./epilogue.ts";
import {
  declareColumns,
  declareSums,
  declareVector,
  leftLoads,
  multiplyTile,
  storeTile,
  type Tile,
  tileEnables,
  tileEntry,
} from "./snippets/tile.ts";
import { range, storage } from "./snippets/uniforms.ts";

/** What changes the text of the implicit-GEMM convolution. */
export interface ConvText extends Tile {
  /** "forward": rows are output pixels. "input": the gradient of x, rows are input pixels of one stride phase. */
  readonly pass: "forward" | "input";
  /** Channels of the left operand summed a round, 1 to 4; less than 4 only where there are fewer. */
  readonly steps: number;
  /** The left operand's channels are aligned to four. */
  readonly leftVector: boolean;
  /** The result's are, and so are the rows of the weights. */
  readonly resultVector: boolean;
  readonly bias: boolean;
  /** "forward" only. */
  readonly epilogue: Epilogue | null;
  /** More than one stride phase, so that the rows of a tile are not neighbours in the result ("input" only). */
  readonly phased: boolean;
  readonly edgeRows: boolean;
  readonly edgeColumns: boolean;
  readonly edgeChannels: boolean;
  readonly edgeGrid: boolean;
}

/**
 * Convolution as a product of pixels × channels by channels × channels for each tap: the matmul tile with the row's address
 * moved from tap to tap and rows outside the image read as zero. Nothing is unfolded in memory.
 */
export function convTileWgsl(text: ConvText, declareUniforms: (binding: number) => string): string {
  const { share, rows, columns, steps } = text;
  const forward = text.pass === "forward";
  const loads = range(leftLoads(text, "k"));
  const cBinding = (text.bias ? 3 : 2) + (text.epilogue?.reads ?? 0);
  // Names of the left operand's image, channels and the result's, as the pass sees them.
  const image = forward ? "in" : "out";
  const leftChannels = forward ? "u.cin" : "u.cout";
  const leftGroup = forward ? "u.cin_group" : "u.cout_group";
  const resultChannels = forward ? "u.cout" : "u.cin";
  const resultGroup = forward ? "u.cout_group" : "u.cin_group";
  const clampColumn = (column: string) => (text.edgeColumns ? `min(${column}, ${resultGroup} - 1u)` : `(${column})`);
  const clampChannel = (channel: string) => (text.edgeChannels ? `min(${channel}, ${leftGroup} - 1u)` : `(${channel})`);
  const inChannels = (value: string, channel: string, zero: string) =>
    text.edgeChannels ? `select(${zero}, ${value}, ${channel} < ${leftGroup})` : value;
  const vec4 = (part: (i: number) => string) => `vec4<f32>(${range(4).map(part).join(", ")})`;

  return [
    tileEnables(text),
    storage(0, "a", "read", text.leftVector),
    storage(1, "b", "read", text.resultVector),
    text.bias ? storage(2, "bias", "read", false) : "",
    storage(cBinding, "c", "read_write", text.resultVector),
    declareUniforms(cBinding + 1),
    text.epilogue?.wgsl ?? "",
    tileEntry(text, text.edgeGrid ? "u.tiles" : null),
    `  let tile_n = tile_index % u.tiles_n;
  let tile_m = (tile_index / u.tiles_n) % u.tiles_m;
  let block = tile_index / (u.tiles_n * u.tiles_m);
  let group = block % u.groups;
  let row0 = tile_m * ${rows}u;
`,
    text.phased
      ? `  let phase = block / u.groups;
  let phase_w = phase % u.stride_w;
  let phase_h = (phase / u.stride_w) % u.stride_h;
  let phase_d = phase / (u.stride_w * u.stride_h);
  var out_at: array<u32, ${loads.length}>;
`
      : "",
    declareColumns(text, "tile_n"),
    ...range(columns).map((x) => `  let col${x} = ${text.edgeColumns ? `min(n${x}, u.n_last)` : `n${x}`};\n`),
    ...loads.map(declareRow),
    declareSums(text),
    tapLoops(),
    text.bias ? declareVector(text, "bias", (column) => `group * ${resultGroup} + ${clampColumn(column)}`) : "",
    storeTile(text, {
      rowsLeft: "u.rows - row0",
      rowAt: text.phased
        ? (r) => (share > 1 ? `subgroupShuffle(out_at[${r} / ${share}u], ${r} % ${share}u)` : `out_at[${r}]`)
        : (r) => `(row0 + ${r}) * ${resultChannels} + group * ${resultGroup}`,
      ...(text.phased ? { rowIf: () => "c_at != 0xffffffffu" } : {}),
      columnLimit: text.edgeColumns ? resultGroup : null,
      vector: text.resultVector,
      bias: text.bias,
      finish: text.epilogue !== null,
    }),
    "}\n",
  ].join("");

  /** Row coordinates: of the window's first tap (forward), or of the pixel within its phase (input). */
  function declareRow(q: number): string {
    const row = `row0 + source + ${q * share}u`;
    const size = (axis: string) => (forward ? `u.out_${axis}` : `u.rows_${axis}`);
    const lines = [
      `let pixel${q} = ${text.edgeRows ? `min(${row}, u.rows - 1u)` : row};`,
      `let w${q} = pixel${q} % ${size("w")};`,
      `let h${q} = (pixel${q} / ${size("w")}) % ${size("h")};`,
      `let d${q} = (pixel${q} / (${size("w")} * ${size("h")})) % ${size("d")};`,
      `let image${q} = pixel${q} / (${size("w")} * ${size("h")} * ${size("d")}) * u.${image}_d;`,
    ];
    for (const axis of ["d", "h", "w"]) {
      lines.push(
        `let from_${axis}${q} = ${forward ? `${axis}${q} * u.stride_${axis} - u.pad_${axis}` : `${axis}${q}`};`,
      );
    }
    if (text.phased) {
      for (const axis of ["d", "h", "w"])
        lines.push(`let at_${axis}${q} = ${axis}${q} * u.stride_${axis} + phase_${axis};`);
      lines.push(`out_at[${q}] = select(0xffffffffu,
    (((pixel${q} / (u.rows_w * u.rows_h * u.rows_d) * u.in_d + at_d${q}) * u.in_h + at_h${q}) * u.in_w + at_w${q}) * u.cin + group * u.cin_group,
    at_d${q} < u.in_d && at_h${q} < u.in_h && at_w${q} < u.in_w);`);
    }
    return lines.map((line) => `  ${line}\n`).join("");
  }

  function tapLoops(): string {
    const open = ["d", "h", "w"].map((axis) => {
      const loop = `  for (var k_${axis} = 0u; k_${axis} < u.kernel_${axis}; k_${axis}++) {\n`;
      if (forward) return `${loop}    let move_${axis} = k_${axis} * u.dilation_${axis};\n`;
      // The output index o with o · stride = i + padding - k · dilation exists for one phase of i only.
      const phase = text.phased ? `phase_${axis} + ` : "";
      const skip = text.phased ? `    if (lead_${axis} % i32(u.stride_${axis}) != 0) { continue; }\n` : "";
      return `${loop}    let lead_${axis} = i32(${phase}u.pad_${axis} - k_${axis} * u.dilation_${axis});
${skip}    let move_${axis} = u32(${text.phased ? `lead_${axis} / i32(u.stride_${axis})` : `lead_${axis}`});
`;
    });
    return [
      ...open,
      ...loads.map(moveRow),
      `    let tap = ((k_d * u.kernel_h + k_h) * u.kernel_w + k_w) * ${leftGroup};\n`,
      `    for (var k = 0u; k < ${leftGroup}; k += ${steps}u) {\n`,
      ...range(columns).map(loadWeightRows),
      ...loads.map(loadLeft),
      multiplyTile(text, "k", steps),
      "    }\n  }\n  }\n  }\n",
    ].join("");
  }

  function moveRow(q: number): string {
    const inside = ["d", "h", "w"].map((axis) => `i_${axis}${q} < u.${image}_${axis}`).join(" && ");
    const pixel = `(((image${q} + i_d${q}) * u.${image}_h + i_h${q}) * u.${image}_w + i_w${q})`;
    return [
      ...["d", "h", "w"].map((axis) => `let i_${axis}${q} = from_${axis}${q} + move_${axis};`),
      `let inside${q} = ${inside};`,
      `let a_at${q} = select(0u, ${pixel} * ${leftChannels} + group * ${leftGroup}, inside${q});`,
    ]
      .map((line) => `    ${line}\n`)
      .join("");
  }

  function loadLeft(q: number): string {
    const zero = steps === 1 ? "0.0" : `vec${steps}<f32>()`;
    const parts = range(steps).map((j) => inChannels(`a[a_at${q} + ${clampChannel(`k + ${j}u`)}]`, `k + ${j}u`, "0.0"));
    const value = text.leftVector
      ? `a[(a_at${q} + k) / 4u]`
      : steps === 1
        ? parts[0]
        : `vec${steps}<f32>(${parts.join(", ")})`;
    return `      let a${q} = select(${zero}, ${value}, inside${q});\n`;
  }

  function loadWeightRows(x: number): string {
    return range(steps)
      .map((j) => {
        const at = `(tap + ${clampChannel(`k + ${j}u`)}) * ${resultChannels} + group * ${resultGroup}`;
        const value = text.resultVector
          ? `b[(${at} + col${x}) / 4u]`
          : vec4((i) => `b[${at} + ${clampColumn(`col${x} + ${i}u`)}]`);
        return `      let b${x}_${j} = ${inChannels(value, `k + ${j}u`, "vec4<f32>()")};\n`;
      })
      .join("");
  }
}
