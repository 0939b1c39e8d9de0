import type { AdapterChoice } from "@omni/core";
import { PICTURE_MULTIPLE } from "@omni/human";
import type { FrameSize } from "@omni/human";
import { InvalidArgumentError, Option } from "commander";

const parsed = (text: string, fits: (value: number) => boolean, rule: string): number => {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!fits(value)) throw new InvalidArgumentError(`It must be ${rule}.`);
  return value;
};

/** A whole number of at least 1. */
export const count = (text: string): number =>
  parsed(text, (n) => Number.isSafeInteger(n) && n >= 1, "a whole number above 0");

/** A whole number of at least 0. */
export const index = (text: string): number =>
  parsed(text, (n) => Number.isSafeInteger(n) && n >= 0, "a whole number of at least 0");

/** Index of a training stage. */
export const stage = (text: string): number =>
  parsed(text, (n) => Number.isInteger(n) && n >= 0 && n <= 3, "0, 1, 2 or 3");

/** A number in [0, 1]. */
export const share = (text: string): number => parsed(text, (n) => n >= 0 && n <= 1, "a number from 0 to 1");

/** A number above 0. */
export const positive = (text: string): number => parsed(text, (n) => n > 0 && Number.isFinite(n), "a number above 0");

/** A number of at least 0. */
export const amount = (text: string): number =>
  parsed(text, (n) => n >= 0 && Number.isFinite(n), "a number of at least 0");

const BYTE_UNITS = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
} as const;
const isByteUnit = (unit: string): unit is keyof typeof BYTE_UNITS => unit in BYTE_UNITS;

/** "5GB", "500 MiB": bytes, of powers of 1000 or 1024. */
export function fileSize(text: string): number {
  const [, amount = "", unit = ""] = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const key = unit.toUpperCase();
  const bytes = isByteUnit(key) ? Number(amount) * BYTE_UNITS[key] : NaN;
  if (!(bytes >= 1) || amount === "") throw new InvalidArgumentError("It must be a size such as 5GB, 500MB or 2GiB.");
  return bytes;
}

/** "64x80": width and height in pixels. */
export function frameSize(text: string): FrameSize {
  const [, width = 0, height = 0] = (/^(\d+)[x×](\d+)$/.exec(text.trim()) ?? []).map(Number);
  const fits = (side: number): boolean => side > 0 && side <= 1024 && side % PICTURE_MULTIPLE === 0;
  if (!fits(width) || !fits(height))
    throw new InvalidArgumentError(`It must be WIDTHxHEIGHT in multiples of ${PICTURE_MULTIPLE}, such as 64x80.`);
  return { width, height };
}

/** "3", "1,5,9" or "0-15". */
export function seedList(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const [first, last] = [index(from), index(to)];
    if (last < first || last - first >= 1000)
      throw new InvalidArgumentError("It must be numbers such as 1,5,9 or 0-15.");
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const ADAPTERS = ["auto", "system", "software"] as const satisfies readonly AdapterChoice[];

/** `--adapter`: a fresh option for each command. */
export const adapterOption = (): Option =>
  new Option("--adapter <kind>", "auto: a GPU if there is one; system: no bundled adapter; software: no GPU").choices(
    ADAPTERS,
  );
