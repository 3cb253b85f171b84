// The parts that pages are put together from, as GOV.UK Frontend marks them up.

import { append, h, type Attributes, type Child } from "./dom";

/** A problem with an answer: the id of the field, and what to do about it. */
export interface Mistake { field: string; text: string }

/** The page's one heading. It takes the focus when the step changes. A caption that is text alone is a name, of whatever direction. */
export function title(text: string, caption?: Child, attributes: Attributes = {}): HTMLElement {
  return h("h1", { class: "govuk-heading-l", tabindex: -1, ...attributes },
    caption && h("span", { class: "govuk-caption-l" }, typeof caption === "string" ? h("bdi", {}, caption) : caption), text);
}

export function heading(text: string, attributes: Attributes = {}): HTMLElement {
  return h("h2", { class: "govuk-heading-m", ...attributes }, text);
}

export function para(...children: Child[]): HTMLElement {
  return h("p", { class: "govuk-body" }, ...children);
}

export function lead(...children: Child[]): HTMLElement {
  return h("p", { class: "govuk-body-l" }, ...children);
}

/** A text as its author wrote it, with its line breaks, in its own language. */
export function written(text: string, language: string): HTMLElement {
  return h("div", { class: "govuk-body t-text t-written", lang: language, dir: "auto" }, text);
}

export function bullets(items: Child[]): HTMLElement {
  return h("ul", { class: "govuk-list govuk-list--bullet govuk-list--spaced" }, items.map((item) => h("li", {}, item)));
}

export function link(text: Child, href: string, attributes: Attributes = {}): HTMLElement {
  return h("a", { class: "govuk-link", href, ...attributes }, text);
}

type Look = "" | "secondary" | "warning";

export function button(text: string, press: () => void, look: Look = "", attributes: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "govuk-button" + (look && ` govuk-button--${look}`), onclick: press, ...attributes }, text);
}

/** A link that looks like a button, and so answers to the space bar too: it leads somewhere and does nothing else. */
export function next(text: string, href: string, look: Look = ""): HTMLElement {
  const a: HTMLElement = h("a", {
    class: "govuk-button" + (look && ` govuk-button--${look}`), href, role: "button", draggable: "false",
    onkeydown: (event) => {
      if (!(event instanceof KeyboardEvent) || event.key !== " ") return;
      event.preventDefault();
      a.click();
    },
  }, text);
  return a;
}

export function group(...children: Child[]): HTMLElement {
  return h("div", { class: "govuk-button-group" }, ...children);
}

export function inset(...children: Child[]): HTMLElement {
  return h("div", { class: "govuk-inset-text" }, ...children);
}

export function warning(label: string, text: Child): HTMLElement {
  return h("div", { class: "govuk-warning-text" },
    h("span", { class: "govuk-warning-text__icon", "aria-hidden": "true" }, "!"),
    h("strong", { class: "govuk-warning-text__text" }, h("span", { class: "govuk-visually-hidden" }, label + " "), text));
}

export function details(summary: string, ...children: Child[]): HTMLElement {
  return h("details", { class: "govuk-details" },
    h("summary", { class: "govuk-details__summary" }, h("span", { class: "govuk-details__summary-text" }, summary)),
    h("div", { class: "govuk-details__text" }, ...children));
}

/** The end of a journey, said large. */
export function panel(text: string, body: Child): HTMLElement {
  return h("div", { class: "govuk-panel govuk-panel--confirmation" },
    h("h1", { class: "govuk-panel__title", tabindex: -1 }, text), h("div", { class: "govuk-panel__body" }, body));
}

/** A box at the top of a page that says what needs an answer. */
export function notice(label: string, ...children: Child[]): HTMLElement {
  return h("section", { class: "govuk-notification-banner", "aria-labelledby": "notice-title" },
    h("div", { class: "govuk-notification-banner__header" }, h("h2", { class: "govuk-notification-banner__title", id: "notice-title" }, label)),
    h("div", { class: "govuk-notification-banner__content" }, ...children));
}

/** A short text in its own language, which stands where the page's text begins. */
export function inline(text: string, language: string): HTMLElement {
  return h("span", { lang: language, dir: "auto" }, text);
}

/** A line of a summary list; change is the address of the step that asks it. Language is that of the key where it is not the page's. */
export interface Row { key: string; language?: string; value: Child; change?: { href: string; text: string } }

export function summary(rows: Row[]): HTMLElement {
  return h("dl", { class: "govuk-summary-list" }, rows.map((row) => {
    const key = row.language ? inline(row.key, row.language) : row.key;
    return h("div", { class: "govuk-summary-list__row" },
      h("dt", { class: "govuk-summary-list__key" }, key),
      h("dd", { class: "govuk-summary-list__value" }, row.value),
      row.change && h("dd", { class: "govuk-summary-list__actions" },
        link([row.change.text, h("span", { class: "govuk-visually-hidden" }, " (", row.language ? inline(row.key, row.language) : row.key, ")")], row.change.href)));
  }));
}

/** A list of pages one can go to, each with what it is for. */
export function menu(items: { text: string; href: string; about: string }[]): HTMLElement {
  return h("ul", { class: "t-menu" }, items.map((item) => h("li", { class: "t-menu__item" },
    h("a", { class: "govuk-link t-menu__link", href: item.href }, item.text),
    h("p", { class: "govuk-body-s t-menu__about" }, item.about))));
}

/** One question with a few answers. The legend is the page's heading unless small. */
export interface Choices {
  name: string; legend: string; hint?: Child; small?: boolean; language?: string; value?: string;
  items: { value: string; text: string; hint?: string; foreign?: boolean }[];
}

