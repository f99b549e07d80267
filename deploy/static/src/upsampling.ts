// Upsample the network's chroma by the photo's lightness, as in colorizer/imaging/upsampling.py.

import { linearTaps, makePlane, type Plane } from "./planes";

const EPSILON = 60; // L* units squared; lightness changes below its root barely move the color

/** Colors at the size that the network sees. */
export interface Ab {
  a: Plane;
  b: Plane;
}

/** Upsamples ab, one row of the photo at a time. */
export class ChromaUpsampler {
  private readonly planes: Plane[]; // slope of a, slope of b, offset of a, offset of b
  private readonly lines: Float32Array[];
  private readonly firsts: Int32Array;
  private readonly shares: Float32Array;

  constructor(lightness: Plane, { a, b }: Ab, width: number, private readonly height: number) {
    const slopes = [a, b].map((values) => slopeOf(lightness, values));
    const offsets = [a, b].map((values, i) => {
      const offset = makePlane(values.width, values.height);
      offset.data.forEach((_, at) => {
        offset.data[at] = values.data[at] - slopes[i].data[at] * lightness.data[at];
      });
      return offset;
    });
    this.planes = [...slopes, ...offsets];
    this.lines = this.planes.map((plane) => new Float32Array(plane.width + 1));
    const taps = Array.from({ length: width }, (_, x) => linearTaps(lightness.width, width, x));
    this.firsts = Int32Array.from(taps, (tap) => tap.first);
    this.shares = Float32Array.from(taps, (tap) => tap.weights[1] ?? 0);
  }

  /** Write a* and b* of a row, given its L*. */
  row(y: number, lightness: Float32Array, a: Float32Array, b: Float32Array): void {
    this.planes.forEach((plane, i) => enlargeRow(plane, y, this.height, this.lines[i]));
    const [slopeA, slopeB, offsetA, offsetB] = this.lines;
    for (let x = 0; x < lightness.length; x++) {
      const i = this.firsts[x], share = this.shares[x], rest = 1 - share;
      a[x] = (slopeA[i] * rest + slopeA[i + 1] * share) * lightness[x]
        + offsetA[i] * rest + offsetA[i + 1] * share;
      b[x] = (slopeB[i] * rest + slopeB[i + 1] * share) * lightness[x]
        + offsetB[i] * rest + offsetB[i + 1] * share;
    }
  }
}

/** A row of a plane that is enlarged to a height, at the plane's own width. */
function enlargeRow({ data, width, height }: Plane, y: number, rows: number, line: Float32Array) {
  const { first, weights } = linearTaps(height, rows, y);
  const above = first * width, below = weights.length > 1 ? above + width : above;
  const share = weights[1] ?? 0;
  for (let x = 0; x < width; x++) {
    line[x] = data[above + x] * (1 - share) + data[below + x] * share;
  }
  line[width] = line[width - 1];
}

/** Slope of the guided filter (He et al. 2013, eq. 5), averaged over windows of 3 x 3. */
function slopeOf(guide: Plane, values: Plane): Plane {
  const product = (one: Plane, other: Plane): Plane =>
    ({ ...one, data: one.data.map((value, at) => value * other.data[at]) });
  const guideMean = boxMean(guide), valueMean = boxMean(values);
  const squares = boxMean(product(guide, guide)), products = boxMean(product(guide, values));
  const slope = makePlane(guide.width, guide.height);
  slope.data.forEach((_, at) => {
    const mean = guideMean.data[at];
    const covariance = products.data[at] - mean * valueMean.data[at];
    slope.data[at] = covariance / (squares.data[at] - mean * mean + EPSILON);
  });
  return boxMean(slope);
}

/** Mean over windows of 3 x 3; at the border, the outermost values count twice. */
function boxMean({ data, width, height }: Plane): Plane {
  const across = makePlane(width, height), mean = makePlane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      const left = x > 0 ? at - 1 : at, right = x < width - 1 ? at + 1 : at;
      across.data[at] = (data[left] + data[at] + data[right]) / 3;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * width; x < width; x++, at++) {
      const above = y > 0 ? at - width : at, below = y < height - 1 ? at + width : at;
      mean.data[at] = (across.data[above] + across.data[at] + across.data[below]) / 3;
    }
  }
  return mean;
}
