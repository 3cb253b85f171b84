// From the first part of the text to the receipt: the same steps for a first
// consent and for a new version.

import { h } from "../lib/dom";
import { day, languageName } from "../lib/language";
import {
  bullets, button, details, form, group, heading, inset, link, next, panel, para, radios, submitButton, summary, tell, title, written, type Row,
} from "../lib/parts";
import { qr } from "../lib/qr";
import { type Screen } from "../lib/screen";
import { type Choice, type Given, type Saved, type Status } from "./agent";
import { decide, decided, type Context, type Joined } from "./context";
import { Readiness } from "./readiness";
import { formFor, titleOf, type Form, type Question, type Version } from "./study";
import { working } from "./work";

/** Where a journey begins and ends: the invitation, or the news of a version. */
export interface Ends { start: string; refuse: string; renewed: boolean }

export class Journey {
  private readiness: Readiness;

  constructor(private c: Context, private joined: Joined, readonly version: number, private ends: Ends) {
    this.readiness = new Readiness(joined, version);
  }

  /** The screen of one of the journey's steps; undefined: it has no such step. */
  async screen(step: string): Promise<Screen | string | undefined> {
    const m = /^(?:(read|question|answer|option)-([1-9][0-9]?)|(language|all|today|check|proof|receipt))$/.exec(step);
    if (!m) return undefined;
    const [, kind, number, single] = m;
    const n = Number(number ?? 0);
    if (single === "receipt") return this.receiptStep();
    const now = await this.now();
    if (single !== "proof" && single !== "language") this.readiness.start();
    switch (kind ?? single) {
      case "language": return this.language(now);
      case "read": return this.read(now, n);
      case "question": return this.question(now, n);
      case "answer": return this.answer(now, n);
      case "option": return this.option(now, n);
      case "all": return this.all(now);
      case "today": return this.today(now);
      case "check": return this.check(now);
      default: return this.proof(now);
    }
  }

  /** Starts what can be done while the person reads. */
  prepare(): void { this.readiness.start(); }

  stop(): void { this.readiness.stop(); }

  /** The step at which a person stopped, or the first. */
  async resume(): Promise<string> {
    const now = await this.now();
    if (!Object.keys(now.saved.answers).length && !Object.keys(now.saved.options).length) return "read-1";
    return this.firstOpen(now);
  }

  private async now(): Promise<Now> {
    const v = await this.joined.study.version(this.version);
    const fresh: Saved = { form: "", answers: {}, options: {}, today: false, version: this.version };
    const kept = await this.joined.member.saved();
    const saved = kept?.version === this.version ? kept : fresh;
    const before = this.ends.renewed ? await this.before() : undefined;
    const form = formFor(v.protocol.forms, this.c.l, saved.form || before?.form);
    // Whoever answers a question goes on in the language in which it was asked.
    return { v, saved: { ...saved, form: form.id }, form, way: await this.c.agent.way(), before: before?.taken };
  }

  // The form and options of the consent before this one, where this device knows them.
  private async before(): Promise<Choice | undefined> {
    const s = await this.joined.member.status();
    return s.given.filter((g) => g.version < this.version).pop()?.choice;
  }

  private async keep(saved: Saved): Promise<void> {
    await this.joined.member.save(saved);
  }

  // The first question or choice that has no answer, else the check.
  private firstOpen({ form, saved, way }: Now): string {
    const q = questionsOf(form).findIndex((x) => !(x.id in saved.answers));
    if (q >= 0) return `question-${q + 1}`;
    const o = form.options.findIndex((x) => !(x.id in saved.options));
    if (o >= 0) return `option-${o + 1}`;
    return way.relayed && !this.ends.renewed && !("today" in saved.answers) ? "today" : "check";
  }

  // The steps after the text, in their order.
  private order({ form, way }: Now): string[] {
    return [
      ...form.sections.map((_, i) => `read-${i + 1}`), ...questionsOf(form).map((_, i) => `question-${i + 1}`),
      ...form.options.map((_, i) => `option-${i + 1}`), ...(way.relayed && !this.ends.renewed ? ["today"] : []), "check",
    ];
  }

