import { quote } from "./checkpoint-error.ts";
import type { PickleValue } from "./pickle-value.ts";

const SHOWN = 8;

/** A value in a few words, for a message; never deeper than one level. */
export function describePickle(value: PickleValue | undefined): string {
  if (typeof value === "object" && value !== null && "kind" in value && "items" in value && value.kind !== "dict") {
    const shown = value.items.slice(0, SHOWN).map(describeOne).join(", ");
    return `${value.kind === "record" ? "an object of" : `a ${value.kind} of`} ${shown === "" ? "nothing" : shown}`;
  }
  return describeOne(value);
}

function describeOne(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return "an integer of 2^53 or more";
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return "bytes";
  switch (value.kind) {
    case "global":
      return quote(value.name);
    case "numpy":
      return "a dtype of numpy";
    case "record":
      return "an object";
    default:
      return `a ${value.kind}`;
  }
}
