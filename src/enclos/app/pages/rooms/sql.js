// What may stand where the cursor is, in a statement: the tables and columns that the page lists beside it, which are
// those of the permit's view, what the statement itself names, and the words of SQL. The page works without it.
"use strict";
(() => {
  const text = document.getElementById("text");
  if (!text || !document.querySelector("[data-table]")) return;
  const tables = new Map();
  for (const each of document.querySelectorAll("[data-table]")) {
    const columns = [...each.querySelectorAll("[data-insert]")].map((one) => [one.textContent, one.dataset.type || ""]);
    tables.set(each.dataset.table, columns);
  }
  const words = `SELECT DISTINCT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN LEFT INNER CROSS ON USING AS AND OR NOT IN IS
    NULL BETWEEN LIKE CASE WHEN THEN ELSE END WITH UNION ALL EXISTS COUNT SUM AVG MIN MAX CAST EXTRACT COALESCE`.split(/\s+/);
  const reserved = new Set(words.map((word) => word.toLowerCase()));
  const ends = new Set("where group having order limit union select on using".split(" "));

  // The statement without what stands in texts and remarks; whether the cursor is in one of these.
  function bare(whole, at) {
    let isInside = false;
    const said = whole.replace(/'(?:[^']|'')*('|$)|--[^\n]*|\/\*[^]*?(\*\/|$)/g, (part, ends1, ends2, from) => {
      const isOpen = part.startsWith("--") || !(part.startsWith("'") ? ends1 : ends2);
      if (from < at && (at < from + part.length || (isOpen && at === from + part.length))) isInside = true;
      return " ".repeat(part.length);
    });
    return { said, isInside };
  }

  // What a statement names: tables by alias and by name, the names of its WITH; and whether a table comes at its end.
  function named(said) {
    const found = new Map();
    const made = new Set([...said.matchAll(/(?:\bwith|,)\s+(\w+)\s+as\s*\(/gi)].map((each) => each[1]));
    const outer = [];
    let state = { isFrom: false, wants: false, last: "" };
    for (const [token] of said.matchAll(/\w+|[(),.;]/g)) {
      const word = token.toLowerCase();
      if (token === "(") outer.push(state), (state = { isFrom: false, wants: false, last: "" });
      else if (token === ")") state = outer.pop() || state;
      else if (word === "from" || word === "join") state = { isFrom: true, wants: true, last: "" };
      else if (token === "," && state.isFrom) state = { isFrom: true, wants: true, last: "" };
      else if (ends.has(word)) state = { isFrom: false, wants: false, last: "" };
      else if (state.wants && /\w/.test(token)) {
        found.set(word, word);
        state = { isFrom: true, wants: false, last: word };
      } else if (state.last && !reserved.has(word) && /\w/.test(token)) {
        found.set(word, state.last);
        state.last = "";
      } else if (word !== "as") state.last = "";
    }
    return { found, made, wantsTable: state.wants };
  }

  function offered() {
    const at = text.selectionStart;
    const { said, isInside } = bare(text.value, at);
    const before = said.slice(0, at);
    const [word] = before.match(/\w*$/);
    if (isInside || /^\d/.test(word)) return { word: "", found: [] };
    const head = before.slice(0, at - word.length);
    const { found, made } = named(said.slice(0, at - word.length) + " ".repeat(word.length) + said.slice(at));
    const all = new Map();
    const of = head.match(/(\w+)\.$/);
    const columnsOf = (name) => tables.get(found.get(name) || name) || [];
    if (of) for (const [name, type] of columnsOf(of[1].toLowerCase())) all.set(name, type);
    else if (named(head).wantsTable) {
      for (const name of made) all.set(name, "");
      for (const name of tables.keys()) all.set(name, "");
    } else {
      const own = [...new Set(found.values())].filter((name) => tables.has(name));
      for (const name of own.length ? own : tables.keys()) {
        for (const [column, type] of columnsOf(name)) if (!all.has(column)) all.set(column, `${name} ${type}`);
      }
      for (const name of found.keys()) if (!all.has(name)) all.set(name, "");
      for (const name of words) if (word && !all.has(name)) all.set(name, "");
    }
    const begun = word.toLowerCase();
    return { word, found: [...all].filter(([name]) => name.toLowerCase().startsWith(begun) && name.toLowerCase() !== begun) };
  }

  offers(text, offered);
})();
