// A kiosk starts over for the next visitor: by its button, or after some time without a touch.
const COUNTDOWN = 15;  // seconds before, in which it says so

function startAnew() {
  leaving = true;  // without a warning
  localStorage.clear();
  sessionStorage.clear();
  document.cookie = `${languageCookie}=; Path=/; Max-Age=0`;
  location.replace(location.pathname);
}

function mountKiosk() {
  document.body.classList.add("kiosk");
  const button = create(`<button type="button" id="start-anew" class="plain">
    ${say("start_anew")}</button>`);
  button.addEventListener("click", startAnew);
  const countdown = create('<div id="countdown" role="alert"></div>');
  document.body.append(button, countdown);
  let used = false, last = Date.now();
  const touch = () => { used = true; last = Date.now(); };
  for (const name of ["pointerdown", "pointermove", "wheel", "keydown", "change"])
    addEventListener(name, touch, {capture: true, passive: true});
  setInterval(() => {
    const left = Math.ceil(kioskSeconds - (Date.now() - last) / 1000);
    if (used && left <= 0) startAnew();
    countdown.textContent = used && left <= COUNTDOWN ? say("countdown", {seconds: left}) : "";
  }, 500);
}

if (kioskSeconds) mountKiosk();
