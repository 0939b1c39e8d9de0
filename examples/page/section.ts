/** What the examples' sections share: a button that runs and stops, and a line that tells. */

export interface Section {
  readonly root: HTMLElement;
  /** Shows one line beside the button. */
  tell(line: string): void;
  /** The section's element of a selector. */
  find<T extends Element>(selector: string): T;
  /** Stops what runs. */
  stop(): void;
}

/**
 * Makes a section run. While it does its data-state is "running", then "done", "stopped" or "failed".
 *
 * @param run works until it is done or the signal is aborted
 */
export function openSection(id: string, run: (section: Section, signal: AbortSignal) => Promise<void>): Section {
  const root = document.getElementById(id);
  if (!root) throw new Error(`openSection: the page must have a section "${id}"`);
  let running: AbortController | null = null;
  const section: Section = {
    root,
    tell: (line) => (section.find("output").textContent = line),
    find: <T extends Element>(selector: string): T => {
      const found = root.querySelector<T>(selector);
      if (!found) throw new Error(`openSection: section "${id}" must have ${selector}`);
      return found;
    },
    stop: () => running?.abort(),
  };
  const button = section.find<HTMLButtonElement>("button");
  const start = async (): Promise<void> => {
    running = new AbortController();
    const { signal } = running;
    root.dataset["state"] = "running";
    button.textContent = "Stop";
    section.tell("compiling kernels …");
    try {
      await run(section, signal);
      root.dataset["state"] = signal.aborted ? "stopped" : "done";
    } catch (error) {
      root.dataset["state"] = "failed";
      section.tell(error instanceof Error ? error.message : String(error));
    }
    button.textContent = "Run";
    running = null;
  };
  button.addEventListener("click", () => (running ? section.stop() : void start()));
  return section;
}

/** The bytes of a file beside the page. */
export async function fetchBytes(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} must lie beside the page, got status ${response.status}; build it anew`);
  return response.arrayBuffer();
}

/** The file that the user has chosen, or null. */
export const chosenFile = (section: Section): File | null =>
  section.find<HTMLInputElement>("input[type=file]").files?.[0] ?? null;
