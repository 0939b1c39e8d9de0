/** TensorFlow.js as one module: both backends, gradients, the wasm backend's own binary chosen by the caller. */
export * from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-backend-webgpu";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
