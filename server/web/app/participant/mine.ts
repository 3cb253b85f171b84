// My consent: what was agreed to, what waits for an answer, and the way out.

import { h, type Child } from "../lib/dom";
import { day } from "../lib/language";
import { heading, inset, lead, link, menu, next, notice, para, summary, title, warning, type Row } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { type Member, type Status } from "./agent";
import { Choices, changeable, chosen } from "./choices";
import { joined, meant, type Context, type Joined } from "./context";
import { directing, directly, offered } from "./directly";
import { hidden } from "./hidden";
import { Journey, query, receiptOf, wholeText } from "./journey";
import { leave, leaving, left, sure } from "./leave";
import { news } from "./news";
import { lost, restore, sheet } from "./recovery";
import { formFor, titleOf } from "./study";
import { visit } from "./visit";

/** The steps of /my-consent. */
export class Mine {
  private joined?: Joined;
  private journey?: Journey;
  private choices?: Choices;

  constructor(private c: Context) {}

  async screen(step: string): Promise<Screen | string> {
    if (step === "restore") return restore(this.c, (m) => this.take(m));
    if (step === "lost") return lost(this.c);
    if (step === "hidden") return hidden(this.c, "");
    const j = await this.current();
    if (!j) return step === "" ? this.none() : "";
    if (step === "studies") return this.studies();
    switch (step) {
      case "": return this.home(j);
      case "text": return this.text(j);
      case "receipt-kept": return this.kept(j);
      case "sheet": return sheet(this.c, j);
      case "visit": return visit(this.c, j);
      case "results": return this.results(j);
      case "directly": return directly(this.c, j);
      case "directing": return directing(this.c, j);
      case "leave": return leave(this.c, j);
      case "leave-sure": return sure(this.c, j);
      case "leaving": return leaving(this.c, j);
      case "left": return left(this.c, j);
      default: return await (this.choices ??= new Choices(this.c, j)).screen(step) ?? await this.renewed(j, step) ?? "";
    }
  }

  // A new version: its news, and then the same steps as the first time.
  private async renewed(j: Joined, step: string): Promise<Screen | string | undefined> {
    const s = await j.member.status();
    if (!s.given.length) return undefined;
    const open = s.open.at(-1), begun = this.journey;
    const done = step === "proof" || step === "receipt"; // of what was decided before a newer one opened
    if (open && begun && begun.version !== open.version && !done) {
      begun.stop();
      this.journey = undefined;
      if (step !== "news") return "news";
    }
    // Without a connection nothing is open, and what was begun goes on.
    const away = s.now === "" && begun !== undefined;
    if (!open && !away && !done) return undefined;
    const version = open?.version ?? begun?.version ?? s.given.at(-1)!.version;
    this.journey ??= new Journey(this.c, j, version, { start: "news", refuse: "leave", renewed: true });
    if (step === "news" && open) {
      this.journey.prepare();
      return news(this.c, j, open, s);
    }
    return this.journey.screen(step);
  }

  private async current(): Promise<Joined | undefined> {
    if (this.joined) return this.joined;
    const member = await meant(this.c);
    return member && this.take(member);
  }

  private take(member: Member): Joined {
    this.journey?.stop();
    this.journey = undefined;
    this.choices = undefined;
    return this.joined = joined(member);
  }

  private none(): Screen {
    const { w, l } = this.c, t = w.mine;
    return { title: t.none, body: [
      title(t.none), lead(t.noneText), next(t.start, `/take-part?lang=${l}`), para(link(t.restore, "#restore")), para(link(t.lost, "#lost")), para(link(w.hidden.title, "#hidden")),
    ] };
  }

  private async studies(): Promise<Screen> {
    const members = await this.c.agent.members(), t = this.c.w.mine;
    return { title: t.which, back: "", body: [title(t.which), menu(members.map((m) => ({
      text: m.card.study, href: "/my-consent" + query(joined(m), this.c.l), about: m.card.siteName,
    })))] };
  }

  private async home(j: Joined): Promise<Screen> {
    const { w } = this.c, s = await j.member.status(), members = await this.c.agent.members();
    return { title: w.mine.title, body: [
      title(w.mine.title, j.member.card.study),
      members.length > 1 && para(link(w.mine.which, "#studies")),
      (s.waiting > 0 || s.held !== undefined) && inset(para(w.unsent), offered(this.c, s)),
      s.refusal !== "" && warning(w.warning, w.trouble.refused(s.refusal)),
      this.waiting(s),
      summary(this.facts(s)),
      this.unfinished(j, s),
      menu(this.items(s, await this.optional(j, s))),
    ] };
  }

