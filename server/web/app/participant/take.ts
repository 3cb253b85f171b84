// Taking part: from the card to the receipt.

import { h } from "../lib/dom";
import { button, field, form, heading, inset, lead, link, next, para, submitButton, tell, title, warning } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { AgentError, type Member } from "./agent";
import { decide, decided, joined, meant, wordsFor, type Context, type Joined } from "./context";
import { hidden } from "./hidden";
import { contactOf, Journey, query } from "./journey";
import { scanner } from "./scan";
import { titleOf } from "./study";
import { working } from "./work";

// 12 letters and digits of Crockford's base32, as a fragment or a link on a card has them.
const code = /^[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$/;

/** The steps of /take-part. */
export class Take {
  private joined?: Joined;
  private journey?: Journey;

  constructor(private c: Context) {}

  async screen(step: string): Promise<Screen | string> {
    if (code.test(step)) return this.arrive(step);
    if (step === "hidden") return hidden(this.c, "invitation");
    if (step === "" || step === "card") return this.card();
    const j = await this.current();
    if (!j) return "card";
    if (step === "invitation") return this.invitation(j);
    if (step === "refuse") return this.refuse(j);
    if (step === "refused") return this.refused();
    if (step === "telling") return this.telling(j);
    return await (await this.walk(j)).screen(step) ?? "invitation";
  }

  // The study of the address, else the one whose invitation was opened last.
  private async current(): Promise<Joined | undefined> {
    if (this.joined) return this.joined;
    const member = await meant(this.c);
    return member && this.take(member);
  }

  private take(member: Member): Joined {
    this.journey?.stop();
    this.journey = undefined;
    const j = this.joined = joined(member);
    history.replaceState(history.state, "", query(j, this.c.l) + location.hash); // a reload goes on with this study
    return j;
  }

  // The newest version that waits for an answer: it may be newer than the card's.
  private async walk(j: Joined): Promise<Journey> {
    if (this.journey) return this.journey;
    const s = await j.member.status().catch(() => undefined);
    const version = s?.open.at(-1)?.version ?? s?.given.at(-1)?.version ?? j.member.card.version;
    return this.journey ??= new Journey(this.c, j, version, { start: "invitation", refuse: "refuse", renewed: false });
  }

  // The card's link carries the code behind the #. It opens the invitation and leaves the history.
  private async arrive(text: string): Promise<Screen | string> {
    try {
      this.take(await this.c.agent.open(text, new AbortController().signal));
      return "invitation";
    } catch (e) {
      if (!(e instanceof AgentError) || !["code", "card", "used"].includes(e.trouble)) throw e;
      const card = this.card(text);
      return { ...card, shown: (place) => this.wrong(place, e) };
    }
  }

  private card(given = ""): Screen {
    const w = this.c.w.card, place = h("div", {});
    const open = (text: string) => {
      const signal = new AbortController().signal;
      this.c.agent.open(text, signal).then((m) => {
        this.take(m);
        this.c.router.go("invitation");
      }, (e) => this.wrong(place, e));
    };
    const camera = scanner(this.c, w.scan, (text) => open(text.slice(text.indexOf("#") + 1)));
    place.append(title(w.title), lead(w.lead),
      form((data) => {
        const text = String(data.get("code") ?? "").trim();
        if (!text) return tell(place, this.c.w, [{ field: "code", text: w.empty }]);
        open(text);
      },
      field({ name: "code", label: w.label, hint: w.hint, width: "govuk-input--width-20", attributes: { autocapitalize: "characters", dir: "ltr", value: given, maxlength: 40 } }),
      submitButton(this.c.w.next)));
    if (camera.element) place.append(camera.element);
    place.append(heading(w.had), para(link(w.mine, `/my-consent?lang=${this.c.l}`)), para(link(w.restore, `/my-consent?lang=${this.c.l}#restore`)));
    return { title: w.title, body: place, leave: camera.leave };
  }

  private wrong(place: HTMLElement, e: unknown): void {
    const w = this.c.w.card, trouble = e instanceof AgentError ? e.trouble : "internal";
    const text = trouble === "code" ? w.wrong : trouble === "card" ? w.unknown : wordsFor(this.c, e);
    tell(place, this.c.w, [{ field: "code", text }]);
  }

  private async invitation(j: Joined): Promise<Screen> {
    const { w } = this.c, { card } = j.member, journey = await this.walk(j), v = await j.study.version(journey.version);
    const s = await j.member.status().catch(() => undefined);
    const given = s?.given.some((g) => g.version === journey.version);
    const begun = await j.member.saved();
    const first = v.protocol.forms.length > 1 && !begun?.form ? "language" : await journey.resume();
    return { title: w.invite.title, back: "card", body: [
      title(w.invite.title, card.siteName), lead(h("strong", { dir: "auto" }, titleOf(v.protocol))), para(w.invite.from(card.siteName)),
      s?.invited === "refused" && warning(w.warning, w.mine.refused(s.reason)),
      given && inset(w.invite.already, " ", link(w.card.mine, "/my-consent" + query(j, this.c.l))),
      heading(w.invite.steps), h("ol", { class: "govuk-list govuk-list--number govuk-list--spaced" }, w.invite.list.map((x) => h("li", {}, x))),
      para(w.invite.time),
      !given && next(begun ? w.invite.again : w.invite.start, "#" + first),
      inset(w.invite.quiet),
      contactOf(this.c, j),
      para(link(w.hidden.title, "#hidden")),
    ] };
  }

  private refuse(j: Joined): Screen {
    const w = this.c.w.declined;
    return { title: w.title, back: "check", body: [
      title(w.title), lead(w.lead), para(w.text), button(w.tell, () => decide(this.c, "telling"), "secondary"), para(link(w.back, "#check")), contactOf(this.c, j),
    ] };
  }

  private telling(j: Joined): Screen | string {
    const { w } = this.c;
    if (!decided(this.c, "telling")) return "refuse";
    this.journey?.stop();
    return working(this.c, {
      title: w.declined.title, lead: w.declined.lead, stages: ["ready", "prove", "send", "seen"], cancelledText: w.proof.cancelledLeave,
      home: "refuse", contact: contactOf(this.c, j),
      run: async (progress, signal) => {
        await j.member.leave(progress, signal);
        return "refused";
      },
    });
  }

  private refused(): Screen {
    const w = this.c.w.declined;
    return { title: w.done, body: [title(w.done), lead(w.doneText)] };
  }
}
