// Somebody leaves by the site's word: two people sign what the site has seen.

import { h, type Child } from "../../lib/dom";
import { field, form, heading, lead, next, para, radios, submitButton, summary, title, warning } from "../../lib/parts";
import type { Screen } from "../../lib/screen";
import { attempt, typed, wrong, type Context, type Step } from "../context";
import type { Card, Desk } from "../desk";
import { select } from "../parts";
import { SafeError } from "../safe";
import { Leaving, type Statement } from "../sign";
import { secret } from "./setup";

export const leave: Step = (c, d) => {
  const t = c.w.leave, unsure = d.unsure, here = d.enrolled;
  if (unsure) return again(c, d, d.card(unsure.box)!);
  if (here.length === 0) return { title: t.title, back: "today", body: [title(t.title), para(t.none)] };
  return { title: t.title, back: "today", body: form((data) => {
    const n = d.tables.cards.findIndex((x) => x.box === data.get("who"));
    if (n < 0) return wrong(c, { field: "who", text: t.noWho });
    c.router.go(`leave/${n}`);
  },
    title(t.title), select({ name: "who", label: t.who, items: here.map((x) => ({ value: x.box, text: x.subject })) }), submitButton(c.w.next),
  ) };
};

export async function leaving(c: Context, d: Desk, n: number): Promise<Screen | string> {
  const t = c.w.leave, card = d.tables.cards[n];
  if (!card || card.state !== "enrolled") return "leave";
  const statements = await d.unsettled(card);
  return { title: t.whyTitle, back: "leave", body: form((data, f) => {
    const why = data.get("why"), reason = typed(data, "reason");
    const mistakes = [!why && { field: "why", text: t.noWhy }, !reason && { field: "reason", text: t.noReason }].filter((m) => m !== false);
    if (mistakes.length > 0) return wrong(c, ...mistakes);
    const said = statements.map((s): Statement => ({ ...s, used: data.get(`used-${s.version}`) === "yes" }));
    together(c, d, f, data, card, why === "word" ? Leaving.word : Leaving.ended, said, reason);
  },
    title(t.whyTitle, card.subject),
    radios({ name: "why", legend: t.why, small: true, items: [
      { value: "word", text: t.word, hint: t.wordHint }, { value: "ended", text: t.ended, hint: t.endedHint },
    ] }),
    field({ name: "reason", label: t.reason, hint: t.reasonHint, lines: 3 }),
    heading(t.statements),
    statements.map((s) => radios({ name: `used-${s.version}`, legend: c.w.versionOf(s.version), small: true, value: s.used ? "yes" : "no",
      items: [{ value: "yes", text: t.used }, { value: "no", text: t.unused }] })),
    second(c, d),
  ) };
}

/** A removal whose answer did not come is sent once more, not made anew. */
function again(c: Context, d: Desk, card: Card): Screen {
  const t = c.w.leave, r = d.unsure!;
  return { title: t.title, back: "today", body: form((data, f) => together(c, d, f, data, card, r.leaving, r.statements, r.reason),
    title(t.title, card.subject), warning(c.w.warning, t.rest), second(c, d)) };
}

function second(c: Context, d: Desk): Child {
  const t = c.w.leave, others = d.safe.people.filter((p) => p.key !== d.safe.holder.key);
  if (others.length === 0) return [heading(t.second), warning(c.w.warning, t.noSecond), next(c.w.computer.add, "#person", "secondary")];
  return [heading(t.second), para(t.secondLead),
    select({ name: "second", label: t.person, items: others.map((p) => ({ value: p.key, text: p.name })) }),
    secret("pass", t.pass, "off"), submitButton(t.sign, "warning")];
}

function together(c: Context, d: Desk, f: HTMLFormElement, data: FormData, card: Card, leaving: 2 | 3, said: Statement[], reason: string): void {
  const t = c.w.leave;
  attempt(c, f, "pass", async () => {
    const who = String(data.get("second") ?? "");
    const signer = await d.safe.other(who, String(data.get("pass") ?? "")).catch((e) => {
      if (e instanceof SafeError) return undefined;
      throw e;
    });
    if (!signer) return wrong(c, { field: "pass", text: t.wrong });
    const outcome = await d.remove(card, leaving, said, reason, signer);
    if (outcome.code !== 0) return wrong(c, { field: "pass", text: `${t.refused}: ${outcome.refusal}` });
    c.router.replace(`left/${d.tables.cards.indexOf(card)}`);
  });
}

export function left(c: Context, d: Desk, n: number): Screen | string {
  const t = c.w.leave, card = d.tables.cards[n];
  const r = d.tables.removals.findLast((x) => x.box === card?.box);
  if (!card || !r) return "today";
  return { title: t.done, body: [
    title(t.done), lead(t.doneAbout(card.subject)),
    summary([{ key: c.w.entry, value: h("span", {}, r.entry) }]), next(c.w.request.today, "#today"),
  ] };
}
