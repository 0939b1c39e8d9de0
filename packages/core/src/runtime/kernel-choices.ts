import { readCached, variable, writeCached } from "#gpu";
import { DeviceError } from "../base/errors.ts";
import { type Choice, hashText } from "../kernels/tuning.ts";

/**
 * What becomes of timed choices of kernels. "off": nothing is timed and nothing read. "ask": `autotune` times and keeps. "use": what was kept
 * is used from the start. "tune": what a plan needs and was never timed is timed before it runs first.
 */
export type TuneMode = "off" | "ask" | "use" | "tune";

const MODES: Readonly<Record<string, TuneMode>> = { "": "ask", "0": "off", "1": "use", tune: "tune" };

/** @throws DeviceError (unavailable) where OMNI_AUTOTUNE is none of 0, 1 and tune */
export function modeFromEnvironment(): TuneMode {
  const value = variable("OMNI_AUTOTUNE") ?? "";
  const mode = Object.hasOwn(MODES, value) ? MODES[value] : undefined;
  if (mode) return mode;
  throw new DeviceError("unavailable", `OMNI_AUTOTUNE must be 0, 1 or tune, got "${value}"`);
}

/** An adapter with its driver, as far as it says: timings of one are worth nothing on another. */
export const adapterIdentity = (info: GPUAdapterInfo, label: string): string =>
  [info.vendor, info.architecture, info.device, info.description, label].join("|");

/**
 * Timed choices of one adapter, kept in a file of the user's cache (`~/.cache/omni/kernels-….json`; in browsers in the origin's private files). A
 * file that cannot be read, or is another adapter's, counts as none; one that cannot be written costs a warning.
 */
export class KernelChoices {
  readonly mode: TuneMode;
  /** Shared with the device's traits. */
  readonly choices = new Map<string, Choice>();
  /** Kernels whose buffers did not fit beside the program's: not tried again in this process. */
  readonly tooLarge = new Set<string>();
  readonly #adapter: string;
  #warned = false;

  constructor(adapter: string, mode: TuneMode) {
    this.#adapter = adapter;
    this.mode = mode;
  }

  /** Whether there is nothing to time any more. */
  isSettled(key: string): boolean {
    return this.choices.has(key) || this.tooLarge.has(key);
  }

  get fileName(): string {
    return `kernels-${hashText(this.#adapter)}.json`;
  }

  /** Takes over what is kept, except of kernels timed in this process. */
  async load(): Promise<void> {
    for (const [key, choice] of await this.#kept()) if (!this.choices.has(key)) this.choices.set(key, choice);
  }

  /** Keeps the choices beside what other processes have kept meanwhile. */
  async save(): Promise<void> {
    const all = new Map([...(await this.#kept()), ...this.choices]);
    const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify({ adapter: this.#adapter, choices: Object.fromEntries(sorted) }, null, 1);
    try {
      await writeCached(this.fileName, `${text}\n`);
    } catch (error) {
      this.#warn(`cannot be kept (${error instanceof Error ? error.message : String(error)}); this process uses them`);
    }
  }

  async #kept(): Promise<ReadonlyMap<string, Choice>> {
    const text = await readCached(this.fileName);
    if (text === null) return new Map();
    const kept = parse(text, this.#adapter);
    if (!kept) this.#warn(`of ${this.fileName} are not read: the file is damaged or another adapter's`);
    return kept ?? new Map();
  }

  #warn(what: string): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(`autotune: timed choices ${what}`);
  }
}

/** The choices in a file's text; null where it is no such file or another adapter's. */
function parse(text: string, adapter: string): Map<string, Choice> | null {
  try {
    const file = JSON.parse(text) as unknown;
    if (!isRecord(file) || file["adapter"] !== adapter || !isRecord(file["choices"])) return null;
    const entries = Object.entries(file["choices"]);
    return entries.every((entry): entry is [string, Choice] => isChoice(entry[1])) ? new Map(entries) : null;
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const isChoice = (value: unknown): value is Choice =>
  isRecord(value) && typeof value["name"] === "string" && typeof value["text"] === "string";
