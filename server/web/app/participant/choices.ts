// Changing the options of a consent given: what was chosen, each choice again,
// the check, and what became of it. The newest consent is the one that counts.

import { h, type Child } from "../lib/dom";
import { day } from "../lib/language";
import { form, group, heading, inset, lead, link, next, para, radios, submitButton, summary, title, type Row } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { type Choice, type Given, type Status } from "./agent";
import { decide, decided, type Context, type Joined } from "./context";
import { contactOf } from "./journey";
import { formFor, type Form, type Option, type Version } from "./study";
import { working } from "./work";

/** The consent whose options can be changed; undefined: there is none. */
export function changeable(s: Status): Given | undefined {
  return s.left ? undefined : s.given.at(-1);
}

// What is chosen anew stays in this page's memory: who goes away before agreeing has changed nothing.
interface Now { given: Given; v: Version; form: Form; kept: readonly string[] | undefined; s: Status }

export class Choices {
  private drafted = new Map<string, boolean>();
  private of = 0; // version that the draft is of

  constructor(private c: Context, private j: Joined) {}

  /** The screen of one of the steps; undefined: there is no such step. */
  async screen(step: string): Promise<Screen | string | undefined> {
    const m = /^choices(?:-([1-9][0-9]?|check|proof|done))?$/.exec(step);
    if (!m) return undefined;
    const now = await this.now();
    if (!now) return "";
    if (m[1] === "done") return this.done(now);
    if (m[1] === undefined) return this.present(now);
    if (now.s.waiting > 0) return now.s.changing ? "choices-done" : "choices"; // one after the other
    if (m[1] === "check") return this.check(now);
    if (m[1] === "proof") return this.proof(now);
    return this.choice(now, Number(m[1]));
  }

  private async now(): Promise<Now | undefined> {
    const s = await this.j.member.status(), given = changeable(s);
    if (!given) return undefined;
    if (this.of !== given.version) this.drafted.clear();
    this.of = given.version;
    const v = await this.j.study.version(given.version);
    return { given, v, s, form: formFor(v.protocol.forms, this.c.l, given.choice?.form), kept: given.choice?.taken };
  }

  private present(now: Now): Screen {
    const { w, l } = this.c, t = w.choices, options = now.form.options;
    if (now.s.waiting === 0) this.drafted.clear(); // begun anew
    if (!options.length) return { title: t.title, back: "", body: [title(t.title), lead(t.none)] };
    return { title: t.title, back: "", body: [
      title(t.title, w.version(now.given.version)), lead(t.lead),
      now.kept ? summary(rows(this.c, now.form, now.kept)) : inset(t.unknown),
      now.given.changed && para(t.changed(day(l, now.given.changed))),
      para(t.before),
      now.s.waiting > 0 ? inset(now.s.changing ? t.onWay : w.unsent) : next(now.kept ? t.start : t.startUnknown, "#choices-1"),
    ] };
  }

  private choice(now: Now, n: number): Screen | string {
    const { w } = this.c, t = w.option, options = now.form.options, o = options[n - 1];
    if (!o) return options.length ? "choices-check" : "choices";
    const body = form((data) => {
      this.drafted.set(o.id, data.get("option") === "yes");
      this.c.router.go(n < options.length ? `choices-${n + 1}` : "choices-check");
    },
    h("p", { class: "govuk-caption-l t-part" }, t.part(n, options.length)),
    radios({
      name: "option", legend: o.text, hint: [w.choices.hint, now.kept && ` ${t.before(now.kept.includes(o.id) ? t.yes : t.no)}`],
      language: now.form.language, value: this.taken(now, o) ? "yes" : "no", items: [{ value: "no", text: t.no }, { value: "yes", text: t.yes }],
    }),
    submitButton(w.next));
    return { title: o.text, back: n > 1 ? `choices-${n - 1}` : "choices", body };
  }

  // Whether an option is to be taken: as it was answered here, else as before, else not.
  private taken(now: Now, o: Option): boolean {
    return this.drafted.get(o.id) ?? now.kept?.includes(o.id) ?? false;
  }

  private chosen(now: Now): string[] {
    return now.form.options.filter((o) => this.taken(now, o)).map((o) => o.id);
  }

  // Where nothing is known of the present choices each is asked anew.
  private missing(now: Now): number {
    return now.kept ? -1 : now.form.options.findIndex((o) => !this.drafted.has(o.id));
  }

  private check(now: Now): Screen | string {
    const { w } = this.c, t = w.choices, missing = this.missing(now), chosen = this.chosen(now);
    if (missing >= 0) return missing === 0 ? "choices" : `choices-${missing + 1}`;
    const same = now.kept !== undefined && now.kept.length === chosen.length && chosen.every((id) => now.kept!.includes(id));
    const list = rows(this.c, now.form, chosen).map((row, i): Row => ({ ...row, change: { href: `#choices-${i + 1}`, text: w.change } }));
    return { title: t.check, back: `choices-${now.form.options.length}`, body: [
      title(t.check, w.version(now.given.version)), summary(list),
      same ? [inset(t.same), group(next(w.mine.title, "#"))]
        : form(() => decide(this.c, "choices-proof"), para(t.says), group(submitButton(t.agree), link(t.stop, "#"))),
    ] };
  }

  private proof(now: Now): Screen | string {
    const { w } = this.c;
    if (!decided(this.c, "choices-proof") || this.missing(now) >= 0) return "choices-check";
    const choice: Choice = { form: now.form.id, language: now.form.language, taken: this.chosen(now) };
    return working(this.c, {
      title: w.proof.title, lead: w.proof.lead, stages: ["ready", "prove", "send", "seen"], cancelledText: w.choices.cancelled, home: "choices-check",
      contact: contactOf(this.c, this.j),
      run: async (progress, signal) => {
        await this.j.member.change(now.given.version, now.v.protocol.forms, choice, progress, signal);
        this.drafted.clear();
        return "choices-done";
      },
    });
  }

  private async done(now: Now): Promise<Screen | string> {
    const { w } = this.c, t = w.choices, coming = now.s.changing;
    if (!coming && (!now.given.changed || !now.kept)) return "choices";
    const f = coming ? formFor(now.v.protocol.forms, this.c.l, coming.form) : now.form;
    const said = coming ? t.titleOnWay : t.done;
    return { title: said, body: [
      title(said, w.version(now.given.version)),
      para(coming ? ((await this.c.agent.way()).relayed ? w.proof.mixing : w.unsent) : t.doneText),
      heading(w.mine.options), summary(rows(this.c, f, (coming ?? now.given.choice!).taken)),
      para(t.keep), group(next(w.mine.title, "#"), link(w.mine.menu.text[0], "#text")),
    ] };
  }
}

/** Each option with its answer, in the words of the form. */
function rows(c: Context, f: Form, taken: readonly string[]): Row[] {
  return f.options.map((o) => ({ key: o.text, language: f.language, value: taken.includes(o.id) ? c.w.option.yes : c.w.option.no }));
}

/** The choices of a consent as it stands, for who reads again what they agreed to. */
export function chosen(c: Context, f: Form, g: Given | undefined, s: Status): Child {
  const { w, l } = c, taken = g?.choice?.taken;
  if (!f.options.length) return null;
  return [heading(w.mine.options),
    taken === undefined ? para(w.mine.unknownOptions) : summary(rows(c, f, taken)),
    g?.changed && para(w.choices.changed(day(l, g.changed))),
    s.changing && inset(w.choices.onWay, " ", link(w.choices.see, "#choices-done"))];
}
