// What the scripts say, in the page's language.
const languages = Object.keys(texts);
const preferred = languages.find(code => navigator.language.toLowerCase().startsWith(code));
const language = preferred ?? "en";
document.documentElement.lang = language;

function say(key, values = {}) {
  return texts[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function create(html) {
  return Object.assign(document.createElement("template"), {innerHTML: html}).content
    .firstElementChild;
}

document.head.append(Object.assign(document.createElement("style"), {textContent: style}));

// A sentence at the foot of the page, which screen readers read and which goes by itself.
const note = document.body.appendChild(create('<div id="note" role="status"></div>'));
let noteTimer = 0;

function tell(sentence, seconds = 8) {
  clearTimeout(noteTimer);
  note.textContent = sentence;
  noteTimer = setTimeout(() => { note.textContent = ""; }, 1000 * seconds);
}

// The visible switch between languages.
function mountLanguages() {
  const title = document.querySelector("#title");
  if (!title || document.querySelector("#languages")) return;
  const links = languages.map(code => {
    const address = new URL(location.href);
    address.searchParams.set("lang", code);
    const current = code === language ? 'aria-current="true"' : "";
    return `<a href="${address}" lang="${code}" hreflang="${code}" ${current}
      title="${texts[code].language}">${code.toUpperCase()}</a>`;
  });
  title.append(create(`<nav id="languages" aria-label="${say("languages")}">${links.join("")}</nav>`));
}
