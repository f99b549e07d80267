// Planes of numbers and their resizing, as in colorizer/imaging/resampling.py.

/** Rows of float32 values. */
export interface Plane {
  data: Float32Array;
  width: number;
  height: number;
}

/** Rows of RGBA levels in sRGB. */
export interface Pixels {
  data: Uint8ClampedArray<ArrayBuffer>;
  width: number;
  height: number;
}

export function makePlane(width: number, height: number): Plane {
  return { data: new Float32Array(width * height), width, height };
}

/** Resize by area where the result has fewer pixels, linearly where it has more. */
export function resize(plane: Plane, width: number, height: number): Plane {
  const shrinks = width * height < plane.width * plane.height;
  const narrow = resizeRows(plane.height, plane.width, width, shrinks, (y) =>
    plane.data.subarray(y * plane.width, (y + 1) * plane.width));
  return resizeColumns(narrow, height, shrinks);
}

/** Resize rows that are computed one at a time. */
export function resizeRows(
  rows: number, length: number, width: number, shrinks: boolean, row: (y: number) => Float32Array,
): Plane {
  const result = makePlane(width, rows);
  const taps = makeTaps(length, width, shrinks);
  for (let y = 0; y < rows; y++) {
    const line = row(y);
    for (let x = 0; x < width; x++) {
      const { first, weights } = taps[x];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i] * line[first + i];
      result.data[y * width + x] = sum;
    }
  }
  return result;
}

/** Resize the columns of a plane. */
export function resizeColumns(plane: Plane, height: number, shrinks: boolean): Plane {
  const { width } = plane;
  const result = makePlane(width, height);
  makeTaps(plane.height, height, shrinks).forEach(({ first, weights }, y) => {
    weights.forEach((weight, i) => {
      for (let x = 0; x < width; x++) {
        result.data[y * width + x] += weight * plane.data[(first + i) * width + x];
      }
    });
  });
  return result;
}

interface Taps {
  first: number; // index of the first source
  weights: number[]; // of it and the following
}

/** What each of `count` targets takes from a side of `length` sources. */
function makeTaps(length: number, count: number, shrinks: boolean): Taps[] {
  const byArea = shrinks && count <= length;
  return Array.from({ length: count }, (_, target) =>
    byArea ? areaTaps(length, count, target) : linearTaps(length, count, target));
}

function areaTaps(length: number, count: number, target: number): Taps {
  const start = (target * length) / count, stop = ((target + 1) * length) / count;
  const first = Math.floor(start), last = Math.min(Math.ceil(stop), length);
  const weights = [];
  for (let i = first; i < last; i++) {
    const share = (Math.min(stop, i + 1) - Math.max(start, i)) / (stop - start);
    weights.push(share);
  }
  return { first, weights };
}

/** Linear between the centers of the sources; constant beyond the first and the last one. */
export function linearTaps(length: number, count: number, target: number): Taps {
  const center = ((target + 0.5) * length) / count - 0.5;
  const clipped = Math.min(Math.max(center, 0), length - 1);
  const first = Math.min(Math.floor(clipped), Math.max(length - 2, 0));
  return length === 1
    ? { first: 0, weights: [1] }
    : { first, weights: [1 - (clipped - first), clipped - first] };
}
