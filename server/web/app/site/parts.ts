// Parts that only the site's page has.

import { h, type Child } from "../lib/dom";
import { fill, warning } from "../lib/parts";
import type { Words } from "./words";

/** A list to choose one from. */
export function select(f: { name: string; label: string; hint?: string; items: { value: string; text: string }[]; value?: string }): HTMLElement {
  const hint = f.hint ? `${f.name}-hint` : undefined;
  return h("div", { class: "govuk-form-group" },
    h("label", { class: "govuk-label govuk-label--s", for: f.name }, f.label),
    f.hint && h("div", { class: "govuk-hint", id: hint }, f.hint),
    h("select", { class: "govuk-select", id: f.name, name: f.name, "aria-describedby": hint },
      f.items.map((i) => h("option", { value: i.value, selected: i.value === f.value }, i.text))));
}

/** A file to choose. */
export function upload(name: string, label: string, accept: string): HTMLElement {
  return h("div", { class: "govuk-form-group" },
    h("label", { class: "govuk-label govuk-label--s", for: name }, label),
    h("input", { class: "govuk-file-upload", type: "file", id: name, name, accept }));
}

/** A statement that one makes by ticking it. */
export function tick(name: string, text: string): HTMLElement {
  return h("div", { class: "govuk-form-group" },
    h("div", { class: "govuk-checkboxes" },
      h("div", { class: "govuk-checkboxes__item" },
        h("input", { class: "govuk-checkboxes__input", type: "checkbox", id: name, name, value: "yes" }),
        h("label", { class: "govuk-label govuk-checkboxes__label", for: name }, text))));
}

/** A table. The first cell of a row is its heading. The caption is only spoken where the page's heading says it. */
export function table(caption: string, heads: string[], rows: Child[][], spoken = false): HTMLElement {
  return h("div", { class: "t-scroll", role: "region", tabindex: 0, "aria-label": caption },
    h("table", { class: "govuk-table" },
      h("caption", { class: spoken ? "govuk-visually-hidden" : "govuk-table__caption govuk-table__caption--m" }, caption),
      h("thead", { class: "govuk-table__head" }, h("tr", { class: "govuk-table__row" }, heads.map((x) => h("th", { scope: "col", class: "govuk-table__header" }, x)))),
      h("tbody", { class: "govuk-table__body" }, rows.map((row) => h("tr", { class: "govuk-table__row" },
        row.map((cell, i) => i === 0 ? h("th", { scope: "row", class: "govuk-table__header" }, cell) : h("td", { class: "govuk-table__cell" }, cell)))))));
}

/** OK or STOP, to be read from across the room. */
export function verdict(good: boolean, word: string, ...about: Child[]): HTMLElement {
  return h("div", { class: `t-go t-go--${good ? "ok" : "stop"}`, role: good ? "status" : "alert" },
    h("h1", { class: "t-go__word", tabindex: -1 }, word), h("div", { class: "t-go__about" }, about));
}

/** A person stops here: this page cannot do it. */
export function impossible(place: HTMLElement, w: Words, text: string): void {
  fill(place, h("h1", { class: "govuk-heading-l", tabindex: -1 }, w.name), warning(w.warning, text));
  place.removeAttribute("aria-busy");
}

/** Offers a text as a file. */
export function save(name: string, kind: string, text: string): void {
  const a = h("a", { href: URL.createObjectURL(new Blob([text], { type: kind })), download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}

/** The file that was chosen in a field; undefined: none. */
export function chosen(form: HTMLFormElement, name: string): File | undefined {
  return form.querySelector<HTMLInputElement>(`input[type=file][name=${name}]`)?.files?.[0] ?? undefined;
}
