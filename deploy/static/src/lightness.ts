// The lightness of a photo, as in colorizer/photo/photo.py.

import { luminanceToLightness, RGB_TO_XYZ, srgbToLinear } from "./color";
import { type Pixels, type Plane, resize, resizeColumns, resizeRows } from "./planes";

const TABLE_STEPS = 65535; // of luminance
const HALVED_FROM = 4; // times smaller: half the photo's resolution is enough
const OVERVIEW = 640; // pixels of the short side of the copy that large photos are shrunk by way of
const LARGE = 4 * OVERVIEW; // pixels of the short side of large photos
const SMALLER = 1.5; // times; copies that are smaller by it are made from the overview
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => srgbToLinear(level / 255));
const LIGHTNESS = Float32Array.from({ length: TABLE_STEPS + 1 }, (_, step) =>
  luminanceToLightness(step / TABLE_STEPS));

/** L*, 0 to 100, of a color in sRGB levels. */
export function lightnessOf(red: number, green: number, blue: number): number {
  const [r, g, b] = RGB_TO_XYZ[1];
  const luminance = r * LINEAR[red] + g * LINEAR[green] + b * LINEAR[blue];
  return LIGHTNESS[Math.min(Math.round(luminance * TABLE_STEPS), TABLE_STEPS)];
}

/** Write L* of a row of a photo. */
export function lightnessRow({ data, width }: Pixels, y: number, row: Float32Array): void {
  for (let x = 0, at = 4 * y * width; x < width; x++, at += 4) {
    row[x] = lightnessOf(data[at], data[at + 1], data[at + 2]);
  }
}

/** L* of a copy of a photo; what is transparent lies on white. */
export function resizedLightness(photo: Pixels, width: number, height: number): Plane {
  const short = Math.min(photo.width, photo.height);
  if (short >= LARGE && SMALLER * Math.min(width, height) <= OVERVIEW) {
    const scale = OVERVIEW / short;
    const overview = shrinkLightness(
      photo, Math.round(photo.width * scale), Math.round(photo.height * scale));
    return resize(overview, width, height);
  }
  return shrinkLightness(photo, width, height);
}

function shrinkLightness(photo: Pixels, width: number, height: number): Plane {
  const shrinks = width * height < photo.width * photo.height;
  const halved = Math.min(photo.width / width, photo.height / height) >= HALVED_FROM;
  const step = halved ? 2 : 1;
  const [columns, rows] = [Math.floor(photo.width / step), Math.floor(photo.height / step)];
  const row = new Float32Array(columns);
  const read = halved ? halvedRow : rowOnWhite;
  const narrow = resizeRows(rows, columns, width, shrinks, (y) => {
    read(photo, y, row);
    return row;
  });
  return resizeColumns(narrow, height, shrinks);
}

function rowOnWhite(photo: Pixels, y: number, row: Float32Array): void {
  lightnessRow(photo, y, row);
  for (let x = 0, at = 4 * y * photo.width + 3; x < photo.width; x++, at += 4) {
    const alpha = photo.data[at];
    if (alpha < 255) row[x] = 100 + (alpha / 255) * (row[x] - 100);
  }
}

/** L* of the means of 2 x 2 pixels. */
function halvedRow({ data, width }: Pixels, y: number, row: Float32Array): void {
  const upper = 8 * y * width, below = 4 * width;
  for (let x = 0, at = upper; x < row.length; x++, at += 8) {
    const mean = (channel: number) => {
      const i = at + channel;
      return (data[i] + data[i + 4] + data[i + below] + data[i + below + 4] + 2) >> 2;
    };
    const lightness = lightnessOf(mean(0), mean(1), mean(2));
    row[x] = 100 + (mean(3) / 255) * (lightness - 100);
  }
}
