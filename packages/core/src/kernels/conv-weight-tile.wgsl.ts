import {
  declareColumns,
  declareSums,
  leftLoads,
  multiplyTile,
  storeTile,
  type Tile,
  tileEnables,
  tileEntry,
} from "./snippets/tile.ts";
import { range, storage } from "./snippets/uniforms.ts";

/** What changes the text of the weight gradient. */
export interface ConvWeightText extends Tile {
  /** Input channels of a group, and so the rows of one tap, are aligned to four. */
  readonly leftVector: boolean;
  /** Output channels are aligned to four. */
  readonly rightVector: boolean;
  readonly edgeRows: boolean;
  readonly edgeColumns: boolean;
  readonly edgeGrid: boolean;
}

/**
 * dw[(tap, ci), co] = Σ_pixels x[pixel moved by tap, ci] · dy[pixel, co]: a product of long sums. A workgroup takes one tile of dw
 * and one part of the pixels; the parts are added by a second launch.
 */
export function convWeightTileWgsl(text: ConvWeightText, declareUniforms: (binding: number) => string): string {
  const { share, rows, columns } = text;
  const loads = range(leftLoads(text, "m"));
  const axes = ["d", "h", "w"] as const;
  // Row quads of a lane are one address where four channels are neighbours, four addresses otherwise.
  const lanesOf = text.leftVector ? [0] : range(4);
  const vec4 = (part: (i: number) => string) => `vec4<f32>(${range(4).map(part).join(", ")})`;
  const clampColumn = (column: string) => (text.edgeColumns ? `min(${column}, u.cout_group - 1u)` : `(${column})`);

  return [
    tileEnables(text),
    storage(0, "a", "read", text.leftVector),
    storage(1, "b", "read", text.rightVector),
    storage(2, "c", "read_write", text.rightVector),
    declareUniforms(3),
    tileEntry(text, text.edgeGrid ? "u.tiles" : null),
    `  let tile_n = tile_index % u.tiles_n;
  let tile_m = (tile_index / u.tiles_n) % u.tiles_m;
  let block = tile_index / (u.tiles_n * u.tiles_m);
  let group = block % u.groups;
  let part = block / u.groups;
  let row0 = tile_m * ${rows}u;
  let first = part * u.chunk;
  let last = min(first + u.chunk, u.pixels);
`,
    declareColumns(text, "tile_n"),
    ...range(columns).map((x) => `  let col${x} = ${text.edgeColumns ? `min(n${x}, u.n_last)` : `n${x}`};\n`),
    ...loads.flatMap((q) => lanesOf.map((i) => declareRow(q, i))),
    declareSums(text),
    `  var o_w = first % u.out_w;
  var o_h = (first / u.out_w) % u.out_h;
  var o_d = (first / (u.out_w * u.out_h)) % u.out_d;
  var o_n = first / (u.out_w * u.out_h * u.out_d);
  for (var pixel = first; pixel < last; pixel += 4u) {
`,
    ...range(4).map(loadPixel),
    multiplyTile(text, "m"),
    "  }\n",
    storeTile(text, {
      rowsLeft: "u.rows - row0",
      rowAt: (r) => `(part * u.rows + row0 + ${r}) * u.cout + group * u.cout_group`,
      columnLimit: text.edgeColumns ? "u.cout_group" : null,
      vector: text.rightVector,
      bias: false,
    }),
    "}\n",
  ].join("");

  function declareRow(q: number, i: number): string {
    const quad = `(source % ${Math.min(share, rows / 4)}u + ${q * share}u) * 4u`;
    const row = `row0 + ${quad} + ${i}u`;
    const id = `${q}_${i}`;
    return `  let row${id} = ${text.edgeRows ? `min(${row}, u.rows - ${text.leftVector ? "4u" : "1u"})` : row};
  let tap${id} = row${id} / u.cin_group;
  let channel${id} = group * u.cin_group + row${id} % u.cin_group;
  let move_w${id} = (tap${id} % u.kernel_w) * u.dilation_w - u.pad_w;
  let move_h${id} = (tap${id} / u.kernel_w % u.kernel_h) * u.dilation_h - u.pad_h;
  let move_d${id} = (tap${id} / (u.kernel_w * u.kernel_h)) * u.dilation_d - u.pad_d;
`;
  }

  /** One of four neighbouring pixels; those past the part's end count as zero. */
  function loadPixel(j: number): string {
    const lines: string[] = [];
    lines.push(`let live${j} = pixel + ${j}u < last;`);
    for (const q of loads) {
      for (const i of lanesOf) {
        const id = `${q}_${i}`;
        for (const axis of axes)
          lines.push(`let i_${axis}${j}_${id} = o_${axis} * u.stride_${axis} + move_${axis}${id};`);
        const inside = axes.map((axis) => `i_${axis}${j}_${id} < u.in_${axis}`).join(" && ");
        lines.push(`let inside${j}_${id} = live${j} && ${inside};`);
        const pixel = `((o_n * u.in_d + i_d${j}_${id}) * u.in_h + i_h${j}_${id}) * u.in_w + i_w${j}_${id}`;
        lines.push(`let at${j}_${id} = select(0u, (${pixel}) * u.cin + channel${id}, inside${j}_${id});`);
      }
      const value = text.leftVector
        ? `select(vec4<f32>(), a[at${j}_${q}_0 / 4u], inside${j}_${q}_0)`
        : vec4((i) => `select(0.0, a[at${j}_${q}_${i}], inside${j}_${q}_${i})`);
      lines.push(`let a${q}_${j} = ${value};`);
    }
    for (const x of range(columns)) {
      const at = `min(pixel + ${j}u, last - 1u) * u.cout + group * u.cout_group`;
      const value = text.rightVector
        ? `b[(${at} + col${x}) / 4u]`
        : vec4((i) => `b[${at} + ${clampColumn(`col${x} + ${i}u`)}]`);
      lines.push(`let b${x}_${j} = select(vec4<f32>(), ${value}, live${j});`);
    }
    lines.push(
      "o_w++;",
      "let wrap_w" + j + " = o_w == u.out_w;",
      `o_w = select(o_w, 0u, wrap_w${j});`,
      `o_h = select(o_h, o_h + 1u, wrap_w${j});`,
      `let wrap_h${j} = o_h == u.out_h;`,
      `o_h = select(o_h, 0u, wrap_h${j});`,
      `o_d = select(o_d, o_d + 1u, wrap_h${j});`,
      `let wrap_d${j} = o_d == u.out_d;`,
      `o_d = select(o_d, 0u, wrap_d${j});`,
      `o_n = select(o_n, o_n + 1u, wrap_d${j});`,
    );
    return lines.map((line) => `    ${line}\n`).join("");
  }
}
