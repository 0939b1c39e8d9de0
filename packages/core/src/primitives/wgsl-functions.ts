/**
 * Functions that WGSL lacks or leaves inexact, as text for scalars or vec4 (`type`). Each names itself only.
 */

const words = (type: string): string => (type.startsWith("vec4") ? "vec4<u32>" : "u32");
/** NaN and infinities, for which WGSL has no literals; `x` is any value at hand. */
const made = (type: string, bits: string, x: string): string =>
  `bitcast<${type}>(${words(type)}(${bits}) | (bitcast<${words(type)}>(${x}) & ${words(type)}(0u)))`;
const LARGEST = "0x1.fffffep+127f";

/** e^x; WGSL leaves NaN open, and SwiftShader makes infinity of it. */
export const exp = (type: string): string => /* wgsl */ `
fn exp_ieee(x: ${type}) -> ${type} {
  return select(exp(x), x, !(x == x));
}
`;

/** ln x with its limits: −∞ at 0, ∞ at ∞, NaN below 0. SwiftShader gives finite numbers there. */
export const log = (type: string): string => /* wgsl */ `
fn log_ieee(x: ${type}) -> ${type} {
  let inside = select(log(x), ${made(type, "0xff800000u", "x")}, x == ${type}(0.0));
  let outside = select(x, ${made(type, "0x7fc00000u", "x")}, x < ${type}(0.0));
  return select(inside, outside, !((x >= ${type}(0.0)) & (x <= ${type}(${LARGEST}))));
}
`;

/**
 * erf as x·P(x²)/Q(x²) on [-4, 4], where float32 erf saturates. Rational minimax coefficients as published with Eigen; error below 4e-7.
 */
export const erf = (type: string): string => /* wgsl */ `
fn erf_approx(value: ${type}) -> ${type} {
  let x = clamp(value, ${type}(-4.0), ${type}(4.0));
  let s = x * x;
  var p = ${type}(-2.72614225801306e-10);
  p = p * s + 2.77068142495902e-08;
  p = p * s - 2.10102402082508e-06;
  p = p * s - 5.69250639462346e-05;
  p = p * s - 7.34990630326855e-04;
  p = p * s - 2.95459980854025e-03;
  p = p * s - 1.60960333262415e-02;
  var q = ${type}(-1.45660718464996e-05);
  q = q * s - 2.13374055278905e-04;
  q = q * s - 1.68282697438203e-03;
  q = q * s - 7.37332916720468e-03;
  q = q * s - 1.42647390514189e-02;
  return select(x * p / q, value, !(value == value));
}
`;

/** The x with erf(x) = y: ±∞ at ±1, NaN beyond. @see Giles 2010, "Approximating the erfinv function", single precision */
export const erfinv = (type: string): string => {
  const horner = (name: string, at: string, coefficients: readonly number[]): string =>
    [
      `  var ${name} = ${type}(${coefficients[0]});`,
      ...coefficients.slice(1).map((c) => `  ${name} = ${name} * ${at} + ${c};`),
    ].join("\n");
  const central = [
    2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
  ];
  const tail = [
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
  ];
  return /* wgsl */ `
fn erf_inverse(y: ${type}) -> ${type} {
  let w = -log((1.0 - y) * (1.0 + y));
  let near = w - 2.5;
${horner("p", "near", central)}
  let far = sqrt(max(w, ${type}(5.0))) - 3.0;
${horner("q", "far", tail)}
  let ends = select(${made(type, "0x7fc00000u", "y")}, y * ${made(type, "0x7f800000u", "y")}, abs(y) == ${type}(1.0));
  return select(ends, y * select(q, p, w < ${type}(5.0)), abs(y) < ${type}(1.0));
}
`;
};

/** e^x − 1: a Taylor polynomial of degree 8 within ±½, where the difference would cancel. */
export const expm1 = (type: string): string => /* wgsl */ `
fn expm1_exact(x: ${type}) -> ${type} {
  var p = ${type}(1.0) + x * 0.125;
  p = ${type}(1.0) + x * p * 0.14285714;
  p = ${type}(1.0) + x * p * 0.16666667;
  p = ${type}(1.0) + x * p * 0.2;
  p = ${type}(1.0) + x * p * 0.25;
  p = ${type}(1.0) + x * p * 0.33333334;
  p = ${type}(1.0) + x * p * 0.5;
  let grown = select(exp(x) - ${type}(1.0), x, !(x == x));
  return select(grown, x * p, abs(x) < ${type}(0.5));
}
`;

/** log(1 + x) = 2 artanh(x/(2 + x)): its series within ±½, where 1 + x would round x away. Calls `log`. */
export const log1p = (type: string): string => /* wgsl */ `fn log1p_exact(x: ${type}) -> ${type} {
  let s = x / (x + ${type}(2.0));
  let q = s * s;
  var p = ${type}(0.06666667) * q + ${type}(0.07692308);
  p = p * q + ${type}(0.09090909);
  p = p * q + ${type}(0.11111111);
  p = p * q + ${type}(0.14285714);
  p = p * q + ${type}(0.2);
  p = p * q + ${type}(0.33333334);
  p = p * q + ${type}(1.0);
  return select(log_ieee(x + ${type}(1.0)), 2.0 * s * p, abs(x) < ${type}(0.5));
}
`;

