// Post-processing, as in colorizer/adjust/: the settings that this page offers.

import type { Plane } from "./planes";
import type { Ab } from "./upsampling";

/** The defaults change nothing. */
export interface Adjustments {
  strength: number; // of the color, 0 to 1; 0 is gray
  saturation: number; // factor, 0 to 2
  temperature: number; // -100 (cold) to 100 (warm)
  contrast: number; // -100 to 100
}

export const NEUTRAL: Adjustments = { strength: 1, saturation: 1, temperature: 0, contrast: 0 };
export const RANGES: Record<keyof Adjustments, [low: number, high: number, step: number]> = {
  strength: [0, 1, 0.05],
  saturation: [0, 2, 0.05],
  temperature: [-100, 100, 1],
  contrast: [-100, 100, 1],
};
const CAST_SHIFT = 0.3; // ab units per unit of temperature

/** Apply the color settings at the size that the network sees. */
export function adjustColor({ a, b }: Ab, settings: Adjustments): Ab {
  const { strength, saturation, temperature } = settings;
  const change = (plane: Plane, shift: number): Plane =>
    ({ ...plane, data: plane.data.map((value) => (value * saturation + shift) * strength) });
  return { a: change(a, 0), b: change(b, temperature * CAST_SHIFT) };
}

/** Apply contrast to L* in place. The S-curve keeps black, the middle and white. */
export function adjustTone(lightness: Float32Array, { contrast }: Adjustments): void {
  if (contrast === 0) return;
  for (let x = 0; x < lightness.length; x++) {
    const share = lightness[x] / 100;
    const curve = share * (1 - share) * (2 * share - 1);
    lightness[x] = 100 * (share + (contrast / 100) * curve);
  }
}
