// Leaving, in two steps and without a reason. Where the proof cannot be made the
// person leaves by word, and the page says so at every step.

import { bullets, button, details, group, inset, lead, link, next, para, title, warning } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { decide, decided, type Context, type Joined } from "./context";
import { offered } from "./directly";
import { contactOf } from "./journey";
import { working } from "./work";

export async function leave(c: Context, j: Joined): Promise<Screen> {
  const t = c.w.leave;
  return { title: t.title, back: "", body: [
    title(t.title, j.member.card.study), lead(t.lead), bullets([...t.list]),
    group(next(t.go, "#leave-sure"), link(t.stay, "#")),
    details(t.word, para(t.wordText), contactOf(c, j)),
  ] };
}

export function sure(c: Context, j: Joined): Screen {
  const t = c.w.leave;
  return { title: t.sure, back: "leave", body: [
    title(t.sure, j.member.card.study), warning(c.w.warning, t.sureText),
    group(button(t.yes, () => decide(c, "leaving"), "warning"), link(t.stay, "#")),
    details(t.word, para(t.wordText), contactOf(c, j)),
  ] };
}

export async function leaving(c: Context, j: Joined): Promise<Screen | string> {
  const s = await j.member.status().catch(() => undefined);
  if (s?.left === "left" || (s?.left === "going" && s.waiting > 0)) return "left";
  if (!decided(c, "leaving")) return "leave-sure";
  const { w } = c, site = contactOf(c, j);
  return working(c, {
    title: w.leave.title, lead: w.proof.lead, stages: ["ready", "prove", "send", "seen"], cancelledText: w.proof.cancelledLeave, home: "leave-sure",
    contact: [para(w.leave.wordText), site],
    run: async (progress, signal) => {
      await j.member.leave(progress, signal);
      return "left";
    },
  });
}

export async function left(c: Context, j: Joined): Promise<Screen | string> {
  const t = c.w.leave, s = await j.member.status();
  if (!s.left) return "leave";
  return { title: t.done, back: "", body: [
    title(t.done), lead(t.doneText),
    s.told || s.heard ? para(s.heard ? t.heard : t.told) : [warning(c.w.warning, t.untold), contactOf(c, j)],
    para(s.left === "left" ? t.recorded : t.unrecorded), offered(c, s),
    inset(t.stop), (s.told || s.heard) && contactOf(c, j),
    para(link(c.w.mine.title, "#")),
  ] };
}