  private waiting(s: Status): Child {
    const { w, l } = this.c, open = s.open[s.open.length - 1];
    if (!open || !s.given.length || s.left) return null;
    const days = open.deadline && s.now ? Math.ceil((Date.parse(open.deadline) - Date.parse(s.now)) / 86_400_000) : undefined;
    const text = days === undefined ? w.mine.newAny : days > 0 ? w.mine.newText(w.mine.days(days)) : w.mine.newPast;
    return notice(w.mine.waiting,
      h("p", { class: "govuk-notification-banner__heading" }, w.mine.newTitle), para(text),
      open.deadline && days !== undefined && days > 0 && para(h("strong", {}, day(l, open.deadline))), next(w.mine.newRead, "#news"));
  }

  private unfinished(j: Joined, s: Status): Child {
    if (s.given.length || s.left || s.waiting) return null;
    return next(this.c.w.mine.finish, "/take-part" + query(j, this.c.l) + "#invitation");
  }

  private facts(s: Status): Row[] {
    const { w, l } = this.c, t = w.mine;
    const state = s.left === "left" ? t.left : s.left === "going" ? t.going : s.given.length ? t.in : s.invited === "refused" ? t.refused(s.reason) : t.asked;
    const rows: Row[] = [{ key: t.state, value: h("strong", {}, state) }];
    rows.push({ key: t.agreed, value: s.given.length
      ? h("ul", { class: "t-plain" }, s.given.map((g) => h("li", {}, link(g.day ? t.agreedTo(g.version, day(l, g.day)) : w.version(g.version), "#receipt-kept"))))
      : t.nothing });
    return rows;
  }

  // Whether there are options to change. Without a connection it may not be known; the step itself tells then.
  private async optional(j: Joined, s: Status): Promise<boolean> {
    const given = changeable(s);
    if (!given) return false;
    const v = await j.study.version(given.version).catch(() => undefined);
    return v === undefined || v.protocol.forms.some((f) => f.options.length > 0);
  }

  private items(s: Status, optional: boolean): { text: string; href: string; about: string }[] {
    const m = this.c.w.mine.menu, item = (key: keyof typeof m, href: string) => ({ text: m[key][0], href, about: m[key][1] });
    const inside = s.given.length > 0 && !s.left;
    return [
      ...(inside ? [item("visit", "#visit")] : []),
      ...(s.given.length ? [item("text", "#text")] : []),
      ...(optional ? [item("choices", "#choices")] : []),
      ...(s.left ? [] : [item("sheet", "#sheet")]),
      item("hidden", "#hidden"), item("results", "#results"), item("lost", "#lost"),
      ...(s.left ? [] : [item("leave", "#leave")]),
    ];
  }

  private async text(j: Joined): Promise<Screen> {
    const { w, l } = this.c, s = await j.member.status(), last = s.given[s.given.length - 1];
    const v = await j.study.version(last?.version ?? j.member.card.version);
    const f = formFor(v.protocol.forms, l, last?.choice?.form);
    const own = { lang: f.language, dir: "auto" };
    return { title: w.mine.agreed, back: "", body: [
      title(w.mine.agreed, [h("bdi", {}, titleOf(v.protocol)), h("br"), w.version(v.version)]), f.example && inset(w.example),
      chosen(this.c, f, last, s),
      h("h2", { class: "govuk-heading-m", ...own }, f.title), wholeText(f),
    ] };
  }

  private async kept(j: Joined): Promise<Screen> {
    const { w } = this.c, s = await j.member.status();
    return { title: w.mine.agreed, back: "", body: [title(w.mine.agreed, j.member.card.study),
      [...s.given].reverse().map((g) => [heading(w.version(g.version)), receiptOf(this.c, j, g)])] };
  }

  private async results(j: Joined): Promise<Screen> {
    const { w, l } = this.c, t = w.results, r = await j.study.results();
    const out = r.stage > 0;
    return { title: t.title, back: "", body: [
      title(t.title, j.member.card.study), lead(out ? t.out : t.none), !out && r.due && para(t.due(day(l, r.due))),
      summary([{ key: t.label, value: t.labels[r.label] ?? r.label }]),
      out && next(t.open, `/studies/${j.member.card.trial}#results`),
    ] };
  }
}