/** a^b as IEEE 754 has it: a whole exponent keeps the sign of a negative base, others give NaN; a⁰ = 1^b = 1. */
export const pow = (type: string): string => {
  const word = words(type);
  return /* wgsl */ `
fn pow_any(a: ${type}, b: ${type}) -> ${type} {
  let largest = ${type}(${LARGEST});
  let one = ${type}(1.0);
  let size = abs(a);
  let whole = floor(b) == b;
  let odd = floor(b * 0.5) * 2.0 != b;
  let negative = (bitcast<${word}>(a) >> ${word}(31u)) == ${word}(1u);
  let grows = (size > one) == (b > ${type}(0.0));
  let extreme = (size == ${type}(0.0)) | (size > largest) | (abs(b) > largest);
  var power = select(pow(size, b), select(${type}(0.0), ${made(type, "0x7f800000u", "a")}, grows), extreme);
  power = select(power, one, size == one);
  power = select(power, -power, negative & whole & odd);
  let undefined_root = negative & !whole & (size > ${type}(0.0)) & (size <= largest);
  power = select(power, ${made(type, "0x7fc00000u", "a")}, undefined_root | !(a == a) | !(b == b));
  return select(power, one, (a == one) | (b == ${type}(0.0)));
}
`;
};

/** Rounds to the nearest f16, ties to even: overflow gives infinity, and numbers below 2^-14 keep what f16 has of them. */
export const toF16 = (type: string): string => {
  const word = words(type);
  return /* wgsl */ `
fn to_f16(x: ${type}) -> ${type} {
  let bits = bitcast<${word}>(x);
  let magnitude = bits & ${word}(0x7fffffffu);
  // 13 bits fewer in the fraction
  let odd = (magnitude >> ${word}(13u)) & ${word}(1u);
  let cut = (magnitude + ${word}(0xfffu) + odd) & ${word}(0xffffe000u);
  let overflown = select(cut, ${word}(0x7f800000u), cut >= ${word}(0x47800000u));
  let quiet = select(overflown, ${word}(0x7fc00000u), magnitude > ${word}(0x7f800000u));
  // below 2^-14 the spacing is 2^-24
  let small = round(abs(x) * 16777216.0) * 5.9604645e-8;
  let result = select(quiet, bitcast<${word}>(small), magnitude < ${word}(0x38800000u));
  return bitcast<${type}>(result | (bits & ${word}(0x80000000u)));
}
`;
};

/** Rounds to the nearest bf16, ties to even: the upper half of the float's bits. */
export const toBf16 = (type: string): string => {
  const word = words(type);
  return /* wgsl */ `
fn to_bf16(x: ${type}) -> ${type} {
  let bits = bitcast<${word}>(x);
  let odd = (bits >> ${word}(16u)) & ${word}(1u);
  let cut = (bits + ${word}(0x7fffu) + odd) & ${word}(0xffff0000u);
  let nan = (bits & ${word}(0x7fffffffu)) > ${word}(0x7f800000u);
  return bitcast<${type}>(select(cut, (bits | ${word}(0x400000u)) & ${word}(0xffff0000u), nan));
}
`;
};

/**
 * Sine and cosine to a few units in the last place up to |x| of some 10⁵; WGSL promises 2⁻¹¹ within ±π, and SwiftShader keeps to that. The
 * quarter turns are taken off in three parts that are exact products, the rest is within ±π/4. Polynomials as published with Cephes.
 */
const quarterTurns = (type: string, integer: string): string => /* wgsl */ `
  let turns = round(x * 0.63661977);
  let r = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789948768648e-8;
  let s = r * r;
  let sine = r + r * s * (s * (s * -1.9515295891e-4 + 8.3321608736e-3) - 1.6666654611e-1);
  let cosine = ${type}(1.0) - 0.5 * s + s * s * (s * (s * 2.443315711809948e-5 - 1.388731625493765e-3) + 4.166664568298827e-2);
  let quarter = ${integer}(turns);`;
const integers = (type: string): string => (type.startsWith("vec4") ? "vec4<i32>" : "i32");
const circular =
  (name: string, ahead: number) =>
  (type: string): string => {
    const integer = integers(type);
    return /* wgsl */ `
fn ${name}(x: ${type}) -> ${type} {${quarterTurns(type, integer)}
  let q = (quarter + ${integer}(${ahead})) & ${integer}(3);
  let size = select(sine, cosine, (q & ${integer}(1)) == ${integer}(1));
  return select(size, -size, q >= ${integer}(2));
}
`;
  };
export const sin = circular("sin_reduced", 0);
export const cos = circular("cos_reduced", 1);
