// CIELAB to pixels with gamut mapping, as in colorizer/imaging/compose.py.
// Colors out of gamut lose chroma; their lightness and hue stay.

import { DELTA, linearToSrgb, WHITE, XYZ_TO_RGB } from "./color";

const GAMUT_SLACK = 1e-5; // in linear light, 0.01 of L* at black; tolerates rounding
const LOWEST = -GAMUT_SLACK, HIGHEST = 1 + GAMUT_SLACK;
const BISECTIONS = 7; // steps in the search for the largest chroma in gamut
const TABLE_STEPS = 65535; // of linear light
const LEVELS = Uint8Array.from({ length: TABLE_STEPS + 1 }, (_, step) =>
  Math.round(255 * linearToSrgb(step / TABLE_STEPS)));
const [[RX, RY, RZ], [GX, GY, GZ], [BX, BY, BZ]] = XYZ_TO_RGB.map((row) =>
  row.map((value, i) => value * WHITE[i])); // from XYZ / white to linear RGB

const rgb = new Float64Array(3), inside = new Float64Array(3); // linear light

/** Write sRGB levels of a row of colors into RGBA pixels, from `at` on; alpha stays. */
export function composeRow(
  lightness: Float32Array, a: Float32Array, b: Float32Array, pixels: Uint8ClampedArray, at: number,
): void {
  for (let x = 0; x < lightness.length; x++, at += 4) {
    toLinear(lightness[x], a[x], b[x], rgb);
    if (!inGamut(rgb)) {
      const share = shareInGamut(lightness[x], a[x], b[x]);
      toLinear(lightness[x], share * a[x], share * b[x], rgb);
    }
    pixels[at] = level(rgb[0]);
    pixels[at + 1] = level(rgb[1]);
    pixels[at + 2] = level(rgb[2]);
  }
}

function level(linear: number): number {
  return LEVELS[Math.min(Math.max(Math.round(linear * TABLE_STEPS), 0), TABLE_STEPS)];
}

function toLinear(lightness: number, a: number, b: number, linear: Float64Array): void {
  const root = (lightness + 16) / 116;
  const x = cube(root + a / 500), y = cube(root), z = cube(root - b / 200);
  linear[0] = RX * x + RY * y + RZ * z;
  linear[1] = GX * x + GY * y + GZ * z;
  linear[2] = BX * x + BY * y + BZ * z;
}

function cube(root: number): number {
  return root > DELTA ? root * root * root : 3 * DELTA ** 2 * (root - 4 / 29);
}

function inGamut([red, green, blue]: Float64Array): boolean {
  return red >= LOWEST && red <= HIGHEST && green >= LOWEST && green <= HIGHEST
    && blue >= LOWEST && blue <= HIGHEST;
}

/**
 * The largest share of a color's chroma that is in gamut: bisected, then interpolated, because in
 * the last interval linear RGB is nearly a line.
 */
function shareInGamut(lightness: number, a: number, b: number): number {
  let share = 0, step = 1;
  for (let i = 0; i < BISECTIONS; i++) {
    step /= 2;
    toLinear(lightness, (share + step) * a, (share + step) * b, rgb);
    if (inGamut(rgb)) share += step;
  }
  toLinear(lightness, share * a, share * b, inside);
  toLinear(lightness, (share + step) * a, (share + step) * b, rgb);
  let largest = 0;
  rgb.forEach((value, i) => {
    const excess = Math.abs(value - Math.min(Math.max(value, LOWEST), HIGHEST));
    largest = Math.max(largest, excess / Math.max(Math.abs(value - inside[i]), excess + 1e-12));
  });
  return share + step * (1 - largest);
}
