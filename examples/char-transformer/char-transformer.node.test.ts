import { expect, test } from "vitest";
import { type Progress, train } from "./train.ts";
import { write } from "./write.ts";

test("the loss falls, and what is written comes from the text", async () => {
  const text = "the cat sat on the mat. ".repeat(8);
  const progress: Progress[] = [];
  for await (const step of train(text, { steps: 20 })) progress.push(step);
  const [first, last] = [progress[0], progress.at(-1)];
  if (!first || !last) throw new Error("train must tell of its steps");
  // at first no character is likelier than another of the 11: log 11 = 2.4 nats; their frequencies alone give 2.2
  expect(first.loss).toBeGreaterThan(2.2);
  expect(last.loss).toBeLessThan(1.5);
  expect(await write(last, "the cat", 5)).toMatch(/^the cat[ .acehmnost]{5}$/);
});

test("leaving the loop stops the training", async () => {
  let steps = 0;
  for await (const { step } of train("abcd ".repeat(20), { steps: 1000 })) {
    steps = step;
    if (step === 2) break;
  }
  expect(steps).toBe(2);
});

test("a text that is too short is refused", async () => {
  await expect(train("too short").next()).rejects.toThrow("at least 66 characters, got 9");
});
