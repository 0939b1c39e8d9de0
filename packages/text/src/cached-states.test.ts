import { tensor } from "@omni/core";
import { writeSafetensors } from "@omni/core/checkpoint";
import { describe, expect, test } from "vitest";
import { cachedStates } from "./cached-states.ts";
import { memoryStore } from "./state-store.ts";

/** An encoder that counts its calls: a text's states are its length, thrice. */
function counting() {
  const calls: string[] = [];
  const encode = async (text: string) => {
    calls.push(text);
    return tensor(new Float32Array(3).fill(text.length + 0.1), { shape: [1, 1, 3] }).realize();
  };
  return { calls, encode };
}

describe("cachedStates", () => {
  test("encodes a text once, and gives its states bit for bit", async () => {
    const { calls, encode } = counting();
    const statesOf = cachedStates({ store: memoryStore(), encoder: "a", encode });
    for (let i = 0; i < 2; i++) {
      const states = await statesOf("a woman waves");
      expect(states.shape).toEqual([1, 1, 3]);
      expect([...(await states.data())]).toEqual(new Array(3).fill(Math.fround(13.1)));
    }
    expect(calls).toEqual(["a woman waves"]);
  });

  test("encodes once for all who ask at a time", async () => {
    const { calls, encode } = counting();
    const statesOf = cachedStates({ store: memoryStore(), encoder: "a", encode });
    await Promise.all(["x", "x", "y"].map(statesOf));
    expect(calls).toEqual(["x", "y"]);
  });

  test("keeps encoders apart in one store", async () => {
    const { calls, encode } = counting();
    const store = memoryStore();
    for (const encoder of ["a", "b"]) await cachedStates({ store, encoder, encode })("x");
    expect(calls).toEqual(["x", "x"]);
  });

  test("keeps halves where asked", async () => {
    const { encode } = counting();
    const states = await cachedStates({ store: memoryStore(), encoder: "a", encode, half: true })("x");
    // 1.1 in f16: 1126 / 1024
    expect((await states.data())[0]).toBe(1126 / 1024);
  });

  test.each([
    ["cut short", (entry: Uint8Array) => entry.slice(0, 40)],
    ["of one changed bit", (entry: Uint8Array) => entry.with(entry.length - 1, (entry.at(-1) ?? 0) ^ 1)],
    ["of something else", () => writeSafetensors({ x: { shape: [1], data: new Float32Array(1) } })],
    ["empty", () => new Uint8Array(0)],
  ])("makes an entry %s again", async (_, damage) => {
    const { calls, encode } = counting();
    const store = memoryStore();
    let name = "";
    const spy = { ...store, put: (key: string, bytes: Uint8Array) => ((name = key), store.put(key, bytes)) };
    const statesOf = cachedStates({ store: spy, encoder: "a", encode });
    await statesOf("x");
    await store.put(name, damage((await store.get(name)) ?? new Uint8Array(0)));
    const states = await statesOf("x");
    expect([...(await states.data())]).toEqual(new Array(3).fill(Math.fround(1.1)));
    await statesOf("x");
    expect(calls).toEqual(["x", "x"]);
  });

  test("tries again after a failure", async () => {
    let fails = true;
    const encode = () => (fails ? Promise.reject(new Error("no memory")) : counting().encode("x"));
    const statesOf = cachedStates({ store: memoryStore(), encoder: "a", encode });
    await expect(statesOf("x")).rejects.toThrow("no memory");
    fails = false;
    expect((await statesOf("x")).shape).toEqual([1, 1, 3]);
  });
});
