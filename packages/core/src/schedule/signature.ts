import { DTYPE_IDS } from "../base/dtype.ts";
import type { Node } from "../graph/node.ts";
import { scopeId } from "../graph/scope.ts";

const LEAF_HOST = 0;
const LEAF_DEVICE = -1;
const SCOPED = -2;

let words = new Float64Array(4096);
let length = 0;

function push(word: number): void {
  if (length === words.length) {
    const grown = new Float64Array(words.length * 2);
    grown.set(words);
    words = grown;
  }
  words[length++] = word;
}

/** The structure of a graph: equal signatures may share a plan. Valid until the next call. */
export interface Signature {
  readonly words: Float64Array;
  readonly hash: number;
}

/**
 * Writes op, inputs and attributes of each node, and shape and dtype of leaves (those of inner nodes follow), then the roots.
 * `order` must be topological with `index` set. Scopes count: they name the steps of a plan.
 */
export function signatureOf(order: readonly Node[], roots: readonly Node[]): Signature {
  length = 0;
  for (const node of order) {
    if (node.op === null) {
      push(node.source?.kind === "host" ? LEAF_HOST : LEAF_DEVICE);
      push(DTYPE_IDS[node.dtype]);
      push(node.shape.length);
      for (const n of node.shape) push(n);
      continue;
    }
    if (node.scope !== "") {
      push(SCOPED);
      push(scopeId(node.scope));
    }
    push(node.op.id);
    push(DTYPE_IDS[node.dtype]);
    push(node.inputs.length);
    for (const input of node.inputs) push(input.index);
    push(node.attrs.length);
    for (const a of node.attrs) push(a);
    if (node.inputs.length === 0 || node.op.kind === "random") {
      push(node.shape.length);
      for (const n of node.shape) push(n);
    }
  }
  for (const root of roots) push(root.index);
  const used = words.subarray(0, length);
  const ints = new Int32Array(used.buffer, 0, length * 2);
  let hash = 0x811c9dc5;
  for (const word of ints) hash = Math.imul(hash ^ word, 0x01000193);
  return { words: used, hash: hash >>> 0 };
}

const sameWord = (a: number, b: number | undefined): boolean => a === b || (a !== a && b !== b);

export const sameWords = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((word, i) => sameWord(word, b[i]));
