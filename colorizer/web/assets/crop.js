// The frame over the whole photo that says what a crop leaves, and how far the photo is turned.
const HANDLES = ["n", "e", "s", "w", "nw", "ne", "se", "sw"];  // in a small frame, corners are on top
const AROUND = 24;  // pixels around the picture, for half a handle
const SMALLEST = 0.02;  // of the frame's sides, in shares of the photo's
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const MIDDLE = [0.5, 0.5, 0.5, 0.5];

class CropFrame {
  // The frame lies over the figure `whole` of the stage.
  constructor(stage, figure) {
    this.stage = stage;
    this.image = figure.querySelector("img");
    this.edges = this.wanted = [0, 0, 1, 1];  // left, top, right and bottom, in shares of the photo
    this.degrees = 0;
    const handles = HANDLES.map(name => `<button type="button" data-sides="${name}"
      aria-label="${say(`handle_${name}`)}"></button>`).join("");
    this.element = figure.appendChild(create(`<div class="crop-frame" data-sides="nesw" role="group"
      tabindex="0" aria-label="${say("frame")}">${handles}</div>`));
    this.element.addEventListener("pointerdown", event => this.press(event));
    this.element.addEventListener("pointermove", event => this.drag(event));
    for (const name of ["pointerup", "pointercancel"])
      this.element.addEventListener(name, () => { this.last = null; });
    this.element.addEventListener("keydown", event => this.key(event));
  }

  // What an edit says; what the visitor has in hand stays while that is the same.
  show({margins, degrees = 0, turns, corners}) {
    const key = JSON.stringify([margins, degrees, turns, corners]);
    if (key === this.shown) return;
    this.shown = key;
    const [left, right, top, bottom] = margins.map(margin => margin / 100);
    this.edges = this.wanted = [left, top, 1 - right, 1 - bottom];
    this.degrees = degrees;
  }

  // In percent, as the server crops.
  get margins() {
    const [left, top, right, bottom] = this.edges;
    return [left, 1 - right, top, 1 - bottom].map(share => 100 * Math.max(0, share));
  }

  turn(degrees) {
    this.degrees = degrees;
    this.edges = this.limited(MIDDLE, this.wanted);
    this.stage.draw();
  }

  // Whether a frame shows nothing but the turned photo.
  fits([left, top, right, bottom]) {
    const {naturalWidth: width, naturalHeight: height} = this.image;
    const angle = this.degrees * Math.PI / 180;
    const cosine = Math.cos(angle), sine = Math.sin(angle);
    return [left, right].every(across => [top, bottom].every(down => {
      const x = (across - 0.5) * width, y = (down - 0.5) * height;
      return Math.abs(cosine * x + sine * y) <= width / 2 + 1e-6
        && Math.abs(cosine * y - sine * x) <= height / 2 + 1e-6;
    }));
  }

  // The last frame that fits on the way from one that does to another.
  limited(from, to) {
    const between = share => from.map((edge, index) => edge + share * (to[index] - edge));
    if (this.fits(to)) return to;
    let low = 0, high = 1;
    for (let step = 0; step < 24; step++) {
      const middle = (low + high) / 2;
      if (this.fits(between(middle))) low = middle; else high = middle;
    }
    return between(low);
  }

  // Move the sides "n", "e", "s" and "w" by shares of the photo's width and height.
  move(sides, [across, down]) {
    const [left, top, right, bottom] = this.edges, to = [...this.edges];
    if (sides === "nesw") {
      across = Math.min(1 - right, Math.max(-left, across));
      down = Math.min(1 - bottom, Math.max(-top, down));
    }
    if (sides.includes("w")) to[0] = Math.max(0, left + across);
    if (sides.includes("n")) to[1] = Math.max(0, top + down);
    if (sides.includes("e")) to[2] = Math.min(1, right + across);
    if (sides.includes("s")) to[3] = Math.min(1, bottom + down);
    if (sides !== "nesw") {
      if (sides.includes("w")) to[0] = Math.min(to[0], right - SMALLEST);
      if (sides.includes("n")) to[1] = Math.min(to[1], bottom - SMALLEST);
      if (sides.includes("e")) to[2] = Math.max(to[2], left + SMALLEST);
      if (sides.includes("s")) to[3] = Math.max(to[3], top + SMALLEST);
    }
    this.edges = this.wanted = this.limited(this.edges, to);
    this.stage.draw();
  }

  press(event) {
    if (event.button > 0) return;
    event.stopPropagation();  // it moves the frame, not the picture
    this.sides = event.target.dataset.sides;
    this.last = [event.clientX, event.clientY];
    this.element.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (!this.last) return;
    event.stopPropagation();
    const now = [event.clientX, event.clientY], {sides} = this.stage.place();
    this.move(this.sides, now.map((value, axis) => (value - this.last[axis]) / sides[axis]));
    this.last = now;
  }

  key(event) {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const far = event.shiftKey ? 0.05 : 0.005;
    this.move(event.target.dataset.sides, step.map(value => far * value));
  }

  // Draw the frame, and turn the picture below, whose place is given.
  draw({sides, corner}) {
    const [left, top, right, bottom] = this.edges;
    Object.assign(this.element.style, {
      left: `${corner[0] + left * sides[0]}px`, top: `${corner[1] + top * sides[1]}px`,
      width: `${(right - left) * sides[0]}px`, height: `${(bottom - top) * sides[1]}px`,
    });
    this.image.style.transformOrigin = `${sides[0] / 2}px ${sides[1] / 2}px`;
    this.image.style.transform += ` rotate(${this.degrees}deg)`;
  }
}
