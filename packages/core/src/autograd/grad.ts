import { isFloat } from "../base/dtype.ts";
import { DTypeError, ShapeError } from "../base/errors.ts";
import { formatShape } from "../base/shape.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import { within } from "../graph/scope.ts";
import * as structural from "../primitives/structural.ts";
import { zeros } from "../tensor/create.ts";
import { concat } from "../tensor/join.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Scope of the gradient of what was recorded under a scope. */
const backward = (scope: string): string => (scope === "" || scope.endsWith(" backward") ? scope : `${scope} backward`);

const wrap = (node: Node): Tensor => new Tensor(node);

/**
 * Gradients that are the pieces of one axis, as the parts of a split give, are joined rather than padded and added.
 */
function joinPieces(parts: readonly Tensor[]): Tensor | null {
  const [lead] = parts;
  if (!lead || parts.length < 2) return null;
  const { op, attrs } = lead.node;
  if (op === structural.permute && parts.every(({ node }) => node.op === op && node.attrs.join() === attrs.join()))
    return joinPieces(parts.flatMap(({ node }) => node.inputs.map(wrap)))?.permute(attrs) ?? null;
  const pieces: { axis: number; before: number; inner: Node }[] = [];
  for (const { node } of parts) {
    const [inner] = node.inputs;
    if (node.op !== structural.pad || !inner || node.attrs[0] !== 0) return null;
    const padded = inner.shape.flatMap((n, a) => (n === node.shape[a] ? [] : [a]));
    const [axis] = padded;
    if (axis === undefined || padded.length !== 1) return null;
    pieces.push({ axis, before: node.attrs[1 + 2 * axis] ?? 0, inner });
  }
  pieces.sort((a, b) => a.before - b.before);
  const axis = pieces[0]?.axis ?? 0;
  let end = 0;
  for (const piece of pieces) {
    if (piece.axis !== axis || piece.before !== end) return null;
    end += piece.inner.shape[axis] ?? 0;
  }
  if (end !== parts[0]?.shape[axis]) return null;
  return concat(
    pieces.map((p) => wrap(p.inner)),
    { axis },
  );
}

function total(parts: readonly Tensor[]): Tensor | null {
  const joined = joinPieces(parts);
  if (joined) return joined;
  const [first, ...rest] = parts;
  return first ? rest.reduce((sum, part) => sum.add(part), first) : null;
}

/**
 * Gradients of Σ loss with respect to each tensor of `wrt`, as lazy tensors: the graph is rewritten, nothing runs, and a gradient can be
 * differentiated again. A tensor that the loss does not depend on gets zeros.
 *
 * @param seed cotangent of `loss`, of its shape; ones by default
 * @throws ShapeError when the seed's shape differs from the loss's
 * @throws DTypeError for tensors of whole numbers
 */
export function grad(loss: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  const whole = wrt.find((t) => !isFloat(t.dtype));
  if (whole)
    throw new DTypeError(
      `grad: tensors must be f32, f16 or bf16 to have a gradient, got ${whole.dtype} ${formatShape(whole.shape)}; cast it before it is used`,
    );
  return gradients(loss, wrt, seed);
}

/** `grad` that gives zeros to tensors of whole numbers. @internal */
export function gradients(loss: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  if (seed && formatShape(seed.shape) !== formatShape(loss.shape))
    throw new ShapeError(
      `grad: seed must have the loss's shape ${formatShape(loss.shape)}, got ${formatShape(seed.shape)}`,
    );
  const order = topologicalOrder([loss.node]);
  const walls = new Set(wrt.map((t) => t.node));
  const needed = new Set<Node>();
  for (const node of order) if (walls.has(node) || node.inputs.some((n) => needed.has(n))) needed.add(node);

  const parts = new Map<Node, Tensor[]>();
  const outputParts = new Map<Node, (Tensor | null)[]>();
  const one = new Tensor(new Node(structural.constant, [], [1], loss.shape, loss.dtype));
  parts.set(loss.node, [seed ?? one]);
  const results = new Map<Node, Tensor>();

  const distribute = (node: Node, gradients: readonly (Tensor | null)[]): void => {
    node.inputs.forEach((input, k) => {
      const g = gradients[k];
      if (!g || !needed.has(input)) return;
      const list = parts.get(input);
      if (list) list.push(g);
      else parts.set(input, [g]);
    });
  };

  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at] as Node; // at is a valid index
    if (!needed.has(node)) continue;
    const { op } = node;
    const inputs = node.inputs.map(wrap);
    const many = outputParts.get(node);
    if (many && op?.kind === "kernel" && op.vjpMany) {
      const outputs = op
        .outputs(
          node.inputs.map((n) => ({ shape: n.shape, strides: [], offset: 0, dtype: n.dtype })),
          node.attrs,
        )
        .map(({ shape, dtype }, k) => wrap(new Node(structural.pick, [node], [k], shape, dtype)));
      const { vjpMany } = op;
      distribute(
        node,
        within(backward(node.scope), () => vjpMany(many, inputs, outputs, node.attrs, wrap)),
      );
      continue;
    }
    const dy = total(parts.get(node) ?? []);
    parts.delete(node);
    if (!dy) continue;
    if (walls.has(node)) results.set(node, dy);
    if (op === null || (walls.has(node) && node.inputs.length === 0)) continue;
    if (op.kind === "update") continue;
    if (op === structural.pick) {
      const [source] = node.inputs;
      if (!source) continue;
      const list = outputParts.get(source) ?? [];
      const [index = 0] = node.attrs;
      const sofar = list[index];
      list[index] = sofar ? sofar.add(dy) : dy;
      outputParts.set(source, list);
      continue;
    }
    distribute(
      node,
      within(backward(node.scope), () => op.vjp(dy, inputs, wrap(node), node.attrs, wrap)),
    );
  }
  return wrt.map((t) => {
    const dtype = isFloat(t.dtype) ? t.dtype : "f32";
    return results.get(t.node)?.cast(dtype) ?? zeros(t.shape, dtype);
  });
}

/** A loss and its gradients, none of them computed yet. */
export interface ValueAndGrad {
  /** The loss as it was given. */
  readonly loss: Tensor;
  /** Its gradients, in the order of `wrt`. */
  readonly grads: Tensor[];
}

/** The loss together with its gradients, so that both are realised in one plan. */
export function valueAndGrad(loss: Tensor, wrt: readonly Tensor[]): ValueAndGrad {
  return { loss, grads: grad(loss, wrt) };
}