export function radios(c: Choices): HTMLElement {
  const hint = c.hint ? `${c.name}-hint` : undefined;
  const own = c.language ? { lang: c.language, dir: "auto" } : {};
  const legend = c.small
    ? h("legend", { class: "govuk-fieldset__legend govuk-fieldset__legend--m" }, c.legend)
    : h("legend", { class: "govuk-fieldset__legend govuk-fieldset__legend--l" },
      h("h1", { class: "govuk-fieldset__heading", tabindex: -1 }, c.language ? inline(c.legend, c.language) : c.legend));
  return h("div", { class: "govuk-form-group" },
    h("fieldset", { class: "govuk-fieldset", "aria-describedby": hint }, legend,
      c.hint && h("div", { class: "govuk-hint", id: hint }, c.hint),
      h("div", { class: "govuk-radios" }, c.items.map((item, i) => {
        const id = i ? `${c.name}-${i + 1}` : c.name;
        const about = item.hint ? `${id}-hint` : undefined;
        return h("div", { class: "govuk-radios__item" },
          h("input", { class: "govuk-radios__input", type: "radio", name: c.name, id, value: item.value, checked: c.value === item.value, "aria-describedby": about }),
          h("label", { class: "govuk-label govuk-radios__label", for: id, ...(item.foreign ? own : {}) }, item.text),
          item.hint && h("div", { class: "govuk-hint govuk-radios__hint", id: about }, item.hint));
      }))));
}

export interface Field { name: string; label: string; hint?: string; width?: string; lines?: number; attributes?: Attributes }

/** A field for text; several lines make it an area. */
export function field(f: Field): HTMLElement {
  const hint = f.hint ? `${f.name}-hint` : undefined;
  const attributes = { id: f.name, name: f.name, "aria-describedby": hint, autocomplete: "off", spellcheck: "false", ...f.attributes };
  return h("div", { class: "govuk-form-group" },
    h("label", { class: "govuk-label govuk-label--s", for: f.name }, f.label),
    f.hint && h("div", { class: "govuk-hint", id: hint }, f.hint),
    f.lines
      ? h("textarea", { class: "govuk-textarea t-code", rows: f.lines, ...attributes })
      : h("input", { class: `govuk-input t-code ${f.width ?? ""}`, type: "text", ...attributes }));
}

/** A form that asks one thing; submit runs when it is sent, by button or key. */
export function form(submit: (data: FormData, form: HTMLFormElement) => void, ...children: Child[]): HTMLFormElement {
  const element = h("form", { novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    submit(new FormData(element), element);
  } }, ...children);
  return element;
}

export function submitButton(text: string, look: Look = ""): HTMLButtonElement {
  return h("button", { type: "submit", class: "govuk-button" + (look && ` govuk-button--${look}`) }, text);
}

/** Tells of mistakes above the page and at each field, and moves the focus there. */
export function tell(place: HTMLElement, words: { problem: string; error: string }, mistakes: Mistake[]): void {
  clear(place);
  const box = h("div", { class: "govuk-error-summary", tabindex: -1, role: "alert", "aria-labelledby": "error-title" },
    h("h2", { class: "govuk-error-summary__title", id: "error-title" }, words.problem),
    h("div", { class: "govuk-error-summary__body" },
      h("ul", { class: "govuk-list govuk-error-summary__list" }, mistakes.map((m) => h("li", {}, toField(m))))));
  place.prepend(box);
  for (const m of mistakes) mark(m, words.error);
  document.title = `${words.error}: ${document.title}`;
  box.focus();
}

// The addresses of steps are fragments, so a link to a field moves the focus itself.
function toField(m: Mistake): HTMLElement {
  return h("a", { href: "#" + m.field, onclick: (event) => {
    event.preventDefault();
    document.getElementById(m.field)?.focus();
  } }, m.text);
}

function mark(m: Mistake, error: string): void {
  const input = document.getElementById(m.field);
  const about = input?.closest("fieldset") ?? input;
  const group = input?.closest(".govuk-form-group");
  if (!input || !about || !group) return;
  const id = `${m.field}-error`;
  const message = h("p", { class: "govuk-error-message", id }, h("span", { class: "govuk-visually-hidden" }, error + ": "), m.text);
  group.classList.add("govuk-form-group--error");
  if (about === input) input.before(message);
  else about.querySelector(".govuk-radios, .govuk-checkboxes")?.before(message);
  if (input.matches("input[type=text], textarea")) input.classList.add(input.matches("textarea") ? "govuk-textarea--error" : "govuk-input--error");
  about.setAttribute("aria-describedby", [about.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
}

/** Takes earlier mistakes off the page. */
export function clear(place: HTMLElement): void {
  place.querySelectorAll(".govuk-error-summary").forEach((e) => e.remove());
  place.querySelectorAll(".govuk-error-message").forEach((e) => {
    for (const about of place.querySelectorAll(`[aria-describedby~="${e.id}"]`)) {
      const left = (about.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id !== e.id).join(" ");
      if (left) about.setAttribute("aria-describedby", left);
      else about.removeAttribute("aria-describedby");
    }
    e.remove();
  });
  for (const name of ["govuk-form-group--error", "govuk-input--error", "govuk-textarea--error"]) {
    place.querySelectorAll("." + name).forEach((e) => e.classList.remove(name));
  }
}

/** Puts a page's content in its place. */
export function fill(place: HTMLElement, ...children: Child[]): void {
  place.replaceChildren();
  append(place, children);
}
