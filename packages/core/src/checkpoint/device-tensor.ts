import { arrayType, storedBytes, type DType } from "../base/dtype.ts";
import { packed } from "../base/packed.ts";
import { sizeOf } from "../base/shape.ts";
import { Node } from "../graph/node.ts";
import { Storage } from "../graph/storage.ts";
import { getDevice } from "../runtime/index.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { StoredTensor } from "./stored-tensor.ts";

// Copies wait in the driver's memory until the device has taken them: it is waited for each time so many bytes are on their way.
const MAX_IN_FLIGHT_BYTES = 64 << 20;

/**
 * A stored tensor on the device. It goes there piece by piece: on the host it takes a few MiB, whatever its size.
 *
 * @param dtype of the result; floats and integers convert as in `StoredTensor.data`
 * @throws CheckpointError when a value does not fit or reading fails; DeviceError when the device has no room
 */
export async function uploadTensor(stored: StoredTensor, dtype: DType): Promise<Tensor> {
  const device = await getDevice();
  const bytes = storedBytes(sizeOf(stored.shape), dtype);
  const storage = new Storage(device.pool, bytes);
  try {
    let at = 0;
    let inFlight = 0;
    // every piece but the last holds whole words
    for await (const values of stored.pieces(arrayType(dtype))) {
      const piece = packed(values, dtype);
      device.write(storage.buffer, at, piece);
      at += piece.byteLength;
      inFlight += piece.byteLength;
      if (inFlight < MAX_IN_FLIGHT_BYTES) continue;
      await device.finished();
      inFlight = 0;
    }
  } catch (error) {
    storage.dispose();
    throw error;
  }
  return new Tensor(new Node(null, [], [], stored.shape, dtype, { kind: "device", storage, version: 0 }));
}
