import { ConfigError } from "./config-error.ts";

/** Symbols of a CTC head. */
export interface CtcVocabulary {
  /** The symbol of each class. */
  readonly symbols: readonly string[];
  /** The class that stands for no symbol. */
  readonly blank: number;
  /** The symbol between words. */
  readonly space: string;
}

/** Letters of `facebook/wav2vec2-base-960h` and the other English checkpoints, by class. */
export const ENGLISH_LETTERS: CtcVocabulary = {
  symbols: ["<pad>", "<s>", "</s>", "<unk>", "|", ...Array.from("ETAONIHSRDLUMWCFGYPBVK'XJQZ")],
  blank: 0,
  space: "|",
};

/**
 * A vocabulary from the contents of a `vocab.json`: symbols with their classes.
 *
 * @throws ConfigError where there is no blank, or the classes have a gap
 */
export function ctcVocabulary(
  classes: Readonly<Record<string, number>>,
  { blank = "<pad>", space = "|" }: { readonly blank?: string; readonly space?: string } = {},
): CtcVocabulary {
  const symbols = Object.entries(classes).sort(([, a], [, b]) => a - b);
  for (const [i, [symbol, id]] of symbols.entries())
    if (id !== i) throw new ConfigError(`ctcVocabulary: classes must count from 0 on, got ${id} for "${symbol}"`);
  const blankClass = classes[blank];
  if (blankClass === undefined) throw new ConfigError(`ctcVocabulary: must have the blank "${blank}"`);
  return { symbols: symbols.map(([symbol]) => symbol), blank: blankClass, space };
}

/** The class of the highest score at each step; the first of equals. */
export function bestPath(scores: ArrayLike<number>, classes: number): number[] {
  return Array.from({ length: Math.floor(scores.length / classes) }, (_, step) => {
    let best = 0;
    for (let c = 1; c < classes; c++)
      if ((scores[step * classes + c] ?? -Infinity) > (scores[step * classes + best] ?? -Infinity)) best = c;
    return best;
  });
}

/**
 * What a head has heard: repeats merge, blanks vanish, special symbols are left out.
 *
 * @param scores of one sound, [steps, classes] row-major
 * @see Graves et al. 2006, section 3.2, best path decoding
 */
export function decodeCtc(scores: ArrayLike<number>, { symbols, blank, space }: CtcVocabulary): string {
  const path = bestPath(scores, symbols.length);
  const heard = path.filter((c, i) => c !== path[i - 1] && c !== blank).map((c) => symbols[c] ?? "");
  const letters = heard.filter((symbol) => !/^<.+>$/.test(symbol));
  return letters
    .map((symbol) => (symbol === space ? " " : symbol))
    .join("")
    .replace(/ +/g, " ")
    .trim();
}
