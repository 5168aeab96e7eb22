// Empties a page whose session has ended, so that nothing of it stays on the screen; says so two minutes before.
// Asking how long it has left does not make it last. Without this script a page goes to its end by itself (meta refresh).
// A form that was sent is not sent again by a second click: that would be refused, and what was done not shown.
"use strict";
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 5000);
});
(() => {
  const warning = 120;
  const every = 60_000;
  const dialog = document.getElementById("ending");
  if (!dialog) return;
  let end = Date.now() + Number(document.body.dataset.seconds) * 1000;
  let timer = 0;
  let isOver = false;

  function empty() {
    isOver = true;
    document.title = "";
    document.body.replaceChildren();
    location.replace("/sign-in/ended");
  }

  // At its own clock's end, or when it should say that the end is near.
  function wait() {
    clearTimeout(timer);
    const left = end - Date.now();
    const isSaid = dialog.open || dialog.dataset.told;
    timer = setTimeout(check, Math.max(left > warning * 1000 ? left - warning * 1000 : isSaid ? left : 0, 500));
  }

  function say(isLast) {
    document.getElementById("ending-idle").hidden = isLast;
    document.getElementById("ending-last").hidden = !isLast;
    dialog.dataset.last = isLast ? "1" : "";
    if (!dialog.open) dialog.showModal();
  }

  async function check(stays) {
    if (isOver) return;
    try {
      const answer = await fetch(stays === true ? "/me/session?stay=1" : "/me/session", { credentials: "same-origin" });
      const told = await answer.json();
      end = Date.now() + told.seconds * 1000;
      if (told.seconds > warning) {
        if (dialog.open) dialog.close();
      } else if (told.seconds > 0 && dialog.dataset.told !== `${told.is_last}`) say(told.is_last);
    } catch {
      // nobody answers: what this page knows itself counts
    }
    if (end <= Date.now()) empty();
    else wait();
  }

  dialog.addEventListener("close", () => {
    if (dialog.dataset.last) dialog.dataset.told = "true";
    else if (!isOver && end - Date.now() <= warning * 1000) check(true);
  });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && check());
  addEventListener("pageshow", (event) => event.persisted && check());
  setInterval(() => document.visibilityState === "visible" && check(), every);
  wait();
})();
