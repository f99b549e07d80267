// The page: what connects Gradio's components with the stage, the history and the keyboard.
const SETTINGS = Object.keys(neutral);
let stage = null, pending = null;
let given = inputs.one()?.files[0] ?? null;  // the file of the photo, or a promise of it
let resumed = null;  // what to continue with, once its photo is there
let leaving = false;  // on purpose, with the work kept
const sources = new Map();  // other pictures, promises of base64 by their SHA-256

async function base64(url) {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}

// Go to a step of the history; another picture comes along if the server no longer has it.
async function restore(work) {
  const name = work.color_source?.sha256;
  if (name && !pending[1].sources.includes(name)) {
    const picture = await sources.get(name);
    work = {...work, color_source: {...work.color_source, picture: picture ?? ""}};
  }
  stage.send("change", work);
}

const toolButton = (name, sign, action) => {
  const button = create(`<button type="button" id="${name}" aria-label="${say(name)}"
    title="${say(name)}">${sign}</button>`);
  button.addEventListener("click", action);
  return button;
};
const undoButton = toolButton("undo", "↶", () => move(() => history.go(-1)));
const redoButton = toolButton("redo", "↷", () => move(() => history.go(1)));
const history = new History(() => {
  undoButton.disabled = !history.canUndo;
  redoButton.disabled = !history.canRedo;
  clearTimeout(history.saving);
  if (history.step) history.saving = setTimeout(saveHistory, 300);
});
history.changed();

// Some browsers keep nothing, for example in private windows; then there is nothing to continue.
const saveHistory = async () => {
  const used = new Set(history.steps.map(step => step.color_source?.sha256).filter(Boolean));
  const copies = await Promise.all([...used].map(async name => [name, await sources.get(name)]));
  return store.saveHistory(history.steps, history.now, Object.fromEntries(copies)).catch(() => {});
};
const savePhoto = async () => {
  const file = await given;
  if (file) await store.savePhoto(file).catch(() => {});
};
const fetchFile = (url, name) => fetch(url).then(answer => answer.blob())
  .then(blob => new File([blob], name, {type: blob.type}));
document.addEventListener("change", event => {
  const input = event.target;
  if (input.matches("#photo input[type=file]")) given = input.files[0] ?? given;
  if (input.webkitdirectory)
    window.colorizer.folderPaths = Array.from(input.files, file => file.webkitRelativePath);
}, true);
document.addEventListener("click", event => {
  const example = event.target.closest(":is(#examples, #before-after) button");
  if (!example) return;
  const file = example.querySelector("img").src.split("/").pop();  // both have the photo's name
  const photo = Array.from(document.querySelectorAll("#examples img"), image => image.src)
    .find(source => source.endsWith(`/${file}`));
  given = fetchFile(photo, decodeURIComponent(file));
  scrollTo(0, 0);
}, true);

// "Continue where you left off", before a photo is given.
let card = null;

// Gradio may draw the place of the card anew.
function showCard() {
  if (card && !card.isConnected) document.querySelector("#give")?.prepend(card);
}

function hideCard() {
  card?.remove();
  card = null;
}

async function offer() {
  const kept = await store.load().catch(() => null);
  if (!kept || document.body.classList.contains("loaded")) return;
  const proceed = () => {
    resumed = kept;
    hideCard();
    put(inputs.one(), [kept.file]);
  };
  const made = create(`<div id="continue"><img alt=""><div><b>${say("continue_title")}</b>
    <span></span></div><button type="button" class="plain main">${say("continue")}</button>
    <button type="button" class="plain">${say("forget")}</button></div>`);
  made.querySelector("span").textContent = kept.file.name;
  const image = made.querySelector("img");
  image.addEventListener("error", () => image.remove());
  image.src = URL.createObjectURL(kept.file);
  const [yes, no] = made.querySelectorAll("button");
  yes.addEventListener("click", proceed);
  no.addEventListener("click", () => { store.clear(); hideCard(); });
  await seen("#photo input[type=file]");
  if (sessionStorage.getItem("colorizer.continue")) {
    sessionStorage.removeItem("colorizer.continue");
    proceed();
  } else if (!document.body.classList.contains("loaded")) {
    card = made;
    showCard();
  }
}

// Wait until an element is on the page.
async function seen(selector) {
  while (!document.querySelector(selector)) await new Promise(resolve => setTimeout(resolve, 50));
}
offer();

// Another language loads the page anew; the work comes along.
document.addEventListener("click", async event => {
  const link = event.target.closest("#languages a");
  if (!link || !history.step) return;
  event.preventDefault();
  await saveHistory();
  sessionStorage.setItem("colorizer.continue", "1");
  leaving = true;
  location.href = link.href;
});

