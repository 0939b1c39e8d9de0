import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AdapterKind } from "../record/cell-record.ts";
import { script } from "./repository.ts";

export const ADAPTER_CHOICES = ["auto", "lavapipe", "swiftshader", "gpu"] as const;
/** An adapter to measure on; "auto" is what core finds by itself. */
export type AdapterChoice = (typeof ADAPTER_CHOICES)[number];

/** Variables of the environment that choose it; undefined unsets. */
export type AdapterEnvironment = Readonly<Record<string, string | undefined>>;

const DRIVER_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/opt/homebrew/share/vulkan/icd.d",
];
const LAVAPIPE = /(^|[/\\])lvp_icd[^/\\]*\.json$/;

const driver = (path: string): AdapterEnvironment => ({ VK_DRIVER_FILES: path, VK_ICD_FILENAMES: path });

/** Drivers that Mesa installed. */
function installedLavapipe(): string | undefined {
  return DRIVER_FOLDERS.flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return []; // no such folder on this system
    }
  }).find((path) => LAVAPIPE.test(path));
}

/**
 * What makes core, and every peer, open an adapter.
 *
 * @throws Error that says what to install
 */
export async function adapterEnvironment(choice: AdapterChoice): Promise<AdapterEnvironment> {
  const given = process.env["VK_DRIVER_FILES"] ?? "";
  // Mesa keeps compiled kernels on disk: a first call would be measured as what it is once only
  const honest = { MESA_SHADER_CACHE_DISABLE: "true", __GL_SHADER_DISK_CACHE: "0" };
  switch (choice) {
    case "auto":
      return honest;
    case "gpu":
      return {
        ...honest,
        OMNI_ADAPTER: "system",
        ...(LAVAPIPE.test(given) && { VK_DRIVER_FILES: undefined, VK_ICD_FILENAMES: undefined }),
      };
    case "lavapipe": {
      const path = LAVAPIPE.test(given) ? given : installedLavapipe();
      if (path === undefined)
        throw new Error(
          "bench: lavapipe must be installed (Debian, Ubuntu: `apt install mesa-vulkan-drivers`, Mesa 24 or newer), or VK_DRIVER_FILES name its lvp_icd file",
        );
      return { ...honest, ...driver(path) };
    }
    case "swiftshader": {
      const { unpackSwiftShader } = await script<{ unpackSwiftShader: () => Promise<string> }>(
        "packages/core/src/runtime/swiftshader.node.ts",
      );
      return { ...honest, ...driver(join(await unpackSwiftShader(), "vk_swiftshader_icd.json")) };
    }
  }
}

/** What an adapter is, by its own description. */
export function kindOf(name: string, software: boolean): AdapterKind {
  if (/llvmpipe|lavapipe/i.test(name)) return "lavapipe";
  if (/swiftshader/i.test(name)) return "swiftshader";
  return software ? "other" : "gpu";
}
