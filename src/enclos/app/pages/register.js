// Checks, in the reader's browser and without any request, that what this page says stands in the ledger.
// RFC 6962 § 2.1 (hashes, inclusion), C2SP signed-note and tlog-checkpoint, Ed25519.
(() => {
  "use strict";
  const read = (id) => document.getElementById(id).textContent;
  const words = JSON.parse(read("words"));
  const say = (text, state) => {
    const place = document.getElementById("verdict");
    place.textContent = text;
    place.dataset.state = state;
  };
  const utf8 = (text) => new TextEncoder().encode(text);
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const joined = (...parts) => {
    const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  };
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
  const same = (one, other) => hex(one) === hex(other);
  const demand = (condition, fault) => { if (!condition) { throw new Error(fault); } };

  // The root that an entry leads to along its path in a tree of that size.
  const rootOf = async (entry, index, size, path) => {
    let node = await sha256(new Uint8Array([0]), utf8(entry));
    let at = index, last = size - 1;
    for (const part of path) {
      demand(last > 0, "path");
      const sibling = bytes(part);
      if (at % 2 === 1 || at === last) {
        node = await sha256(new Uint8Array([1]), sibling, node);
        while (at % 2 === 0 && at !== 0) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
      } else {
        node = await sha256(new Uint8Array([1]), node, sibling);
      }
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
    }
    demand(last === 0, "path");
    return node;
  };

  const checkpointOf = async (note, vkey) => {
    const [name, id, encoded] = [vkey.split("+")[0], vkey.split("+")[1], vkey.split("+").slice(2).join("+")];
    const key = bytes(encoded);
    const own = await sha256(utf8(name + "\n"), key);
    demand(key[0] === 1 && hex(own.slice(0, 4)) === id, "key");
    const cut = note.lastIndexOf("\n\n");
    const text = note.slice(0, cut + 1);
    const publicKey = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    let signed = false;
    for (const line of note.slice(cut + 2).trimEnd().split("\n")) {
      const [, signer, signature] = line.split(" ");
      const raw = bytes(signature);
      if (signer === name && hex(raw.slice(0, 4)) === id) {
        demand(await crypto.subtle.verify({ name: "Ed25519" }, publicKey, raw.slice(4), utf8(text)), "signature");
        signed = true;
      }
    }
    demand(signed, "signature");
    const [origin, size, root] = text.split("\n");
    demand(origin === name, "key");
    return { size: Number(size), root: bytes(root) };
  };

  const check = async () => {
    const text = bytes(read("content"));  // the very bytes of register.json, in base64
    const content = JSON.parse(new TextDecoder().decode(text));
    const proofs = JSON.parse(read("proofs"));
    const checkpoint = await checkpointOf(proofs.checkpoint, proofs.key);
    const entries = new Map();
    for (const proof of proofs.entries) {
      const root = await rootOf(proof.entry, proof.index, checkpoint.size, proof.path);
      demand(same(root, checkpoint.root), "entry");
      entries.set(proof.index, JSON.parse(proof.entry));
    }
    const done = (indices) => {  // an intent and its outcome, joined
      const [intent, outcome] = indices.map((index) => entries.get(index));
      demand(intent && outcome && outcome.intent === indices[0] && outcome.outcome === "DONE", "entry");
      return { action: intent.action, permit: intent.permit, ...intent.facts, ...outcome.facts };
    };
    const [first, second] = proofs.entries;
    const own = done([first.index, second.index]);
    demand(own.action === "register" && own.content === hex(await sha256(text)), "content");
    let n = 0;
    for (const permit of content.permits) {
      for (const version of permit.versions) {
        const act = done(version.entries);
        demand(act.permit === permit.permit && act.digest === version.digest && act.version === version.version, "row");
        n += 1;
      }
      for (const release of permit.releases) {
        const act = done(release.entries);
        demand(act.action === "release.export" && act.permit === permit.permit && act.request === release.request, "row");
        n += 1;
      }
    }
    return { n, size: checkpoint.size };
  };

  const run = async () => {
    say(words.checking, "checking");
    try {
      const { n, size } = await check();
      say(words.holds.replace("{n}", n).replace("{size}", size), "holds");
    } catch (error) {
      const cannot = !(globalThis.crypto && crypto.subtle) || error.name === "NotSupportedError";
      say(cannot ? words.cannot : words.fails, cannot ? "cannot" : "fails");
    }
  };
  const button = document.getElementById("check");
  button.hidden = false;
  button.addEventListener("click", run);
  if (location.hash === "#check") { run(); }
})();
