import { quote } from "./checkpoint-error.ts";
import type { PickleFail } from "./pickle-cursor.ts";
import { describePickle } from "./pickle-describe.ts";
import type { PickleValue, TorchTensor } from "./pickle-value.ts";

/** What a saved object holds, by dotted path. The records have no prototype. */
export interface NamedContents {
  readonly tensors: Readonly<Record<string, TorchTensor>>;
  /** Plain values as text. */
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_DEPTH = 64;
// Values that are mentioned many times count each time: a small pickle can name more of them than there are atoms.
const MAX_NAMED = 1 << 20;
const MAX_PATH_CHARACTERS = 1 << 24;

/**
 * Names the tensors and plain values within dicts, lists and tuples by their paths: `conv.weight` in a state dict,
 * `state_dict.conv.weight` where that is an entry of a dict, `optimizer.state.0.exp_avg`, `args.lr`. A tensor saved alone has the
 * name "". Bytes are left out.
 *
 * @throws what `fail` throws for cycles, two values of one path, and more than a million values
 */
export function nameContents(root: PickleValue, fail: PickleFail): NamedContents {
  const tensors: Record<string, TorchTensor> = Object.create(null);
  const metadata: Record<string, string> = Object.create(null);
  let named = 0;
  let characters = 0;

  const visit = (value: PickleValue, path: string, depth: number): void => {
    if (depth > MAX_DEPTH)
      fail(
        `containers must nest at most ${MAX_DEPTH} deep`,
        "more, or one within itself",
        "save the state_dict() alone",
      );
    characters += path.length;
    if (++named > MAX_NAMED || characters > MAX_PATH_CHARACTERS)
      fail(`a checkpoint must name at most ${MAX_NAMED} values`, "more", "save the state_dict() alone");
    const text = plainText(value);
    if (text !== undefined) {
      if (path in tensors || path in metadata) fail("each value must have a path of its own", `${quote(path)} twice`);
      metadata[path] = text;
      return;
    }
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
    const prefix = path === "" ? "" : `${path}.`;
    switch (value.kind) {
      case "tensor":
        if (path in tensors || path in metadata) fail("each value must have a path of its own", `${quote(path)} twice`);
        tensors[path] = value;
        return;
      case "dict":
      case "record": {
        const keys = new Set<string>();
        for (let i = 0; i < value.items.length; i += 2) {
          const key = plainText(value.items[i]);
          if (key === undefined)
            return fail("keys must be text or numbers", describePickle(value.items[i]), "save the state_dict() alone");
          if (keys.has(key)) fail("a dict must have each key once", `${quote(key)} twice`);
          keys.add(key);
          visit(value.items[i + 1] ?? null, prefix + key, depth + 1);
        }
        return;
      }
      case "list":
      case "tuple":
      case "set":
        for (const [i, item] of value.items.entries()) visit(item, `${prefix}${i}`, depth + 1);
        return;
      default:
        return;
    }
  };
  visit(root, "", 1);
  return { tensors, metadata };
}

/** Text of a plain value, else undefined. */
function plainText(value: PickleValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value === null || typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return undefined;
  return value.kind === "dtype" ? `torch.${value.name}` : undefined;
}
