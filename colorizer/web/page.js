() => {
  const languages = LANGUAGES;
  document.documentElement.lang =
    languages.find(language => navigator.language.startsWith(language)) ?? languages[0];

  // On pictures with clickable spots, the arrow keys move a cross and Enter clicks there.
  const frames = ".pointed-at button, .pointed-at .image-frame:not(button *)";
  const steps = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  const cross = Object.assign(document.createElement("div"), {id: "cross", hidden: true});
  let at = [0.5, 0.5];  // fractions of the picture's width and height
  document.body.append(cross);
  new MutationObserver(() => {
    for (const frame of document.querySelectorAll(frames)) frame.tabIndex = 0;
    for (const image of document.querySelectorAll(".thumbnail-item img[alt]:not([alt=''])"))
      image.closest("button").ariaLabel = image.alt;  // replaces "Thumbnail 1 of 4"
  }).observe(document.body, {childList: true, subtree: true});
  document.addEventListener("focusout", () => { cross.hidden = true; });
  document.addEventListener("keydown", event => {
    const frame = event.target.closest?.(frames), image = frame?.querySelector("img");
    const step = steps[event.key], press = event.key === "Enter" || event.key === " ";
    if (!image || !(step || press)) return;
    event.preventDefault();
    const far = event.shiftKey ? 0.1 : 0.01;
    if (step) at = at.map((share, axis) => Math.min(0.999, Math.max(0, share + far * step[axis])));
    const box = image.getBoundingClientRect();
    const natural = [image.naturalWidth, image.naturalHeight];
    const scale = Math.min(box.width / natural[0], box.height / natural[1], 1);
    const [clientX, clientY] = [[box.left, box.width], [box.top, box.height]].map(
      ([start, size], axis) => start + size / 2 + (at[axis] - 0.5) * natural[axis] * scale);
    Object.assign(cross.style, {left: clientX + "px", top: clientY + "px"});
    cross.hidden = press;
    if (press) image.dispatchEvent(new MouseEvent("click", {bubbles: true, clientX, clientY}));
  });

  document.addEventListener("paste", event => {  // handle a pasted photo like a dropped one
    const input = document.querySelector("#photo input[type=file]");
    if (!input || !event.clipboardData.files.length) return;
    input.files = event.clipboardData.files;
    input.dispatchEvent(new Event("change", {bubbles: true}));
  });
}
