/**
 * The loss of the target v that the best linear denoiser reaches, as a mean over modes: what is left of 1 when mean and
 * covariance are known and nothing else.
 *
 * variances (modes) of the standardised data; noiseLevel s. A mode of variance l has the error l s^2 / (l + s^2) in x_0,
 * and v's squared error is that of x_0 times 1 + 1 / s^2 (see targetCoefficients): l (1 + s^2) / (l + s^2).
 */
export function linearLoss(variances: ArrayLike<number>, noiseLevel: number): number {
  const square = noiseLevel * noiseLevel;
  const sum = Array.from(variances).reduce((total, l) => total + (l * (1 + square)) / (l + square), 0);
  return sum / variances.length;
}
