import { WAITING_POLLS } from "#gpu";
import { isFloat, storedBytes, type TypedArray } from "../base/dtype.ts";
import { DeviceError, invariant, StaleTensorError } from "../base/errors.ts";
import { packed, unpacked } from "../base/packed.ts";
import { formatShape, sizeOf } from "../base/shape.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import { Storage } from "../graph/storage.ts";
import { getDevice, type Device } from "../runtime/device.ts";
import { Profile } from "../runtime/profile.ts";
import { Profiler } from "../runtime/profiler.ts";
import { copyOut, type CopyOut, readBuffer } from "../runtime/readback.ts";
import { isEager, runEagerly } from "./eager.ts";
import type { Plan } from "./plan.ts";
import { isUpdate, reportOf, withReport, type PlanReport } from "./plan-report.ts";
import { PlanCache } from "./plan-cache.ts";
import { type AutotuneOptions, type MakeTimer, type TunedKernel, tuneKernels } from "./tune.ts";

/** A tensor, as far as realising goes. */
export interface UpdateTarget {
  node: Node;
}
export interface Realizable extends UpdateTarget {
  readonly targets: readonly UpdateTarget[] | null;
}

/** Roots this small are scalars: losses, norms. */
const HOST_BYTES = 64;

const caches = new WeakMap<Device, PlanCache>();

/** The plans of a device, with counts of hits and misses. */
export function planCacheOf(device: Device): PlanCache {
  let cache = caches.get(device);
  if (!cache) caches.set(device, (cache = new PlanCache(device)));
  return cache;
}

let profiler: Profiler | null = null;

/**
 * Runs `work` with its dispatches timed (the first 2,048): a table by kernel, or a trace for Chrome.
 *
 * ```ts
 * const { spans } = await profile(() => realize([loss, ...gradients]));
 * ```
 *
 * @throws DeviceError where the adapter has no timestamp queries
 */
export async function profile(work: () => Promise<unknown>): Promise<Profile> {
  const device = await getDevice();
  const mine = new Profiler(device);
  profiler = mine;
  try {
    await work();
    return new Profile(await mine.read());
  } finally {
    profiler = null;
    mine.destroy();
  }
}

const bytesOf = (node: Node): number => storedBytes(sizeOf(node.shape), node.dtype);
const valuesOf = (node: Node, buffer: ArrayBuffer): TypedArray => unpacked(buffer, sizeOf(node.shape), node.dtype);

const allocate = (device: Device, node: Node): Storage => new Storage(device.pool, bytesOf(node));

function upload(device: Device, node: Node): void {
  if (node.source?.kind !== "host") return;
  const storage = allocate(device, node);
  if (bytesOf(node) > 0) device.write(storage.buffer, 0, packed(node.source.array, node.dtype));
  node.become({ kind: "device", storage, version: 0 });
}

function checkLeaves(device: Device, order: readonly Node[]): void {
  for (const { source, shape } of order) {
    if (source?.kind !== "device") continue;
    if (!source.storage.isOf(device.pool))
      throw new DeviceError(
        "lost",
        `realize: a tensor of shape ${formatShape(shape)} went with the device it was on; make or load it again on the one that is open now`,
      );
    if (source.storage.version !== source.version)
      throw new StaleTensorError(
        `realize: a tensor of shape ${formatShape(shape)} was changed in place after an expression on it was recorded; ` +
          "realize the expression before the update, or record it again",
      );
  }
}

const underway = new WeakMap<Device, Promise<unknown>>();
/** Settles when the device has done all that was submitted by its last realisation. */
const previousOf = (device: Device): Promise<unknown> => underway.get(device) ?? Promise.resolve();
/** When the work before that was seen to end, ms. */
let lastEnd = 0;

