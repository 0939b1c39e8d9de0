import { expect, test } from "vitest";
import { getDevice } from "./device.ts";
import { readBuffer } from "./readback.ts";

test("any count of bytes at any word is read", async () => {
  const device = await getDevice();
  const buffer = device.pool.acquire(64);
  device.write(
    buffer,
    0,
    new Uint8Array(64).map((_, index) => index),
  );
  expect([...new Uint8Array(await readBuffer(device, buffer, 5, 8))]).toEqual([8, 9, 10, 11, 12]);
  expect((await readBuffer(device, buffer, 0)).byteLength).toBe(0);
  device.pool.release(buffer);
});

test("reads in flight together do not mix", async () => {
  const device = await getDevice();
  const buffer = device.pool.acquire(4);
  const reads = Array.from({ length: 20 }, (_, value) => {
    device.write(buffer, 0, new Uint32Array([value]));
    return readBuffer(device, buffer, 4);
  });
  const values = (await Promise.all(reads)).map((bytes) => new Uint32Array(bytes)[0]);
  expect(values).toEqual(Array.from({ length: 20 }, (_, value) => value));
  device.pool.release(buffer);
});

test("a read larger than one window arrives whole", async () => {
  const device = await getDevice();
  const words = new Uint32Array(10 * 2 ** 20).map((_, index) => index ^ 0x5a5a);
  const buffer = device.pool.acquire(words.byteLength);
  device.write(buffer, 0, words);
  const read = new Uint32Array(await readBuffer(device, buffer, words.byteLength));
  expect(read.length).toBe(words.length);
  expect(read.every((word, index) => word === words[index])).toBe(true);
  device.pool.release(buffer);
});

test("a range outside the buffer is refused", async () => {
  const device = await getDevice();
  const buffer = device.pool.acquire(256);
  await expect(readBuffer(device, buffer, 256, 4)).rejects.toThrow(/256 bytes at 4 do not lie in a buffer of 256/);
  await expect(readBuffer(device, buffer, 4, 2)).rejects.toThrow(/at 2/);
  device.pool.release(buffer);
});
