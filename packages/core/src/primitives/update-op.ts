import { storedBytes, WORD_BYTES } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { input } from "../kernels/kernel.ts";
import { nextOpId, type KernelInput, type UpdateOp } from "./op.ts";
import { simpleLaunch } from "./simple-kernel.ts";

interface UpdateDefinition<Name extends string> {
  readonly name: string;
  /** Tensors of one shape that are written in place: the op's first inputs. */
  readonly writes: readonly Name[];
  /** Tensors of that shape that are only read: the inputs after them. */
  readonly reads: readonly Name[];
  /**
   * Numbers that the body knows by name: elements of `settings`, the input after those, as `packSettings` makes it. They are data, so that a new
   * learning rate compiles nothing.
   */
  readonly settings: readonly string[];
  /** Whether a last input of one element, `grad_scale`, follows. */
  readonly scaled: boolean;
  /** u32 for words of any type. */
  readonly element: "f32" | "u32";
  /** Runs for each element, or four at once; `at` is the WGSL of each tensor's element, `type` its type, such as vec4<f32>. */
  readonly body: (at: Readonly<Record<Name, string>>, type: string) => string;
}

/** The settings of an update as its kernel reads them, four at a time: they cost as much as what is updated when read one by one. */
export function packSettings(numbers: readonly number[]): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(4 * Math.ceil(numbers.length / 4));
  packed.set(numbers);
  return packed;
}

/** One update of those that a kernel makes. */
interface Member {
  /** Where its tensors begin among the inputs. */
  readonly first: number;
  readonly lanes: 1 | 4;
  readonly count: number;
}

function memberOf({ shape, dtype }: KernelInput, first: number): Member {
  const words = storedBytes(sizeOf(shape), dtype) / WORD_BYTES;
  const lanes = words % 4 === 0 ? 4 : 1;
  return { first, lanes, count: words / lanes };
}

/** An elementwise in-place update with its numbers in a small tensor. */
export function updateOp<Name extends string>(definition: UpdateDefinition<Name>): UpdateOp {
  const { name, writes, reads, settings, scaled, element } = definition;
  const tensors = [...writes, ...reads];
  const fours = Math.ceil(settings.length / 4);
  const vectors = [
    ...(fours > 0 ? [{ name: "settings", type: "vec4<f32>", length: fours }] : []),
    ...(scaled ? [{ name: "grad_scale", type: "f32", length: 1 }] : []),
  ];
  const typeOf = ({ lanes }: Member): string => (lanes === 4 ? `vec4<${element}>` : element);
  return {
    id: nextOpId(),
    name,
    kind: "update",
    targets: writes.map((_, i) => i),
    shared: vectors.length,
    program: (inputs) => {
      const own = inputs.slice(0, inputs.length - vectors.length);
      // those by fours first: fewer kernels than there are orders
      const members = own
        .flatMap((tensor, i) => (i % tensors.length === 0 ? [memberOf(tensor, i)] : []))
        .sort((a, b) => b.lanes - a.lanes);
      let total = 0;
      const ends = members.map(({ count }) => (total += count));
      const run = (member: Member, k: number, index: string): string =>
        definition.body(
          Object.fromEntries(tensors.map((t) => [t, `${t}${k}[${index}]`])) as Record<Name, string>, // of all names
          typeOf(member),
        );
      return {
        launches: [
          simpleLaunch({
            label: name,
            bindings: [
              ...members.flatMap((member, k) =>
                tensors.map((t, i) => ({
                  name: `${t}${k}`,
                  type: typeOf(member),
                  binding: { ...input(member.first + i), access: i < writes.length ? "read_write" : "read" } as const,
                })),
              ),
              ...vectors.map((v, i) => ({ ...v, binding: input(own.length + i) })),
            ],
            uniforms: Object.fromEntries(ends.slice(0, -1).map((end, k) => [`end${k}`, end])),
            count: total,
            body: `${Array.from({ length: fours }, (_, i) => `let settings_${i} = settings[${i}];`).join(" ")}
    ${settings.map((s, i) => `let ${s} = settings_${Math.floor(i / 4)}[${i % 4}];`).join(" ")}
    ${inTurn(members.map((member, k) => (index) => run(member, k, index)))}`,
          }),
        ],
        scratch: [],
      };
    },
  };
}

/** The bodies of several members, whose invocations follow each other up to end0, end1, … */
function inTurn(bodies: readonly ((index: string) => string)[]): string {
  const [only] = bodies;
  if (only && bodies.length === 1) return only("g");
  return bodies
    .map((body, k) => {
      const first = k === 0 ? "g" : `g - end${k - 1}`;
      const condition = k === bodies.length - 1 ? "" : `if (g < end${k}) `;
      return `${condition}{ let i = ${first}; ${body("i")} }`;
    })
    .join(" else ");
}
