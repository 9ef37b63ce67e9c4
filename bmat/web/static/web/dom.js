// Elements from names, properties and children. Text is always text: nothing is parsed as HTML.

const NAMESPACES = new Set(["svg", "path", "rect", "line", "g", "circle", "text", "title"]);

// h("a.button.primary", { href: "/", onclick: go }, "Go") makes an element. Children may be
// elements, texts, numbers, arrays of those; null, undefined and false are left out. Properties that
// are functions become listeners, `aria-*`, `data-*` and unknown ones attributes; true stands
// for an empty attribute, false and null for none.
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const isDrawing = NAMESPACES.has(tag);
  const element = isDrawing
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.replace(/^on/, ""), value);
    else if (!isDrawing && (key === "value" || key === "checked" || key === "disabled" || key === "hidden")) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Puts `children` in the place of all that `element` holds.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Says something to those who listen to the page instead of looking at it.
export function announce(text) {
  let region = document.getElementById("announcements");
  if (!region) {
    region = h("div.visually-hidden", { id: "announcements", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  region.textContent = text;
}
