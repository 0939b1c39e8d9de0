/** Keyword arguments under PyTorch's names, read with their types checked. */
export class TorchArgs {
  readonly #args: Readonly<Record<string, unknown>>;

  constructor(args: Readonly<Record<string, unknown>>) {
    this.#args = args;
  }

  has(name: string): boolean {
    return this.#args[name] !== undefined && this.#args[name] !== null;
  }
  number(name: string, otherwise?: number): number {
    const value = this.#args[name] ?? otherwise;
    if (typeof value !== "number") throw new Error(`${name} must be a number, got ${JSON.stringify(value)}`);
    return value;
  }
  flag(name: string, otherwise = false): boolean {
    return (this.#args[name] ?? otherwise) === true;
  }
  text(name: string, otherwise?: string): string {
    const value = this.#args[name] ?? otherwise;
    if (typeof value !== "string") throw new Error(`${name} must be a string, got ${JSON.stringify(value)}`);
    return value;
  }
  /** A list, or one number as a list. */
  numbers(name: string): number[] {
    const value = this.#args[name];
    if (typeof value === "number") return [value];
    if (Array.isArray(value) && value.every((v) => typeof v === "number")) return value;
    throw new Error(`${name} must be numbers, got ${JSON.stringify(value)}`);
  }
  /** One number, one an axis, or absent. */
  perAxis(name: string): number | readonly number[] | undefined {
    if (!this.has(name)) return undefined;
    const list = this.numbers(name);
    return typeof this.#args[name] === "number" ? (list[0] ?? 0) : list;
  }
  /** `{axis, keepdim}` of a reduction: `dim` may be a number, a list, null or absent. */
  get reduction(): { axis?: number | readonly number[]; keepdim: boolean } {
    const axis = this.perAxis("dim");
    return { ...(axis !== undefined && { axis }), keepdim: this.flag("keepdim") };
  }
  raw(name: string): unknown {
    return this.#args[name];
  }
}