  private around(now: Now, step: string): { back: string; next: string } {
    const order = this.order(now), at = order.indexOf(step);
    return { back: at > 0 ? order[at - 1] : this.ends.start, next: order[at + 1] ?? "check" };
  }

  private language(now: Now): Screen {
    const { w } = this.c, place = h("div", {});
    place.append(form((data) => {
      const chosen = now.v.protocol.forms.find((f) => f.id === data.get("form"));
      if (!chosen) return tell(place, w, [{ field: "form", text: w.invite.languageEmpty }]);
      // Answers belong to the form that asked.
      const saved = chosen.id === now.form.id ? now.saved : { ...now.saved, form: chosen.id, answers: {}, options: {} };
      void this.keep(saved).then(() => this.c.router.go("read-1"));
    },
    radios({
      name: "form", legend: w.invite.language, hint: w.invite.languageHint, value: now.form.id,
      items: now.v.protocol.forms.map((f) => ({ value: f.id, text: `${languageName(f.language)}: ${f.title}` })),
    }), submitButton(w.next)));
    return { title: w.invite.language, back: this.ends.start, body: place };
  }

  private read(now: Now, n: number): Screen | string {
    const section = now.form.sections[n - 1];
    if (!section) return "read-1";
    const { back, next: after } = this.around(now, `read-${n}`);
    const quiet = this.readiness.line(this.c);
    const own = { lang: now.form.language, dir: "auto" };
    return { title: section.heading, back, leave: quiet.leave, body: [
      h("p", { class: "govuk-caption-l t-part" }, this.c.w.read.part(n, now.form.sections.length)),
      title(section.heading, undefined, own),
      n === 1 && now.form.example && inset(this.c.w.example),
      written(section.text, now.form.language),
      next(this.c.w.next, "#" + after),
      this.askDetails(), quiet.element,
    ] };
  }

  private askDetails(): HTMLElement {
    const { siteName, contact } = this.joined.member.card;
    return details(this.c.w.ask(siteName), para(h("span", { dir: "auto" }, contact)));
  }

  private question(now: Now, n: number): Screen | string {
    const questions = questionsOf(now.form), q = questions[n - 1];
    if (!q) return "check";
    const w = this.c.w.question;
    const quiet = this.readiness.line(this.c);
    const kept = now.saved.answers[q.id];
    const place = h("div", {});
    place.append(form((data) => {
      const given = data.get("answer");
      if (given === null) return tell(place, this.c.w, [{ field: "answer", text: w.empty }]);
      void this.keep({ ...now.saved, answers: { ...now.saved.answers, [q.id]: Number(given) } }).then(() => this.c.router.go(`answer-${n}`));
    },
    h("p", { class: "govuk-caption-l t-part" }, w.part(n, questions.length)),
    radios({
      name: "answer", legend: q.text, hint: w.hint, language: now.form.language, value: kept === undefined ? undefined : String(kept),
      items: q.answers.map((text, i) => ({ value: String(i), text, foreign: true })),
    }),
    submitButton(this.c.w.next)));
    return { title: q.text, back: this.around(now, `question-${n}`).back, leave: quiet.leave,
      body: [place, para(link(this.c.w.read.all, "#all")), this.askDetails(), quiet.element] };
  }

  private answer(now: Now, n: number): Screen | string {
    const q = questionsOf(now.form)[n - 1];
    if (!q) return "check";
    const given = now.saved.answers[q.id];
    if (given === undefined) return `question-${n}`;
    const w = this.c.w.question, right = given === q.right, own = { lang: now.form.language, dir: "auto" };
    const verdict = right ? w.right : w.not;
    return { title: verdict, back: `question-${n}`, body: [
      title(verdict),
      !right && para(w.kind),
      summary([
        { key: w.said, value: h("span", own, q.answers[given] ?? "") },
        { key: w.answer, value: h("span", own, q.why) },
      ]),
      !right && para(w.free),
      group(next(this.c.w.next, "#" + this.around(now, `question-${n}`).next), !right && link(w.retry, `#question-${n}`)),
      !right && para(link(this.c.w.read.all, "#all")), this.askDetails(),
    ] };
  }

