// A visit or dose: the code on the participant's phone, then OK or STOP.

import { field, fill, form, group, lead, link, next, para, submitButton, summary, title } from "../../lib/parts";
import { scanner } from "../../participant/scan";
import { attempt, typed, wordsFor, wrong, type Context, type Step } from "../context";
import { DeskError, isoDay, type Desk, type Found } from "../desk";
import { NodeError } from "../node";
import { verdict } from "../parts";

export const visit: Step = (c, d) => {
  const t = c.w.visit;
  const body = form((data, f) => {
    const code = typed(data, "code");
    if (!code) return wrong(c, { field: "code", text: t.empty });
    attempt(c, f, "code", async () => { await find(c, d, code); });
  },
    title(t.title), lead(t.lead),
    field({ name: "code", label: t.code, hint: t.hint, width: "govuk-input--width-20", attributes: { autocapitalize: "characters", maxlength: 4000 } }),
    submitButton(t.look));
  const eye = scanner({ w: { card: t.camera } }, t.camera.scan, (text) => {
    body.querySelector("input")!.value = text;
    body.requestSubmit();
  });
  return { title: t.title, back: "today", body: [body, eye.element], leave: eye.leave, shown: (place) => place.querySelector<HTMLInputElement>("#code")?.focus() };
};

async function find(c: Context, d: Desk, code: string): Promise<void> {
  await d.fetch().catch(() => 0); // the letter may have come just now; a scanned code needs none
  try {
    confirm(c, d, await d.visit(code));
  } catch (e) {
    if (e instanceof DeskError && e.code === "code") return wrong(c, { field: "code", text: c.w.visit.none });
    if (e instanceof DeskError) return stop(c, wordsFor(c, e));
    throw e;
  }
}

function step(c: Context): HTMLElement {
  return c.place.querySelector<HTMLElement>(".t-step") ?? c.place;
}

function confirm(c: Context, d: Desk, found: Found): void {
  const t = c.w.visit, { act, card, visit: v } = found;
  const kind = v.dose ? "dose" : act.kind === 10 ? "attest" : "visit";
  fill(step(c), form((_, f) => attempt(c, f, "record", async () => record(c, d, found)),
    title(t.confirm),
    summary([
      { key: t.visit, value: v.name || v.id }, { key: t.kind, value: t.kinds[kind] }, { key: c.w.day, value: isoDay(act.day) },
      { key: c.w.subject, value: card?.subject ?? t.unknown }, { key: c.w.study, value: d.place.study },
    ]),
    group(submitButton(t.record), link(c.w.back, "#visit"))));
  focus(c);
}

/** The ledger's answer in one word. What it refused is a STOP, with its reason; that it does not answer is not. */
async function record(c: Context, d: Desk, found: Found): Promise<void> {
  const t = c.w.visit, v = found.visit;
  try {
    const outcome = await d.record(found);
    if (outcome.code !== 0) return stop(c, outcome.refusal);
  } catch (e) {
    if (e instanceof NodeError && !e.passing && e.status !== 404) return stop(c, e.message);
    throw e;
  }
  fill(step(c), verdict(true, t.ok, para(t.okAbout(v.name || v.id))), after(c));
  focus(c);
}

function stop(c: Context, why: string): void {
  const t = c.w.visit;
  fill(step(c), verdict(false, t.stop, para(why)), para(t.safety), after(c));
  focus(c);
}

function after(c: Context) {
  return group(next(c.w.visit.another, "#visit"), link(c.w.request.today, "#today"));
}

function focus(c: Context): void {
  scrollTo(0, 0);
  c.place.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
}