// What the visitor asks for while the server still works, for example on another photo, counts for
// what will be on the stage then: the server would put one into the other.
const moves = [];

async function move(change) {
  moves.push(change);
  if (moves.length > 1) return;
  await rest();
  const before = history.step;
  for (const change of moves.splice(0)) change();
  if (stage && history.step !== before) restore(history.step);
}

function mount() {
  for (const element of document.querySelectorAll("[data-mount]")) {
    const kind = element.dataset.mount;
    delete element.dataset.mount;
    if (kind === "paste") mountPaste(element);
    if (kind === "stage") {
      stage = new Stage(element, [undoButton, redoButton]);
      fitStage();
      if (pending) stage.show(...pending);
    }
  }
}

// The stage takes the height that the window leaves, with the notices below it.
function fitStage() {
  const panes = document.querySelector(".panes");
  if (!panes) return;
  const box = name => document.querySelector(name).getBoundingClientRect();
  const start = narrow.matches ? box("#start").bottom + 8 : box("#tools").top;  // scrolls along
  const top = start + scrollY + box(".panes").top - box("#pictures").top;
  const below = document.querySelector("#notices")?.offsetHeight ?? 0;
  const style = document.documentElement.style;
  style.setProperty("--above", `${Math.round(top)}px`);
  style.setProperty("--below", `${below}px`);
}

const kept = create(`<p id="kept" role="status" hidden>${say("kept")} <button type="button"
  class="plain">${say("fresh")}</button></p>`);
kept.querySelector("button").addEventListener("click", () => window.colorizer.startOver());

window.colorizer = {
  isNew: false,
  folderPaths: [],  // of the files of the chosen folder, with its name

  startPhoto() {
    this.isNew = true;
    document.body.classList.remove("from-sheet");
  },

  // A photo of the contact sheet comes to the stage.
  startSheetPhoto(file) {
    this.startPhoto();
    document.body.classList.add("from-sheet");
    given = fetchFile(file.url, file.orig_name);
    openTab(0);
    scrollTo(0, 0);
  },

  showSheet() { openTab(1); },

  show(pictures, facts, look, values, restored = false) {
    const urls = Object.fromEntries(
      Object.entries(pictures).map(([name, picture]) => [name, picture?.url]));
    const adjustments = Object.fromEntries(SETTINGS.map((name, index) => [name, values[index]]));
    // A copy, since IndexedDB can't store the proxies that Gradio's values are.
    const work = JSON.parse(JSON.stringify({...facts.work, adjustments, look: look || null}));
    document.body.classList.add("loaded");
    document.querySelector("#photo-name")?.remove();
    if (!kept.isConnected) document.querySelector("#give")?.append(kept);
    if (this.isNew) {
      this.isNew = false;
      history.clear();
      savePhoto();
      hideCard();
      kept.hidden = document.body.classList.contains("from-sheet")
        || SETTINGS.every(name => adjustments[name] === neutral[name]);
    } else kept.hidden ||= SETTINGS.every(name => adjustments[name] === neutral[name]);
    pending = [urls, facts];
    const source = work.color_source?.sha256;
    if (source && !sources.has(source)) sources.set(source, base64(urls.source).catch(() => null));
    stage?.show(urls, facts);
    if (resumed) this.resume(work);
    else if (!restored) history.add(work);
    requestAnimationFrame(fitStage);
  },

  async resume(work) {
    const {steps, now, sources: copies = {}} = resumed;
    resumed = null;
    for (const [name, picture] of Object.entries(copies))
      if (picture) sources.set(name, Promise.resolve(picture));
    history.steps = steps;
    history.now = now;
    history.changed();
    if (JSON.stringify(work) === JSON.stringify(history.step)) return;
    while (!stage) await new Promise(resolve => setTimeout(resolve, 50));
    restore(history.step);
  },

  startOver() {
    const framing = {turns: 0, margins: [0, 0, 0, 0], negative: false, corners: [], degrees: 0};
    const work = {framing, spots: [], alternative: 0, color_source: null, strokes: [],
      adjustments: neutral, look: "natural"};
    move(() => {
      kept.hidden = true;
      history.add(work);
    });
  },

  showPart(pictures, asked) {
    const urls = Object.entries(pictures).map(([name, picture]) => [name, picture?.url]);
    stage?.showPart(Object.fromEntries(urls), asked);
  },

  // Each preset's button shows its part of a sheet, from left to right.
  async showPresets(sheet) {
    const image = new Image();
    image.src = sheet.url;
    await image.decode();
    const labels = [...document.querySelectorAll("#presets label")];
    labels.forEach((label, index) => label.style.setProperty("--place", index / (labels.length - 1)));
    const style = document.querySelector("#presets").style;
    style.setProperty("--sheet", `url("${image.src}")`);
    style.setProperty("--width", `${100 * labels.length}%`);
    style.setProperty("--shape", `${image.naturalWidth / labels.length} / ${image.naturalHeight}`);
  },

  takeBrush(effect) { stage?.brush.take(effect); },

  sizeBrush(percent) { if (stage) stage.brush.size = percent; },

  turn(degrees) { if (stage) stage.frame.turn(degrees); },

  crop() { stage?.send("release", stage.frame.margins); },

  showReach(percent) { stage?.showReach(percent / 100); },

  // Whether the step to show has another framing than the pictures.
  isReframed() {
    return differences(history.step.framing, pending[1].work.framing).length > 0;
  },

  tool(name) { stage?.pickTool(name); },

  save(file) {
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
  },

  saved() { history.savedStep = JSON.stringify(history.step); },
};

