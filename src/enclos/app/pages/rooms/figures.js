// Results for who wants to look closer: going from value to value of a picture by mouse or by arrow keys, showing and
// hiding its series, a part of its time, and tables in another order. The page works without it. Nothing is evaluated;
// into the page go our own pictures without what could run or load, and text.
"use strict";
(() => {
  const words = document.getElementById("figure-words");
  if (!words) return;
  const say = words.dataset;
  const MARK = "\u241e";
  const SVG = "http://www.w3.org/2000/svg";

  function made(name, given = {}, ...inner) {
    const each = document.createElement(name);
    for (const [key, value] of Object.entries(given)) each.setAttribute(key, value);
    each.append(...inner);
    return each;
  }

  // -- a picture

  // Our own drawing; a style attribute is what the page's policy stops, links and scripts are never in it.
  function read(text) {
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (svg.localName !== "svg") throw new Error("no picture");
    for (const each of [svg, ...svg.querySelectorAll("*")]) {
      if (["script", "foreignObject", "a", "image", "use", "style"].includes(each.localName)) each.remove();
      for (const { name } of [...each.attributes]) if (name === "style" || name.startsWith("on")) each.removeAttribute(name);
    }
    return document.importNode(svg, true);
  }

  const series = (each) => (each.getAttribute("aria-label") || "").split(MARK)[0];

  class Picture {
    constructor(figure) {
      this.figure = figure;
      this.hidden = new Set();
      this.span = null;
      this.number = 0;
      this.open = made("button", { type: "button", class: "second" }, say.explore);
      this.open.addEventListener("click", () => this.begin(true));
      this.open.append(made("span", { class: "unseen" }, ` ${figure.dataset.title}`));
      figure.append(made("p", { class: "opens" }, this.open));
      figure.querySelector("picture").addEventListener("pointerenter", () => this.begin(false), { once: true });
    }

    address() {
      const width = matchMedia("(max-width: 40rem)").matches ? "narrow" : "wide";
      const asked = this.span ? `?axis=${this.axis}&from=${this.span[0]}&to=${this.span[1]}` : "";
      return `${this.figure.dataset.live}/${width}/live.svg${asked}`;
    }

    async draw() {
      const number = (this.number += 1);
      const answer = await fetch(this.address(), { credentials: "same-origin" });
      if (!answer.ok) throw new Error("no picture");
      const svg = read(await answer.text());
      if (number !== this.number) return false;
      this.svg = svg;
      this.marks = [...svg.querySelectorAll("[aria-label]")].filter((each) => each.getAttribute("aria-label").includes(MARK));
      for (const each of this.marks) each.of = series(each);
      this.all = this.marks
        .map((each) => ({ mark: each, of: each.of, said: each.getAttribute("aria-label").split(MARK)[1] }))
        .filter((each) => each.said);
      for (const each of svg.querySelectorAll("[aria-label], [role]")) {
        each.removeAttribute("aria-label");
        each.removeAttribute("role");
        each.removeAttribute("aria-roledescription");
      }
      svg.setAttribute("aria-hidden", "true");
      this.ring = document.createElementNS(SVG, "rect");
      this.ring.setAttribute("class", "ring");
      this.plot.replaceChildren(svg);
      this.hide();
      return true;
    }

    async begin(isFocused) {
      if (this.plot) return;
      const figure = this.figure;
      this.plot = made("div", { class: "plate plot", tabindex: "0", role: "application", "aria-label": `${figure.dataset.title}. ${say.how}` });
      this.told = made("output", { class: "told" }, say.how);
      try {
        await this.draw();
      } catch {
        this.plot = null;
        return;
      }
      if (!this.all.length) {
        this.plot = null;
        this.open.parentElement.replaceWith(made("p", { class: "note" }, say.none));
        return;
      }
      this.axis = this.svg.dataset.axis;
      figure.querySelector("picture").replaceWith(this.plot);
      const had = document.activeElement === this.open;
      this.open.parentElement.replaceWith(this.told, ...this.legend(), ...this.range());
      this.plot.addEventListener("keydown", (event) => this.key(event));
      this.plot.addEventListener("pointermove", (event) => this.near(event));
      this.plot.addEventListener("pointerdown", (event) => this.near(event));
      if (isFocused || had) this.plot.focus();
    }

    // -- values

    shown() {
      return this.all.filter((each) => !this.hidden.has(each.of));
    }

    tell(one) {
      this.at = one;
      const box = one.mark.getBoundingClientRect();
      const whole = this.svg.getBoundingClientRect();
      const view = this.svg.viewBox.baseVal;
      const scale = view && whole.width ? view.width / whole.width : 1;
      const edge = 4;
      const values = {
        x: (box.left - whole.left) * scale - edge,
        y: (box.top - whole.top) * scale - edge,
        width: box.width * scale + 2 * edge,
        height: box.height * scale + 2 * edge,
        rx: 4,
      };
      for (const [name, value] of Object.entries(values)) this.ring.setAttribute(name, value);
      this.svg.append(this.ring);
      const said = one.of ? `${one.of}: ${one.said}` : one.said;
      if (this.told.textContent !== said) this.told.textContent = said;
    }

    // left and right within a series, up and down to the nearest value of the next
    key(event) {
      const all = this.shown();
      const own = this.at ? all.filter((each) => each.of === this.at.of) : all;
      const at = own.indexOf(this.at);
      const names = this.names.filter((name) => !this.hidden.has(name));
      let next = null;
      if (event.key === "ArrowRight") next = own[at < 0 ? 0 : Math.min(at + 1, own.length - 1)];
      else if (event.key === "ArrowLeft") next = own[Math.max(at - 1, 0)];
      else if (event.key === "Home") next = own[0];
      else if (event.key === "End") next = own.at(-1);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (at < 0) next = all[0];
        else if (names.length < 2) next = own[Math.min(Math.max(at + (event.key === "ArrowDown" ? 1 : -1), 0), own.length - 1)];
        else {
          const to = names[(names.indexOf(this.at.of) + (event.key === "ArrowDown" ? 1 : names.length - 1)) % names.length];
          const x = middle(this.at.mark).x;
          next = nearest(all.filter((each) => each.of === to), (each) => Math.abs(middle(each.mark).x - x));
        }
      } else return;
      event.preventDefault();
      if (next) this.tell(next);
    }

    near(event) {
      const next = nearest(this.shown(), (each) => {
        const box = each.mark.getBoundingClientRect();
        const x = Math.max(box.left - event.clientX, 0, event.clientX - box.right);
        const y = Math.max(box.top - event.clientY, 0, event.clientY - box.bottom);
        return x * x + y * y;
      });
      if (next && next !== this.at) this.tell(next);
    }

    // -- series

    legend() {
      this.names = [...new Set(this.all.map((each) => each.of))];
      if (this.names.length < 2) return [];
      const buttons = this.names.map((name) => {
        const button = made("button", { type: "button", class: "series", "aria-pressed": "true" });
        button.append(this.swatch(name), name);
        button.addEventListener("click", () => {
          const isShown = button.getAttribute("aria-pressed") === "true";
          if (isShown) this.hidden.add(name);
          else this.hidden.delete(name);
          button.setAttribute("aria-pressed", String(!isShown));
          this.hide();
        });
        return button;
      });
      return [made("div", { class: "inline", role: "group", "aria-label": say.series }, made("span", { class: "hint" }, say.series), ...buttons)];
    }

    swatch(name) {
      const mark = this.all.find((each) => each.of === name).mark;
      const svg = document.createElementNS(SVG, "svg");
      const dot = document.createElementNS(SVG, "rect");
      const colour = [mark.getAttribute("fill"), mark.getAttribute("stroke")].find((each) => each && each !== "none" && each !== "transparent");
      const given = { x: 1, y: 1, width: 12, height: 12, rx: 3, fill: colour || "#5b6b77", stroke: "#fff" };
      for (const [key, value] of Object.entries(given)) dot.setAttribute(key, value);
      for (const [key, value] of Object.entries({ viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" })) svg.setAttribute(key, value);
      svg.append(dot);
      return svg;
    }

    hide() {
      for (const each of this.marks) {
        if (this.hidden.has(each.of)) each.setAttribute("display", "none");
        else each.removeAttribute("display");
      }
      this.at = null;
      this.ring.remove();
      if (this.names) this.told.textContent = say.how;
    }

    // -- a part of the time

    range() {
      if (!this.axis) return [];
      const { least, most } = this.svg.dataset;
      const ends = this.axis === "date" ? [least.slice(0, 10), most.slice(0, 10)] : [String(Math.floor(Number(least))), String(Math.ceil(Number(most)))];
      const fields = ends.map((value) => made("input", { type: this.axis, min: ends[0], max: ends[1], value, ...(this.axis === "number" ? { step: "any" } : {}) }));
      const whole = made("button", { type: "button", class: "link" }, say.whole);
      const again = async () => {
        const [from, to] = fields.map((each) => each.value);
        const number = this.axis === "number";
        const places = [ends[0], from, to, ends[1]].map((each) => (number ? Number(each) : each));
        const isSpan = from && to && places[0] <= places[1] && places[1] < places[2] && places[2] <= places[3];
        for (const each of fields) each.toggleAttribute("aria-invalid", false);
        if (!isSpan) return fields[1].setAttribute("aria-invalid", "true");
        this.span = from === ends[0] && to === ends[1] ? null : [from, to];
        await this.draw().catch(() => false);
      };
      for (const each of fields) each.addEventListener("change", again);
      whole.addEventListener("click", () => {
        fields.forEach((each, at) => (each.value = ends[at]));
        again();
      });
      const labels = [say.from, say.to].map((name, at) => made("label", { class: "end" }, name, fields[at]));
      return [made("div", { class: "inline", role: "group", "aria-label": say.range }, ...labels, whole)];
    }
  }

  const middle = (mark) => {
    const box = mark.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };

  function nearest(all, far) {
    let best = null;
    let least = Infinity;
    for (const each of all) {
      const distance = far(each);
      if (distance < least) [best, least] = [each, distance];
    }
    return best;
  }

  // -- tables in another order

  // A number as these pages write it, in either language; what is withheld or not there comes last.
  const number = (text) => {
    const found = text.replace(/[\s\u202f\u00a0]/g, "").replace(",", ".").match(/^[-\u2212+]?\d+(\.\d+)?([eE][-+]?\d+)?/);
    return found ? Number(found[0].replace("\u2212", "-")) : NaN;
  };

  function order(table, at, isUp) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, text: row.cells[at].textContent.trim() }));
    const isNumber = table.tHead.rows[0].cells[at].classList.contains("n");
    const sign = isUp ? 1 : -1;
    rows.sort((a, b) => {
      if (!isNumber) return sign * a.text.localeCompare(b.text, document.documentElement.lang, { numeric: true });
      const [first, second] = [number(a.text), number(b.text)];
      if (isNaN(first) || isNaN(second)) return isNaN(first) - isNaN(second);
      return sign * (first - second);
    });
    body.append(...rows.map((each) => each.row));
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    if (table.tBodies[0].rows.length < 2) return;
    table.caption.append(` (${say.sort})`);
    heads.forEach((head, at) => {
      const button = made("button", { type: "button", class: "order" }, head.textContent.trim());
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isUp = head.getAttribute("aria-sort") !== "ascending";
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        order(table, at, isUp);
      });
    });
  }

  document.querySelectorAll("[data-live]").forEach((each) => new Picture(each));
  document.querySelectorAll("table.dense").forEach(sortable);
})();
