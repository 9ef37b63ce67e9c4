// What somebody has chosen on a report's page. It stands in the address, so that a link shows it.

const DEFAULTS = {
  from: "", to: "", per: "", before: "", starts: "", contains: "", grain: "all", order: "song",
};

export class State {
  #values;
  #listeners = [];

  // `keyNames` are the fields of the result's key: together they say whose curve is open.
  constructor(query, keyNames) {
    this.keyNames = keyNames;
    this.#values = { ...DEFAULTS };
    for (const [name, value] of query) this.#values[name] = value;
  }

  get(name) {
    return this.#values[name] ?? "";
  }

  // The key whose curve is open; null: none.
  get key() {
    return this.keyNames.every((name) => name in this.#values) ? this.keyNames.map((name) => this.get(name)) : null;
  }

  // Changes some values, and tells whoever listens to one of them.
  set(changes) {
    const changed = Object.keys(changes).filter((name) => this.#values[name] !== changes[name]);
    if (!changed.length) return;
    for (const name of changed) {
      if (changes[name] === null) delete this.#values[name];
      else this.#values[name] = changes[name];
    }
    history.replaceState(null, "", this.address());
    for (const [names, listener] of this.#listeners) {
      if (changed.some((name) => names.includes(name))) listener();
    }
  }

  on(names, listener) {
    this.#listeners.push([names, listener]);
  }

  // The address of this page with some values changed.
  address(changes = {}) {
    const values = { ...this.#values, ...changes };
    const shown = Object.entries(values).filter(([name, value]) => value !== null && value !== DEFAULTS[name]);
    const query = new URLSearchParams(shown).toString();
    return location.pathname + (query ? `?${query}` : "");
  }

  keyAddress(key) {
    return this.address(Object.fromEntries(this.keyNames.map((name, index) => [name, key[index]])));
  }

  openKey(key) {
    this.set(Object.fromEntries(this.keyNames.map((name, index) => [name, key === null ? null : key[index]])));
  }
}