// The keyboard
const typing = event => event.target.closest?.(
  "textarea, select, [contenteditable=true], input:not([type=range], [type=checkbox], [type=radio])");
const stepButtons = {n: "#sheet-next", p: "#sheet-previous"};
addEventListener("keydown", event => {
  if (typing(event)) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    move(() => history.go(event.shiftKey ? 1 : -1));
  } else if (event.key.toLowerCase() === "o" && !event.ctrlKey && !event.metaKey && !event.altKey) {
    stage?.hold(true);
  } else if (event.key in stepButtons && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const button = document.querySelector(stepButtons[event.key]);
    if (button?.offsetParent) button.click();
  }
});
addEventListener("keyup", event => { if (event.key.toLowerCase() === "o") stage?.hold(false); });
addEventListener("resize", fitStage);

addEventListener("beforeunload", event => {
  if (history.unsaved && !leaving) event.preventDefault();
});

// On pictures with clickable spots, the arrow keys move a cross and Enter clicks there.
const frames = `.pointed-at button, .pointed-at .image-frame:not(button *),
  .stage:is([data-view=pick], .painting) .panes`;
const steps = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const cross = document.body.appendChild(create('<div id="cross" hidden></div>'));
let at = [0.5, 0.5];  // fractions of the picture's width and height

function pointByKey(event) {
  if (event.target.closest?.(".crop-frame")) return;
  const frame = event.target.closest?.(frames);
  const image = frame?.querySelector("figure:not([hidden]) img") ?? frame?.querySelector("img");
  const step = steps[event.key], press = event.key === "Enter" || event.key === " ";
  if (!image || event.target.closest("select") || !(step || press)) return;
  event.preventDefault();
  const far = event.shiftKey ? 0.1 : 0.01;
  if (step) at = at.map((share, axis) => Math.min(0.999, Math.max(0, share + far * step[axis])));
  const box = image.getBoundingClientRect();
  const natural = [image.naturalWidth, image.naturalHeight];
  const most = image.closest(".stage") ? Infinity : 1;
  const scale = Math.min(box.width / natural[0], box.height / natural[1], most);
  const [clientX, clientY] = [[box.left, box.width], [box.top, box.height]].map(
    ([start, size], axis) => start + size / 2 + (at[axis] - 0.5) * natural[axis] * scale);
  Object.assign(cross.style, {left: clientX + "px", top: clientY + "px"});
  cross.hidden = press;
  if (stage) stage.dragged = false;
  if (press) image.dispatchEvent(new MouseEvent("click", {bubbles: true, clientX, clientY}));
}
document.addEventListener("keydown", pointByKey);
document.addEventListener("focusout", () => { cross.hidden = true; });
for (const name of ["focusin", "focusout"])
  document.addEventListener(name, () => stage?.drawReach());

function improve() {
  mount();
  mountLanguages();
  showCard();
  stage?.brush.press();
  for (const frame of document.querySelectorAll(".pointed-at :is(button, .image-frame:not(button *))"))
    frame.tabIndex = 0;
  for (const button of document.querySelectorAll(".image-container > button:not([aria-label])"))
    button.ariaLabel = button.closest(".block").querySelector("[data-testid=block-label]")?.innerText;
  for (const image of document.querySelectorAll(".thumbnail-item img[alt]:not([alt=''])"))
    image.closest("button").ariaLabel = image.alt;  // replaces "Thumbnail 1 of 4"
}
new MutationObserver(improve).observe(document.body, {
  childList: true, subtree: true, attributeFilter: ["data-mount"]});
improve();
