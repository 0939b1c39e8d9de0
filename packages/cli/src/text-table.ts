/**
 * Rows as aligned columns, two spaces apart.
 *
 * @param align a letter a column: `l` or `r`
 */
export function textTable(rows: readonly (readonly string[])[], align: string): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    rows[0]?.map(() => 0) ?? [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (align[i] === "r" ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** "312 B", "1.50 MiB", "28.4 GiB". */
export function bytesText(bytes: number): string {
  const unit = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return unit === 0 ? `${bytes} B` : `${(bytes / 1024 ** unit).toPrecision(3)} ${UNITS[unit]}`;
}

const SCALES = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** "1.42 G", "7.50 M", "812": three digits and a power of a thousand. */
export function amountText(amount: number): string {
  const [scale, letter] = SCALES.find(([least]) => amount >= least) ?? [1, ""];
  return scale === 1 ? String(Math.round(amount)) : `${(amount / scale).toPrecision(3)} ${letter}`;
}
