// From a file to pixels and back, by the browser's own decoders and encoders.

import type { Pixels } from "./planes";

export const FORMATS = { JPEG: "image/jpeg", PNG: "image/png" } as const;
export type Format = keyof typeof FORMATS;
export const MAX_MEGAPIXELS = 100;
const QUALITY = 0.95; // of JPEG
type Turn = [a: number, b: number, c: number, d: number]; // a canvas's transformation
const TURNS: Turn[] = [ // of EXIF's orientations 1 to 8; CIPA DC-008, sec. 4.6.4
  [1, 0, 0, 1], [-1, 0, 0, 1], [-1, 0, 0, -1], [1, 0, 0, -1],
  [0, 1, 1, 0], [0, 1, -1, 0], [0, -1, -1, 0], [0, -1, 1, 0],
];

/**
 * Decode a photo: turned by EXIF's `orientation`, 1 to 8, in sRGB, 8 bits per channel. Throws if it
 * can't be read.
 */
export async function decode(file: Blob, orientation: number): Promise<Pixels> {
  const bitmap = await createImageBitmap(file);
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_MEGAPIXELS * 1e6) throw new Error("too many pixels");
    return orientation < 5 ? read(bitmap, width, height, orientation)
      : read(bitmap, height, width, orientation);
  } finally {
    bitmap.close();
  }
}

/** A copy of at most so many pixels; the photo itself if it has no more. */
export async function shrunk(photo: Pixels, maxPixels: number): Promise<Pixels> {
  const scale = Math.sqrt(maxPixels / (photo.width * photo.height));
  if (scale >= 1) return photo;
  const width = Math.max(1, Math.round(photo.width * scale));
  const height = Math.max(1, Math.round(photo.height * scale));
  const image = new ImageData(photo.data, photo.width, photo.height);
  const bitmap = await createImageBitmap(
    image, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  try {
    return read(bitmap, width, height);
  } finally {
    bitmap.close();
  }
}

/** Encode a photo. JPEG has no transparency: what is transparent lies on white. */
export function encode(photo: Pixels, format: Format): Promise<Blob> {
  const data = format === "JPEG" ? onWhite(photo.data) : photo.data;
  const canvas = new OffscreenCanvas(photo.width, photo.height);
  canvas.getContext("2d")!.putImageData(new ImageData(data, photo.width, photo.height), 0, 0);
  return canvas.convertToBlob({ type: FORMATS[format], quality: QUALITY });
}

/** The pixels of a bitmap, turned; width and height are those of the result. */
function read(bitmap: ImageBitmap, width: number, height: number, orientation = 1): Pixels {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.setTransform(...TURNS[orientation - 1], ...corner(TURNS[orientation - 1], width, height));
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { data: data as Pixels["data"], width, height };
}

/** Where a turned picture starts, so that all of it is visible. */
function corner([a, b, c, d]: Turn, width: number, height: number): [number, number] {
  return [a + c < 0 ? width : 0, b + d < 0 ? height : 0];
}

function onWhite(data: Pixels["data"]): Pixels["data"] {
  for (let at = 3; at < data.length; at += 4) {
    const alpha = data[at] / 255;
    if (alpha === 1) continue;
    for (let i = at - 3; i < at; i++) data[i] = 255 + alpha * (data[i] - 255);
    data[at] = 255;
  }
  return data;
}
