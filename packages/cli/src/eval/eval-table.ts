import type { EvalResult, FramingScores } from "./eval-nano.ts";

export const TABLE_START = "<!-- eval:nano -->";
export const TABLE_END = "<!-- /eval:nano -->";

/** The scores as a Markdown table: ours, its controls and the mark to reach. */
export function evalTable({ face, body, all, repeatable }: EvalResult, how: string): string {
  const row = (label: string, get: (s: FramingScores) => number, digits: number, target = ""): string =>
    `| ${label} | ${[face, body, all].map((s) => get(s).toFixed(digits)).join(" | ")} | ${target} |`;
  return [
    `| held out: ${all.people} people, each with unheard speech | face (${face.people}) | body (${body.people}) | all | wanted |`,
    "|---|---|---|---|---|",
    row("**mouth opening, correlation with the truth**", (s) => s.mouth.audio, 2, "≥ 0.5"),
    row("– driven by another's speech", (s) => s.mouth.shuffled, 2, "≈ 0"),
    row("– driven by no sound", (s) => s.mouth.none, 2, "≈ 0"),
    row("– the reference picture in every frame", (s) => s.mouth.reference, 2, "0"),
    row("– ceiling: true frames through the autoencoder", (s) => s.mouth.autoencoder, 2),
    row("– ceiling: true frames", (s) => s.mouth.truth, 2),
    row("**mouth opening in silence, share of that in speech**", (s) => s.silence.generated, 2, "≈ 0"),
    row("– floor: true silent frames through the autoencoder", (s) => s.silence.autoencoder, 2),
    row("**identity: PSNR outside moving parts against the reference, dB**", (s) => s.identity.generated, 1, "≥ 22"),
    row("– ceiling: true frames through the autoencoder", (s) => s.identity.autoencoder, 1),
    row("– ceiling: true frames", (s) => s.identity.truth, 1),
    row("**pose-driven: mean keypoint error, pixels of 64**", (s) => s.keypoints.pose, 2),
    row("– driven by sound alone", (s) => s.keypoints.noPose, 2),
    row("– floor: true frames through the autoencoder", (s) => s.keypoints.autoencoder, 2),
    `| same seed, same frames | ${repeatable ? "yes" : "no"} | | | yes |`,
    "",
    how,
  ].join("\n");
}

/** The text with the table between its marks, or null where the marks are missing. */
export function withTable(text: string, table: string): string | null {
  const start = text.indexOf(TABLE_START);
  const end = text.indexOf(TABLE_END);
  if (start < 0 || end < start) return null;
  return `${text.slice(0, start + TABLE_START.length)}\n\n${table}\n\n${text.slice(end)}`;
}
