import { isFloat, storedBytes, type TypedArray } from "../base/dtype.ts";
import { invariant, StaleTensorError } from "../base/errors.ts";
import { packed, unpacked } from "../base/packed.ts";
import { formatShape, sizeOf } from "../base/shape.ts";
import { Node, topologicalOrder } from "../graph/node.ts";
import { Storage } from "../graph/storage.ts";
import { getDevice, type Device } from "../runtime/device.ts";
import { Profile } from "../runtime/profile.ts";
import { Profiler } from "../runtime/profiler.ts";
import { copyOut, readBuffer } from "../runtime/readback.ts";
import { isEager, runEagerly } from "./eager.ts";
import type { Plan } from "./plan.ts";
import { PlanCache } from "./plan-cache.ts";

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

function allocate(device: Device, node: Node): Storage {
  const bytes = bytesOf(node);
  return new Storage(device.pool.acquire(Math.max(16, Math.ceil(bytes / 16) * 16)), bytes, (buffer) =>
    device.pool.release(buffer),
  );
}

function upload(device: Device, node: Node): void {
  if (node.source?.kind !== "host") return;
  const storage = allocate(device, node);
  if (bytesOf(node) > 0) device.write(storage.buffer, 0, packed(node.source.array, node.dtype));
  node.become({ kind: "device", storage, version: 0 });
}

function checkLeaves(order: readonly Node[]): void {
  for (const { source, shape } of order)
    if (source?.kind === "device" && source.storage.version !== source.version)
      throw new StaleTensorError(
        `realize: a tensor of shape ${formatShape(shape)} was changed in place after an expression on it was recorded; ` +
          "realize the expression before the update, or record it again",
      );
}

/** Settles when the device has done all that was submitted by the last realisation. */
let previous: Promise<unknown> = Promise.resolve();
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

async function run(device: Device, roots: readonly Node[]): Promise<Plan> {
  const order = topologicalOrder(roots);
  checkLeaves(order);
  const leaves = order.filter((node) => node.op === null);
  const plan = await planCacheOf(device).get(order, roots);
  // recording runs ahead of the device; on software adapters submitting does not, so that the end of each plan is seen by itself
  if (device.traits.software) await previous.catch(() => undefined);
  const storages: (Storage | null)[] = [];
  try {
    for (const root of roots) storages.push(root.op?.kind === "update" ? null : allocate(device, root));
    plan.run(leaves, storages, profiler);
  } catch (error) {
    for (const storage of storages) storage?.dispose();
    throw error;
  }
  roots.forEach((root, i) => {
    const storage = storages[i];
    root.become(storage ? { kind: "device", storage, version: 0 } : { kind: "host", array: new Float32Array(0) });
  });
  return plan;
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
 * They are copied right behind their plan: whoever reads one does not wait for the next plan.
 *
 * @param done settles when the plan is done
 * @returns settles when the values are on the host, too
 */
function bringHome(device: Device, nodes: readonly Node[], done: Promise<unknown>): Promise<unknown> {
  const leaving = nodes.flatMap((node) => (node.source?.kind === "device" ? [{ node, source: node.source }] : []));
  const read = copyOut(
    device,
    leaving.map(({ node, source }) => ({ buffer: source.storage.buffer, bytes: bytesOf(node) })),
  );
  const arrived = done.then(read, async (error: unknown) => {
    await read().catch(() => undefined);
    throw error;
  });
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
 * core from the very work it waits for; so most of the plan's last duration is slept first.
 */
async function waitFor(device: Device, plan: Plan | null, before: Promise<unknown>): Promise<void> {
  const submitted = performance.now();
  await before.catch(() => undefined);
  const start = Math.max(submitted, lastEnd);
  const expected = (plan?.duration ?? 0) * 0.85 - (performance.now() - start);
  if (device.traits.software && expected > SHORT_WAIT) await new Promise((resolve) => setTimeout(resolve, expected));
  const woke = performance.now();
  await device.finished();
  lastEnd = performance.now();
  // the first run compiles kernels on some adapters: it says nothing of the next
  if (!plan || plan.runs < 2) return;
  // done already when woken: the estimate was too long, how much is not known
  const overslept = expected > SHORT_WAIT && lastEnd - woke < 2;
  const seen = lastEnd - start;
  // a machine that slept must not make the next steps sleep as long
  const most = plan.duration > 0 ? 2 * plan.duration : Infinity;
  plan.duration = overslept ? 0.9 * plan.duration : Math.min(seen, most);
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
    let plan: Plan | null = null;
    const start = async (nodes: readonly Node[]): Promise<Plan | null> =>
      isEager() ? runOneByOne(device, nodes).then(() => null) : run(device, nodes);
    if (early.length > 0) plan = await start(early);
    const roots = pending.filter((n) => n.op !== null);
    if (roots.length > 0) plan = await start(roots);
    for (const target of updated) {
      const { source, shape, dtype } = target.node;
      if (source?.kind !== "device") continue;
      source.storage.version++;
      target.node = new Node(null, [], [], shape, dtype, { ...source, version: source.storage.version });
    }
    // one step of run-ahead: recording goes on while the device works, yet memory and latency stay bounded
    const before = previous;
    const scalars = roots.filter((n) => sizeOf(n.shape) > 0 && bytesOf(n) <= HOST_BYTES && n.source?.kind === "device");
    const done = waitFor(device, plan, before);
    previous = scalars.length > 0 ? bringHome(device, scalars, done) : done;
    previous.catch(() => undefined);
    await device.guard(before);
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
    await previous.catch(() => undefined);
    checkLeaves([node]);
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
