import { within } from "../graph/scope.ts";
import type { Module } from "./module.ts";

/**
 * Names what each module's `forward` records by the module's path, for the tables and traces of `profile`. Plans of before stay without names:
 * call it right after construction. A `forward` must be synchronous to be named.
 *
 * @param name path of the model itself
 */
export function labelModules(model: Module, name = "model"): void {
  for (const [path, module] of model.namedModules()) {
    const { forward } = module as { forward?: unknown };
    if (typeof forward !== "function") continue;
    const scope = path === "" ? name : `${name}.${path}`;
    const named = (...inputs: unknown[]): unknown => within(scope, () => forward.apply(module, inputs) as unknown);
    // not enumerable: the fields of a module are its parts
    Object.defineProperty(module, "forward", { value: named, configurable: true, writable: true });
  }
}
