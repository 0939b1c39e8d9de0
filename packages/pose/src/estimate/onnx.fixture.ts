/** A field of a protobuf message: bytes or text with their length, whole numbers as varints. */
function field(id: number, value: number | string | readonly number[]): number[] {
  if (typeof value === "number") return [...varint(id * 8), ...varint(value)];
  const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
  return [...varint(id * 8 + 2), ...varint(bytes.length), ...bytes];
}

function varint(n: number): number[] {
  return n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))];
}

const FLOAT = 1;
const INT64 = 7;

function tensorType(name: string, shape: readonly number[]): number[] {
  const dims = shape.flatMap((n) => field(1, field(1, n)));
  return [...field(1, name), ...field(2, field(1, [...field(1, FLOAT), ...field(2, dims)]))];
}

function int64s(name: string, values: readonly number[]): number[] {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return [...field(1, values.length), ...field(2, INT64), ...field(8, name), ...field(9, [...data])];
}

function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly [string, number][],
): number[] {
  const INT = 2;
  return [
    ...inputs.flatMap((input) => field(1, input)),
    ...field(2, output),
    ...field(4, op),
    ...attributes.flatMap(([name, value]) => field(5, [...field(1, name), ...field(3, value), ...field(20, INT)])),
  ];
}

/**
 * An ONNX network with SimCC's results that can be told by eye: point k is where colour k mod 3 is brightest, in its row and in its column.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function brightestSpots(keypoints: number, height: number, width: number): Uint8Array {
  const colours = Array.from({ length: keypoints }, (_, k) => k % 3);
  const graph = [
    // greatest over rows, then over columns: the axis is an input of ReduceMax from opset 18 on
    ...field(1, node("ReduceMax", ["picture", "rows"], "across", [["keepdims", 0]])),
    ...field(1, node("ReduceMax", ["picture", "columns"], "down", [["keepdims", 0]])),
    ...field(1, node("Gather", ["across", "colours"], "simcc_x", [["axis", 1]])),
    ...field(1, node("Gather", ["down", "colours"], "simcc_y", [["axis", 1]])),
    ...field(2, "brightest spots"),
    ...field(5, int64s("rows", [2])),
    ...field(5, int64s("columns", [3])),
    ...field(5, int64s("colours", colours)),
    ...field(11, tensorType("picture", [1, 3, height, width])),
    ...field(12, tensorType("simcc_x", [1, keypoints, width])),
    ...field(12, tensorType("simcc_y", [1, keypoints, height])),
  ];
  return Uint8Array.from([...field(1, 8), ...field(7, graph), ...field(8, [...field(1, ""), ...field(2, 18)])]);
}
