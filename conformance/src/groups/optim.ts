import { realize, tensor, type Tensor } from "@omni/core";
import {
  Adam,
  AdamW,
  clipGradNorm,
  clipGradValue,
  constant,
  constantWithWarmup,
  cosine,
  cosineWithRestarts,
  diffusersDecay,
  Ema,
  linear,
  Lion,
  type LrSchedule,
  Muon,
  polynomial,
  SGD,
  type Stepping,
} from "@omni/core/optim";
import { TorchArgs } from "../torch-args.ts";
import { type CaseAnswer, type Computed, type LoadedCase, SkippedCase, type StoredValues } from "../types.ts";

/** Optimisers, learning-rate schedules and averages of weights: each case is a run of many steps. */
export async function runOptim(loaded: LoadedCase): Promise<CaseAnswer> {
  const run = Object.hasOwn(runs, loaded.op) ? runs[loaded.op] : undefined;
  if (!run) throw new SkippedCase(`${loaded.op} is not implemented`);
  const series = await run(loaded, new TorchArgs(loaded.args));
  const outputs = loaded.outputs.map(({ name = "", shape }): Computed => {
    const data = series.get(name);
    if (!data) throw new SkippedCase(`${loaded.op}: output ${name} is not implemented`);
    return { shape, dtype: "f32", data };
  });
  return { outputs };
}

/** Values of every step, one after the other, by the output's name. */
class Series {
  readonly #values = new Map<string, number[]>();

  add(name: string, values: ArrayLike<number>): void {
    const known = this.#values.get(name) ?? [];
    for (let i = 0; i < values.length; i++) known.push(values[i] ?? NaN);
    this.#values.set(name, known);
  }
  get(name: string): readonly number[] | undefined {
    return this.#values.get(name);
  }
}

const runs: Readonly<Record<string, (loaded: LoadedCase, args: TorchArgs) => Promise<Series>>> = {
  optimizer: runOptimizer,
  lr_schedule: runSchedule,
  ema: runEma,
};

function input(loaded: LoadedCase, name: string): StoredValues {
  const found = loaded.inputs.find((i) => i.name === name);
  if (!found) throw new Error(`input ${name} is missing`);
  return loaded.inputValues(found);
}

/** Row `step` of a tensor whose first axis is steps. */
function atStep({ shape, data }: StoredValues, step: number): Tensor {
  const [, ...rest] = shape;
  const size = rest.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from(data.subarray(step * size, (step + 1) * size)), { shape: rest });
}

async function runOptimizer(loaded: LoadedCase, args: TorchArgs): Promise<Series> {
  const names = loaded.inputs.flatMap(({ name }) => (name.startsWith("param") ? [name.slice("param".length)] : []));
  const params: Record<string, Tensor> = {};
  const gradients = new Map<string, StoredValues>();
  for (const name of names) {
    const { shape, data } = input(loaded, `param${name}`);
    params[name] = tensor(Float32Array.from(data), { shape });
    gradients.set(name, input(loaded, `grads${name}`));
  }
  const optimizer = makeOptimizer(params, args);
  const lrAt = args.has("schedule") ? scheduleOf(args.text("schedule"), args.number("lr"), args) : null;
  const steps = Math.max(0, ...[...gradients.values()].map(({ shape }) => shape[0] ?? 0));
  const series = new Series();
  for (let step = 0; step < steps; step++) {
    let grads: Record<string, Tensor> = {};
    for (const [name, values] of gradients) grads[name] = atStep(values, step);
    const lr = lrAt?.(step) ?? args.number("lr");
    const clip = args.has("clip_grad_norm") ? clipGradNorm(grads, args.number("clip_grad_norm")) : null;
    if (args.has("clip_grad_value")) grads = clipGradValue(grads, args.number("clip_grad_value"));
    await realize([
      ...(clip ? [clip.norm] : []),
      ...optimizer.step(grads, { lr, ...(clip && { gradScale: clip.scale }) }),
    ]);
    series.add("lr", [lr]);
    // the format has zeros where nothing is clipped by norm
    series.add("total_norm", [clip ? await clip.norm.item() : 0]);
    for (const [name, p] of Object.entries(params)) series.add(`params${name}`, await p.data());
  }
  return series;
}

