import { Command } from "commander";
import type { Context } from "../context.ts";
import { UsageError } from "../failure.ts";

/** `omni eval:nano`: how well the shipped model does on people and speech that it has never met. */
export function evalNanoCommand(_context: Context): Command {
  return new Command("eval:nano").description("measure the nano model on held-out people and speech").action(() => {
    throw new UsageError("the evaluation is not there yet");
  });
}
