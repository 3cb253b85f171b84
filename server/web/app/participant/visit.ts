// A visit: the device proves a current consent, and the site learns by a short
// code, or by scanning, which proof is this person's.

import { h } from "../lib/dom";
import { field, fill, form, group, inset, lead, next, para, radios, submitButton, tell, title } from "../lib/parts";
import { qr } from "../lib/qr";
import { type Screen } from "../lib/screen";
import { type Shown } from "./agent";
import { type Context, type Joined } from "./context";
import { contactOf } from "./journey";
import { type Visit } from "./study";
import { working } from "./work";

export async function visit(c: Context, j: Joined): Promise<Screen | string> {
  const { w } = c, t = w.visit, s = await j.member.status();
  if (s.left) return "left";
  const version = s.given[s.given.length - 1]?.version;
  const visits = version ? (await j.study.version(version)).protocol.visits : [];
  if (!visits.length) return { title: t.title, back: "", body: [title(t.title), lead(t.none)] };
  const place = h("div", {});
  let stop = () => {};
  const begin = (chosen: Visit, rep: number) => { stop = prove(c, j, place, chosen, rep); };
  place.append(form((data) => {
    const chosen = visits.find((v) => v.id === data.get("visit"));
    if (!chosen) return tell(place, w, [{ field: "visit", text: t.empty }]);
    if (chosen.repeatable) again(c, place, chosen, begin);
    else begin(chosen, 0);
  },
  title(t.title, j.member.card.study), lead(t.lead),
  radios({ name: "visit", legend: t.which, small: true, items: visits.map((v) => ({
    value: v.id, text: v.name || v.id, hint: [v.timing, v.dose ? t.dose : ""].filter(Boolean).join(", "),
  })) }),
  submitButton(t.make)));
  return { title: t.title, back: "", body: place, leave: () => stop() };
}

// A visit that can happen more than once asks which time it is.
function again(c: Context, place: HTMLElement, chosen: Visit, begin: (chosen: Visit, rep: number) => void): void {
  const t = c.w.visit;
  place.replaceChildren(form((data) => {
    const time = Number(data.get("rep"));
    if (!Number.isInteger(time) || time < 1 || time > 1000) return tell(place, c.w, [{ field: "rep", text: t.repWrong }]);
    begin(chosen, time - 1);
  },
  title(t.rep, chosen.name || chosen.id),
  field({ name: "rep", label: t.rep, hint: t.repHint, width: "govuk-input--width-3", attributes: { inputmode: "numeric", value: 1 } }),
  submitButton(t.make)));
  place.querySelector<HTMLElement>("h1")?.focus();
}

// Makes the proof in the place of the question; the returned function stops it.
function prove(c: Context, j: Joined, place: HTMLElement, chosen: Visit, rep: number): () => void {
  const { w } = c, t = w.visit;
  const screen = working(c, {
    title: t.title, lead: chosen.name || chosen.id, stages: ["ready", "prove", "send"], cancelledText: w.proof.cancelledLeave, home: "",
    contact: contactOf(c, j),
    run: async (progress, signal) => {
      const shown = await j.member.visit(chosen.id, chosen.dose, rep, progress, signal);
      if (!signal.aborted) code(c, place, shown);
      return undefined;
    },
  });
  fill(place, screen.body);
  place.querySelector<HTMLElement>("h1")?.focus();
  return () => screen.leave?.();
}

function code(c: Context, place: HTMLElement, shown: Shown): void {
  const t = c.w.visit;
  document.title = `${t.code} – Trialith`;
  place.replaceChildren(
    title(t.code),
    shown.code ? h("p", { class: "t-big-code" }, h("bdi", {}, shown.code)) : inset(t.unsent),
    ...(shown.code ? [para(t.sent)] : []),
    qr(shown.text, t.qr),
    group(next(t.done, "#")));
  place.querySelector<HTMLElement>("h1")?.focus();
}

