// The list of what may stand where the cursor is, for whoever writes in a text: a script of the page says what that is.
// Ctrl+Space asks for it, arrows choose, Enter takes, Escape closes. The text keeps the focus; nothing is put into the
// page but text. Source: ARIA Authoring Practices 1.2, combobox with a listbox, as far as a text of many lines can be one.
"use strict";
// text: the textarea. offered: a function that gives, or promises, the part of a word before the cursor, and what may
// stand in its place: pairs of a name and what is said of it.
function offers(text, offered) {
  const part = document.getElementById("offers-part");
  const list = document.getElementById("offers");
  const told = document.getElementById("offers-told");
  const most = 40;
  let found = [];
  let word = "";
  let chosen = -1;
  let asked = 0;

  for (const hint of document.querySelectorAll("[data-offers-hint]")) hint.hidden = false;

  function show() {
    list.replaceChildren(
      ...found.map(([name, about], at) => {
        const item = document.createElement("li");
        item.id = `offer-${at}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(at === chosen));
        const said = document.createElement("code");
        said.textContent = name.trim();
        item.append(said);
        if (about) item.append(` ${about}`);
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          chosen = at;
          take();
        });
        return item;
      }),
    );
    part.hidden = !found.length;
    if (told) told.textContent = found.length ? told.dataset.said.replace("{n}", found.length) : "";
    if (chosen >= 0) {
      text.setAttribute("aria-activedescendant", `offer-${chosen}`);
      document.getElementById(`offer-${chosen}`).scrollIntoView({ block: "nearest" });
    } else text.removeAttribute("aria-activedescendant");
  }

  function close() {
    asked += 1;
    found = [];
    chosen = -1;
    show();
  }

  function take() {
    const [name] = found[chosen];
    const at = text.selectionStart;
    text.setRangeText(name, at - word.length, at, "end");
    close();
    text.dispatchEvent(new Event("keyup", { bubbles: true }));
  }

  async function open(isAsked) {
    const mine = (asked += 1);
    const here = await offered();
    if (mine !== asked || document.activeElement !== text) return; // something else was written meanwhile
    word = here.word;
    found = isAsked || word ? here.found.slice(0, most) : [];
    chosen = isAsked && found.length ? 0 : -1;
    show();
  }

  text.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      open(true);
    } else if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp") && (chosen >= 0 || event.ctrlKey)) {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      show();
    } else if (found.length && chosen >= 0 && event.key === "Enter") {
      event.preventDefault();
      take();
    } else if (event.key === "Escape" && found.length) {
      event.preventDefault();
      close();
    }
  });
  text.addEventListener("input", () => open(false));
  text.addEventListener("blur", close);
}
