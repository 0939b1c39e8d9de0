import { storageType, wgslType } from "../base/dtype.ts";
import { invariant } from "../base/errors.ts";
import type { Node } from "../graph/node.ts";
import { floatWord, splitWorkgroups, type DeviceTraits } from "../kernels/kernel.ts";
import type { ReduceOp } from "../primitives/structural.ts";
import { ExpressionWriter, KernelText, type Lanes, type Resolver } from "./expression.ts";
import { identityOf, outputBinding, stored, uniformBinding, type FusedKernel } from "./fused-kernels.ts";
import { indexFunction, type IndexMap } from "./index-map.ts";
import { belowLinear, type RowGroup, type RowGroups } from "./row-groups.ts";

/** Invocations that share a row on a GPU, where it is long enough. */
const TEAM = 64;
/** Groups of lanes from which a row is shared. */
const SHARED_FROM = 32;
/** Elements that are summed by themselves, where a row has more: sums of sums err less. */
const STRETCH = 16384;

const isReduction = (node: Node): boolean => node.op?.kind === "reduce";

/** Reductions that one pass over a row computes, and results that it stores; what a pass needs is there after the ones before. */
interface Pass {
  readonly reductions: Node[];
  readonly results: Node[];
}

/** What the group's kernel computes itself: its members, and what else is fused into them. */
function groupResolver(group: RowGroup, resolve: Resolver): Resolver {
  const inlined = (node: Node): boolean => {
    if (group.members.has(node) || resolve.inlined(node)) return true;
    const below = belowLinear(node);
    return below !== node && inlined(below);
  };
  return {
    inlined,
    limit: resolve.limit,
    source: (node) => resolve.source(node),
    paddedSource: (node) => resolve.paddedSource(node),
  };
}

function passesOf(outputs: readonly Node[], group: RowGroup, groups: RowGroups, resolve: Resolver): Pass[] {
  const passes: Pass[] = [];
  const pass = (index: number): Pass => (passes[index] ??= { reductions: [], results: [] });
  const levels = new Map<Node, number>();
  /** Passes before the node's value can be written: as a row's element, or as a number a row. */
  const levelOf = (node: Node): number => {
    const known = levels.get(node);
    if (known !== undefined) return known;
    const spread = groups.spreadOf(belowLinear(node));
    const own = spread !== null && groups.of(spread) === group;
    const inputs = own ? [spread] : resolve.inlined(node) ? node.inputs : [];
    const reached = Math.max(0, ...inputs.map(levelOf));
    if (isReduction(node) && group.members.has(node)) pass(reached).reductions.push(node);
    const level = isReduction(node) && group.members.has(node) ? reached + 1 : reached;
    levels.set(node, level);
    return level;
  };
  for (const node of outputs) {
    const level = levelOf(node);
    if (!groups.isScalar(node, group)) pass(level).results.push(node);
  }
  return passes;
}

/** Expression: the place of element `at` of an iteration. */
function placeOf(map: IndexMap, fn: string, at: string, kernel: KernelText): string {
  const { dims, strides, offset } = map;
  if (dims.length === 0) return kernel.uniforms.word(offset);
  if (dims.length === 1 && offset === 0)
    return strides[0] === 1 ? at : `${at} * ${kernel.uniforms.word(strides[0] ?? 0)}`;
  kernel.functions.push(indexFunction(fn, map, kernel.uniforms));
  return `${fn}(${at})`;
}

/** Axes of a map: those that tell the row, and those within rows of `length`; null where none do so by themselves. */
function splitMap({ dims, strides, offset, padded }: IndexMap, length: number): [IndexMap, IndexMap] | null {
  let at = dims.length;
  let left = length;
  while (at > 0 && left > 1) {
    const n = dims[--at] ?? 1;
    if (left % n === 0) left /= n;
    else if (n % left === 0) {
      // an axis that runs on from row to row: as two
      const stride = strides[at] ?? 0;
      const [outer, inner] = [n / left, left];
      return splitMap(
        {
          dims: dims.toSpliced(at, 1, outer, inner),
          strides: strides.toSpliced(at, 1, stride * inner, stride),
          offset,
          padded,
        },
        length,
      );
    } else return null;
  }
  if (left > 1 || padded) return null;
  return [
    { dims: dims.slice(0, at), strides: strides.slice(0, at), offset, padded },
    { dims: dims.slice(at), strides: strides.slice(at), offset: 0, padded },
  ];
}