function makeOptimizer(params: Readonly<Record<string, Tensor>>, args: TorchArgs): Stepping {
  const name = args.text("name");
  const common = {
    lr: args.number("lr"),
    ...(args.has("weight_decay") && { weightDecay: args.number("weight_decay") }),
    maximize: args.flag("maximize"),
  };
  const [beta1 = 0.9, beta2 = name === "Lion" ? 0.99 : 0.999] = args.has("betas") ? args.numbers("betas") : [];
  const betas = [beta1, beta2] as const;
  const adam = { ...common, betas, eps: args.number("eps", 1e-8), amsgrad: args.flag("amsgrad") };
  switch (name) {
    case "SGD":
      return new SGD(params, {
        ...common,
        momentum: args.number("momentum", 0),
        dampening: args.number("dampening", 0),
        nesterov: args.flag("nesterov"),
      });
    case "Adam":
      return new Adam(params, adam);
    case "AdamW":
      return new AdamW(params, adam);
    case "Lion":
      return new Lion(params, { ...common, betas });
    case "Muon":
      return new Muon(params, {
        ...common,
        momentum: args.number("momentum", 0.95),
        nesterov: args.flag("nesterov", true),
        iterations: args.number("ns_steps", 5),
        scale: args.text("adjust_lr_fn", "original") === "original" ? "original" : "match-adamw",
      });
    default:
      throw new SkippedCase(`optimizer ${name} is not implemented`);
  }
}

/** A schedule by diffusers' or transformers' name. */
function scheduleOf(name: string, peak: number, args: TorchArgs): LrSchedule {
  const warmup = args.number("num_warmup_steps", 0);
  const ending = () => ({ peak, warmup, total: args.number("num_training_steps") });
  switch (name) {
    case "constant":
      return constant({ peak });
    case "constant_with_warmup":
      return constantWithWarmup({ peak, warmup });
    case "linear":
    case "linear_with_warmup":
      return linear(ending());
    case "cosine":
    case "cosine_with_warmup":
      return cosine({ ...ending(), cycles: args.number("num_cycles", 0.5) });
    case "cosine_restarts":
    case "cosine_with_restarts":
      return cosineWithRestarts({ ...ending(), cycles: args.number("num_cycles", 1) });
    case "polynomial":
      return polynomial({ ...ending(), power: args.number("power", 1), final: args.number("lr_end", 1e-7) });
    default:
      throw new SkippedCase(`schedule ${name} is not implemented`);
  }
}

function runSchedule(_: LoadedCase, args: TorchArgs): Promise<Series> {
  const series = new Series();
  const schedule = scheduleOf(args.text("name"), args.number("base_lr"), args);
  for (let step = 0; step < args.number("steps"); step++) series.add("lr", [schedule(step)]);
  return Promise.resolve(series);
}

async function runEma(loaded: LoadedCase, args: TorchArgs): Promise<Series> {
  const first = input(loaded, "param0");
  const later = input(loaded, "params");
  const param = await tensor(Float32Array.from(first.data), { shape: first.shape }).realize();
  const decay = diffusersDecay({
    decay: args.number("decay", 0.9999),
    minDecay: args.number("min_decay", 0),
    updateAfterStep: args.number("update_after_step", 0),
    useEmaWarmup: args.flag("use_ema_warmup"),
    invGamma: args.number("inv_gamma", 1),
    power: args.number("power", 2 / 3),
  });
  const ema = new Ema({ param }, decay);
  await realize(Object.values(ema.average));
  const series = new Series();
  for (let step = 0; step < (later.shape[0] ?? 0); step++) {
    await realize([param.assign(atStep(later, step))]);
    await realize(ema.update());
    series.add("ema", (await ema.average["param"]?.data()) ?? []);
    series.add("decay", [decay(ema.updates)]);
  }
  return series;
}
