import { drawPlot } from "../page/plot.ts";
import { chosenFile, fetchBytes, openSection, type Section } from "../page/section.ts";
import { type Progress, train } from "./train.ts";
import { write } from "./write.ts";

const STEPS = 1500;
const EVERY = 100;
const PROMPT = "The ";

/** The section in which the loss falls and words appear. */
export const charTransformer = (): Section =>
  openSection("char-transformer", async (section, signal) => {
    const plot = section.find<SVGElement>(".plot");
    const samples = section.find<HTMLOListElement>(".samples");
    samples.replaceChildren();
    const text = await (chosenFile(section)?.text() ?? alice());
    const losses: number[] = [];
    let since = performance.now();
    for await (const progress of train(text, { steps: STEPS })) {
      const { step, loss } = progress;
      losses.push(loss);
      const milliseconds = performance.now() - since;
      section.tell(`step ${step} of ${STEPS}, loss ${loss.toFixed(2)}, ${milliseconds.toFixed(0)} ms a step`);
      drawLosses(plot, losses);
      const last = step === STEPS;
      if (step % EVERY === 0 || last) samples.prepend(await sample(progress, last ? 400 : 120));
      if (signal.aborted) return;
      since = performance.now();
    }
  });

const alice = async (): Promise<string> => new TextDecoder().decode(await fetchBytes("alice.txt"));

async function sample(progress: Progress, count: number): Promise<HTMLLIElement> {
  const item = document.createElement("li");
  const title = document.createElement("b");
  title.textContent = `after ${progress.step} steps`;
  item.append(title, await write(progress, PROMPT, count));
  return item;
}

/** Each step's loss, and its running mean. */
function drawLosses(plot: SVGElement, losses: readonly number[]): void {
  const x = losses.map((_, i) => i + 1);
  let mean = losses[0] ?? 0;
  const smooth = losses.map((loss) => (mean += 0.08 * (loss - mean)));
  drawPlot(plot, { from: 0, to: STEPS }, { from: 1, to: 5 }, [
    { kind: "faint", x, y: losses },
    { kind: "loss", x, y: smooth },
  ]);
}
