// What every step has at hand.

import { h, type Child } from "../lib/dom";
import { tell, title, type Mistake } from "../lib/parts";
import type { Language } from "../lib/language";
import type { Router, Screen } from "../lib/screen";
import { Desk, DeskError } from "./desk";
import { NodeError } from "./node";
import { SafeError, type SiteFile } from "./safe";
import type { Registration } from "./sign";
import type { Words } from "./words";

/** What is known on this computer now. */
export interface State { file?: SiteFile; desk?: Desk; flash: string; made?: Registration }

export interface Context { l: Language; w: Words; place: HTMLElement; router: Router; state: State; say: (text: string) => void }

/** A step of somebody who has unlocked this computer. */
export type Step = (c: Context, d: Desk) => Promise<Screen> | Screen;

/** A trouble in the reader's words. What the node refused is told in its own: they name the rule and the remedy. */
export function wordsFor(c: Context, e: unknown): string {
  const { w } = c;
  if (e instanceof DeskError) return w.faults[e.code];
  if (e instanceof NodeError) return e.status === 0 ? w.offline : e.message;
  if (e instanceof SafeError) return { passphrase: w.open.wrong, key: w.setup.badKey, file: w.restore.bad, twice: w.setup.twice, unsupported: w.unsupported, unkept: w.unkept }[e.code];
  return `${w.fault}. ${w.faultWhat}`;
}

/** Tells of mistakes on the step that is shown. */
export function wrong(c: Context, ...mistakes: Mistake[]): void {
  tell(c.place.querySelector<HTMLElement>(".t-step") ?? c.place, c.w, mistakes);
}

/**
 * Runs what a form asks for, once at a time. Where it fails, the mistake stands
 * at the field it is about.
 */
export function attempt(c: Context, form: HTMLFormElement, field: string, run: () => Promise<void>): void {
  if (form.getAttribute("aria-busy") === "true") return;
  const buttons = [...form.querySelectorAll<HTMLButtonElement>("button")];
  form.setAttribute("aria-busy", "true");
  buttons.forEach((b) => b.setAttribute("aria-disabled", "true"));
  c.say(c.w.working);
  run().catch((e) => {
    if (!(e instanceof DeskError || e instanceof NodeError || e instanceof SafeError)) console.error(e);
    wrong(c, { field, text: wordsFor(c, e) });
  }).finally(() => {
    form.removeAttribute("aria-busy");
    buttons.forEach((b) => b.removeAttribute("aria-disabled"));
    c.say("");
  });
}

/** What was typed into a field, without white space around. */
export function typed(data: FormData, name: string): string {
  const x = data.get(name);
  return typeof x === "string" ? x.trim() : "";
}

/** A step that failed as a whole. */
export function failed(c: Context, e: unknown): Screen {
  if (!(e instanceof DeskError || e instanceof NodeError)) console.error(e);
  return { title: c.w.problem, back: "", body: [title(c.w.problem), h("p", { class: "govuk-body-l" }, wordsFor(c, e)), again(c)] };
}

function again(c: Context): Child {
  return h("button", { type: "button", class: "govuk-button", onclick: () => c.router.again() }, c.w.again);
}

/** A moment, said so that it can be judged at once. */
export function ago(c: Context, time: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now - time) / 60_000));
  return minutes < 60 ? c.w.minutes(minutes) : c.w.hours(Math.floor(minutes / 60));
}
