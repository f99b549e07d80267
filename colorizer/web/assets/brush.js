// Strokes over the pictures: they mend or protect what they cover.
const EFFECTS = ["protect", "mend"];  // by their buttons
const MAX_STROKE_POINTS = 500;  // from which a stroke gets coarser
const SVG = "http://www.w3.org/2000/svg";

class Brush {
  constructor(stage, figures, panes) {
    this.stage = stage;
    this.panes = panes;
    this.effect = null;  // of the brush in the hand
    this.size = 3;  // its width in percent of the photo's short side
    this.strokes = [];  // {effect, points, radius} in pixels of the full photo
    this.unsaved = [];  // the same, not yet with the server
    this.line = null;  // the same, being painted
    this.layers = figures.map(figure => {
      const layer = document.createElementNS(SVG, "svg");
      layer.classList.add("strokes");
      layer.ariaHidden = "true";
      figure.append(layer);
      return layer;
    });
    this.ring = panes.appendChild(create('<i class="brush" hidden></i>'));
    for (const name of ["pointermove", "pointerleave"])
      panes.addEventListener(name, event => this.hover(event));
    addEventListener("keydown", event => { if (event.key === "Escape") this.take(null); });
  }

  // Take a brush, or put it down if it is in the hand already.
  take(effect) {
    this.effect = effect === this.effect ? null : effect;
    this.line = null;
    this.ring.hidden = true;
    this.press();
    this.stage.draw();
  }

  // The buttons show which brush is in the hand; Gradio may have drawn them anew.
  press() {
    for (const effect of EFFECTS) {
      const button = document.querySelector(`#${effect}`);
      if (button) button.ariaPressed = String(effect === this.effect);
    }
  }

  show(strokes) {
    const arrived = strokes.length - this.strokes.length;
    this.unsaved = arrived > 0 ? this.unsaved.slice(arrived) : [];
    this.strokes = strokes;
  }

  get radius() { return this.size / 200 * Math.min(...this.stage.real); }

  // Draw the strokes while a brush is in the hand, over pictures of these sides at this corner.
  draw({sides, corner}) {
    const shown = this.effect ? [...this.strokes, ...this.unsaved, this.line].filter(Boolean) : [];
    const lines = shown.map(({effect, points, radius}) => `<polyline class="${effect}"
      stroke-width="${2 * radius}" points="${[...points, points.at(-1)].join(" ")}"/>`).join("");
    for (const layer of this.layers) {
      layer.setAttribute("viewBox", `0 0 ${this.stage.real.join(" ")}`);
      layer.innerHTML = lines;
      Object.assign(layer.style, {width: `${sides[0]}px`, height: `${sides[1]}px`,
        transform: `translate(${corner[0]}px, ${corner[1]}px)`});
    }
  }

  start(event) {
    const point = this.point(event);
    if (point.some((value, axis) => value < 0 || value > this.stage.real[axis])) return;
    this.line = {effect: this.effect, points: [point], radius: this.radius};
    this.stage.draw();
  }

  follow(event) {
    if (!this.line) return;
    const point = this.point(event).map((value, axis) =>
      Math.min(this.stage.real[axis], Math.max(0, value)));
    const {points, radius} = this.line, last = points.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < radius / 4) return;
    points.push(point);
    if (points.length > MAX_STROKE_POINTS) this.line.points = points.filter((_, at) => at % 2 === 0);
    this.stage.draw();
  }

  finish() {
    if (!this.line) return;
    const {effect, points, radius} = this.line, {real} = this.stage;
    this.unsaved.push(this.line);
    this.line = null;
    this.stage.send("submit", {effect, radius: radius / Math.min(...real),
      points: points.map(point => point.map((value, axis) => value / real[axis]))});
  }

  cancel() {
    this.line = null;
    this.stage.draw();
  }

  // Where the pointer is, in pixels of the full photo; it stays with the picture where it began.
  point(event) {
    const {sides, corner} = this.stage.place();
    const box = this.panes.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    if (!this.line) this.origin = this.stage.inPane(event).map((value, axis) => at[axis] - value);
    return at.map((value, axis) =>
      (value - this.origin[axis] - corner[axis]) / sides[axis] * this.stage.real[axis]);
  }

  hover(event) {
    const touches = event.pointerType === "touch" || event.type === "pointerleave";
    this.ring.hidden = !this.effect || touches;
    if (this.ring.hidden) return;
    const box = this.panes.getBoundingClientRect();
    const radius = this.radius * this.stage.place().sides[0] / this.stage.real[0];
    Object.assign(this.ring.style, {width: `${2 * radius}px`, height: `${2 * radius}px`,
      left: `${event.clientX - box.left - radius}px`, top: `${event.clientY - box.top - radius}px`});
  }
}
