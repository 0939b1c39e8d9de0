import { drawPlot } from "../page/plot.ts";
import { openSection, type Section } from "../page/section.ts";
import { fitCurve, wave } from "./fit-curve.ts";

const STEPS = 200;

/** The section in which the fit bends to the points. */
export const fitCurvePage = (): Section =>
  openSection("fit-curve", async (section, signal) => {
    const plot = section.find<SVGElement>(".plot");
    for await (const { step, loss, points, gridX, gridY } of fitCurve({ steps: STEPS, every: 4 })) {
      section.tell(`step ${step} of ${STEPS}, loss ${loss.toFixed(4)}`);
      drawPlot(plot, { from: -3, to: 3 }, { from: -1.25, to: 1.25 }, [
        { kind: "points", ...points },
        { kind: "truth", x: gridX, y: gridX.map(wave) },
        { kind: "fit", x: gridX, y: gridY },
      ]);
      if (signal.aborted) return;
    }
  });
