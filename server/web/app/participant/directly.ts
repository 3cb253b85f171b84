// A decision that gets through no messenger can go straight to the server of this
// page. What that gives up is said first, and only a button does it.

import { h, type Child } from "../lib/dom";
import { bullets, button, details, group, heading, lead, link, para, title } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { type Status } from "./agent";
import { decide, decided, type Context, type Joined } from "./context";
import { working } from "./work";

/** The offer, where there is something to offer. */
export function offered(c: Context, s: Status): Child {
  return s.held !== undefined && [para(c.w.directly.held), para(link(c.w.directly.offer, "#directly"))];
}

export async function directly(c: Context, j: Joined): Promise<Screen | string> {
  const { w } = c, t = w.directly, s = await j.member.status();
  if (s.held === undefined) return "";
  return { title: t.title, back: "", body: [
    title(t.title, j.member.card.study), lead(t.lead), heading(t.gives), bullets([...t.list]), para(t.same),
    group(button(t.go, () => decide(c, "directing"), "warning"), link(t.stay, "#")),
    s.held !== "" && details(w.trouble.detail, h("p", { class: "govuk-body-s t-text", lang: "en", dir: "ltr" }, s.held)),
  ] };
}

export function directing(c: Context, j: Joined): Screen | string {
  if (!decided(c, "directing")) return "directly";
  const { w } = c;
  return working(c, {
    title: w.directly.title, lead: w.proof.lead, stages: ["send", "seen"], cancelledText: w.proof.cancelledLeave, home: "",
    run: async (progress, signal) => {
      await j.member.sendDirectly(progress, signal);
      return "";
    },
  });
}
