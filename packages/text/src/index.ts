export { T5Encoder } from "./model.ts";
export { parseTextConfig, presets } from "./config.ts";
export type { TextConfig, TextPreset } from "./config.ts";
export { ConfigError } from "./config-error.ts";
export { TextTokenizer } from "./tokenizer.ts";
export type { BatchOptions, TokenBatch, UnigramJson } from "./tokenizer.ts";
export { nanoTokenizer } from "./nano-vocabulary.ts";
export { relativePositionBucket } from "./relative-position.ts";
export { fromUpstream, keyMap } from "./key-map.ts";
