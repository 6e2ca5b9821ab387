/** What a call costs. */

/** Seconds that the body takes, by the clock. */
export function secondsOf(body: () => void): number {
  const start = performance.now();
  body();
  return (performance.now() - start) / 1000;
}
