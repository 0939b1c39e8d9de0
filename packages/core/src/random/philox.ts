/** A Philox 4x32 counter or result: four unsigned 32-bit words, least significant first. */
export type Words4 = readonly [number, number, number, number];
/** A Philox 4x32 key: two unsigned 32-bit words. */
export type Words2 = readonly [number, number];

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
// Weyl increments of the key: the golden ratio and sqrt(3) - 1, as 32-bit fractions.
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** High word of the 64-bit product of two unsigned 32-bit words, from 16-bit halves: no partial sum leaves 32 bits. */
function mulHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const low = Math.imul(aLow, bLow) >>> 0;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return ((Math.imul(aHigh, bHigh) >>> 0) + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/**
 * Philox 4x32-10: a keyed bijection of the 128-bit counter whose outputs are statistically independent, so that element i of a
 * random tensor depends on (i, key) alone and on no thread order. The CPU reference of `philoxWgsl`, equal to it bit for bit.
 *
 * @param counter which block of four words to draw
 * @param key the seed and the stream
 * @returns four uniform unsigned 32-bit words
 * @see Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"
 */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIER_0, c0);
    const high1 = mulHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A random word's upper 24 bits as a number in [0, 1): a multiple of 2^-24, exact in f32. */
export function uniform01(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/**
 * Two independent standard normal numbers from two random words.
 *
 * r = sqrt(-2 ln u),  θ = 2π (v - 1/2),  result = (r cos θ, r sin θ),  u in (0, 1], v in [0, 1)
 *
 * Values stay within ±5.77: u is never below 2^-24.
 * @see Box and Muller 1958
 */
export function boxMuller(a: number, b: number): Words2 {
  const radius = Math.sqrt(-2 * Math.log(uniform01(a) + 2 ** -24));
  const angle = 2 * Math.PI * (uniform01(b) - 0.5);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/**
 * The functions above in WGSL, free of bindings and of names other than theirs and `philox_mul_high`:
 * `philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32>`, `uniform01(word: u32) -> f32`,
 * `boxMuller(a: u32, b: u32) -> vec2<f32>`. The words are bit-exact everywhere, and so is `uniform01`; `boxMuller` is as accurate
 * as the adapter's log, sin and cos.
 */
export const philoxWgsl = /* wgsl */ `
fn philox_mul_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
}

fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    c = vec4<u32>(
      philox_mul_high(${MULTIPLIER_1}u, c.z) ^ c.y ^ k.x,
      ${MULTIPLIER_1}u * c.z,
      philox_mul_high(${MULTIPLIER_0}u, c.x) ^ c.w ^ k.y,
      ${MULTIPLIER_0}u * c.x,
    );
    k += vec2<u32>(${WEYL_0}u, ${WEYL_1}u);
  }
  return c;
}

fn uniform01(word: u32) -> f32 {
  return f32(word >> 8u) * 0x1p-24f;
}

fn boxMuller(a: u32, b: u32) -> vec2<f32> {
  // max: WGSL's log may be 2^-21 above 0 near 1, and sqrt of a negative number is NaN. The angle stays in [-pi, pi), outside of
  // which sin and cos have no guaranteed accuracy.
  let radius = sqrt(max(0.0, -2.0 * log(f32((a >> 8u) + 1u) * 0x1p-24f)));
  let angle = 6.283185307f * (uniform01(b) - 0.5);
  return radius * vec2<f32>(cos(angle), sin(angle));
}
`;
