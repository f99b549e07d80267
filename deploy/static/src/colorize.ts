// From a photo to its colors and to pixels, as in colorizer/inference/.

import { adjustColor, adjustTone, type Adjustments } from "./adjust";
import { composeRow } from "./compose";
import { lightnessRow, resizedLightness } from "./lightness";
import type { Pixels, Plane } from "./planes";
import { type Ab, ChromaUpsampler } from "./upsampling";

const LONGEST_SIDE = 4; // of the network's picture, in working sizes, for extreme strips

/** Predicts the colors of a picture from its L*. */
export type Network = (lightness: Plane) => Promise<Ab>;

/** What the network predicted for a photo. */
export interface Prediction {
  lightness: Plane;
  ab: Ab;
}

/** Run the network on a photo whose short side is shrunk or enlarged to the working size. */
export async function predict(
  photo: Pixels, network: Network, workingSize: number,
): Promise<Prediction> {
  const [width, height] = networkSize(photo.width, photo.height, workingSize);
  const lightness = resizedLightness(photo, width, height);
  return { lightness, ab: await network(lightness) };
}

/** Width and height at which the network sees a photo. */
export function networkSize(width: number, height: number, short: number): [number, number] {
  const scale = Math.min(
    short / Math.min(width, height), (LONGEST_SIDE * short) / Math.max(width, height));
  return [Math.max(1, roundHalfEven(width * scale)), Math.max(1, roundHalfEven(height * scale))];
}

/** A photo in color, at its own size and with its lightness and transparency. */
export function render(photo: Pixels, prediction: Prediction, settings: Adjustments): Pixels {
  const { width, height } = photo;
  const data = new Uint8ClampedArray(photo.data);
  const ab = adjustColor(prediction.ab, settings);
  const upsampler = new ChromaUpsampler(prediction.lightness, ab, width, height);
  const [lightness, a, b] = [0, 1, 2].map(() => new Float32Array(width));
  for (let y = 0; y < height; y++) {
    lightnessRow(photo, y, lightness);
    upsampler.row(y, lightness, a, b);
    adjustTone(lightness, settings);
    composeRow(lightness, a, b, data, 4 * y * width);
  }
  return { data, width, height };
}

/** Round as Python does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 && floor % 2 === 0 ? floor : Math.round(value);
}
