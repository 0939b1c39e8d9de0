import { describe, expect, test } from "vitest";
import { activate } from "./conditions.ts";
import type { Activation } from "./conditions.ts";

const all: Activation = { text: true, reference: true, audio: true, pose: true };

describe("activate", () => {
  test("turns on all that there is", () => {
    expect(activate(all)).toEqual(all);
    expect(activate({ ...all, pose: false })).toEqual({ ...all, pose: false });
    expect(activate({ ...all, audio: false })).toEqual({ ...all, audio: false });
  });

  test("turns on what is weaker than the condition asked for, and nothing stronger", () => {
    expect(activate(all, { audio: true })).toEqual({ ...all, pose: false });
    expect(activate(all, { reference: true })).toEqual({ ...all, audio: false, pose: false });
  });

  test("obeys a no", () => {
    expect(activate(all, { audio: false })).toEqual({ ...all, audio: false });
    expect(activate(all, { pose: false, text: false })).toEqual({ ...all, pose: false, text: false });
  });

  test("cannot turn on what is not there", () => {
    expect(activate({ ...all, pose: false }, { pose: true })).toEqual({ ...all, pose: false });
  });
});
