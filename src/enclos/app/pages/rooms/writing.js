// Small helps of pages on which people write: a name that is put where the cursor is, a file that is read into a field.
// The pages work without it.
"use strict";
(() => {
  const text = document.getElementById("text");
  if (!text) return;

  for (const code of document.querySelectorAll("[data-insert]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    code.before(button);
    button.append(code);
    button.addEventListener("click", () => {
      text.setRangeText(code.textContent, text.selectionStart, text.selectionEnd, "end");
      text.focus();
    });
  }

  const file = document.getElementById("file");
  if (!file) return;
  document.getElementById("file-part").hidden = false;
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    document.getElementById(file.dataset.into).value = await chosen.text();
    const name = document.getElementById(file.dataset.name);
    if (!name.value) name.value = chosen.name.replace(/\.json$/i, "").replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  });
})();
