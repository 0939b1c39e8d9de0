/** What files of whole pipelines put in front of the transformer's names. */
const PIPELINE = "model.diffusion_model.";

/** Spelling of a transformer's names: out of a file of the whole pipeline, only what begins with the transformer's place, without it. */
export function withoutPipeline(names: ReadonlySet<string>): (name: string) => string | null {
  const isPipeline = [...names].some((name) => name.startsWith(PIPELINE));
  if (!isPipeline) return (name) => name;
  return (name) => (name.startsWith(PIPELINE) ? name.slice(PIPELINE.length) : null);
}
