// The recovery sheet: shown only when asked for, printed, and read back in.

import { h } from "../lib/dom";
import { bullets, button, field, form, group, lead, link, para, submitButton, summary, tell, title, warning, type Mistake } from "../lib/parts";
import { qr } from "../lib/qr";
import { live, type Screen } from "../lib/screen";
import { AgentError, type Member } from "./agent";
import { wordsFor, type Context, type Joined } from "./context";
import { contactRow } from "./journey";
import { scanner } from "./scan";

export async function sheet(c: Context, j: Joined): Promise<Screen> {
  const t = c.w.sheet, place = h("div", {});
  const show = async () => {
    const s = await j.member.sheet();
    const { card } = j.member;
    place.replaceChildren(h("div", { class: "t-sheet" },
      h("h2", { class: "govuk-heading-m", tabindex: -1 }, t.paper),
      para(h("span", { dir: "auto" }, t.made(card.study))),
      h("h3", { class: "govuk-heading-s" }, t.groups),
      h("ol", { class: "t-groups", dir: "ltr" }, s.groups.map((g) => h("li", { class: "t-groups__item" }, g))),
      qr(s.text, t.qr),
      summary([
        { key: t.card, value: h("bdi", { class: "t-hash" }, card.code) },
        contactRow(c, j),
      ]),
      para(t.how), para(t.lose)),
    group(button(c.w.print, () => print())));
    place.querySelector("h2")?.focus();
  };
  // Browsers keep a page that one goes away from as it stands, and show it to whoever comes back.
  const hide = () => place.replaceChildren(para(t.hidden), button(t.show, () => void show()));
  hide();
  addEventListener("pagehide", hide);
  return { title: t.title, back: "", leave: () => removeEventListener("pagehide", hide), body: [title(t.title), lead(t.lead), h("div", { class: "t-no-print" }, warning(c.w.warning, t.warn)), place] };
}

export function restore(c: Context, take: (m: Member) => void): Screen {
  const { w } = c, t = w.restore, place = h("div", {}), voice = live();
  const camera = scanner(c, t.scan, (text) => {
    const [groups, code] = text.split(/[#\n]/);
    (document.getElementById("sheet") as HTMLTextAreaElement).value = groups;
    if (code) (document.getElementById("code") as HTMLInputElement).value = code;
  });
  place.append(title(t.title), lead(t.lead),
    form((data, element) => {
      const text = String(data.get("sheet") ?? "").trim(), code = String(data.get("code") ?? "").trim();
      const mistakes = missing(c, text, code);
      if (mistakes.length) return tell(place, w, mistakes);
      const send = element.querySelector<HTMLButtonElement>("button[type=submit]")!;
      send.disabled = true;
      voice.say(t.working);
      c.agent.restore(text, code, () => {}, new AbortController().signal).then((m) => {
        take(m);
        c.router.replace("");
      }, (e) => {
        send.disabled = false;
        voice.say("");
        const at = e instanceof AgentError && (e.trouble === "code" || e.trouble === "card") ? "code" : "sheet";
        tell(place, w, [{ field: at, text: wordsFor(c, e) }]);
      });
    },
    field({ name: "sheet", label: t.label, hint: t.hint, lines: 4, attributes: { autocapitalize: "characters", dir: "ltr" } }),
    ...(camera.element ? [camera.element] : []),
    field({ name: "code", label: t.code, hint: t.codeHint, width: "govuk-input--width-20", attributes: { autocapitalize: "characters", dir: "ltr" } }),
    submitButton(t.go)),
  voice.element, para(link(w.mine.lost, "#lost")));
  return { title: t.title, back: "", body: place, leave: camera.leave };
}

function missing(c: Context, sheet: string, code: string): Mistake[] {
  const out: Mistake[] = [];
  if (!sheet) out.push({ field: "sheet", text: c.w.restore.empty });
  if (!code) out.push({ field: "code", text: c.w.card.empty });
  return out;
}

export function lost(c: Context): Screen {
  const t = c.w.lost;
  return { title: t.title, back: "", body: [title(t.title), bullets([...t.list])] };
}

