/** Prints the name of the adapter that core opens in the runtime which runs this. */
import { getDevice } from "../packages/core/src/runtime/index.ts";

console.log((await getDevice()).adapterName);
