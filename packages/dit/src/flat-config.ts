import { ConfigError } from "./config-error.ts";

/**
 * Checks a flat record of counts and flags that comes from outside, against one that is right.
 *
 * @throws ConfigError naming the field that is missing, unknown or of the wrong type
 */
export function parseFlatConfig<C extends object>(type: string, value: unknown, example: C): C {
  if (typeof value !== "object" || value === null) throw new ConfigError(`${type}: must be an object`);
  const given = new Map<string, unknown>(Object.entries(value));
  for (const name of given.keys())
    if (!Object.hasOwn(example, name)) throw new ConfigError(`${type}.${name}: unknown field`);
  for (const [name, right] of Object.entries(example)) {
    const got = given.get(name);
    const fits = typeof right === "boolean" ? typeof got === "boolean" : Number.isInteger(got) && Number(got) > 0;
    if (!fits)
      throw new ConfigError(
        `${type}.${name}: must be ${typeof right === "boolean" ? "true or false" : "a whole number above 0"}, got ${String(got)}`,
      );
  }
  return value as C; // every field has just been checked against the example
}
