/** The page: says which adapter runs, and shows one example at a time. */
import { getDevice } from "@omni/core";
import { charTransformer } from "../char-transformer/page.ts";
import { fitCurvePage } from "../fit-curve/page.ts";
import { superResolution } from "../super-resolution/page.ts";

const sections = [fitCurvePage(), charTransformer(), superResolution()];

/** Shows the section that the address names; the others stop. */
function show(): void {
  const shown = sections.find(({ root }) => `#${root.id}` === location.hash) ?? sections[0];
  for (const section of sections) {
    section.root.hidden = section !== shown;
    if (section !== shown) section.stop();
  }
  for (const link of document.querySelectorAll("nav a"))
    if (link.getAttribute("href") === `#${shown?.root.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

/** Names the adapter; without one, says so, and nothing can be run. */
async function nameAdapter(): Promise<void> {
  const line = document.getElementById("adapter");
  if (!line) return;
  try {
    line.textContent = (await getDevice()).description;
  } catch (error) {
    line.classList.add("failed");
    const reason = error instanceof Error ? error.message : String(error);
    line.textContent = `These examples need WebGPU, which recent versions of Chrome, Edge, Safari and Firefox have. ${reason}`;
    for (const button of document.querySelectorAll("button")) button.disabled = true;
  }
}

addEventListener("hashchange", show);
show();
await nameAdapter();
