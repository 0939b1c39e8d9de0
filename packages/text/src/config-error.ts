/** A configuration that no model can be built from. The message names the field. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
