const SLIDERS = /^adjustments\.|^spots\.\d+\.(radius|reach)$|^color_source\.strength$/;

// Paths of the values in which two steps differ. The look follows the adjustments.
function differences(one, other, path = "") {
  if (one === other || path === "look") return [];
  if (Object(one) !== one || Object(other) !== other) return [path];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap(
    key => differences(one[key], other[key], path ? `${path}.${key}` : key));
}

// What the visitor did: steps to go back and forth between.
class History {
  constructor(changed) {
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.steps = [];
    this.now = -1;
    this.waiting = null;
    this.savedStep = null;
  }

  get step() { return this.steps[this.now]; }
  get canUndo() { return this.now > 0; }
  get canRedo() { return this.now < this.steps.length - 1; }
  get unsaved() { return this.now > 0 && this.savedStep !== JSON.stringify(this.step); }

  // Add a step; moves of one slider within a second make one step.
  add(work) {
    const text = JSON.stringify(work);
    if (text === JSON.stringify(this.step)) return;
    const moved = this.onlySlider(this.step, work), now = Date.now();
    const same = moved && moved === this.waiting?.name && now - this.waiting.time < 1000;
    if (same && this.now === this.steps.length - 1) this.steps[this.now] = work;
    else {
      this.steps = [...this.steps.slice(0, this.now + 1), work].slice(-200);
      this.now = this.steps.length - 1;
    }
    this.waiting = {name: moved, time: now};
    this.changed();
  }

  // The slider in which alone two steps differ.
  onlySlider(before, after) {
    const [path, ...others] = differences(before, after);
    return others.length || !SLIDERS.test(path) ? null : path;
  }

  go(by) {
    const next = this.now + by;
    if (!(next in this.steps)) return null;
    this.now = next;
    this.waiting = null;
    this.changed();
    return this.step;
  }
}