/** Each op by itself. */
async function runOneByOne(device: Device, roots: readonly Node[]): Promise<void> {
  const results = await runEagerly(roots, device.traits, {
    run: async (nodes) => {
      await run(device, nodes);
      await device.finished();
    },
    hasNaN: async (node) => {
      if (!isFloat(node.dtype) || node.source?.kind !== "device" || sizeOf(node.shape) === 0) return false;
      const values = valuesOf(node, await readBuffer(device, node.source.storage.buffer, bytesOf(node)));
      return values.some(Number.isNaN);
    },
  });
  roots.forEach((root, i) => {
    const source = results[i]?.source;
    if (source && root !== results[i]) root.become(source);
  });
}

/** A plan that was submitted. */
interface Submitted {
  readonly plan: Plan | null;
  /** Of the small roots, in the same submit. */
  readonly copy: CopyOut | null;
}

/** The plan, compiled; its kernels are timed first where that was asked for. */
async function planFor(device: Device, order: readonly Node[], roots: readonly Node[]): Promise<Plan> {
  if (device.tuning.mode === "tune") await tunePlan(device, order, roots, {});
  return planCacheOf(device).get(order, roots);
}

/** @param homeward roots that are copied to the host as soon as they are known */
async function run(
  device: Device,
  roots: readonly Node[],
  homeward: ReadonlySet<Node> = new Set(),
): Promise<Submitted> {
  const order = topologicalOrder(roots);
  checkLeaves(device, order);
  const leaves = order.filter((node) => node.op === null);
  const plan = await planFor(device, order, roots);
  // recording runs ahead of the device; on software adapters submitting does not, so that the end of each plan is seen by itself
  if (device.traits.software) await previousOf(device).catch(() => undefined);
  const storages: (Storage | null)[] = [];
  let copy: CopyOut | null = null;
  try {
    for (const root of roots) storages.push(isUpdate(root) ? null : allocate(device, root));
    const ranges = roots.flatMap((node, i) => {
      const buffer = homeward.has(node) ? storages[i]?.buffer : undefined;
      return buffer ? [{ buffer, bytes: bytesOf(node) }] : [];
    });
    if (ranges.length > 0) copy = copyOut(device, ranges);
    plan.run(leaves, storages, profiler, copy);
  } catch (error) {
    for (const storage of storages) storage?.dispose();
    throw withReport(error, () => reportOf(plan.spec, roots.map(isUpdate)), device.pool);
  }
  roots.forEach((root, i) => {
    const storage = storages[i];
    root.become(storage ? { kind: "device", storage, version: 0 } : { kind: "host", array: new Float32Array(0) });
  });
  return { plan, copy };
}

let turn: Promise<unknown> = Promise.resolve();
/** Realisations run one after another: each sees the updates of those before it. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work, work);
  turn = result.catch(() => undefined);
  return result;
}

/** Small roots on their way to the host. */
const arriving = new WeakMap<Node, Promise<TypedArray>>();

/**
 * Scalars come to the host as soon as they are known, so that a loop which never reads its losses holds no GPU memory for them.
 * They are copied right behind their plan, in its submit: whoever reads one does not wait for the next plan.
 *
 * @param nodes those that `copy` holds, in its order
 * @param done settles when the plan is done
 * @returns settles when the values are on the host, too
 */
function bringHome(nodes: readonly Node[], copy: CopyOut, done: Promise<unknown>): Promise<unknown> {
  const leaving = nodes.flatMap((node) => (node.source?.kind === "device" ? [{ node, source: node.source }] : []));
  const arrived = done.then(
    () => copy.read(),
    async (error: unknown) => {
      await copy.read().catch(() => undefined);
      throw error;
    },
  );
  const values = leaving.map(({ node }, i) =>
    arrived.then((copies) => valuesOf(node, copies[i] ?? new ArrayBuffer(0))),
  );
  leaving.forEach(({ node }, i) => {
    const value = values[i];
    if (value) arriving.set(node, value);
  });
  const settle = async (): Promise<void> => {
    const arrays = await Promise.all(values);
    // in a turn of its own: a leaf must not change while a plan is being prepared for it
    await inTurn(() => {
      leaving.forEach(({ node, source }, i) => {
        const array = arrays[i];
        if (!array || node.source !== source || source.storage.disposed || source.storage.version !== source.version)
          return;
        node.become({ kind: "host", array });
        source.storage.dispose();
      });
      return Promise.resolve();
    });
  };
  settle().catch(() => undefined); // the error is the next realisation's to report
  return arrived;
}

