import { DeviceError } from "../base/errors.ts";
import type { Binding } from "../kernels/kernel.ts";
import { SHADER_STAGE_COMPUTE } from "./buffer-usage.ts";

export type Access = Binding["access"];

/** A compiled kernel and the layout its bind groups are made with. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  /** Shared by all pipelines with the same accesses: bind groups are interchangeable between them. */
  readonly layout: GPUBindGroupLayout;
}

/** Compute pipelines by their final WGSL text, compiled asynchronously and once however many ask. */
export class PipelineCache {
  readonly #gpu: GPUDevice;
  readonly #ready = new Map<string, Pipeline>();
  readonly #pending = new Map<string, Promise<Pipeline>>();
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Pipelines compiled so far: flat in a steady loop. */
  get size(): number {
    return this.#ready.size;
  }

  /** The pipeline if it is compiled already, without a promise. */
  peekPipeline(wgsl: string, accesses: readonly Access[], hasUniform: boolean): Pipeline | undefined {
    return this.#ready.get(key(wgsl, signature(accesses, hasUniform)));
  }

  /**
   * Compiles `wgsl`, whose entry point is its only `@compute` function. Storage bindings are @group(0) @binding(0..n-1) with
   * the given accesses; the uniform struct, if any, is @binding(n).
   *
   * @throws DeviceError (compile) with the kernel's label, the WGSL line and an excerpt
   */
  getPipeline(wgsl: string, accesses: readonly Access[], hasUniform: boolean, label: string): Promise<Pipeline> {
    const name = key(wgsl, signature(accesses, hasUniform));
    const ready = this.#ready.get(name);
    if (ready) return Promise.resolve(ready);
    const pending = this.#pending.get(name);
    if (pending) return pending;
    const compiling = this.#compile(wgsl, accesses, hasUniform, label).then(
      (made) => {
        this.#ready.set(name, made);
        this.#pending.delete(name);
        return made;
      },
      (error: unknown) => {
        this.#pending.delete(name);
        throw error;
      },
    );
    this.#pending.set(name, compiling);
    return compiling;
  }

  /** The bind group layout of a signature, made once. */
  getLayout(accesses: readonly Access[], hasUniform: boolean): GPUBindGroupLayout {
    return this.#layout(accesses, hasUniform).group;
  }

  async #compile(wgsl: string, accesses: readonly Access[], hasUniform: boolean, label: string): Promise<Pipeline> {
    const limit = this.#gpu.limits.maxStorageBuffersPerShaderStage;
    if (accesses.length > limit) {
      throw new DeviceError("compile", `${label}: ${accesses.length} storage bindings, this adapter takes ${limit}`);
    }
    const { group, pipeline: layout } = this.#layout(accesses, hasUniform);
    // A module that does not compile also raises an uncaptured error: the scope keeps it from being reported twice.
    this.#gpu.pushErrorScope("validation");
    const module = this.#gpu.createShaderModule({ code: wgsl, label });
    const pipeline = this.#gpu.createComputePipelineAsync({ label, layout, compute: { module } });
    const scope = this.#gpu.popErrorScope();
    try {
      const made = await pipeline;
      await scope;
      return { pipeline: made, layout: group };
    } catch (cause) {
      await scope.catch(() => {});
      const found = await shaderMessages(module, wgsl).catch(() => []);
      const errors = found.filter((message) => message.type === "error").map((message) => message.text);
      const why = errors.length > 0 ? errors.join("\n") : cause instanceof Error ? cause.message : String(cause);
      throw new DeviceError("compile", `${label}: kernel does not compile\n${why}`, { cause });
    }
  }

  #layout(
    accesses: readonly Access[],
    hasUniform: boolean,
  ): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const name = signature(accesses, hasUniform);
    const known = this.#layouts.get(name);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = accesses.map((access, binding) => ({
      binding,
      visibility: SHADER_STAGE_COMPUTE,
      buffer: { type: access === "read" ? "read-only-storage" : "storage" },
    }));
    if (hasUniform) {
      entries.push({ binding: accesses.length, visibility: SHADER_STAGE_COMPUTE, buffer: { type: "uniform" } });
    }
    const group = this.#gpu.createBindGroupLayout({ label: name, entries });
    const made = { group, pipeline: this.#gpu.createPipelineLayout({ label: name, bindGroupLayouts: [group] }) };
    this.#layouts.set(name, made);
    return made;
  }
}

/** A compiler message with its line of WGSL and a caret under the column. */
export interface ShaderMessage {
  readonly type: GPUCompilationMessageType;
  readonly text: string;
}

/** Everything the compiler has to say about a module: a test accepts no warning of any kernel. */
export async function shaderMessages(module: GPUShaderModule, wgsl: string): Promise<ShaderMessage[]> {
  const { messages } = await module.getCompilationInfo();
  const lines = wgsl.split("\n");
  return messages.map(({ type, message, lineNum, linePos }) => {
    const line = lines[lineNum - 1];
    if (line === undefined) return { type, text: message };
    const before = lines[lineNum - 2];
    const gutter = `${lineNum} | `;
    const context = before === undefined ? "" : `${`${lineNum - 1}`.padStart(`${lineNum}`.length)} | ${before}\n`;
    const caret = " ".repeat(gutter.length + Math.max(0, linePos - 1));
    return { type, text: `line ${lineNum}:${linePos}: ${message}\n${context}${gutter}${line}\n${caret}^` };
  });
}

function signature(accesses: readonly Access[], hasUniform: boolean): string {
  return accesses.map((access) => (access === "read" ? "r" : "w")).join("") + (hasUniform ? "u" : "");
}

function key(wgsl: string, layout: string): string {
  return `${layout}\n${wgsl}`;
}
