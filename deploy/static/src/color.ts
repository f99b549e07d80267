// Color spaces, as in colorizer/imaging/color.py: sRGB, linear light, CIELAB (D65, 2 degrees).

export const RGB_TO_XYZ = [ // IEC 61966-2-1
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.0721750],
  [0.0193339, 0.1191920, 0.9503041],
];
export const WHITE = RGB_TO_XYZ.map(([r, g, b]) => r + g + b); // so that gray has a* = b* = 0
export const DELTA = 6 / 29; // CIE 15:2004, the junction of the cube root and the line
export const XYZ_TO_RGB = inverse(RGB_TO_XYZ);

/** Decode an sRGB value, 0 to 1, to linear light. */
export function srgbToLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** Encode linear light, 0 to 1, as sRGB. */
export function linearToSrgb(linear: number): number {
  return linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** Relative luminance, 0 to 1, to L*, 0 to 100. */
export function luminanceToLightness(luminance: number): number {
  const root = luminance > DELTA ** 3
    ? Math.cbrt(luminance) : luminance / (3 * DELTA ** 2) + 4 / 29;
  return 116 * root - 16;
}

/** The inverse of a 3 x 3 matrix. */
function inverse(m: number[][]): number[][] {
  const cofactor = (row: number, column: number) => {
    const [r, s] = [(row + 1) % 3, (row + 2) % 3], [c, d] = [(column + 1) % 3, (column + 2) % 3];
    return m[r][c] * m[s][d] - m[r][d] * m[s][c];
  };
  const determinant = m[0].reduce((sum, value, column) => sum + value * cofactor(0, column), 0);
  return m.map((_, row) => m.map((_, column) => cofactor(column, row) / determinant));
}