  private all(now: Now): Screen {
    return { title: this.c.w.read.allTitle, back: this.firstOpen(now), body: [title(this.c.w.read.allTitle), wholeText(now.form)] };
  }

  private option(now: Now, n: number): Screen | string {
    const o = now.form.options[n - 1];
    if (!o) return "check";
    const w = this.c.w.option, quiet = this.readiness.line(this.c);
    const { back, next: after } = this.around(now, `option-${n}`);
    const body = form((data) => {
      void this.keep({ ...now.saved, options: { ...now.saved.options, [o.id]: data.get("option") === "yes" } }).then(() => this.c.router.go(after));
    },
    h("p", { class: "govuk-caption-l t-part" }, w.part(n, now.form.options.length)),
    radios({
      name: "option", legend: o.text, hint: [w.hint, now.before && ` ${w.before(now.before.includes(o.id) ? w.yes : w.no)}`], language: now.form.language, value: now.saved.options[o.id] ? "yes" : "no",
      items: [{ value: "no", text: w.no }, { value: "yes", text: w.yes }],
    }),
    submitButton(this.c.w.next));
    return { title: o.text, back, leave: quiet.leave, body: [body, quiet.element] };
  }

  private today(now: Now): Screen {
    const w = this.c.w.today;
    const body = form((data) => {
      const today = data.get("today") === "yes";
      void this.keep({ ...now.saved, today, answers: { ...now.saved.answers, today: 1 } }).then(() => this.c.router.go("check"));
    },
    radios({
      name: "today", legend: w.title, hint: [w.why(now.way.least), " ", w.whyYes], value: now.saved.today ? "yes" : "no",
      items: [{ value: "no", text: w.no, hint: w.noHint }, { value: "yes", text: w.yes }],
    }),
    submitButton(this.c.w.next));
    return { title: w.title, back: this.around(now, "today").back, body };
  }

  private async check(now: Now): Promise<Screen | string> {
    const s = await this.joined.member.status().catch(() => undefined);
    if (s && answered(s, this.version)) return "receipt"; // a second answer could have other choices
    const w = this.c.w.check, quiet = this.readiness.line(this.c);
    const body = form(() => decide(this.c, "proof"),
      heading(w.says), bullets([...w.list]),
      group(submitButton(this.ends.renewed ? w.agreeNew : w.agree), link(this.ends.renewed ? w.refuseNew : w.refuse, "#" + this.ends.refuse)));
    return { title: w.title, back: this.around(now, "check").back, leave: quiet.leave,
      body: [title(w.title), summary(this.rows(now)), body, quiet.element] };
  }

  private rows(now: Now): Row[] {
    const { w, l } = this.c, { form, saved, way } = now, own = { lang: form.language, dir: "auto" };
    const change = (step: string) => ({ href: "#" + step, text: w.change });
    const rows: Row[] = [
      { key: w.study, value: h("span", { dir: "auto" }, titleOf(now.v.protocol)) },
      { key: w.versionOf, value: `${w.version(this.version)} (${day(l, now.v.effective)})` },
      { key: w.check.read, value: h("span", own, form.title), change: { href: "#read-1", text: w.read.all } },
    ];
    const questions = questionsOf(form), answered = questions.filter((q) => q.id in saved.answers).length;
    if (questions.length) rows.push({ key: w.check.questions, value: w.check.answered(answered, questions.length), change: change(`question-${Math.min(answered + 1, questions.length)}`) });
    form.options.forEach((o, i) => rows.push({ key: o.text, language: form.language, value: saved.options[o.id] ? w.yes : w.no, change: change(`option-${i + 1}`) }));
    if (way.relayed && !this.ends.renewed) rows.push({ key: w.check.sent, value: saved.today ? w.check.now : w.check.mixed, change: change("today") });
    return rows;
  }

