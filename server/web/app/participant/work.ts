// The step that works: named parts, one after the other, said as they go, with a
// way to stop until the moment at which there is something to take back.

import { h, type Child } from "../lib/dom";
import { button, group, lead, link, next, para, title } from "../lib/parts";
import { live, type Screen } from "../lib/screen";
import { type Stage, type Tell } from "./agent";
import { cancelled, decide, detail, wordsFor, type Context } from "./context";

export interface Work {
  title: string;
  lead: string;
  stages: Stage[];
  cancelledText: string;
  home: string;      // the step to go to after stopping
  contact?: Child;   // said where it fails: another way to do it
  /** Does the work, which the signal stops, and says where to go then; nowhere: it has shown what there is. */
  run(tell: Tell, signal: AbortSignal): Promise<string | undefined>;
}

// From this stage on the act is on its way, and stopping would only hide it.
const sent: Stage[] = ["send", "seen"];

/** The screen of a work. It begins at once: the person has just asked for it. */
export function working(c: Context, work: Work): Screen {
  const stop = new AbortController();
  let left = false;
  const lines = new Map(work.stages.map((stage) => [stage, line(c, stage)]));
  const list = h("ol", { class: "t-stages" }, [...lines.values()].map((l) => l.element));
  const voice = live();
  const hint = h("div", { class: "t-stages__hint" });
  const end = group(button(c.w.cancel, () => stop.abort(), "secondary"));
  const begin = lead(work.lead);
  const place = h("div", {}, list, hint, end, voice.element);
  const tell: Tell = (stage, share) => {
    advance(c, work.stages, lines, stage, share, voice.say);
    hint.replaceChildren(...(stage === "invited" && share < 1 ? [para(c.w.proof.wait)] : []));
    if (sent.includes(stage)) end.remove();
  };
  const failure = (e: unknown) => {
    const text = cancelled(e) ? work.cancelledText : wordsFor(c, e);
    begin.remove(); // it speaks of work that goes on
    place.replaceChildren(h("div", { role: "alert" }, para(h("strong", {}, text))),
      group(cancelled(e) ? next(c.w.next, "#" + work.home) : button(c.w.proof.again, () => decide(c, c.router.step)), link(c.w.back, "#" + work.home)),
      h("div", {}, !cancelled(e) && [work.contact, detail(c, e)]));
  };
  // The work begins when the step is on the screen, so that its first words are heard.
  const begun = setTimeout(() => work.run(tell, stop.signal).then((step) => { if (!left && step !== undefined) c.router.replace(step); }).catch(failure), 0);
  return { title: work.title, body: [title(work.title), begin, place], leave: () => {
    left = true;
    clearTimeout(begun);
    stop.abort();
  } };
}

interface Line { element: HTMLElement; state: HTMLElement }

function line(c: Context, stage: Stage): Line {
  const state = h("span", { class: "t-stages__state" }, c.w.proof.todo);
  return { state, element: h("li", { class: "t-stages__item" }, h("span", { class: "t-stages__name" }, c.w.proof[stage]), " ", state) };
}

function advance(c: Context, stages: Stage[], lines: Map<Stage, Line>, now: Stage, share: number, say: (text: string) => void): void {
  const at = stages.indexOf(now);
  for (const [i, stage] of stages.entries()) {
    const { element, state } = lines.get(stage)!;
    const done = i < at || (i === at && share >= 1);
    const doing = i === at && !done;
    element.classList.toggle("t-stages__item--done", done);
    element.classList.toggle("t-stages__item--doing", doing);
    if (doing) element.setAttribute("aria-current", "step");
    else element.removeAttribute("aria-current");
    state.textContent = done ? c.w.proof.done : doing ? c.w.proof.doing : c.w.proof.todo;
    if (i === at) say(`${c.w.proof[stage]}: ${state.textContent}`);
  }
}
