// The device gets ready while the person reads: this holds the work of one
// version, whichever step is on the screen.

import { h } from "../lib/dom";
import { percent } from "../lib/language";
import { AgentError, type Stage } from "./agent";
import { type Context, type Joined } from "./context";

type State = { stage: Stage; share: number } | "ready" | "stopped" | "keyless" | "waiting";

export class Readiness {
  private state: State = "waiting";
  private running?: AbortController;
  private watchers = new Set<() => void>();

  constructor(private joined: Joined, readonly version: number) {}

  /** Begins, unless it has begun. A failure is no matter, but that no browser can prove here: agreeing tries again and says what is wrong. */
  start(): void {
    if (this.running) return;
    const stop = this.running = new AbortController();
    const tell = (stage: Stage, share: number) => this.become({ stage, share });
    this.joined.member.ready(this.version, tell, stop.signal).then(() => this.become("ready"), (e: unknown) => {
      if (this.running === stop) this.running = undefined;
      this.become(e instanceof AgentError && e.trouble === "keyless" ? "keyless" : "stopped");
    });
  }

  stop(): void {
    this.running?.abort();
    this.running = undefined;
  }

  /** A quiet line about how far it is, for the foot of a page; it is not read out as it changes. */
  line(c: Context): { element: HTMLElement; leave: () => void } {
    const element = h("p", { class: "govuk-body-s t-quiet" });
    const show = () => { element.textContent = this.words(c); };
    show();
    this.watchers.add(show);
    return { element, leave: () => this.watchers.delete(show) };
  }

  private become(s: State): void {
    this.state = s;
    for (const w of this.watchers) w();
  }

  private words(c: Context): string {
    const w = c.w.read;
    if (this.state === "ready") return w.isReady;
    if (this.state === "stopped") return w.stopped;
    if (this.state === "keyless") return c.w.trouble.keyless;
    if (this.state === "waiting") return w.getting(percent(c.l, 0));
    return this.state.stage === "invited" ? w.asking : w.getting(percent(c.l, this.state.share));
  }
}
