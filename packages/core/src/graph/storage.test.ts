import { expect, test } from "vitest";
import { DeviceError } from "../base/errors.ts";
import { Storage } from "./storage.ts";

const buffer = {} as GPUBuffer; // never touched

test("a storage gives its buffer back once, and names the mistake when it is used afterwards", () => {
  const released: GPUBuffer[] = [];
  const pool = { acquire: () => buffer, release: (b: GPUBuffer) => void released.push(b) };
  const storage = new Storage(pool, 16);
  expect([storage.isOf(pool), storage.isOf({ ...pool })]).toEqual([true, false]);
  expect(storage.buffer).toBe(buffer);
  storage.dispose();
  storage.dispose();
  expect(released).toEqual([buffer]);
  expect(storage.disposed).toBe(true);
  expect(() => storage.buffer).toThrow(new DeviceError("validation", "tensor: must not be used after dispose()"));
});
