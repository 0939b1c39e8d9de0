import { storage } from "./snippets/uniforms.ts";

/** Which tensor a direct kernel makes. */
export type ConvPass = "forward" | "input" | "weight";

const LANES = 64;
export const DIRECT_LANES = LANES;

/** One result element a lane, for groups of few channels (depthwise), where tiles would stand empty. */
export function convDirectWgsl(pass: ConvPass, bias: boolean, declareUniforms: (binding: number) => string): string {
  const cBinding = bias ? 3 : 2;
  return [
    storage(0, "a", "read", false),
    storage(1, "b", "read", false),
    bias ? storage(2, "bias", "read", false) : "",
    storage(cBinding, "c", "read_write", false),
    declareUniforms(cBinding + 1),
    `@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let index = (wid.y * grid.x + wid.x) * ${LANES}u + lane;
  if (index >= u.size) { return; }
  var sum = 0.0;
`,
    { forward: FORWARD, input: INPUT, weight: WEIGHT }[pass],
    `  c[index] = sum${bias ? " + bias[index % u.cout]" : ""};
}
`,
  ].join("");
}

const FORWARD = `  let co = index % u.cout;
  let group = co / u.cout_group;
  let pixel = index / u.cout;
  let o_w = pixel % u.out_w;
  let o_h = (pixel / u.out_w) % u.out_h;
  let o_d = (pixel / (u.out_w * u.out_h)) % u.out_d;
  let n = pixel / (u.out_w * u.out_h * u.out_d);
  for (var k_d = 0u; k_d < u.kernel_d; k_d++) { for (var k_h = 0u; k_h < u.kernel_h; k_h++) { for (var k_w = 0u; k_w < u.kernel_w; k_w++) {
    let i_d = o_d * u.stride_d + k_d * u.dilation_d - u.pad_d;
    let i_h = o_h * u.stride_h + k_h * u.dilation_h - u.pad_h;
    let i_w = o_w * u.stride_w + k_w * u.dilation_w - u.pad_w;
    if (i_d < u.in_d && i_h < u.in_h && i_w < u.in_w) {
      let a_at = (((n * u.in_d + i_d) * u.in_h + i_h) * u.in_w + i_w) * u.cin + group * u.cin_group;
      let tap = ((k_d * u.kernel_h + k_h) * u.kernel_w + k_w) * u.cin_group;
      for (var ci = 0u; ci < u.cin_group; ci++) { sum += a[a_at + ci] * b[(tap + ci) * u.cout + co]; }
    }
  } } }
`;

const INPUT = `  let channel = index % u.cin;
  let group = channel / u.cin_group;
  let pixel = index / u.cin;
  let i_w = pixel % u.in_w;
  let i_h = (pixel / u.in_w) % u.in_h;
  let i_d = (pixel / (u.in_w * u.in_h)) % u.in_d;
  let n = pixel / (u.in_w * u.in_h * u.in_d);
  for (var k_d = 0u; k_d < u.kernel_d; k_d++) { for (var k_h = 0u; k_h < u.kernel_h; k_h++) { for (var k_w = 0u; k_w < u.kernel_w; k_w++) {
    let s_d = i_d + u.pad_d - k_d * u.dilation_d;
    let s_h = i_h + u.pad_h - k_h * u.dilation_h;
    let s_w = i_w + u.pad_w - k_w * u.dilation_w;
    let o_d = s_d / u.stride_d;
    let o_h = s_h / u.stride_h;
    let o_w = s_w / u.stride_w;
    // A negative source wraps to a number far past the image.
    if (o_d * u.stride_d == s_d && o_h * u.stride_h == s_h && o_w * u.stride_w == s_w
        && o_d < u.out_d && o_h < u.out_h && o_w < u.out_w) {
      let a_at = (((n * u.out_d + o_d) * u.out_h + o_h) * u.out_w + o_w) * u.cout + group * u.cout_group;
      let b_at = ((k_d * u.kernel_h + k_h) * u.kernel_w + k_w) * u.cout_group * u.cin + channel;
      for (var co = 0u; co < u.cout_group; co++) { sum += a[a_at + co] * b[b_at + co * u.cin]; }
    }
  } } }
`;

const WEIGHT = `  let co = index % u.cout;
  let group = co / u.cout_group;
  let row = index / u.cout;
  let ci = row % u.cin_group;
  let tap = row / u.cin_group;
  let k_w = tap % u.kernel_w;
  let k_h = (tap / u.kernel_w) % u.kernel_h;
  let k_d = tap / (u.kernel_w * u.kernel_h);
  for (var n = 0u; n < u.batch; n++) { for (var o_d = 0u; o_d < u.out_d; o_d++) { for (var o_h = 0u; o_h < u.out_h; o_h++) {
    let i_d = o_d * u.stride_d + k_d * u.dilation_d - u.pad_d;
    let i_h = o_h * u.stride_h + k_h * u.dilation_h - u.pad_h;
    if (i_d >= u.in_d || i_h >= u.in_h) { continue; }
    let a_at = ((n * u.in_d + i_d) * u.in_h + i_h) * u.in_w;
    let b_at = ((n * u.out_d + o_d) * u.out_h + o_h) * u.out_w;
    for (var o_w = 0u; o_w < u.out_w; o_w++) {
      let i_w = o_w * u.stride_w + k_w * u.dilation_w - u.pad_w;
      if (i_w < u.in_w) { sum += a[(a_at + i_w) * u.cin + group * u.cin_group + ci] * b[(b_at + o_w) * u.cout + co]; }
    }
  } } }
`;
