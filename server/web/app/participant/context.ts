// What every step has at hand.

import { type Words } from "../lib/en";
import { type Language } from "../lib/language";
import { h } from "../lib/dom";
import { details, heading, lead, next, para, title } from "../lib/parts";
import { type Router, type Screen } from "../lib/screen";
import { type Agent, AgentError, type Member } from "./agent";
import { Study } from "./study";

export interface Context {
  l: Language; w: Words; agent: Agent; router: Router;
  /** The step that a button has just asked for. */
  asked?: string;
}

/**
 * Goes to a step that does what a person decided. Only a button leads there: the
 * back button, a bookmark or a reload must never agree or leave.
 */
export function decide(c: Context, step: string): void {
  c.asked = step;
  if (c.router.step === step) c.router.again();
  else c.router.go(step);
}

/** Whether a button has asked for this step; it tells so once. */
export function decided(c: Context, step: string): boolean {
  const yes = c.asked === step;
  c.asked = undefined;
  return yes;
}

/** A study on this device, with what is public about it. */
export interface Joined { member: Member; study: Study }

export function joined(member: Member): Joined {
  return { member, study: new Study(member.card.trial) };
}

/** The participation that the address names, else the one that was begun last. */
export async function meant(c: Context): Promise<Member | undefined> {
  const members = await c.agent.members();
  const named = new URLSearchParams(location.search).get("study");
  return members.findLast((m) => m.card.trial === named) ?? members.at(-1);
}

/** A trouble in the person's words. */
export function wordsFor(c: Context, e: unknown): string {
  const t = c.w.trouble;
  if (!(e instanceof AgentError)) return t.internal;
  switch (e.trouble) {
    case "offline": return t.offline;
    case "code": return t.code;
    case "card": return t.card;
    case "used": return t.used;
    case "storage": return t.storage;
    case "sheet": return t.sheet(e.group);
    case "nothing": return t.nothing;
    case "refused": return t.refused(e.message);
    case "unsupported": return t.unsupported;
    case "keyless": return t.keyless;
    case "changed": return t.changed;
    case "old": return t.old;
    case "slow": return t.slow;
    case "shown": return t.shown;
    case "current": return t.current;
    case "cancelled": return c.w.proof.cancelled;
    default: return t.internal;
  }
}

/** What a technician may want to know of it, in English, folded away. */
export function detail(c: Context, e: unknown): HTMLElement {
  return details(c.w.trouble.detail, h("p", { class: "govuk-body-s t-text", lang: "en", dir: "ltr" }, e instanceof Error ? `${e.name}: ${e.message}` : String(e)));
}

export function cancelled(e: unknown): boolean {
  return (e instanceof AgentError && e.trouble === "cancelled") || (e instanceof DOMException && e.name === "AbortError");
}

/** The step that stands in for one that failed. */
export function failed(c: Context, e: unknown): Screen {
  return { title: c.w.trouble.title, body: [
    title(c.w.trouble.title), lead(wordsFor(c, e)), next(c.w.proof.again, "#" + c.router.step), detail(c, e),
  ] };
}

/** Says that the page cannot work on this address or in this browser, and what can be done. */
export function unable(c: Context, why: "insecure" | "unsupported"): Screen {
  if (why === "unsupported") return { title: c.w.trouble.title, body: [title(c.w.trouble.title), lead(c.w.trouble.unsupported)] };
  const t = c.w.insecure;
  return { title: t.title, body: [
    title(t.title), lead(t.text), heading(t.how),
    para(t.https("https://" + location.host + location.pathname)), para(t.here), para(t.or),
  ] };
}