/**
 * One kernel for all of a group: a row is read as many times as its reductions wait for each other, and nothing between them goes to memory. An
 * invocation takes a row; on GPUs a workgroup takes a long one.
 *
 * @param outputs members that go to memory; they are bound after the buffers read, in this order
 */
export function rowKernel(
  group: RowGroup,
  outputs: readonly Node[],
  groups: RowGroups,
  outer: Resolver,
  traits: DeviceTraits,
): FusedKernel {
  const { domain } = group;
  const resolve = groupResolver(group, outer);
  const lanes: Lanes = (domain.inner.dims.at(-1) ?? 1) % 4 === 0 ? 4 : 1;
  const shared = !traits.software && domain.length / lanes >= SHARED_FROM;
  const isLong = domain.length > STRETCH;
  const workgroup = shared ? TEAM : domain.rows < 1024 ? 16 : 64;
  const kernel = new KernelText();
  const { uniforms } = kernel;
  const rows = uniforms.word(domain.rows);
  const length = uniforms.word(domain.length);
  const statements: string[] = [`let base = ${placeOf(domain.outer, "row_start", "row", kernel)};`];
  const workgroupArrays = new Map<string, string>();
  const inner = placeOf(domain.inner, "row_element", "r", kernel);

  /** Variables that hold a number a row. */
  const scalars = new Map<Node, string>();
  const scalarOf = (member: Node): string => {
    const known = scalars.get(member);
    if (known) return known;
    invariant(!isReduction(member), "rows: a reduction is read before its pass");
    const name = `scalar${scalars.size}`;
    const writer = new ExpressionWriter(
      1,
      { ...resolve, local: (node) => scalars.get(belowLinear(node)) ?? null },
      null,
      kernel,
    );
    const value = writer.write(member);
    statements.push(`var ${name}: ${wgslType(member.dtype)};`, `{ let i = row; ${writer.body} ${name} = ${value}; }`);
    scalars.set(member, name);
    return name;
  };
  const local = (node: Node): string | null => {
    const spread = groups.spreadOf(belowLinear(node));
    return spread !== null && groups.of(spread) === group ? scalarOf(spread) : null;
  };
  const isWhole =
    domain.inner.dims.length === 1 && domain.outer.dims.length === 1 && domain.outer.strides[0] === domain.length;
  /** Where rows lie one after another: what is the same in all rows, or in all of a row, is found without a division. */
  const address = (map: IndexMap): string | null => {
    const parts = isWhole ? splitMap(map, domain.length) : null;
    if (!parts) return null;
    const [across, within] = parts;
    const terms: string[] = [];
    if (across.strides.some((s) => s !== 0)) {
      const name = `place${kernel.functions.length}_${statements.length}`;
      statements.push(`let ${name} = ${placeOf(across, `${name}_row`, "row", kernel)};`);
      terms.push(name);
    } else if (across.offset !== 0) terms.push(uniforms.word(across.offset));
    if (within.strides.some((s) => s !== 0))
      terms.push(placeOf(within, `place${kernel.functions.length}_element`, "r", kernel));
    return terms.join(" + ") || "0u";
  };
  const outputName = (node: Node): string => `out${outputs.indexOf(node)}`;

  for (const { reductions, results } of passesOf(outputs, group, groups, resolve)) {
    const writer = new ExpressionWriter(lanes, { ...resolve, local, address }, null, kernel);
    const loop: string[] = [];
    const after: string[] = [];
    const before: string[] = [];
    /** Around the loop over a stretch of a long row. */
    const stretch: { readonly before: string[]; readonly after: string[] } = { before: [], after: [] };
    for (const node of reductions) {
      const op = node.op as ReduceOp; // kind is reduce
      const [input] = node.inputs;
      invariant(input !== undefined, "rows: a reduction without input");
      const name = `reduced${scalars.size}`;
      scalars.set(node, name);
      const [scale = 1] = node.attrs;
      const start = `${writer.type(node.dtype)}(${identityOf(op, node.dtype, uniforms)});`;
      const part = isLong ? `${name}_part` : `${name}_acc`;
      before.push(`var ${name}_acc = ${start}`);
      stretch.before.push(`var ${name}_part = ${start}`);
      stretch.after.push(`${name}_acc = ${op.combine(`${name}_acc`, part)};`);
      loop.push(`${part} = ${op.combine(part, writer.write(input))};`);
      const [x, y, z, w] = ["x", "y", "z", "w"].map((c) => `${name}_acc.${c}`) as [string, string, string, string];
      const one = lanes === 4 ? op.combine(op.combine(x, y), op.combine(z, w)) : `${name}_acc`;
      const factor = scale === 1 ? "" : ` * bitcast<f32>(${uniforms.word(floatWord(scale))})`;
      if (!shared) after.push(`let ${name} = ${one}${factor};`);
      else {
        const team = `team_${node.dtype}`;
        workgroupArrays.set(team, node.dtype);
        after.push(
          `${team}[lid] = ${one}; workgroupBarrier();`,
          `for (var s = ${TEAM / 2}u; s > 0u; s >>= 1u) { if (lid < s) { ${team}[lid] = ${op.combine(`${team}[lid]`, `${team}[lid + s]`)}; } workgroupBarrier(); }`,
          `let ${name} = ${team}[0]${factor}; workgroupBarrier();`,
        );
      }
    }
    for (const node of results)
      loop.push(
        `${outputName(node)}[i${lanes === 4 ? " >> 2u" : ""}] = ${stored(node.dtype, writer.write(node), lanes)};`,
      );
    const [first, step] = shared ? [`lid * ${lanes}u`, TEAM * lanes] : ["0u", lanes];
    const over = (from: string, end: string): string[] => [
      `for (var r = ${from}; r < ${end}; r += ${step}u) {`,
      `let i = base + ${inner};`,
      writer.body,
      ...loop,
      `}`,
    ];
    const whole =
      isLong && reductions.length > 0
        ? [
            `for (var start = 0u; start < ${length}; start += ${STRETCH}u) {`,
            ...stretch.before,
            ...over(`start + ${first}`, `min(start + ${STRETCH}u, ${length})`),
            ...stretch.after,
            `}`,
          ]
        : over(first, length);
    statements.push(...before, ...whole, ...after);
  }
  const stores = outputs.flatMap((node) =>
    groups.isScalar(node, group) ? [`${outputName(node)}[row] = ${stored(node.dtype, scalarOf(node), 1)};`] : [],
  );
  if (stores.length > 0) statements.push(shared ? `if (lid == 0u) { ${stores.join(" ")} }` : stores.join("\n    "));

  const declared = outputs.map((node, k) => {
    const scalar = storageType(node.dtype);
    const wide = lanes === 4 && !groups.isScalar(node, group);
    return outputBinding(`out${k}`, kernel.values.length + k, wide ? `vec4<${scalar}>` : scalar);
  });
  const invocation = `(wid.y * nwg.x + wid.x)${shared ? "" : ` * ${workgroup}u + lid`}`;
  const wgsl = /* wgsl */ `${kernel.declarations.join("\n")}
${declared.join("")}${uniformBinding(kernel.values.length + outputs.length, uniforms)}${kernel.header}
${[...workgroupArrays].map(([name, type]) => `var<workgroup> ${name}: array<${type}, ${TEAM}>;`).join("\n")}
@compute @workgroup_size(${workgroup})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let row = ${invocation};
  if (row < ${rows}) {
    ${statements.join("\n    ")}
  }
}
`;
  const names = [...group.members].filter(isReduction).map((node) => node.op?.name ?? "");
  return {
    label: `rows: ${[...new Set(names)].join(", ")}`,
    wgsl,
    values: kernel.values,
    windows: [...kernel.windows, ...outputs.map(() => null)],
    uniforms: uniforms.packed(),
    workgroups: splitWorkgroups(shared ? domain.rows : Math.ceil(domain.rows / workgroup)),
  };
}
