// Countersigned forms, and the commitments to their table.

import { h, type Child } from "../../lib/dom";
import { button, field, form, heading, lead, para, radios, submitButton, title, warning } from "../../lib/parts";
import type { Screen } from "../../lib/screen";
import { attempt, typed, wrong, type Context, type Step } from "../context";
import { isoDay, type Desk } from "../desk";
import * as node from "../node";
import { save, table, tick } from "../parts";

const dayMillis = 24 * 60 * 60 * 1000;

export const countersigned: Step = async (c, d) => {
  const t = c.w.table, { lines, posted } = d.tables, may = await d.mayCommit();
  const subject = (leaf: string) => d.tables.cards.find((x) => x.leaf === leaf)?.subject ?? leaf.slice(0, 8);
  return { title: t.title, back: "today", body: [
    title(t.title), lead(t.lead),
    lines.length === 0 ? para(t.none)
      : table(t.title, [c.w.subject, c.w.version, c.w.form, c.w.day], lines.map((l): Child[] => [subject(l.leaf), l.version, l.form, isoDay(l.day)]), true),
    lines.length > 0 && pending(c, d, may),
    posted.length > 0 && table(t.committed, [t.epoch, t.total, c.w.entry], posted.map((x): Child[] => [x.epoch, x.total, x.entry || t.sure])),
    lines.length > 0 && [heading(t.file), para(t.fileAbout),
      button(t.file, () => save("countersigned.json", "application/json", d.opened()), "secondary")],
  ] };
};

function pending(c: Context, d: Desk, may: boolean): Child {
  const t = c.w.table, n = d.uncommitted;
  const said = n > 0 ? [c.w.today.commit(n), !may && [" ", t.later]] : [t.nothing, may && [" ", t.anyway]];
  return form((_, f) => attempt(c, f, "commit", async () => {
    const outcome = await d.commit();
    if (outcome.code !== 0) return wrong(c, { field: "commit", text: `${t.refused}: ${outcome.refusal}` });
    c.say(t.done);
    c.router.again();
  }), para(said), may && h("button", { type: "submit", class: `govuk-button ${n > 0 ? "" : "govuk-button--secondary"}`, id: "commit" }, t.commit));
}

/** One receipt: the form that both signed, and the day. */
export async function sign(c: Context, d: Desk, n: number): Promise<Screen> {
  const t = c.w.sign, r = d.tables.receipts[n];
  const card = r && d.card(r.box);
  if (!r || !card?.leaf || r.signed !== undefined) return { title: t.title, back: "today", body: [title(t.title), para(t.gone)] };
  const [v, now] = await Promise.all([node.version(d.place.trial, r.version), node.clock()]);
  const forms = v.protocol.forms ?? [];
  if (forms.length === 0) return { title: t.title, back: "today", body: [title(t.title), warning(c.w.warning, t.gone)] };
  return { title: t.title, back: "today", body: form((data, f) => {
    const chosen = forms.find((x) => x.id === data.get("form")), on = dayOf(typed(data, "day"));
    const mistakes = [
      !chosen && { field: "form", text: t.noForm }, on === undefined && { field: "day", text: t.noDay }, !data.get("both") && { field: "both", text: t.noBoth },
    ].filter((m) => m !== false);
    if (mistakes.length > 0) return wrong(c, ...mistakes);
    attempt(c, f, "both", async () => {
      await d.countersign(r, chosen!.id, on!);
      c.router.replace("table");
    });
  },
    title(t.title, card.subject), lead(t.lead(card.subject, r.version)),
    radios({ name: "form", legend: t.form, small: true, value: forms.length === 1 ? forms[0]!.id : undefined,
      items: forms.map((x) => ({ value: x.id, text: `${x.title} (${x.language})` })) }),
    field({ name: "day", label: t.day, width: "govuk-input--width-10", attributes: { type: "date", value: isoDay(Math.floor(now / dayMillis)), max: isoDay(Math.floor(now / dayMillis)) } }),
    tick("both", t.both), submitButton(t.sign),
  ) };
}

function dayOf(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text + "T00:00:00Z") : NaN;
  return Number.isNaN(ms) ? undefined : ms / dayMillis;
}
