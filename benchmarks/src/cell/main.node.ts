/** The process of one cell, in Node, Deno or Bun: its job is the argument, its events are lines of standard output. */
import { closeDevice, getDevice } from "@omni/core";
import type { CellEvent, CellRequest } from "./events.ts";
import { EVENT_MARK } from "./event-line.ts";
import { provideIteratorHelpers } from "./iterator-helpers.ts";
import { provideNavigatorGpu } from "./navigator-gpu.node.ts";
import { nodePeers } from "./peers.node.ts";
import { runCell } from "./run-cell.ts";

const tell = (event: CellEvent): void => {
  process.stdout.write(`${EVENT_MARK}${JSON.stringify(event)}\n`);
};

const request = JSON.parse(process.argv[2] ?? "") as CellRequest; // written by the process that started this one
const device = await getDevice();
const { bun, deno, node } = process.versions;
tell({
  type: "adapter",
  name: device.adapterName,
  software: device.traits.software,
  runtimeVersion: deno ?? bun ?? node,
});
if (request !== "probe") {
  // after ours, which may have unpacked the driver
  provideNavigatorGpu();
  provideIteratorHelpers();
  await runCell(request, { device, modules: nodePeers(request.earlier) }, tell);
}
await closeDevice();
// devices of the peers would keep the process alive
process.exit(0);