  private async proof(now: Now): Promise<Screen | string> {
    const s = await this.joined.member.status().catch(() => undefined);
    if (s && answered(s, this.version)) return "receipt";
    if (!decided(this.c, "proof")) return "check";
    const { w } = this.c;
    const choice: Choice = { form: now.form.id, language: now.form.language, taken: now.form.options.filter((o) => now.saved.options[o.id]).map((o) => o.id) };
    return working(this.c, {
      title: w.proof.title, lead: w.proof.lead, stages: ["ready", "invited", "prove", "send", "seen"], cancelledText: w.proof.cancelled, home: "check",
      contact: contactOf(this.c, this.joined),
      run: async (progress, signal) => {
        await this.joined.member.agree(this.version, now.v.protocol.forms, choice, now.saved.today, progress, signal);
        return "receipt";
      },
    });
  }

  private async receiptStep(): Promise<Screen | string> {
    const { w, l } = this.c, s = await this.joined.member.status();
    const given = s.given.find((g) => g.version === this.version);
    if (!given && !s.sent.includes(this.version)) return "check";
    const v = await this.joined.study.version(this.version);
    const said = given ? w.receipt.title : w.receipt.titleOnWay;
    return { title: said, body: [
      given ? panel(said, h("span", { dir: "auto" }, titleOf(v.protocol))) : title(said, titleOf(v.protocol)),
      !given && para((await this.c.agent.way()).relayed ? w.proof.mixing : w.unsent),
      given && receiptOf(this.c, this.joined, given),
      heading(w.receipt.next),
      bullets([[link(w.receipt.sheet, "/my-consent" + query(this.joined, l) + "#sheet"), ". ", w.receipt.sheetWhy], link(w.receipt.mine, "/my-consent" + query(this.joined, l))]),
    ] };
  }
}

// Whether this device has agreed to a version, be it on the public list or on its way.
function answered(s: Status, version: number): boolean {
  return s.sent.includes(version) || s.given.some((g) => g.version === version);
}

interface Now { v: Version; saved: Saved; form: Form; way: { relayed: boolean; least: number }; before: readonly string[] | undefined }

function questionsOf(f: Form): Question[] {
  return f.questions ?? [];
}

/** The part of an address that names the study and the language. */
export function query(j: Joined, l: string): string {
  return `?${new URLSearchParams({ lang: l, study: j.member.card.trial })}`;
}

/** A form's whole text, each part under its heading. */
export function wholeText(f: Form): HTMLElement {
  return h("div", {}, f.sections.map((s) => [
    h("h2", { class: "govuk-heading-m", lang: f.language, dir: "auto" }, s.heading), written(s.text, f.language),
  ]));
}

/** How to reach the site, where a page fails. */
export function contactOf(c: Context, j: Joined): HTMLElement {
  return summary([contactRow(c, j)]);
}

/** The site's name and how to reach it, the name once. */
export function contactRow(c: Context, j: Joined): Row {
  const { siteName, contact } = j.member.card;
  return { key: c.w.contact, value: h("span", { dir: "auto" }, contact.includes(siteName) ? contact : `${siteName}, ${contact}`) };
}

/** A receipt with its code: study, version and time, never the account. */
export function receiptOf(c: Context, j: Joined, r: Given): HTMLElement {
  const { w, l } = c, { card } = j.member;
  const address = `${location.origin}/studies/${card.trial}/versions/${r.version}${r.day ? `#epoch-${r.epoch}` : ""}`;
  return h("div", { class: "t-receipt" },
    summary([
      { key: w.site, value: h("span", { dir: "auto" }, card.siteName) },
      { key: w.versionOf, value: w.version(r.version) },
      ...(r.day ? [{ key: w.receipt.when, value: w.receipt.period(r.epoch, day(l, r.day)) }] : []),
      ...(r.countersigned ? [{ key: w.receipt.signed, value: w.yes }] : []),
    ]),
    qr(address, w.receipt.qr(r.version, r.epoch)),
    h("p", { class: "govuk-body-s t-address" }, h("bdi", {}, address)),
    para(w.receipt.keep),
    group(button(w.print, () => print(), "secondary")));
}
