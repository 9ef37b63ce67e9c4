// The first records of a file as they would be read: each column says in its head what it is.

import { h } from "../dom.js";
import { count } from "../format.js";
import { ALL_ROLES } from "./reading.js";
import { ROLES, isLeftOut, reasonText, roleOfReason } from "./words.js";

const MOST_COLUMNS = 60;

// `onRole(index, role)` is called where somebody says what a column is; without it nobody can.
// With `isPending` somebody has to.
export function table(found, onRole, isPending) {
  const columns = found.columns.slice(0, MOST_COLUMNS);
  const more = found.columns.length - columns.length;
  return h(`table.preview-table${isPending ? ".is-pending" : ""}`, {},
    h("caption.visually-hidden", {}, "The first rows of the file, as they would be read"),
    h("thead", {}, h("tr", {},
      h("th.preview-line", { scope: "col" }, h("span.visually-hidden", {}, "Line")),
      columns.map((column, index) => head(column, index, onRole)),
      more > 0 && h("th", { scope: "col" }, `and ${count(more)} more`),
    )),
    h("tbody", {}, found.records.map((record) => rows(record, columns))),
  );
}

function head(column, index, onRole) {
  const name = column.name.trim() || `Column ${index + 1}`;
  return h(`th.preview-head${column.role ? ".is-read" : ""}${column.role === "plays" ? ".number" : ""}`, { scope: "col" },
    h("span.preview-name", { title: name }, column.role === name ? ROLES[name] : name),
    onRole
      ? h("select.preview-role", { "aria-label": `What ${name} is`, onchange: (event) => onRole(index, event.target.value || null) },
          h("option", { value: "", selected: !column.role }, "Not read"),
          ALL_ROLES.map((role) => h("option", { value: role, selected: column.role === role }, ROLES[role])))
      : column.role !== name && h("span.preview-role", {}, ROLES[column.role] ?? "Not read"),
  );
}

function rows(record, columns) {
  const isRejected = record.reason && !isLeftOut(record.reason);
  const style = isRejected ? ".is-rejected" : record.reason ? ".is-left-out" : "";
  const row = h(`tr${style}`, {},
    h("th.preview-line", { scope: "row" }, count(record.line)),
    record.fields.length === 1 && columns.length > 1
      ? h("td", { colspan: String(columns.length) }, record.fields[0])
      : columns.map((column, index) => cell(record, column, index)),
  );
  if (!record.reason) return row;
  return [row, h(`tr.preview-reason${style}`, {}, h("td"), h("td", { colspan: String(columns.length) }, h("span", {}, reasonText(record.reason))))];
}

// A field, and what it is read as where that does not look the same.
function cell(record, column, index) {
  const text = record.fields[index] ?? "";
  const isAtFault = record.reason && column.role && roleOfReason(record.reason) === column.role;
  const value = column.role === "date" ? record.date : column.role === "plays" && record.plays !== null ? String(record.plays) : null;
  return h(`td${column.role ? "" : ".is-not-read"}${column.role === "plays" ? ".number" : ""}${isAtFault ? ".is-at-fault" : ""}`, { title: text.length > 40 ? text : null },
    text, value !== null && value !== text.trim() && h("span.preview-value", {}, h("span", { "aria-hidden": "true" }, "→ "), h("span.visually-hidden", {}, " is read as "), value));
}
