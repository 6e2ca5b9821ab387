const BLOCKS = "▁▂▃▄▅▆▇█";

/** Curves as words of block characters, all on one scale from their least value to their greatest: for hover labels. */
export function sparklines(curves: readonly ArrayLike<number>[], length = 16): string[] {
  const all = curves.flatMap((curve) => Array.from(curve)).filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return curves.map((curve) =>
    Array.from({ length }, (_, k) => {
      const value = curve[Math.round((k * (curve.length - 1)) / (length - 1))];
      const level = high > low ? Math.floor(((value - low) / (high - low)) * BLOCKS.length) : 0;
      return Number.isFinite(value) ? BLOCKS[Math.min(BLOCKS.length - 1, level)] : " ";
    }).join(""),
  );
}
