// What a new version changes, worked out by the ledger from the two versions, and
// what each answer leads to.

import { h, type Child } from "../lib/dom";
import { compare, type Run } from "../lib/diff";
import { day } from "../lib/language";
import { bullets, details, heading, inset, next, para, title } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { type Status } from "./agent";
import { type Context, type Joined } from "./context";
import { type Change } from "./study";

// Of most concern to the person first. Changes of the form repeat what is above them.
const order = ["risks", "burden", "payment", "data use", "eligibility", "design", "outcomes", "consent form", "administrative"];

export async function news(c: Context, j: Joined, open: { version: number; deadline: string }, s: Status): Promise<Screen> {
  const { w, l } = c, t = w.news, v = await j.study.version(open.version);
  const past = open.deadline !== "" && s.now !== "" && Date.parse(open.deadline) <= Date.parse(s.now);
  const silent = open.deadline && !past ? t.silent(day(l, open.deadline)) : t.silentAny;
  const changes = v.changes ?? [];
  return { title: t.title, back: "", body: [
    title(t.title, t.caption(open.version)),
    v.reason && [heading(t.reason), h("p", { class: "govuk-body", dir: "auto" }, v.reason)],
    heading(t.count(changes.length)),
    classes(changes).map((name) => part(c, name, changes.filter((x) => x.class === name))),
    heading(t.what), bullets([t.yes, silent, t.no]),
    past && inset(w.mine.newPast),
    next(t.start, "#read-1"),
    v.protocol.forms.length > 1 && para(h("a", { class: "govuk-link", href: "#language" }, w.invite.language)),
    para(h("a", { class: "govuk-link", href: "#leave" }, w.check.refuseNew)),
  ] };
}

function classes(changes: Change[]): string[] {
  const names = [...new Set(changes.map((x) => x.class))];
  return names.sort((a, b) => place(a) - place(b));
}

function place(name: string): number {
  const i = order.indexOf(name);
  return i < 0 ? order.length : i;
}

// What concerns the person stands open; details of the form and of the design wait behind their names.
function part(c: Context, name: string, changes: Change[]): Child {
  const text = c.w.news.about[name] ?? name;
  const list = h("ul", { class: "t-changes" }, changes.map((x) => change(c, x)));
  return place(name) < 5 ? [h("h3", { class: "govuk-heading-s" }, text), list] : details(`${text} (${changes.length})`, list);
}

function change(c: Context, x: Change): HTMLElement {
  const t = c.w.news, runs = compare(x.before, x.after);
  return h("li", { class: "t-change" }, h("div", { class: "t-pair" },
    side(t.before, x.before ? marked(runs.before, "del", t.deleted, t.end) : t.added),
    side(t.after, x.after ? marked(runs.after, "ins", t.inserted, t.end) : t.removed)));
}

function side(label: string, text: Child): HTMLElement {
  return h("div", { class: "t-pair__side" }, h("p", { class: "t-pair__label" }, label), h("p", { class: "t-pair__text", dir: "auto" }, text));
}

// Marked by strokes for those who see the page, in words for those who hear it.
function marked(runs: Run[], tag: "del" | "ins", before: string, end: string): Child[] {
  const aside = (text: string) => h("span", { class: "govuk-visually-hidden" }, text);
  return runs.map((r) => r.changed ? [h(tag, {}, aside(before + " "), r.text, aside(`, ${end}`)), " "] : r.text + " ");
}
