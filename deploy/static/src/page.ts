// The page: a photo, its three views, sliders and the download.

import { type Adjustments, NEUTRAL, RANGES } from "./adjust";
import { registerServiceWorker, startWorker } from "./engine";
import { type Format, MAX_MEGAPIXELS } from "./files";
import { fill, type Language, LANGUAGES, preferredLanguage, rememberLanguage, type Texts, textsIn } from "./texts";
import type { Actions, Running } from "./worker";

const VIEWS = ["gray", "colorized", "processed"] as const;
type View = (typeof VIEWS)[number];
const PAIRS: Record<string, [View, View]> = {
  gray_processed: ["gray", "processed"],
  gray_colorized: ["gray", "colorized"],
  colorized_processed: ["colorized", "processed"],
};
const WIDE = "(min-width: 1000px)"; // where the three views fit side by side
const EXAMPLES = ["portrait", "workers", "bee", "street"] as const; // public domain and CC0

let language = preferredLanguage();
let texts = textsIn(language);
let worker: Actions;
let offline = false;
let running: Running | undefined;
let settings: Adjustments = { ...NEUTRAL };
let name = "";
let queue: Promise<void>; // what the page does, one after the other
let begun = false; // whether the visitor has chosen a photo
let pictures: Record<View, ImageData> | undefined;
let message: () => string = () => texts.starting;

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

async function start(): Promise<void> {
  buildControls();
  listen();
  translate();
  const registered = await registerServiceWorker(() => begun);
  if (registered === undefined) return new Promise(() => {}); // the page is loaded again
  offline = registered;
  worker = startWorker((share) => {
    element<HTMLProgressElement>("progress").value = share;
    say(share < 1
      ? () => fill(texts.loading, { percent: Math.floor(100 * share) }) : () => texts.starting);
  });
  if (await getReady()) say(() => (offline ? texts.ready : texts.ready_online), "ready");
}

/** Load the network; returns whether it runs. */
async function getReady(): Promise<boolean> {
  try {
    running = await worker.load();
  } catch (error) {
    console.error(error);
    say(() => texts.not_loaded, "error");
    return false;
  }
  element("progress").hidden = true;
  translate();
  return true;
}

/** Do a job after those before it: the worker holds one photo. */
function inTurn(job: () => Promise<void>): void {
  begun = true;
  document.body.dataset.state = "busy";
  queue = queue.then(job);
}

async function open(file: File): Promise<void> {
  document.body.dataset.state = "busy";
  pictures = undefined;
  name = file.name;
  try {
    await worker.open(file);
  } catch (error) {
    console.error(error);
    return say(() => fill(texts.unreadable, { name, megapixels: MAX_MEGAPIXELS }), "error");
  }
  say(() => texts.photo.progress);
  if (!(await getReady())) return;
  try {
    say(() => texts.photo.progress);
    const { gray, colorized } = await worker.colorize();
    pictures = { gray, colorized, processed: colorized };
  } catch (error) {
    console.error(error);
    return say(() => texts.memory, "error");
  }
  element<HTMLSelectElement>("format").value = file.type === "image/jpeg" ? "JPEG" : "PNG";
  setSettings(NEUTRAL);
  element("stage").hidden = false;
  document.body.classList.add("opened");
  translate();
  say(() => (offline ? texts.ready : texts.ready_online), "done");
}

async function save(): Promise<void> {
  const format = element<HTMLSelectElement>("format").value as Format;
  say(() => texts.saving, "busy");
  try {
    const keep = element<HTMLInputElement>("location").checked;
    const { file, incomplete } = await worker.save(settings, format, keep);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${name.replace(/\.[^.]*$/, "")}-color.${format === "JPEG" ? "jpg" : "png"}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say(() => (incomplete ? texts.photo.notice.metadata : ""), "done");
  } catch (error) {
    console.error(error);
    say(() => texts.memory, "error");
  }
}

let adjusting = false, stale = false;

/** Show the settings; while the worker is busy, only the newest ones wait. */
async function adjust(): Promise<void> {
  stale = true;
  if (adjusting || !pictures) return;
  adjusting = true;
  try {
    while (stale && pictures) {
      stale = false;
      const processed = await worker.adjust(settings);
      if (pictures) pictures.processed = processed;
      show();
    }
  } catch (error) {
    console.error(error);
    say(() => texts.memory, "error");
  } finally {
    adjusting = false;
  }
}

function show(): void {
  if (!pictures) return;
  const chosen = document.querySelector<HTMLInputElement>("#pairs input:checked")!.value;
  element("views").hidden = chosen in PAIRS;
  element("compare").hidden = !(chosen in PAIRS);
  if (chosen in PAIRS) {
    PAIRS[chosen].forEach((view, side) => draw(view, side ? "right" : "left"));
  } else {
    for (const view of VIEWS) draw(view, view);
  }
}

