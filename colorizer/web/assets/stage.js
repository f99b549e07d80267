// The one place for pictures. Side by side, or one large picture with a divider between any two.
const NAMES = ["original", "gray", "colorized", "processed", "marked", "map", "whole"];
const THREE = ["gray", "colorized", "processed"];
const ENDS = ["original", ...THREE];  // what can be compared
const PICKED = {fix: "marked", source: "map", frame: "whole"};  // what is seen while a tool is open
const FULL = `<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor"
  stroke-width="2" aria-hidden="true"><path d="M1 5V1h4M11 1h4v4M15 11v4h-4M5 15H1v-4"/></svg>`;
const GAP = 6;  // pixels between pictures
const PART_PIXELS = 2e6;  // of a part of the full photo, at most; as in `actions/parts.py`
const PART_WAIT = 150;  // milliseconds without a move, after which it is asked for
const narrow = matchMedia("(max-width: 900px)");
const coarse = matchMedia("(pointer: coarse)");

class Stage {
  constructor(element, tools) {
    this.send = element.send;
    this.zoom = new Zoom();
    this.urls = {};
    this.real = [1, 1];  // sides of the full photo
    this.hints = [];  // {x, y, reach} in pixels of the full photo; reach in its short sides
    this.chosen = this.hovered = null;  // index of a hint
    this.view = localStorage.getItem("colorizer.view") ?? (narrow.matches ? "one" : "side");
    this.ends = ["gray", "processed"];
    this.divider = narrow.matches ? 0 : 0.5;
    this.tool = "";
    this.holding = false;
    this.build(element, tools);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.panes);
  }

  build(element, tools) {
    const choices = chosen => ENDS.map(name =>
      `<option value="${name}" ${name === chosen ? "selected" : ""}>${say(name)}</option>`).join("");
    const button = (name, sign = "") => `<button type="button" data-do="${name}"
      aria-label="${say(name)}" title="${say(name)}">${sign || say(name)}</button>`;
    element.replaceChildren(create(`<div class="stage">
      <div class="stage-tools" role="toolbar" aria-label="${say("toolbar")}">
        <span class="history"></span>
        ${button("side")}${button("one")}
        <span class="zooming">${button("out", "−")}<output aria-label="${say("zoom")}"></output
        >${button("in", "+")}${button("fit")}${button("real", "1:1")}</span>
        ${button("hold")}${button("full", FULL)}
      </div>
      <div class="panes" role="group" tabindex="0" aria-label="${say("panes")}">
        ${NAMES.map(name => `<figure id="${name}"><div><img alt="" draggable="false"></div>
          ${THREE.includes(name) ? '<i class="part" hidden></i>' : ""}
          <figcaption>${say(name)}</figcaption></figure>`).join("")}
        <div class="divider" role="slider" tabindex="0" aria-label="${say("divider")}"
          aria-valuemin="0" aria-valuemax="100"><i></i></div>
        <select class="end left" aria-label="${say("left_end")}">${choices(this.ends[0])}</select>
        <select class="end right" aria-label="${say("right_end")}">${choices(this.ends[1])}</select>
      </div></div>`));
    this.root = element.firstElementChild;
    this.root.querySelector(".history").append(...tools);
    this.panes = this.root.querySelector(".panes");
    this.figures = Object.fromEntries(NAMES.map(name => [name, this.root.querySelector("#" + name)]));
    this.handle = this.root.querySelector(".divider");
    this.circle = create('<i class="reach" hidden></i>');
    this.figures.marked.append(this.circle);
    this.brush = new Brush(this, ENDS.map(name => this.figures[name]), this.panes);
    this.frame = new CropFrame(this, this.figures.whole);
    this.selects = [...this.root.querySelectorAll("select")];
    for (const figure of Object.values(this.figures))
      figure.querySelector("img").addEventListener("load", () => this.draw());
  }

  listen() {
    this.root.addEventListener("click", event => {
      const name = event.target.closest("[data-do]")?.dataset.do;
      if (name) this.act(name);
    });
    this.selects.forEach((select, index) => select.addEventListener("change", () => {
      this.ends[index] = select.value;
      this.draw();
    }));
    const hold = this.root.querySelector("[data-do=hold]");
    hold.addEventListener("pointerdown", () => this.hold(true));
    for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"])
      hold.addEventListener(name, () => this.hold(false));
    this.panes.addEventListener("wheel", event => {
      event.preventDefault();
      this.zoomTo(this.zoom.zoom * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)),
        this.inPane(event));
    }, {passive: false});
    this.panes.addEventListener("keydown", event => this.key(event));
    this.handle.addEventListener("keydown", event => this.dividerKey(event));
    this.pointers = new Map();
    this.panes.addEventListener("pointerdown", event => this.press(event));
    this.panes.addEventListener("pointermove", event => this.move(event));
    for (const name of ["pointerup", "pointercancel"])
      this.panes.addEventListener(name, event => this.release(event));
    this.panes.addEventListener("click", event => this.pick(event));
    for (const name of ["pointermove", "pointerleave"])
      this.panes.addEventListener(name, event => this.hover(event));
  }

  show(urls, facts) {
    const fresh = facts.name !== this.name || String(facts.size) !== String(this.real);
    this.urls = urls;
    this.name = facts.name;
    this.real = facts.size;
    this.hints = facts.hints.map(hint => ({...hint}));
    this.chosen = facts.chosen;
    this.brush.show(facts.strokes);
    this.frame.show(facts.work.framing);
    this.hovered = null;
    const adjusted = urls.processed === urls.colorized ? "unadjusted" : "processed";
    this.figures.processed.querySelector("figcaption").textContent = say(adjusted);
    if (fresh) this.zoom.reset();
    if (fresh) this.asked = this.parts = null;
    this.draw();
  }

  act(name) {
    if (name === "side" || name === "one") {
      this.view = name;
      localStorage.setItem("colorizer.view", name);
      this.draw();
    }
    if (name === "in" || name === "out") this.zoomTo(this.zoom.zoom * (name === "in" ? 1.5 : 1 / 1.5));
    if (name === "fit") this.zoomTo(1);
    if (name === "real") this.zoomTo(this.zoom.zoom / this.scale());
    if (name === "full") document.fullscreenElement
      ? document.exitFullscreen() : this.root.requestFullscreen?.();
  }

  pickTool(name) {
    this.tool = name;
    if (name !== "compare" && this.brush.effect) this.brush.take(null);
    this.draw();
  }

  // The picture that the tool is for; null if there is none.
  get picking() {
    const name = PICKED[this.tool];
    return this.urls[name] ? name : null;
  }

  hold(on) {
    if (this.holding === on) return;
    this.holding = on;
    this.draw();
  }

  // Which pictures are seen, the one below first.
  visible() {
    if (this.picking) return [this.picking];
    return this.view === "side" ? THREE : [...new Set(this.ends)];
  }

  natural() {
    const {naturalWidth, naturalHeight} = this.figures[this.visible()[0]].querySelector("img");
    return naturalWidth ? [naturalWidth, naturalHeight] : this.real;
  }

  columns(count) {
    const [width, height] = this.room(), natural = this.natural();
    const fit = columns => Math.min(width / columns / natural[0],
      height / Math.ceil(count / columns) / natural[1]);
    return Array.from({length: count}, (_, index) => count - index)
      .reduce((best, columns) => fit(columns) > 1.25 * fit(best) ? columns : best);
  }

  // Pixels of a pane that stay free around the picture.
  get around() { return this.picking === "whole" ? AROUND : 0; }

  room() { return [this.panes.clientWidth, this.panes.clientHeight]; }

  grid() {
    const count = this.picking || this.view === "one" ? 1 : this.visible().length;
    const columns = this.columns(count), rows = Math.ceil(count / columns);
    const [width, height] = this.room().map(side => side - 2 * this.around);
    return {columns, rows, pane: [
      Math.max(1, (width - (columns - 1) * GAP) / columns),
      Math.max(1, (height - (rows - 1) * GAP) / rows)]};
  }

  draw() {
    const shown = this.visible(), {columns, rows, pane} = this.grid(), natural = this.natural();
    const one = shown.length < 3, comparing = one && shown.length === 2;
    const {sides, corner} = this.zoom.place(pane, natural);
    const left = Math.max(0, corner[0]), right = Math.min(pane[0], corner[0] + sides[0]);
    const edge = left + (right - left) * this.divider;
    const scale = sides[0] * devicePixelRatio / this.real[0];
    for (const name of NAMES) {
      const figure = this.figures[name], index = shown.indexOf(name), image = figure.querySelector("img");
      figure.hidden = index < 0;
      const url = this.holding && name !== this.picking ? this.urls.original : this.urls[name];
      const needed = index >= 0 || THREE.includes(name);
      if (needed && url && image.getAttribute("src") !== url) image.src = url;
      if (this.name) image.alt = say(`${name}_alt`, {name: this.name});
      const column = one ? 0 : index % columns, row = one ? 0 : Math.floor(index / columns);
      Object.assign(figure.style, {
        left: `${column * (pane[0] + GAP) + this.around}px`,
        top: `${row * (pane[1] + GAP) + this.around}px`,
        width: `${pane[0]}px`, height: `${pane[1]}px`,
        clipPath: comparing && index === 1 ? `inset(0 0 0 ${edge}px)` : "",
      });
      Object.assign(image.style, {
        width: `${sides[0]}px`, height: `${sides[1]}px`,
        transform: `translate(${corner[0]}px, ${corner[1]}px)`,
        imageRendering: scale >= 2 ? "pixelated" : "",
      });
      const caption = figure.querySelector("figcaption").style;
      caption.left = `${Math.max(0, corner[0]) + 6}px`;
      caption.bottom = `${Math.max(0, pane[1] - corner[1] - sides[1]) + 6}px`;
    }
    this.frame.draw({sides, corner});
    this.handle.hidden = !comparing;
    const inside = Math.min(pane[0] - 20, Math.max(20, edge));  // the knob is 40 pixels wide
    this.handle.style.left = `${edge}px`;
    this.handle.style.top = `${Math.max(0, corner[1])}px`;
    this.handle.style.height = `${Math.min(pane[1], sides[1])}px`;
    this.handle.style.setProperty("--shift", `${inside - edge}px`);
    this.handle.ariaValueNow = Math.round(100 * this.divider);
    this.root.dataset.view = this.picking ? "pick" : this.view;
    this.root.classList.toggle("zoomed", this.zoom.zoom > 1);
    this.root.querySelector("output").textContent = `${Math.round(100 * scale)} %`;
    for (const name of ["side", "one"])
      this.root.querySelector(`[data-do=${name}]`).ariaPressed = this.view === name;
    this.span = [left, right];
    this.root.classList.toggle("painting", Boolean(this.brush.effect));
    this.brush.draw({sides, corner});
    this.drawReach();
    this.drawParts();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.askForPart(), PART_WAIT);
  }

  // The part of the photo that is seen, if it has more pixels than the pictures show.
  seenPart() {
    const {pane} = this.grid(), natural = this.natural();
    const {sides, corner} = this.zoom.place(pane, natural);
    const names = this.visible().filter(name => THREE.includes(name));
    const enlarged = sides[0] * devicePixelRatio > 1.02 * natural[0];
    if (this.picking || !names.length || !enlarged || this.real[0] <= natural[0]) return null;
    const [left, top] = corner.map((start, axis) =>
      Math.max(0, Math.floor(-start / sides[axis] * this.real[axis])));
    const [right, bottom] = corner.map((start, axis) =>
      Math.min(this.real[axis], Math.ceil((pane[axis] - start) / sides[axis] * this.real[axis])));
    if ((right - left) * (bottom - top) > PART_PIXELS) return null;
    return {box: [left, top, right, bottom], names};
  }

  askForPart() {
    const part = this.seenPart();
    if (!part) return;
    const key = JSON.stringify([part, part.names.map(name => this.urls[name])]);
    if (key === this.asked) return;
    this.asked = key;
    this.numbers = (this.numbers ?? 0) + 1;
    this.send("input", {...part, key: String(this.numbers)});
  }

  // The answer; of a picture that has changed meanwhile, it is out of date.
  async showPart(urls, {box, names, key}) {
    if (key !== String(this.numbers)) return;
    const wanted = names.map(name => this.urls[name]);
    await Promise.all(names.map(name =>
      Object.assign(new Image(), {src: urls[name]}).decode().catch(() => {})));
    if (names.some((name, index) => this.urls[name] !== wanted[index])) return;
    this.parts = {...this.parts};
    names.forEach((name, index) => {
      this.parts[name] = {box, of: wanted[index]};
      this.figures[name].querySelector(".part").style.backgroundImage = `url("${urls[name]}")`;
    });
    this.drawParts();
  }

  drawParts() {
    const {sides, corner} = this.place();
    const scale = sides[0] / this.real[0];
    for (const name of THREE) {
      const frame = this.figures[name].querySelector(".part"), part = this.parts?.[name];
      frame.hidden = !part || this.holding || part.of !== this.urls[name];
      if (frame.hidden) continue;
      const [left, top, right, bottom] = part.box;
      Object.assign(frame.style, {
        transform: `translate(${corner[0] + left * scale}px, ${corner[1] + top * scale}px)`,
        width: `${(right - left) * scale}px`, height: `${(bottom - top) * scale}px`,
        imageRendering: scale * devicePixelRatio >= 2 ? "pixelated" : "",
      });
    }
  }

  // How far a spot's color spreads at most, while the pointer is over the spot, its slider is used
  // or, on a touch screen, the spot is chosen.
  drawReach() {
    const shown = this.hovered
      ?? (coarse.matches || document.querySelector("#reach:focus-within") ? this.chosen : null);
    const hint = this.picking === "marked" && this.hints[shown];
    this.circle.hidden = !hint?.reach;
    if (this.circle.hidden) return;
    const {sides, corner} = this.place();
    const scale = sides[0] / this.real[0], radius = hint.reach * Math.min(...this.real) * scale;
    Object.assign(this.circle.style, {
      left: `${corner[0] + (hint.x + 0.5) * scale - radius}px`,
      top: `${corner[1] + (hint.y + 0.5) * scale - radius}px`,
      width: `${2 * radius}px`, height: `${2 * radius}px`,
    });
  }

  showReach(reach) {
    if (this.hints[this.chosen]) this.hints[this.chosen].reach = reach;
    this.drawReach();
  }

  hover(event) {
    if (this.picking !== "marked" || event.pointerType === "touch") return;
    this.hovered = event.type === "pointerleave" ? null : this.hintAt(event);
    this.root.classList.toggle("over-spot", this.hovered !== null);
    this.drawReach();
  }

  // Index of the spot under a finger or the pointer; null if there is none.
  hintAt(event) {
    const {sides, corner} = this.place();
    const at = this.inPane(event), scale = sides[0] / this.real[0];
    const far = this.hints.map(({x, y}) => Math.hypot(
      corner[0] + (x + 0.5) * scale - at[0], corner[1] + (y + 0.5) * scale - at[1]));
    const near = far.indexOf(Math.min(...far));
    return far[near] <= (coarse.matches ? 22 : 12) ? near : null;
  }

  // The picture in its pane: sides and left upper corner.
  place() { return this.zoom.place(this.grid().pane, this.natural()); }

  // Pixels of the screen per pixel of the full photo.
  scale() { return this.place().sides[0] * devicePixelRatio / this.real[0]; }

  zoomTo(zoom, point) {
    const {pane} = this.grid();
    const most = Math.max(8, 4 * this.zoom.zoom / this.scale());
    this.zoom.about(point ?? pane.map(side => side / 2), zoom, pane, this.natural(), most);
    this.draw();
  }

  inPane(event) {
    const box = this.panes.getBoundingClientRect(), {pane, columns} = this.grid();
    const at = [event.clientX - box.left, event.clientY - box.top].map(value => value - this.around);
    return at.map((value, axis) => axis === 0 && columns === 1 ? value : value % (pane[axis] + GAP));
  }

  press(event) {
    if (event.target.closest("select") || event.button > 0) return;
    this.dragged = false;
    this.start = [event.clientX, event.clientY];
    const handle = event.target.closest(".divider"), painting = this.brush.effect && !handle;
    const dividing = !this.handle.hidden
      && (handle || (this.zoom.zoom === 1 && !this.picking && !painting));
    this.pointers.set(event.pointerId, {at: this.start, dividing, painting});
    if (this.pointers.size > 1) this.brush.cancel();
    else if (painting) {
      this.panes.setPointerCapture(event.pointerId);
      this.brush.start(event);
    }
  }

  move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    if (pointer.painting && this.pointers.size === 1) return this.brush.follow(event);
    const now = [event.clientX, event.clientY];
    const step = now.map((value, axis) => value - pointer.at[axis]);
    if (!this.dragged && Math.hypot(...now.map((value, axis) => value - this.start[axis])) < 4) return;
    if (!this.dragged) this.panes.setPointerCapture(event.pointerId);
    this.dragged = true;
    const {pane} = this.grid(), natural = this.natural();
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1].at;
      const far = point => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      this.zoomTo(this.zoom.zoom * far(now) / far(pointer.at),
        this.inPane({clientX: (now[0] + other[0]) / 2, clientY: (now[1] + other[1]) / 2}));
      this.zoom.pan(step.map(value => value / 2), pane, natural);
      this.draw();
    } else if (pointer.dividing) {
      this.divide((this.inPane(event)[0] - this.span[0]) / (this.span[1] - this.span[0]));
    } else if (this.zoom.zoom > 1) {
      this.zoom.pan(step, pane, natural);
      this.draw();
    }
    pointer.at = now;
  }

  release(event) {
    const pointer = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (!pointer?.painting) return;
    if (event.type === "pointercancel") this.brush.cancel();
    else this.brush.finish();
  }

  divide(share) {
    this.divider = Math.min(1, Math.max(0, share));
    this.draw();
  }

  dividerKey(event) {
    const step = {ArrowLeft: -0.01, ArrowRight: 0.01, Home: -1, End: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    this.divide(this.divider + (event.shiftKey ? 10 : 1) * step);
  }

  key(event) {
    if (event.target !== this.panes) return;
    const zooms = {"+": 1.5, "=": 1.5, "-": 1 / 1.5}, steps = {
      ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60]};
    if (zooms[event.key]) this.zoomTo(this.zoom.zoom * zooms[event.key]);
    else if (event.key === "0") this.zoomTo(1);
    else if (event.key === "1") this.act("real");
    else if (steps[event.key] && this.zoom.zoom > 1 && !this.picking && !this.brush.effect) {
      this.zoom.pan(steps[event.key], this.grid().pane, this.natural());
      this.draw();
    } else return;
    event.preventDefault();
  }

  pick(event) {
    if (this.brush.effect && !event.detail) {  // by a key
      this.brush.start(event);
      this.brush.finish();
    }
    const clicked = ["marked", "map"].includes(this.picking) && !this.dragged;
    if (!clicked || event.target.closest("select")) return;
    const {sides, corner} = this.place();
    const hint = this.picking === "marked" && this.hints[this.hintAt(event)];
    const point = hint ? [hint.x, hint.y] : this.inPane(event).map((value, axis) =>
      (value - corner[axis]) / sides[axis] * this.real[axis]);
    const pixel = point.map(Math.floor);
    if (pixel.every((value, axis) => value >= 0 && value < this.real[axis]))
      this.send(this.picking === "marked" ? "select" : "apply", pixel);
  }
}
