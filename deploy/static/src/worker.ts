// All work on pixels, apart from the page, so that the page stays responsive.

import type { Adjustments } from "./adjust";
import { NEUTRAL } from "./adjust";
import { predict, type Prediction, render } from "./colorize";
import { decode, encode, type Format, shrunk } from "./files";
import { embed, findExif, sourceXmp, takeOrientation, updateExif } from "./metadata";
import { type Engine, loadEngine } from "./network";
import type { Pixels } from "./planes";

const PREVIEW_PIXELS = 1_000_000;

/** What the network runs on. */
export type Running = Pick<Engine, "device" | "threads"> & { precision: string };

/** The preview of an opened photo in gray and as the network colors it. */
export interface Opened {
  gray: ImageData;
  colorized: ImageData;
}

/** A photo's file, and whether its metadata had to be left out. */
export interface Saved {
  file: Blob;
  incomplete: boolean;
}

let engine: Promise<Engine> | undefined;
let photo: Pixels, preview: Pixels, prediction: Prediction;
let exif: Uint8Array | null;

const actions = {
  async load(): Promise<Running> {
    engine ??= loadEngine((share) => self.postMessage({ progress: share }));
    try {
      const { device, threads, model } = await engine;
      return { device, threads, precision: model.precision };
    } catch (error) {
      engine = undefined; // the next try starts anew
      throw error;
    }
  },

  async open(file: Blob): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const found = findExif(bytes);
    const orientation = takeOrientation(found); // before the browser sees it
    photo = await decode(new Blob([bytes], { type: file.type }), orientation);
    exif = found;
    preview = await shrunk(photo, PREVIEW_PIXELS);
  },

  async colorize(): Promise<Opened> {
    const { network, model } = await engine!;
    prediction = await predict(photo, network, model.workingSize);
    const gray = render(preview, prediction, { ...NEUTRAL, strength: 0 });
    return { gray: image(gray), colorized: image(render(preview, prediction, NEUTRAL)) };
  },

  async adjust(settings: Adjustments): Promise<ImageData> {
    return image(render(preview, prediction, settings));
  },

  async save(settings: Adjustments, format: Format, keepLocation: boolean): Promise<Saved> {
    const { width, height } = photo;
    const encoded = await encode(render(photo, prediction, settings), format);
    const file = new Uint8Array(await encoded.arrayBuffer());
    const { model } = await engine!;
    const xmp = sourceXmp(model.software, model.checkpoint);
    try {
      const kept = exif && updateExif(exif, width, height, keepLocation);
      return { file: embed(file, { exif: kept, xmp }), incomplete: false };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { file: embed(file, { exif: null, xmp }), incomplete: true };
    }
  },
};

export type Actions = typeof actions;

function image({ data, width, height }: Pixels): ImageData {
  return new ImageData(data, width, height);
}

self.onmessage = async ({ data: { id, name, parts } }: MessageEvent) => {
  try {
    const action = actions[name as keyof Actions] as (...parts: unknown[]) => Promise<unknown>;
    self.postMessage({ id, result: await action(...parts) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
