/** Longer than any work of this project: an estimate beyond it comes from a clock or a rate that means nothing yet. */
const LONGEST = 365 * 86400;

/** Seconds as "3 d 04 h", "1 h 02 min", "3 min 20 s" or "12 s". */
export function duration(seconds: number): string {
  if (!(seconds <= LONGEST)) return "an unknown time";
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 4 * 86400)
    return `${Math.floor(whole / 86400)} d ${pad(Math.floor((whole % 86400) / 3600))} h`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${pad(whole % 60)} s` : `${whole} s`;
}

/** ", 12 s left"; nothing while that is unknown. */
export function timeLeft(seconds: number, separator = ", "): string {
  return seconds <= LONGEST ? `${separator}${duration(seconds)} left` : "";
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
