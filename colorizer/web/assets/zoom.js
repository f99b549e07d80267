// What part of the picture is seen: `zoom` 1 fits the picture into its pane; `at` is the point of
// the picture, in shares of its width and height, that lies in the middle of the pane.
const onPixel = place => Math.round(place * devicePixelRatio) / devicePixelRatio;

class Zoom {
  constructor() { this.reset(); }

  reset() { this.zoom = 1; this.at = [0.5, 0.5]; }

  // The picture in a pane: sides and left upper corner, in CSS pixels.
  place(pane, natural) {
    const fit = Math.min(pane[0] / natural[0], pane[1] / natural[1]);
    const sides = natural.map(side => side * fit * this.zoom);
    const corner = sides.map((side, axis) => {
      if (side <= pane[axis]) return onPixel((pane[axis] - side) / 2);
      const start = onPixel(pane[axis] / 2 - this.at[axis] * side);
      return Math.min(0, Math.max(pane[axis] - side, start));
    });
    this.at = sides.map((side, axis) => side <= pane[axis]
      ? 0.5 : (pane[axis] / 2 - corner[axis]) / side);
    return {sides, corner};
  }

  // Zoom so that the point of the picture under `point` of the pane stays there.
  about(point, zoom, pane, natural, most) {
    const {sides, corner} = this.place(pane, natural);
    const share = sides.map((side, axis) => (point[axis] - corner[axis]) / side);
    const factor = Math.min(most, Math.max(1, zoom)) / this.zoom;
    this.zoom *= factor;
    this.at = share.map((value, axis) =>
      value + (pane[axis] / 2 - point[axis]) / (sides[axis] * factor));
  }

  pan(step, pane, natural) {
    const {sides} = this.place(pane, natural);
    this.at = this.at.map((value, axis) => value - step[axis] / sides[axis]);
  }
}
