import { ShapeError } from "../base/errors.ts";
import { formatShape, sizeOf } from "../base/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { diagonal } from "./indexing.ts";
import { moveAxis } from "./movement.ts";

/** A tensor with a letter an axis. */
interface Term {
  readonly x: Tensor;
  readonly letters: readonly string[];
}

/** Letters of "...": capitals of Greek, counted from the back, so that they broadcast from the back. */
const ellipsisLetters = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => String.fromCharCode(0x391 + n - 1 - i));

function expanded(subscripts: string, axes: number): string[] {
  const named = subscripts.replace("...", "").length;
  if (!subscripts.includes("...")) return subscripts.split("");
  const [before = "", after = ""] = subscripts.split("...");
  return [...before.split(""), ...ellipsisLetters(Math.max(0, axes - named)), ...after.split("")];
}

/** Takes the diagonal where a letter repeats. */
function withoutRepeats({ x, letters }: Term): Term {
  const at = letters.findIndex((l, i) => letters.indexOf(l) < i);
  if (at < 0) return { x, letters };
  const letter = letters[at] ?? "";
  const first = letters.indexOf(letter);
  const moved = moveAxis(moveAxis(x, at, -1), first, -1);
  const rest = letters.filter((_, i) => i !== at && i !== first);
  return withoutRepeats({ x: diagonal(moved), letters: [...rest, letter] });
}

function sumOut({ x, letters }: Term, kept: ReadonlySet<string>): Term {
  const axis = letters.flatMap((l, i) => (kept.has(l) ? [] : [i]));
  if (axis.length === 0) return { x, letters };
  return { x: x.sum({ axis }), letters: letters.filter((l) => kept.has(l)) };
}

/** Axes in the order of `order`, with size 1 for letters that the term lacks. */
function arranged({ x, letters }: Term, order: readonly string[]): Tensor {
  const has = order.filter((l) => letters.includes(l));
  const permuted = x.permute(has.map((l) => letters.indexOf(l)));
  return permuted.reshape(order.map((l) => (has.includes(l) ? (permuted.shape[has.indexOf(l)] ?? 1) : 1)));
}

/** Product of two terms, summed over what neither the result nor a later term names: one batched matmul. */
function contract(a: Term, b: Term, kept: ReadonlySet<string>): Term {
  const left = sumOut(a, new Set([...kept, ...b.letters]));
  const right = sumOut(b, new Set([...kept, ...a.letters]));
  const shared = left.letters.filter((l) => right.letters.includes(l));
  const inner = shared.filter((l) => !kept.has(l));
  const batch = shared.filter((l) => kept.has(l));
  const rows = left.letters.filter((l) => !shared.includes(l));
  const columns = right.letters.filter((l) => !shared.includes(l));
  if (inner.length === 0) {
    const order = [...batch, ...rows, ...columns];
    return { x: arranged(left, order).mul(arranged(right, order)), letters: order };
  }
  const size = (l: string): number => {
    const n = left.x.shape[left.letters.indexOf(l)] ?? 1;
    return n === 1 ? (right.x.shape[right.letters.indexOf(l)] ?? 1) : n;
  };
  const sizes = (letters: readonly string[]): number[] => letters.map(size);
  const matrix = (t: Term, outer: readonly string[], order: readonly string[], shape: number[]): Tensor =>
    arranged(t, order)
      .expand(order.map((l) => (outer.includes(l) || shared.includes(l) ? size(l) : 1)))
      .reshape(shape);
  const count = sizeOf(sizes(batch));
  const x = matrix(left, rows, [...batch, ...rows, ...inner], [count, sizeOf(sizes(rows)), sizeOf(sizes(inner))]);
  const y = matrix(
    right,
    columns,
    [...batch, ...inner, ...columns],
    [count, sizeOf(sizes(inner)), sizeOf(sizes(columns))],
  );
  const letters = [...batch, ...rows, ...columns];
  return { x: x.matmul(y).reshape(sizes(letters)), letters };
}

/**
 * Einstein's summation: products of tensors whose axes are named by letters, summed over the letters that the result does not name.
 * Pairs are contracted from left to right by batched matrix products; a repeated letter takes a diagonal; "..." broadcasts.
 *
 * ```ts
 * const scores = einsum("bhqd,bhkd->bhqk", [q, k]);
 * ```
 *
 * @throws ShapeError when the equation and the shapes disagree
 */
export function einsum(equation: string, tensors: readonly Tensor[]): Tensor {
  const [sources = "", target] = equation.replaceAll(" ", "").split("->");
  const subscripts = sources.split(",");
  if (subscripts.length !== tensors.length)
    throw new ShapeError(`einsum: "${equation}" names ${subscripts.length} tensors, got ${tensors.length}`);
  const sizes = new Map<string, number>();
  const all: string[] = [];
  const terms = tensors.map((x, i): Term => {
    const letters = expanded(subscripts[i] ?? "", x.ndim);
    if (letters.length !== x.ndim)
      throw new ShapeError(`einsum: "${subscripts[i]}" must name each axis, got a tensor of ${formatShape(x.shape)}`);
    letters.forEach((l, a) => {
      const n = x.shape[a] ?? 1;
      const known = sizes.get(l) ?? 1;
      if (known !== 1 && n !== 1 && known !== n)
        throw new ShapeError(`einsum: "${l}" of "${equation}" must have one size, got ${known} and ${n}`);
      sizes.set(l, Math.max(n === 0 ? 0 : known, n));
    });
    all.push(...letters);
    return withoutRepeats({ x, letters });
  });
  const greek = [...new Set(all.filter((l) => l >= "\u0391"))].sort().reverse();
  const once = [...new Set(all)].filter((l) => l < "\u0391" && all.filter((m) => m === l).length === 1).sort();
  const result =
    target === undefined ? [...greek, ...once] : target.includes("...") ? splice(target, greek) : target.split("");
  for (const l of result)
    if (!sizes.has(l)) throw new ShapeError(`einsum: "${l}" of the result must name an axis of "${sources}"`);
  const [first, ...rest] = terms;
  if (!first) throw new ShapeError("einsum: needs at least one tensor");
  let product = first;
  rest.forEach((term, i) => {
    const later = rest.slice(i + 1).flatMap((t) => t.letters);
    product = contract(product, term, new Set([...result, ...later]));
  });
  const summed = sumOut(product, new Set(result));
  return arranged(summed, result);
}

function splice(target: string, greek: readonly string[]): string[] {
  const [before = "", after = ""] = target.split("...");
  return [...before.split(""), ...greek, ...after.split("")];
}