/** Show one view in a canvas and name it in the element that follows or belongs to the canvas. */
function draw(view: View, id: string): void {
  const canvas = element<HTMLCanvasElement>(id);
  const { width, height } = pictures![view];
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")!.putImageData(pictures![view], 0, 0);
  canvas.setAttribute("aria-label", fill(texts.views[`${view}_alt`], { name }));
  (canvas.parentElement!.querySelector("figcaption") ?? element(`${id}-name`)).textContent =
    texts.views[view];
}

function say(text: () => string, state?: string): void {
  message = text;
  element("status").textContent = text();
  if (state) document.body.dataset.state = state;
}

function setSettings(values: Adjustments): void {
  settings = { ...values };
  for (const key of Object.keys(RANGES) as (keyof Adjustments)[]) {
    element<HTMLInputElement>(key).value = String(settings[key]);
    element(`${key}-value`).textContent = String(settings[key]);
  }
}

function buildControls(): void {
  for (const [value, label] of Object.entries(LANGUAGES)) {
    element<HTMLSelectElement>("language").add(new Option(label, value));
  }
  element<HTMLSelectElement>("language").value = language;
  const first = matchMedia(WIDE).matches ? "all_views" : Object.keys(PAIRS)[0];
  element("pairs").append(...["all_views", ...Object.keys(PAIRS)].map((pair) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"),
      { type: "radio", name: "pair", value: pair, checked: pair === first });
    label.append(input, labeled(document.createElement("span"), (t) =>
      pair in PAIRS ? PAIRS[pair].map((view) => t.views[view]).join(" | ") : t.views.side));
    return label;
  }));
  for (const [key, [min, max, step]] of Object.entries(RANGES)) {
    const row = document.createElement("label");
    const value = Object.assign(document.createElement("output"), { id: `${key}-value` });
    const input = Object.assign(document.createElement("input"), { type: "range", id: key });
    Object.assign(input, { min, max, step });
    const setting = key as keyof Adjustments;
    row.append(labeled(document.createElement("span"), (t) => t.photo.settings[setting]), value,
      input, labeled(document.createElement("small"), (t) => t.photo.settings_info[setting]));
    element("sliders").append(row);
  }
  setSettings(NEUTRAL);
  element("examples").append(...EXAMPLES.map((example) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const image = Object.assign(document.createElement("img"),
      { src: `examples/${example}.jpg`, loading: "lazy" });
    translations.push((t) => (image.alt = t.photo.example[example]));
    button.append(image);
    button.onclick = async () => {
      const blob = await (await fetch(image.src)).blob();
      choose(new File([blob], `${example}.jpg`, { type: "image/jpeg" }));
    };
    return button;
  }));
}

function choose(file: File | undefined): void {
  if (file) inTurn(() => open(file));
}

function listen(): void {
  const input = element<HTMLInputElement>("file");
  input.onchange = () => {
    choose(input.files![0]);
    input.value = "";
  };
  document.ondragover = (event) => event.preventDefault();
  document.ondrop = (event) => {
    event.preventDefault();
    choose(event.dataTransfer?.files[0]);
  };
  document.onpaste = (event) => {
    choose(event.clipboardData?.files[0]);
  };
  element("pairs").onchange = show;
  element("sliders").oninput = ({ target }) => {
    const { id, value } = target as HTMLInputElement;
    setSettings({ ...settings, [id]: Number(value) });
    void adjust();
  };
  element("reset").onclick = () => {
    setSettings(NEUTRAL);
    void adjust();
  };
  element("divider").oninput = ({ target }) => {
    element("compare").style.setProperty("--divider", `${(target as HTMLInputElement).value}%`);
  };
  element("download").onclick = () => inTurn(save);
  element("language").onchange = ({ target }) => {
    language = (target as HTMLSelectElement).value as Language;
    rememberLanguage(language);
    translate();
  };
}

const translations: ((texts: Texts) => void)[] = [];

/** Let a text of an element follow the language. */
function labeled<T extends HTMLElement>(target: T, text: (texts: Texts) => string): T {
  translations.push((t) => (target.textContent = text(t)));
  return target;
}

function translate(): void {
  texts = textsIn(language);
  document.documentElement.lang = language;
  const { photo } = texts;
  element("intro").textContent = texts.intro.split("\n").slice(1).join("\n");
  const named: Record<string, string> = {
    private: texts.private, drop: pictures ? texts.another : photo.drop_here, "examples-title": photo.examples,
    reset: photo.reset, download: photo.download, "location-name": photo.keep_location,
    "format-name": photo.format, status: message(),
  };
  for (const [id, text] of Object.entries(named)) element(id).textContent = text;
  element("language").setAttribute("aria-label", texts.views.languages);
  element("divider").setAttribute("aria-label", texts.views.divider);
  element("pairs").setAttribute("aria-label", texts.views.toolbar);
  element("device").textContent = running === undefined ? ""
    : running.device === "webgpu" ? texts.runs_on_gpu
    : fill(texts.runs_on_cpu, { threads: running.threads });
  for (const change of translations) change(texts);
  show();
}

queue = start();
