import { Rng } from "@omni/core";
import type { VaeTraining } from "@omni/trainer";
import { discriminatorPresets, loadVgg16, VggFeatures, vggPresets } from "@omni/vae";
import { Option } from "commander";
import { UsageError } from "./failure.ts";
import { amount, index, positive } from "./options.ts";

/** What `omni train vae` is asked to minimise. */
export interface VaeLosses {
  readonly l1?: number;
  readonly l2?: number;
  readonly kl?: number;
  readonly sampleLatents?: boolean;
  readonly perceptual?: number;
  readonly vgg16?: string;
  readonly lpips?: string;
  readonly adversarial?: number;
  readonly adversarialStart?: number;
  readonly discriminator?: "image" | "video";
  readonly r1?: number;
  readonly lecam?: number;
}

/** Their options, fresh for each command. */
export const vaeLossOptions = (): readonly Option[] => [
  new Option("--l1 <weight>", "vae: of absolute differences; default: 1").argParser(amount),
  new Option("--l2 <weight>", "vae: of squared differences; default: 1").argParser(amount),
  new Option("--kl <weight>", "vae: of the latents' distance from a standard normal; default: 0.0001").argParser(
    amount,
  ),
  new Option("--sample-latents", "vae: draw latents from the posterior; default: its mean"),
  new Option("--perceptual <weight>", "vae: of differences between features of frames").argParser(positive),
  new Option("--vgg16 <file>", "vae: the features, torchvision's VGG16 or LPIPS; default: random convolutions"),
  new Option("--lpips <file>", "vae: LPIPS' weights of VGG16's channels"),
  new Option("--adversarial <weight>", "vae: train against a discriminator").argParser(positive),
  new Option("--adversarial-start <step>", "vae: first step with it; default: a quarter of all").argParser(index),
  new Option("--discriminator <kind>", "vae: judges single frames or motion; default: video").choices([
    "image",
    "video",
  ]),
  new Option(
    "--r1 <weight>",
    "vae: of the discriminator's slope at real clips, summed over patches: small, such as 0.001",
  ).argParser(positive),
  new Option("--lecam <weight>", "vae: keep the discriminator from being sure").argParser(positive),
];

/** The options that were given, as on the command line. */
export function givenLosses(losses: Readonly<Partial<Record<keyof VaeLosses, unknown>>>): (string | number)[] {
  const values: Readonly<Record<string, unknown>> = { ...losses };
  return vaeLossOptions().flatMap((option) => {
    const value = values[option.attributeName()];
    const name = option.long ?? "";
    if (typeof value === "string" || typeof value === "number") return [name, value];
    return value === true ? [name] : [];
  });
}

/** @throws UsageError for options that need another one, or another part */
export function checkLosses(losses: VaeLosses, part: string): void {
  const [first] = givenLosses(losses);
  if (part !== "vae" && first !== undefined) throw new UsageError(`${first}: is for \`train vae\``);
  const { vgg16, lpips, perceptual, adversarial, adversarialStart, discriminator, r1, lecam } = losses;
  const refuse = (some: Parameters<typeof givenLosses>[0], needed: string): void => {
    const [name] = givenLosses(some);
    if (name !== undefined) throw new UsageError(`${name}: needs ${needed}`);
  };
  if (perceptual === undefined) refuse({ vgg16, lpips }, "--perceptual, the weight of the features");
  if (vgg16 === undefined) refuse({ lpips }, "--vgg16, the network whose channels it weighs");
  if (adversarial === undefined) refuse({ adversarialStart, discriminator, r1, lecam }, "--adversarial, its weight");
}

/** The part of a training's options that they make; loads the features. */
export async function trainingLosses(
  losses: VaeLosses,
  { seed, steps }: { readonly seed: number; readonly steps: number },
): Promise<Pick<VaeTraining, "loss" | "sampleLatents" | "adversarial">> {
  const { l1, l2, kl, perceptual, adversarial, discriminator = "video", r1, lecam } = losses;
  const { sampleLatents = false, adversarialStart = Math.floor(steps / 4) } = losses;
  return {
    loss: {
      ...(l1 !== undefined && { l1Weight: l1 }),
      ...(l2 !== undefined && { l2Weight: l2 }),
      ...(kl !== undefined && { klWeight: kl }),
      ...(perceptual !== undefined && { perceptual: { features: await features(losses, seed), weight: perceptual } }),
    },
    sampleLatents,
    adversarial:
      adversarial === undefined
        ? null
        : {
            weight: adversarial,
            start: adversarialStart,
            discriminator: discriminatorPresets[`nano-${discriminator}`],
            ...(r1 !== undefined && { r1 }),
            ...(lecam !== undefined && { lecam }),
          },
  };
}

async function features({ vgg16, lpips }: VaeLosses, seed: number): Promise<VggFeatures> {
  const network =
    vgg16 === undefined
      ? new VggFeatures(vggPresets.narrow, new Rng(seed).fork("features"))
      : await loadVgg16(vgg16, lpips === undefined ? {} : { lpips });
  return network.realize();
}
