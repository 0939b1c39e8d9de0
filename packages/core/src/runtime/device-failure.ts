import { DeviceError, type DeviceErrorKind } from "../base/errors.ts";

/**
 * What a device has to complain about. One bad bind group raises two errors a submit, for ever: the first is kept and thrown
 * at the next await, the rest are counted.
 */
export class DeviceFailure {
  /** Resolves when the device is gone, with the reason. */
  readonly lost: Promise<DeviceError>;
  #first: DeviceError | null = null;
  #more = 0;
  #gone: DeviceError | null = null;
  readonly #waiting = new Set<(error: DeviceError) => void>();

  constructor(gpu: GPUDevice) {
    this.lost = gpu.lost.then(({ reason, message }) => {
      const why = reason === "destroyed" ? "it was closed" : message || "the driver gave no reason";
      this.#gone = new DeviceError("lost", `the device is lost: ${why}; getDevice() opens a new one`);
      for (const reject of this.#waiting) reject(this.#gone);
      this.#waiting.clear();
      return this.#gone;
    });
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.report(fromGpuError((event as GPUUncapturedErrorEvent).error));
    });
  }

  /** True once the device is lost. */
  get isLost(): boolean {
    return this.#gone !== null;
  }

  /** Keeps `error` for the next `check`. */
  report(error: DeviceError): void {
    if (this.#first === null) this.#first = error;
    else this.#more++;
  }

  /**
   * @throws DeviceError the loss of the device, or the first error since the last check, which is thereby dealt with
   */
  check(): void {
    const error = this.#take();
    if (error) throw error;
  }

  #take(): DeviceError | null {
    if (this.#gone) return this.#gone;
    const first = this.#first;
    const more = this.#more;
    this.#first = null;
    this.#more = 0;
    if (first === null || more === 0) return first;
    return new DeviceError(first.kind, `${first.message}\n(and ${more} more device errors)`, { cause: first });
  }

  /**
   * Awaits work of the device, which ends with a DeviceError also where the device is lost or has complained meanwhile.
   *
   * @throws DeviceError
   */
  async guard<T>(work: Promise<T>): Promise<T> {
    const result = await this.#orLost(work);
    this.check();
    return result;
  }

  // Not Promise.race with `lost`: that promise lives as long as the device and would keep every result ever awaited.
  #orLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#gone) {
        work.catch(() => undefined); // fails too, for the same reason
        return reject(this.#gone);
      }
      this.#waiting.add(reject);
      work.then(
        (result) => {
          this.#waiting.delete(reject);
          resolve(result);
        },
        (cause: unknown) => {
          const giveUp = () => {
            if (this.#waiting.delete(reject)) reject(this.#take() ?? asDeviceError(cause));
          };
          // A destroyed device aborts its promises some ticks before it says that it is lost: that answer is the better one.
          if (cause instanceof DeviceError) giveUp();
          else setTimeout(giveUp, 100);
        },
      );
    });
  }
}

function asDeviceError(cause: unknown): DeviceError {
  if (cause instanceof DeviceError) return cause;
  return new DeviceError("internal", cause instanceof Error ? cause.message : String(cause), { cause });
}

function fromGpuError(error: GPUError): DeviceError {
  const type = error.constructor.name;
  const kind: DeviceErrorKind =
    type === "GPUOutOfMemoryError" ? "out-of-memory" : type === "GPUInternalError" ? "internal" : "validation";
  return new DeviceError(kind, `device: ${error.message.trim()}`, { cause: error });
}
