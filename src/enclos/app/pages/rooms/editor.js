// What may stand where the cursor is, in a study that is written as YAML: by the study's own schema.
// The page works without it. Nothing is evaluated, and nothing is put into the page but text.
"use strict";
(() => {
  const text = document.getElementById("text");
  if (!text || !text.dataset.schema) return;
  let schema = null;

  const load = async () => {
    if (schema) return;
    const answer = await fetch(text.dataset.schema, { credentials: "same-origin" });
    if (answer.ok) schema = await answer.json();
  };

  // -- where the cursor is: the keys and list items that are open there, each with its column

  const KEY = /^("?)([\w.-]+)\1:(?=\s|$)/;

  // Takes a line in; gives the column of what stands after its dashes, and that.
  function enter(open, line) {
    let column = line.length - line.trimStart().length;
    let rest = line.slice(column);
    while (/^-(\s|$)/.test(rest)) {
      while (open.length && (open.at(-1).column > column || (open.at(-1).column === column && open.at(-1).name === "[]"))) open.pop();
      open.push({ column, name: "[]" });
      const next = rest.slice(1).trimStart();
      column += rest.length - next.length;
      rest = next;
    }
    const key = rest.match(KEY);
    if (key || line.trim() === rest) while (open.length && open.at(-1).column >= column) open.pop();
    if (key) open.push({ column, name: key[2] });
    return key ? rest.slice(key[0].length).trimStart() : rest;
  }

  function place() {
    const lines = text.value.slice(0, text.selectionStart).split("\n");
    const line = lines.pop();
    const open = [];
    for (const each of lines) if (each.trim() && !each.trim().startsWith("#")) enter(open, each);
    const flow = inFlow(line);
    const head = flow ? line.slice(0, flow.at) : line;
    const before = open.length ? open.at(-1) : null;
    let rest = "";
    if (head.trim()) rest = enter(open, head);
    else while (open.length && open.at(-1).column >= head.length) open.pop();
    const path = open.map((each) => each.name);
    if (flow) {
      path.push(...flow.path);
      const value = flow.rest.match(/^([\w.-]+):\s*(.*)$/);
      if (value) path.push(value[1]);
      return { path, word: wordOf(value ? value[2] : flow.rest), isValue: Boolean(value) || flow.isList };
    }
    const isValue = Boolean(open.length && open.at(-1) !== before && head.trimStart().replace(/^(-\s+)+/, "").match(KEY));
    return { path, word: wordOf(rest), isValue };
  }

  const wordOf = (said) => (said.match(/[\w.-]*$/) || [""])[0];

  // {a: 1, b: [x, …: what is open on the line, and the part that is being written
  function inFlow(line) {
    const open = [];
    let at = -1;
    let from = 0;
    for (let i = 0; i < line.length; i++) {
      const letter = line[i];
      if (letter === "{" || letter === "[") {
        const key = line.slice(from, i).match(/([\w.-]+):\s*$/);
        if (!open.length) at = i;
        open.push({ kind: letter, key: key ? key[1] : "" });
        from = i + 1;
      } else if (letter === "}" || letter === "]") {
        open.pop();
        from = i + 1;
      } else if (letter === ",") from = i + 1;
    }
    if (!open.length) return null;
    const path = [];
    open.forEach((each, depth) => {
      if (each.key && depth) path.push(each.key);
      if (each.kind === "[") path.push("[]");
    });
    return { at, path, rest: line.slice(from).trim(), isList: open[open.length - 1].kind === "[" };
  }

  // -- what the schema allows there

  const whole = (one) => (one && one.$ref ? one.$ref.split("/").slice(1).reduce((at, name) => at[name], schema) : one);

  function ways(one) {
    const found = whole(one);
    if (!found) return [];
    const several = found.anyOf || found.oneOf || found.allOf;
    return several ? several.flatMap(ways).map((each) => ({ description: found.description, ...each })) : [found];
  }

  function below(found, name) {
    return found.flatMap((each) => {
      if (name === "[]") return ways(each.items);
      if (each.properties && each.properties[name]) return ways(each.properties[name]);
      if (each.additionalProperties && typeof each.additionalProperties === "object") return ways(each.additionalProperties);
      return [];
    });
  }

  function cohorts() {
    const found = [];
    let inside = false;
    for (const line of text.value.split("\n")) {
      if (/^cohorts:/.test(line)) inside = true;
      else if (/^\S/.test(line)) inside = false;
      else if (inside) {
        const name = line.match(/^ {1,4}([a-z][a-z0-9_]*):/);
        if (name) found.push(name[1]);
      }
    }
    return found;
  }

  async function offered() {
    await load();
    if (!schema) return { word: "", found: [] };
    const here = place();
    let found = ways(schema);
    for (const name of here.path) found = below(found, name);
    const all = new Map();
    if (here.isValue) {
      for (const each of found.concat(found.flatMap((one) => (one.items ? ways(one.items) : [])))) {
        for (const value of each.enum || (each.const === undefined ? [] : [each.const])) all.set(String(value), each.description || "");
        if (each.type === "boolean") ["true", "false"].forEach((value) => all.set(value, each.description || ""));
        if (each.type === "string" && (each.pattern || "").startsWith("^[a-z][a-z0-9_]")) cohorts().forEach((name) => all.set(name, ""));
      }
    } else {
      for (const each of found) {
        for (const [name, value] of Object.entries(each.properties || {})) {
          const said = whole(value) || {};
          all.set(`${name}: `, value.description || said.description || "");
        }
      }
    }
    const chosen = [...all].filter(([name]) => name.startsWith(here.word) && name.trim() !== here.word);
    return { word: here.word, found: chosen };
  }

  offers(text, offered);
  load();

  text.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.key !== "Enter") return;
    const line = text.value.slice(0, text.selectionStart).split("\n").pop();
    const space = line.match(/^\s*/)[0] + (/:\s*$/.test(line) ? "  " : "");
    if (text.selectionStart === text.selectionEnd && space) {
      event.preventDefault();
      text.setRangeText(`\n${space}`, text.selectionStart, text.selectionEnd, "end");
    }
  });

  // -- the page in the other language, with what was written here

  const other = document.querySelector(".who a[hreflang]");
  other.addEventListener("click", (event) => {
    if (text.value === text.defaultValue || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    text.form.action = `${text.form.getAttribute("action")}?lang=${other.lang}`;
    text.form.noValidate = true;
    text.form.requestSubmit(text.form.querySelector("[name=do][value=check]"));
  });

  // -- a fault's line

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    const lines = text.value.split("\n");
    const number = Math.min(Number(link.dataset.line), lines.length);
    const from = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
    text.focus();
    text.setSelectionRange(from, from + lines[number - 1].length);
    text.scrollTop = Math.max(0, (number - 6) * (text.scrollHeight / lines.length));
  });
})();
