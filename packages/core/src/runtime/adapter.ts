/** Which adapter to look for: the best there is, the system's own driver only, or a software one even where there is a GPU. */
export type AdapterChoice = "auto" | "system" | "software";

export const ADAPTER_CHOICES: readonly AdapterChoice[] = ["auto", "system", "software"];

/** An adapter ready for `requestDevice`, with one readable name ("SwiftShader driver 5.0.0 (bundled)"). */
export interface OpenedAdapter {
  readonly adapter: GPUAdapter;
  readonly description: string;
}

/** How an implementation is asked for an adapter of the kind. */
export function requestOptions(choice: AdapterChoice): GPURequestAdapterOptions {
  return choice === "software" ? { forceFallbackAdapter: true } : { powerPreference: "high-performance" };
}

/** True of adapters that run on the CPU: SwiftShader, llvmpipe, WARP. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b|\bsoftware\b/i.test(text);
}

/** The most telling of an adapter's self-descriptions; browsers leave most of them empty. */
export function adapterLabel(info: GPUAdapterInfo): string {
  const parts = [info.vendor, info.architecture].filter((part) => part !== "");
  return info.description || info.device || parts.join(" ") || "unnamed adapter";
}
