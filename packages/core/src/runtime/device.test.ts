import { expect, test } from "vitest";
import { getDevice } from "./device.ts";

test("opens", async () => {
  const device = await getDevice();
  expect(device.traits.maxWorkgroupSize).toBeGreaterThanOrEqual(128);
  console.log(device.description, JSON.stringify(device.traits));
});
