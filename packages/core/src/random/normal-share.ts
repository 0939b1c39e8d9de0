/** Φ(z), the share of a standard normal below z. */
export function normalShare(z: number): number {
  // series around 0 and continued fraction in the tails (Abramowitz & Stegun 26.2.10 and 26.2.14)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(z) > 5) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / (Math.abs(z) + fraction);
    const beyond = density / (Math.abs(z) + fraction);
    return z > 0 ? 1 - beyond : beyond;
  }
  let term = z;
  let sum = z;
  for (let k = 1; k < 120; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + density * sum;
}
