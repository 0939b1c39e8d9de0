import type { Timing } from "./profiler.ts";

/** Time that the dispatches of one kernel took together. */
export interface Span {
  readonly label: string;
  readonly count: number;
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
    const spans = new Map<string, { label: string; count: number; milliseconds: number }>();
    for (const { label, milliseconds } of timings) {
      const span = spans.get(label) ?? { label, count: 0, milliseconds: 0 };
      spans.set(label, span);
      span.count++;
      span.milliseconds += milliseconds;
    }
    this.spans = [...spans.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** Time in kernels, ms. */
  get milliseconds(): number {
    return this.spans.reduce((sum, span) => sum + span.milliseconds, 0);
  }

  /** A table by kernel: dispatches, milliseconds, share. */
  toString(): string {
    const total = this.milliseconds;
    const width = this.spans.reduce((w, { label }) => Math.max(w, label.length), 6);
    const rows = this.spans.map(({ label, count, milliseconds }) => {
      const share = total > 0 ? (100 * milliseconds) / total : 0;
      return `${label.padEnd(width)} ${String(count).padStart(6)} ${milliseconds.toFixed(3).padStart(10)} ${share.toFixed(1).padStart(5)} %`;
    });
    return [`${"kernel".padEnd(width)}  count         ms   share`, ...rows].join("\n");
  }

  /** The dispatches as a trace that chrome://tracing and ui.perfetto.dev open. */
  chromeTrace(): string {
    const traceEvents = this.timings.map(({ label, start, milliseconds }) => ({
      name: label,
      cat: "gpu",
      ph: "X",
      ts: start * 1000,
      dur: milliseconds * 1000,
      pid: 1,
      tid: 1,
    }));
    return JSON.stringify({ traceEvents, displayTimeUnit: "ms" });
  }
}