/** Waits shorter than this are not worth a timer, ms. */
const SHORT_WAIT = 5;

/**
 * Waits for the plan just submitted. While Dawn's Node binding has a promise open it polls in a busy loop, which on a software adapter takes a
 * core from the very work it waits for; so most of what the plan takes at least is slept first.
 */
async function waitFor(device: Device, plan: Plan | null, before: Promise<unknown>): Promise<void> {
  const submitted = performance.now();
  await before.catch(() => undefined);
  const start = Math.max(submitted, lastEnd);
  const rest = (plan?.duration.estimate ?? 0) * 0.85 - (performance.now() - start);
  const sleeps = WAITING_POLLS && device.traits.software && rest > SHORT_WAIT;
  if (sleeps) await new Promise((resolve) => setTimeout(resolve, rest));
  const woke = performance.now();
  await device.finished();
  lastEnd = performance.now();
  // the first run compiles kernels on some adapters: it says nothing of the next
  if (!plan || plan.runs < 2) return;
  if (sleeps && lastEnd - woke < 2) plan.duration.addOverslept();
  else plan.duration.add(lastEnd - start);
}

/** Realises the nodes of the tensors and performs the updates among them. */
export function realizeNodes(tensors: readonly Realizable[]): Promise<void> {
  return inTurn(async () => {
    const device = await getDevice();
    const pending = [...new Set(tensors.map((t) => t.node))].filter((n) => n.source?.kind !== "device");
    const updated = [...new Set(tensors.filter((t) => t.node.op?.kind === "update").flatMap((t) => t.targets ?? []))];
    const unready = [...new Set(updated.map((t) => t.node))].filter((n) => n.source?.kind !== "device");
    for (const node of [...unready, ...pending])
      if (node.source?.kind === "host" && sizeOf(node.shape) > 0) upload(device, node);
    const early = unready.filter((n) => n.op !== null);
    const start = async (nodes: readonly Node[], homeward: readonly Node[]): Promise<Submitted> =>
      isEager()
        ? runOneByOne(device, nodes).then(() => ({ plan: null, copy: null }))
        : run(device, nodes, new Set(homeward));
    let last: Submitted = { plan: null, copy: null };
    if (early.length > 0) last = await start(early, []);
    const roots = pending.filter((n) => n.op !== null);
    const small = roots.filter((n) => !isUpdate(n) && sizeOf(n.shape) > 0 && bytesOf(n) <= HOST_BYTES);
    if (roots.length > 0) last = await start(roots, small);
    for (const target of updated) {
      const { source, shape, dtype } = target.node;
      if (source?.kind !== "device") continue;
      source.storage.version++;
      target.node = new Node(null, [], [], shape, dtype, { ...source, version: source.storage.version });
    }
    // one step of run-ahead: recording goes on while the device works, yet memory and latency stay bounded
    const before = previousOf(device);
    const done = waitFor(device, last.plan, before);
    const end = last.copy ? bringHome(small, last.copy, done) : done;
    end.catch(() => undefined);
    underway.set(device, end);
    await device.guard(before);
  });
}

/** What is left to compute of tensors. @throws DeviceError or StaleTensorError where a tensor that they are made of is gone or changed */
function graphOf(device: Device, tensors: readonly Realizable[]): { order: readonly Node[]; roots: readonly Node[] } {
  const roots = [...new Set(tensors.map((t) => t.node))].filter((n) => n.op !== null);
  const order = topologicalOrder(roots);
  checkLeaves(device, order);
  return { order, roots };
}

/**
 * What `realize` of the same tensors will run, and the bytes that it will need; nothing is compiled, allocated or run, and the plan is kept for
 * it. Of tensors that are realised already there is nothing to tell.
 *
 * ```ts
 * const { dispatches, peakBytes } = await planOf([loss, ...optimizer.step(grads)]);
 * ```
 */
