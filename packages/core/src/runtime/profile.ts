import type { Timing } from "./profiler.ts";

/** Time that the dispatches of one kernel, or of one module, took together. */
export interface Span {
  /** Name of the kernel, or path of the module. */
  readonly label: string;
  /** Dispatches. */
  readonly count: number;
  /** On the device, all dispatches together. */
  readonly milliseconds: number;
}

/** What a piece of work did on the device. */
export class Profile {
  /** Each dispatch, in order. */
  readonly timings: readonly Timing[];
  /** By kernel, longest first. */
  readonly spans: readonly Span[];

  constructor(timings: readonly Timing[]) {
    this.timings = timings;
    this.spans = addedUp(timings, ({ label }) => label);
  }

  /**
   * By path of the modules named with `labelModules`, longest first; what belongs to none is "".
   *
   * @param depth names of a path that are kept
   */
  modules(depth = Infinity): readonly Span[] {
    return addedUp(this.timings, ({ scope }) => {
      const [path = "", ...rest] = scope.split(" ");
      return [path.split(".").slice(0, depth).join("."), ...rest].join(" ");
    });
  }

  /** Time in kernels, ms. */
  get milliseconds(): number {
    return this.spans.reduce((sum, span) => sum + span.milliseconds, 0);
  }

  /** A table by kernel, and one by module where modules have names: dispatches, milliseconds, share. */
  toString(): string {
    const named = this.timings.some(({ scope }) => scope !== "");
    const tables = [table("kernel", this.spans), ...(named ? [table("module", this.modules())] : [])];
    return tables.join("\n\n");
  }

  /** The dispatches as a trace that chrome://tracing and ui.perfetto.dev open. */
  chromeTrace(): string {
    const traceEvents = this.timings.map(({ label, scope, start, milliseconds }) => ({
      name: label,
      cat: "gpu",
      ph: "X",
      ts: start * 1000,
      dur: milliseconds * 1000,
      pid: 1,
      tid: 1,
      args: { module: scope },
    }));
    return JSON.stringify({ traceEvents, displayTimeUnit: "ms" });
  }
}

function addedUp(timings: readonly Timing[], keyOf: (timing: Timing) => string): Span[] {
  const spans = new Map<string, { label: string; count: number; milliseconds: number }>();
  for (const timing of timings) {
    const label = keyOf(timing);
    const span = spans.get(label) ?? { label, count: 0, milliseconds: 0 };
    spans.set(label, span);
    span.count++;
    span.milliseconds += timing.milliseconds;
  }
  return [...spans.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function table(title: string, spans: readonly Span[]): string {
  const total = spans.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const width = spans.reduce((w, { label }) => Math.max(w, label.length), title.length);
  const rows = spans.map(({ label, count, milliseconds }) => {
    const share = total > 0 ? (100 * milliseconds) / total : 0;
    return `${label.padEnd(width)} ${String(count).padStart(6)} ${milliseconds.toFixed(3).padStart(10)} ${share.toFixed(1).padStart(5)} %`;
  });
  return [`${title.padEnd(width)}  count         ms   share`, ...rows].join("\n");
}
