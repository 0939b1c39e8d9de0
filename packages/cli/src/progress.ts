import { SingleBar } from "cli-progress";
import type { Context } from "./context.ts";
import { note } from "./context.ts";

/** Seconds between lines where there is no terminal. */
const LINE_SECONDS = 10;

/** Progress of a piece of work with the time that is left: a bar on a terminal, else a line now and then. */
export class Progress {
  readonly #context: Pick<Context, "stderr" | "terminal">;
  readonly #label: string;
  /** What was done when it was first told, as after a stop, and when that was. */
  #first: { readonly fraction: number; readonly at: number } | null = null;
  #bar: SingleBar | null = null;
  #lastLine = performance.now();

  constructor(context: Pick<Context, "stderr" | "terminal">, label: string) {
    this.#context = context;
    this.#label = label;
  }

  /**
   * @param fraction share of the work done, 0 to 1
   * @param detail what is being done
   */
  update(fraction: number, detail: string): void {
    this.#first ??= { fraction, at: performance.now() };
    const elapsed = (performance.now() - this.#first.at) / 1000;
    const done = fraction - this.#first.fraction;
    const left = done > 0 ? `about ${duration((elapsed * (1 - fraction)) / done)} left` : "starting";
    const { terminal } = this.#context;
    if (terminal) {
      this.#bar ??= startBar(this.#label, terminal);
      this.#bar.update(fraction, { detail, left });
      return;
    }
    if (performance.now() - this.#lastLine < LINE_SECONDS * 1000) return;
    this.#lastLine = performance.now();
    note(this.#context, `${this.#label}: ${Math.round(100 * fraction)} %, ${detail}, ${left}`);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}

function startBar(label: string, terminal: NodeJS.WriteStream): SingleBar {
  const format = `${label} {bar} {percentage} % | {detail} | {left}`;
  const bar = new SingleBar({ format, stream: terminal, hideCursor: true, clearOnComplete: true, barsize: 24 });
  bar.start(1, 0, { detail: "", left: "" });
  return bar;
}

/** "45 s", "3 min 20 s", "1 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