export function planOf(tensors: readonly Realizable[]): Promise<PlanReport> {
  return inTurn(async () => {
    const device = await getDevice();
    const { order, roots } = graphOf(device, tensors);
    return reportOf(planCacheOf(device).look(order, roots), roots.map(isUpdate));
  });
}

/**
 * Compiles all kernels that `realize` of the same tensors will run, in parallel, so that its first call takes no longer than the later ones; nothing is computed.
 * While files are read, or a page is drawn, this costs nothing.
 *
 * ```ts
 * await Promise.all([warmUp([model.forward(inputs)]), download(url)]);
 * ```
 *
 * @throws DeviceError (compile, out-of-memory) as realising them would
 */
export function warmUp(tensors: readonly Realizable[]): Promise<void> {
  return inTurn(async () => {
    const device = await getDevice();
    const { order, roots } = graphOf(device, tensors);
    const plan = await planFor(device, order, roots);
    await plan.warm();
  });
}

/** Times the kernels of a plan; plans made before are made anew where that changes anything. */
async function tunePlan(
  device: Device,
  order: readonly Node[],
  roots: readonly Node[],
  options: AutotuneOptions,
  makeTimer?: MakeTimer,
): Promise<TunedKernel[]> {
  const { tunable } = planCacheOf(device).look(order, roots);
  if (!options.again && tunable.every(({ key }) => device.tuning.isSettled(key))) return [];
  await previousOf(device).catch(() => undefined);
  const timed = await tuneKernels(device, tunable, options, makeTimer);
  if (timed.length > 0) planCacheOf(device).clear();
  return timed;
}

/**
 * Times other tiles, blocks and splits of the products, convolutions and attention that `realize` of the same tensors would run, and uses the
 * fastest from then on: in this process, and in later ones that ask for it (`getDevice({ autotune: "use" })`, OMNI_AUTOTUNE=1). What an earlier
 * process timed on the same adapter is not timed again. The tensors are not realised; nothing is timed where OMNI_AUTOTUNE is 0.
 *
 * Another tile may add in another order: results may differ in their last bits from those of kernels chosen without timing, which are the same every time.
 *
 * ```ts
 * await autotune([model.forward(inputs)]);
 * ```
 *
 * @param makeTimer for tests: what takes the place of the device and the clock
 * @returns the kernels that were timed
 */
export function autotune(
  tensors: readonly Realizable[],
  options: AutotuneOptions = {},
  makeTimer?: MakeTimer,
): Promise<TunedKernel[]> {
  return inTurn(async () => {
    const device = await getDevice();
    if (device.tuning.mode === "off") return [];
    const known = device.tuning.choices.size;
    await device.tuning.load();
    if (device.tuning.choices.size > known) planCacheOf(device).clear();
    const { order, roots } = graphOf(device, tensors);
    return tunePlan(device, order, roots, options, makeTimer);
  });
}

/**
 * Values of a tensor in row-major order, after the realisations asked for before; realises it if need be. What was computed for this read
 * alone leaves the device with it.
 */
export async function readTensor(tensor: UpdateTarget): Promise<TypedArray> {
  const temporary = tensor.node.source === null;
  if (temporary) await realizeNodes([{ node: tensor.node, targets: null }]);
  const { source } = tensor.node;
  if (source?.kind === "host") return source.array.slice();
  const coming = arriving.get(tensor.node);
  if (coming) return (await coming).slice();
  return inTurn(async () => {
    const { node } = tensor;
    if (node.source?.kind === "host") return node.source.array.slice();
    invariant(node.source !== null, "data: a realised tensor has no values");
    const { storage } = node.source;
    const device = await getDevice();
    await previousOf(device).catch(() => undefined);
    checkLeaves(device, [node]);
    const bytes = bytesOf(node);
    const array = valuesOf(node, bytes === 0 ? new ArrayBuffer(0) : await readBuffer(device, storage.buffer, bytes));
    if (!temporary) return array;
    node.become({ kind: "host", array });
    storage.dispose();
    return array.slice();
  });
}

export function disposeNode(node: Node): void {
  arriving.delete(node);
  if (node.source?.kind === "device") node.source.storage.dispose();
}
