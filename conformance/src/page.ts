import { getDevice } from "@omni/core";
import { runSet } from "./run-set.ts";
import { type CaseFiles, type CaseResult, MissingFile } from "./types.ts";

declare global {
  interface Window {
    /** Given by the program that opened the page. */
    reportCase: (group: string, result: CaseResult) => Promise<void>;
    /** Runs the set that is served under /set, and gives the adapter's name. */
    runConformance: (groups: readonly string[] | null) => Promise<string>;
  }
}

async function fetched(path: string): Promise<Response> {
  const response = await fetch(`/set/${path}`);
  if (!response.ok) throw new MissingFile(path);
  return response;
}

const files: CaseFiles = {
  bytes: async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer()),
  text: async (path) => (await fetched(path)).text(),
};

window.runConformance = async (groups) => {
  const device = await getDevice();
  const reports: Promise<void>[] = [];
  await runSet(files, {
    ...(groups && { groups }),
    report: (group, result) => reports.push(window.reportCase(group, result)),
  });
  await Promise.all(reports);
  return device.adapterName;
};
