// Photos come by choosing, by dropping anywhere, and by pasting; all take the same way: the file
// input of "Choose a photo", that of "Many photos", or that of the picture whose colors are taken.
const inputs = {
  one: () => document.querySelector("#photo input[type=file]"),
  many: () => document.querySelector("input[webkitdirectory]"),  // "Add a folder" keeps the others
  source: () => document.querySelector("#source-drop input[type=file]"),
};

function put(input, files) {
  const held = new DataTransfer();
  for (const file of files) held.items.add(file);
  input.files = held.files;
  input.dispatchEvent(new Event("change", {bubbles: true}));
}

function openTab(number) {
  document.querySelectorAll("#tabs > .tab-wrapper [role=tab]")[number]?.click();
}

async function give(files, sourceTool = false) {
  files = [...files];
  if (!files.length) return;
  if (sourceTool) return put(inputs.source(), files.slice(0, 1));
  const batch = document.querySelector("#batch-start")?.offsetParent;  // its tab is open
  if (files.length === 1 && !batch) {
    openTab(0);
    put(inputs.one(), files);
    return;
  }
  giveMany(files.map(file => ({file, path: file.name})));
  if (!batch) tell(say("to_batch", {count: files.length}));
}

// Add files to those of "Many photos", with their paths in a dropped folder.
async function giveMany(found) {
  openTab(1);
  while (!inputs.many()) await new Promise(resolve => setTimeout(resolve, 50));
  put(inputs.many(), found.map(({file}) => file));
  window.colorizer.folderPaths = found.map(({path}) => path);
}

async function giveFolders(entries) {
  const found = (await Promise.all(entries.map(filesIn))).flat();
  if (found.length) giveMany(found);
  else tell(say("empty_folder"));
}

async function filesIn(entry) {
  const path = entry.fullPath.slice(1);
  if (entry.isFile) return [{path, file: await new Promise(entry.file.bind(entry))}];
  const reader = entry.createReader(), found = [];
  for (;;) {  // it tells of a hundred at a time
    const some = await new Promise(reader.readEntries.bind(reader));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(filesIn))).flat());
  }
}

// Gradio's own drop zones keep their drops: a photo with the right color, and pictures for a batch.
const ownDrops = "#reference, #batch-pictures";
const holdsFiles = event => event.dataTransfer?.types.includes("Files");
const ours = event => holdsFiles(event) && !event.target.closest?.(ownDrops);
let depth = 0;

function dragging(step) {
  depth = step ? Math.max(0, depth + step) : 0;
  document.body.classList.toggle("dragging", depth > 0);
}

const veil = document.body.appendChild(create(`<div id="drop-veil"><b>${say("drop")}</b></div>`));
veil.ariaHidden = "true";
addEventListener("dragenter", event => { if (holdsFiles(event)) dragging(1); }, true);
addEventListener("dragleave", event => { if (holdsFiles(event)) dragging(-1); }, true);
addEventListener("dragover", event => {
  if (!ours(event)) return;
  event.preventDefault();
  event.stopPropagation();
  event.dataTransfer.dropEffect = "copy";
}, true);
addEventListener("drop", event => {
  dragging(0);
  if (!holdsFiles(event)) return;
  // Read now: after an await the files are gone.
  const entries = Array.from(event.dataTransfer.items, item => item.webkitGetAsEntry());
  const withFolder = entries.some(entry => entry?.isDirectory);
  if (!withFolder && !ours(event)) return;
  event.preventDefault();
  event.stopPropagation();
  if (withFolder) giveFolders(entries.filter(Boolean));
  else give(event.dataTransfer.files, Boolean(event.target.closest?.("#source-drop, #source")));
}, true);

addEventListener("paste", event => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  event.stopPropagation();
  give([...event.clipboardData.files].slice(0, 1),
    Boolean(document.querySelector("#source-drop")?.offsetParent));  // its tool is open
}, true);

async function pasteFromButton() {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find(type => type.startsWith("image/"));
      if (!type) continue;
      const blob = await item.getType(type);
      return give([new File([blob], `photo.${type.split("/")[1]}`, {type})]);
    }
    tell(say("nothing_to_paste"));
  } catch {
    tell(say("cannot_paste"));
  }
}

function mountPaste(element) {
  if (!navigator.clipboard?.read) return;  // only on https and on this computer
  const button = create(`<button type="button" class="plain">${say("paste")}</button>`);
  button.addEventListener("click", pasteFromButton);
  element.replaceChildren(button);
}
