import { OmniError } from "@omni/core";

/** A configuration that contradicts itself or does not keep its schema; the message names the field. */
export class ConfigError extends OmniError {
  override readonly name = "ConfigError";
}
